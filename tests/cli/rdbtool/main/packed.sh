# Compressed files and pipes are recognised by their first bytes, by every verb, and named by info.
# shellcheck disable=SC2002,SC2015,SC2164
fail() { echo "line $1" && exit 1; }
cd "$DATA/packed"
"$RDBTOOL" export cluster.rdb >"$HOME/plain"
[ "$(wc -l <"$HOME/plain")" = 322 ]
for f in cluster.rdb.zst:zstd frames.rdb.zst:zstd cluster.rdb.gz:gzip members.rdb.gz:gzip cluster.rdb.lz4:lz4; do
    name=${f%:*}
    "$RDBTOOL" export "$name" | cmp - "$HOME/plain"
    "$RDBTOOL" export - <"$name" | cmp - "$HOME/plain"
    cat "$name" | "$RDBTOOL" export - | cmp - "$HOME/plain"
    "$RDBTOOL" check "$name" >/dev/null
    cat "$name" | "$RDBTOOL" check - >/dev/null
    "$RDBTOOL" info --json "$name" | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["compression"] == sys.argv[1], d["compression"]
assert d["keys"] == 322 and d["checksum"] == "ok" and d["rdb_bytes"] == 4338, d' "${f#*:}"
    [ "$("$RDBTOOL" get "$name" '{tag}:l1')" = "$("$RDBTOOL" get cluster.rdb '{tag}:l1')" ]
done
# Cut and damaged envelopes.
head -c 1000 cluster.rdb.zst >"$HOME/cut.zst"
rc=0
"$RDBTOOL" export "$HOME/cut.zst" >/dev/null 2>"$HOME/err" || rc=$?
[ $rc = 23 ] && [ -s "$HOME/err" ] || fail $LINENO
rc=0
"$RDBTOOL" check "$HOME/cut.zst" >"$HOME/out" || rc=$?
[ $rc = 3 ] && grep -q ': truncated: ' "$HOME/out" || fail $LINENO
