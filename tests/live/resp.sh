# What this is: a server that is fed by `export --format resp` holds what it holds when it loads the file.
# Rests on: redis-server 7.0 or newer, python3, oracle-dump.py; files of tests/data that such a server loads.
# Does not: compare when a consumer was last seen, which no command sets.
# shellcheck source=tests/live/_server.sh
. "$TESTS/live/_server.sh"
command -v python3 >/dev/null || { echo "python3 is not installed" >&2 && exit 77; }
server_start --enable-debug-command local --databases 64
everything() { python3 "$TESTS/live/oracle-dump.py" "unix:$SOCKET" >"$1"; }
digest() { cli DEBUG DIGEST; }
empty() {
    cli FLUSHALL >/dev/null
    cli FUNCTION FLUSH >/dev/null
}
feed() { # file, options of export: the server takes every command
    "$RDBTOOL" export "$@" --format resp >commands
    redis-cli -s "$SOCKET" --pipe <commands >pipe 2>&1 || :
    tail -n 1 pipe | grep -q '^errors: 0, ' || { echo "$*" && cat pipe && exit 1; }
}
same() { # what, words of differences that are due
    python3 "$TESTS/live/oracle-dump.py" --compare loaded.json fed.json >differs || :
    grep -Ev "^(equal|[0-9]+ differences?)\$|$2" differs >left || :
    [ ! -s left ] || { echo "$1" && head left && exit 1; }
}
seen='seen_time|active_time'
# A stream of 6.2 has no such counters; loading makes them up in another way than commands do.
older="$seen|recorded_first_entry_id|entries_read|max_deleted_entry_id"
for f in "$DATA"/redis-{2.4.18,6.2.16,7.0.15-debian}/*.rdb; do
    case $f in
    */module.rdb) continue ;;  # such a server does not load it
    */expired.rdb) continue ;; # what is there depends on when one looks
    esac
    empty
    cp "$f" dump.rdb
    cli DEBUG RELOAD NOSAVE >/dev/null
    want=$(digest)
    everything loaded.json
    empty
    # Into an empty server, then over all that.
    feed "$f" --to-target redis:7.0
    # A small zset of 7.0 makes 0 of -0, unless it comes as a payload.
    case $f in */redis-[46]*/zsets.rdb) ;; *) [ "$(digest)" = "$want" ] || { echo "$f" && exit 1; } ;; esac
    everything fed.json
    case $f in */redis-6*) same "$f" "$older" ;; *) same "$f" "$seen" ;; esac
    feed "$f" --to-target redis:7.0 --restore
    [ "$(digest)" = "$want" ] || { echo "$f --restore" && exit 1; }
    everything fed.json
    same "$f --restore" nothing
done

# Made for an old server, or from a new one's file: nothing is refused, and what is lost is told.
for target in redis:2.8 redis:5.0 redis:6.2; do
    empty
    rc=0
    "$RDBTOOL" resp "$DATA/redis-7.0.15-debian/everything.rdb" --to-target $target --on-loss drop --restore >commands 2>err || rc=$?
    [ $rc = 3 ] && grep -q 'left out: functions (function, 2)' err
    redis-cli -s "$SOCKET" --pipe <commands | tail -n 1 | grep -q '^errors: 0, '
done

# Values of many batches.
empty
cli EVAL '
local function fill(command, key, n, f)
    local a = {}
    for i = 1, n do
        f(a, i)
        if #a >= 2000 or i == n then redis.call(command, key, unpack(a)) a = {} end
    end
end
fill("RPUSH", "list", 60000, function(a, i) a[#a + 1] = "element number " .. i end)
fill("ZADD", "zset", 40000, function(a, i) a[#a + 1] = i / 7 a[#a + 1] = "member number " .. i end)
fill("HSET", "hash", 40000, function(a, i) a[#a + 1] = "field number " .. i a[#a + 1] = i end)
for i = 1, 30000 do redis.call("XADD", "stream", i .. "-1", "field", "value number " .. i, "other", i) end
redis.call("XGROUP", "CREATE", "stream", "group", "0")
redis.call("XREADGROUP", "GROUP", "group", "one", "COUNT", 20000, "STREAMS", "stream", ">")
redis.call("XREADGROUP", "GROUP", "group", "two", "COUNT", 5000, "STREAMS", "stream", ">")
redis.call("SET", "string", string.rep("0123456789abcdefghijklmnopqrstuvwxyz", 1165084), "PX", 100000000)
local x, noise = 1, {}
for i = 1, 500000 do
    x = (x * 1103515245 + 12345) % 2147483648
    noise[i] = string.char(32 + math.floor(x / 65536) % 90)
end
noise = string.rep(table.concat(noise), 4)
redis.call("HSET", "large", "a", 1, "b", noise, noise, "c", "d", 2)
redis.call("RPUSH", "pieces", "a", noise, "b", noise .. noise)
redis.call("PEXPIRE", "pieces", 100000000)' 0 >/dev/null
cli SAVE >/dev/null
want=$(digest)
everything loaded.json
for how in '' --restore; do
    empty
    # shellcheck disable=SC2086
    feed dump.rdb --to-target redis:7.0 $how
    [ "$(digest)" = "$want" ] || { echo "large values $how" && exit 1; }
    everything fed.json
    same "large values $how" "$seen"
done
