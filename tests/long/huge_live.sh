# A 600 MB string, and a list, a set, a hash, a sorted set and a stream of 3,000,000 elements each: captured from a running
# server and restored into another one, equal, in bounded memory. TIMEOUT: 1800
# Rests on: redis-server (with proto-max-bulk-len raised, as a server with such a string must have it), time.
# Does not: compare by oracle-dump: DEBUG DIGEST, and dd1 by the restore itself.
die() { echo "$*" >&2 && exit 1; }
command -v redis-server >/dev/null || { echo 'redis-server is not installed' >&2 && exit 77; }
servers=
# shellcheck disable=SC2086 # a list of numbers
trap 'kill $servers 2>/dev/null || :; wait 2>/dev/null || :' EXIT
start() { # NAME
    mkdir "$1"
    redis-server --port 0 --unixsocket "$PWD/$1.sock" --dir "$PWD/$1" --save '' --daemonize no --proto-max-bulk-len 1gb \
        --repl-diskless-sync-delay 0 --enable-debug-command local --logfile "$PWD/$1.log" &
    servers="$servers $!"
    for _ in $(seq 400); do
        [ "$(redis-cli -s "$PWD/$1.sock" PING 2>/dev/null || :)" != PONG ] || return 0
        sleep 0.025
    done
    die "$1 does not start"
}
start from
from() { redis-cli -s "$PWD/from.sock" "$@"; }
from SETRANGE huge 629145599 x >/dev/null
from SETRANGE huge 1000000 'not only zeros' >/dev/null
n=3000000
from EVAL 'for i = 1, tonumber(ARGV[1]) do
    redis.call("RPUSH", "list", i); redis.call("SADD", "set", "m" .. i); redis.call("HSET", "hash", "f" .. i, i)
    redis.call("ZADD", "zset", i / 7, "m" .. i); redis.call("XADD", "stream", i .. "-1", "f", i) end' 0 $n >/dev/null
from XGROUP CREATE stream group 0 >/dev/null
from XREADGROUP GROUP group one COUNT 100000 STREAMS stream '>' >/dev/null
from PEXPIREAT zset 4102444800000 >/dev/null
export RESPITE_REPO=file:$PWD/repo
"$BACKUPD" init --recovery-out sheet >/dev/null
measure() { # WHAT COMMAND...: within 64 MiB + 16 MiB of ring + chunks in flight
    local what=$1 kib
    shift
    /usr/bin/time -o memory -f %M "$@" >out 2>err || { cat out err >&2 && die "$what failed"; }
    kib=$(tail -n 1 memory)
    echo "$what: $((kib / 1024)) MiB" >&2
    [ "$kib" -le $((112 * 1024)) ] || die "$what took $((kib / 1024)) MiB"
}
measure capture "$BACKUPD" backup -s "$PWD/from.sock" --source web
start to
measure restore "$BACKUPD" restore latest --to "unix://$PWD/to.sock" --identity sheet
grep -q 'compared: equal' out || { cat out err >&2 && die 'not equal'; }
[ "$(from DEBUG DIGEST)" = "$(redis-cli -s "$PWD/to.sock" DEBUG DIGEST)" ] || die 'DEBUG DIGEST differs'
[ "$(redis-cli -s "$PWD/to.sock" STRLEN huge)" = 629145600 ] || die 'the string is not whole'
[ "$(redis-cli -s "$PWD/to.sock" XPENDING stream group | head -n 1)" = 100000 ] || die 'the pending entries are not all there'
redis-cli -s "$PWD/to.sock" FLUSHALL >/dev/null
# A server with the usual limit cannot hold the string: said before the first write.
redis-cli -s "$PWD/to.sock" CONFIG SET proto-max-bulk-len 512mb >/dev/null
rc=0
"$BACKUPD" restore latest --to "unix://$PWD/to.sock" --identity sheet >out 2>err || rc=$?
[ "$rc" = 23 ] || [ "$rc" = 26 ] || { cat out err >&2 && die "exit status $rc"; }
grep -q huge err || { cat err && die 'the key is not named'; }
[ "$(redis-cli -s "$PWD/to.sock" DBSIZE)" = 0 ] || die 'something was written'
