#!/usr/bin/env bash
# What this is: the demonstration: a private redis-server with every data type, its dump in an encrypted repository and
# back, and what rdbtool says of it.
# Rests on: redis-server, redis-cli, $RDBTOOL, $BACKUPD.
# Does not: touch a server that already runs, or leave anything behind.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
RDBTOOL=${RDBTOOL:-$here/../../build/bin/rdbtool}
BACKUPD=${BACKUPD:-$here/../../build/bin/backupd}
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
unset "${!RESPITE_@}"
# What a user would type; the programs are those of this build, the paths shortened to /demo.
try() { # STATUS COMMAND...: it must end so
    local want=$1 rc=0
    shift
    say "\$ ${*//$dir/\/demo}"
    "$BACKUPD" "${@:2}" >out 2>&1 || rc=$?
    sed "s|$dir|/demo|g" out | cut -c 1-160
    [ "$rc" = 0 ] || echo "exit status $rc"
    [ "$rc" = "$want" ]
}
say '# a repository; the seed goes to another place, the host keeps no key that reads'
export RESPITE_STATE=$dir/host RESPITE_REPO=file:$dir/repo
say "\$ export RESPITE_REPO=file:/demo/repo"
try 0 backupd init --recovery-out "$dir/seed"
try 0 backupd backup --source web --from dump.rdb --tag demo=yes
try 0 backupd list
try 0 backupd verify --read-stored
say '# a thief of the host, with the storage'
try 12 backupd restore latest --to stolen.rdb
[ ! -e stolen.rdb ]
say '# a damaged dump is refused'
head -c 20000 dump.rdb >damaged.rdb
try 23 backupd backup --source web --from damaged.rdb
say '# the host is gone: an empty machine, the storage and the seed'
export RESPITE_STATE=$dir/new-machine
try 0 backupd restore latest --identity "$dir/seed" --to restored.rdb
cmp dump.rdb restored.rdb && echo '(the same bytes)'
try 0 backupd get latest user:1 --identity "$dir/seed"
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
