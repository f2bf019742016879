# What a server answers for each key is what export says of its dump, under both ways of compressing strings.
. "$TESTS/live/_server.sh"
server_start
"$TESTS/demo/fill.sh" "$SOCKET"
for compress in yes no; do
    cli CONFIG SET rdbcompression $compress >/dev/null
    cli SAVE >/dev/null
    "$RDBTOOL" check dump.rdb >report
    "$RDBTOOL" export --bytes base64 dump.rdb >dump.jsonl
    python3 "$TESTS/live/compare.py" "$SOCKET" dump.jsonl
    "$RDBTOOL" info --json --digest dump.rdb >info.$compress
done
"$RDBTOOL" get dump.rdb greeting >value
[ "$(cat value)" = 'hello, world' ]
rc=0
"$RDBTOOL" get dump.rdb no-such-key >/dev/null 2>&1 || rc=$?
[ $rc = 4 ]
