# Output that cannot be written is never exit status 0.
# shellcheck disable=SC2015
f=$DATA/packed/cluster.rdb
[ -c /dev/full ] || { echo 'no /dev/full' >&2 && exit 77; }
for args in "info $f" "check $f" "export $f" "get $f {tag}:l1" "info --json $f" "check --json $f"; do
    rc=0
    # shellcheck disable=SC2086
    "$RDBTOOL" $args >/dev/full 2>err || rc=$?
    [ $rc = 25 ] && [ -s err ] || { echo "rdbtool $args: exit status $rc" && cat err && exit 1; }
done
