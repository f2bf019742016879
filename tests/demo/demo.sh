#!/usr/bin/env bash
# What this is: the demonstration: a private redis-server with every data type, captured live into an encrypted repository,
# proven, restored into a second server; what a thief cannot do; and what rdbtool says of the dump.
# Rests on: redis-server, redis-cli, $RDBTOOL, $BACKUPD.
# Does not: touch a server that already runs, ask anything, or leave anything behind.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
RDBTOOL=${RDBTOOL:-$here/../../build/bin/rdbtool}
BACKUPD=${BACKUPD:-$here/../../build/bin/backupd}
dir=$(mktemp -d "${TMPDIR:-/tmp}/respite-demo.XXXXXX")
servers=

finish() {
    # shellcheck disable=SC2086 # a list of numbers
    [ -z "$servers" ] || kill $servers 2>/dev/null || :
    wait 2>/dev/null || :
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
start() { # NAME: a server of its own, on the socket NAME.sock
    mkdir "$dir/$1"
    redis-server --port 0 --unixsocket "$dir/$1.sock" --dir "$dir/$1" --save '' --appendonly no --daemonize no \
        --repl-diskless-sync-delay 0 --enable-debug-command local --logfile "$dir/$1.log" &
    servers="$servers $!"
    for _ in $(seq 200); do
        [ "$(redis-cli -s "$dir/$1.sock" PING 2>/dev/null || :)" = PONG ] && return
        kill -0 $! 2>/dev/null || { cat "$dir/$1.log" && exit 1; }
        sleep 0.05
    done
    exit 1
}
digest() { redis-cli -s "$dir/$1.sock" DEBUG DIGEST; }

say '# a private redis-server, filled with every data type'
start web
"$here/fill.sh" "$dir/web.sock"
echo "keys: $(redis-cli -s "$dir/web.sock" DBSIZE) in db 0, $(redis-cli -s "$dir/web.sock" -n 1 DBSIZE) in db 1"

cd "$dir"
unset "${!RESPITE_@}" REDISCLI_AUTH
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
say '# the running server, captured as a replica would be, checked while it streams'
try 0 backupd backup "unix://$dir/web.sock" --source web --tag demo=yes
try 0 backupd list
say '# a thief of the host, with the storage'
try 12 backupd restore latest --to stolen.rdb
[ ! -e stolen.rdb ]
say '# the host is gone: an empty machine, the storage and the seed. Is it whole? Does it restore?'
export RESPITE_STATE=$dir/new-machine
try 0 backupd verify --read-data --identity "$dir/seed"
try 0 backupd drill latest --identity "$dir/seed"
say '# into a second server, which is read again and compared'
start second
try 0 backupd restore latest --to "unix://$dir/second.sock" --identity "$dir/seed"
say "\$ redis-cli DEBUG DIGEST    # of the first server, and of the second"
digest web
digest second
[ "$(digest web)" = "$(digest second)" ]
try 0 backupd get latest user:1 --identity "$dir/seed"
say '# a file, for whatever else; a damaged one is refused as a backup'
try 0 backupd restore latest --to dump.rdb --identity "$dir/seed"
export RESPITE_STATE=$dir/host
head -c 20000 dump.rdb >damaged.rdb
try 23 backupd backup --source web --from damaged.rdb
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
