# The filters hold for get, too: a key that they refuse is not there (4), one that they accept is.
f=$DATA/redis-7.0.15-debian/onekey.rdb
key=$("$RDBTOOL" export "$f" --limit 1 | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["key"])')
"$RDBTOOL" get "$f" "$key" >want
for accept in "--key *" "--not-key nothing" "--size 1~" "--slot 0-16383" "--limit 1" "--key-regex ."; do
    # shellcheck disable=SC2086
    "$RDBTOOL" get "$f" "$key" ${accept%% *} "${accept#* }" >got
    cmp want got
done
for refuse in "--not-key *" "--size 1MB~" "--key-regex ^$" "--type stream"; do
    rc=0
    # shellcheck disable=SC2086
    "$RDBTOOL" get "$f" "$key" ${refuse%% *} "${refuse#* }" >got 2>err || rc=$?
    [ $rc = 4 ] || { echo "$refuse: exit status $rc" && exit 1; }
done
