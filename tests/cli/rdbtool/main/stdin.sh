# Standard input: a file, a pipe, a pipe that trickles, a named pipe.
# shellcheck disable=SC2002,SC2015
fail() { echo "line $1" && exit 1; }
f=$DATA/packed/cluster.rdb
"$RDBTOOL" export "$f" >plain
"$RDBTOOL" export - <"$f" | cmp - plain
cat "$f" | "$RDBTOOL" export - | cmp - plain
{ head -c 1 "$f" && sleep 0.2 && tail -c +2 "$f" | head -c 8 && sleep 0.2 && tail -c +10 "$f"; } | "$RDBTOOL" export - | cmp - plain || fail $LINENO
mkfifo pipe
cat "$f" >pipe &
"$RDBTOOL" check pipe | grep -q '^pipe: ok: 322 keys, checksum ok, duplicates: none$'
wait
[ "$("$RDBTOOL" get - '{tag}:l1' <"$f")" = "$("$RDBTOOL" get "$f" '{tag}:l1')" ]
"$RDBTOOL" info - <"$f" | grep -q '^file  *standard input, 4.2 KiB$'
rc=0
"$RDBTOOL" check - </dev/null >out || rc=$?
[ $rc = 3 ] && grep -q 'truncated: the input is empty' out || fail $LINENO
