#!/usr/bin/env bash
# What this is: the demonstration: a private redis-server with every data type, its dump, and what rdbtool says of it.
# Rests on: redis-server, redis-cli, $RDBTOOL.
# Does not: touch a server that already runs, or leave anything behind.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
RDBTOOL=${RDBTOOL:-$here/../../build/bin/rdbtool}
dir=$(mktemp -d "${TMPDIR:-/tmp}/respite-demo.XXXXXX")
server=

finish() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || :
        wait "$server" 2>/dev/null || :
    fi
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
cli() { redis-cli -s "$dir/s" "$@"; }

say '# a private redis-server, filled with every data type'
redis-server --port 0 --unixsocket "$dir/s" --dir "$dir" --save '' --appendonly no --daemonize no \
    --logfile "$dir/server.log" &
server=$!
for _ in $(seq 200); do
    [ "$(cli PING 2>/dev/null || :)" = PONG ] && break
    kill -0 "$server" 2>/dev/null || { cat "$dir/server.log" && exit 1; }
    sleep 0.05
done
[ "$(cli PING)" = PONG ]
"$here/fill.sh" "$dir/s"
echo "keys: $(cli DBSIZE) in db 0, $(cli -n 1 DBSIZE) in db 1; SAVE: $(cli SAVE)"

cd "$dir"
show() { # lines, command...
    local lines=$1
    shift
    say "\$ $*"
    shift
    "$RDBTOOL" "$@" >out || { echo "exit status $?" && cat out && exit 1; }
    head -n "$lines" out | cut -c 1-160
    [ "$(wc -l <out)" -le "$lines" ] || echo "... ($(wc -l <out) lines)"
}
show 60 rdbtool info dump.rdb
show 20 rdbtool check dump.rdb
show 12 rdbtool export dump.rdb --not-key 'inventory'
show 5 rdbtool get dump.rdb orders
# Keys stand in another order in every run: the byte there may be any, so it is made another one.
byte='\001'
[ "$(od -A n -t u1 -j 300 -N 1 dump.rdb | tr -d ' ')" != 1 ] || byte='\002'
say "$ printf '$byte' | dd of=dump.rdb bs=1 seek=300 conv=notrunc; rdbtool check dump.rdb"
printf '%b' "$byte" | dd of=dump.rdb bs=1 seek=300 conv=notrunc status=none
rc=0
"$RDBTOOL" check dump.rdb || rc=$?
echo "exit status $rc"
[ "$rc" = 3 ]
