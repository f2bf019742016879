# Large streams into a running server: what only a payload carries (pending entries whose messages are trimmed, the times
# of consumers) is there afterwards, also when the restore was killed on the way; beyond 64 MiB they go by commands.
# TIMEOUT: 400
# LONG
# shellcheck source=tests/live/_server.sh
. "$TESTS/live/_server.sh"
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
command -v python3 >/dev/null || { echo "python3 is not installed" >&2 && exit 77; }
export RESPITE_IDENTITY=$PWD/sheet
server_start --repl-diskless-sync-delay 0 --enable-debug-command yes --rdbcompression no
everything() { python3 "$TESTS/live/oracle-dump.py" "unix:$SOCKET" >"$1"; }
into() { "$BACKUPD" restore latest --to "unix://$SOCKET" --tmpdir . "$@"; }
# equal FILE [DIFFERENCES]: the server holds what it held; in a stream that went by commands some things differ.
equal() {
    [ "$(cli DEBUG DIGEST)" = "$digest" ]
    everything now.json
    python3 "$TESTS/live/oracle-dump.py" --compare "$1" now.json >differs || :
    grep -Ev "^(equal|[0-9]+ differences?)\$|${2:-nothing}" differs >left || :
    [ ! -s left ] || { echo "$1" && head left && exit 1; } >&2
}
snapshot() {
    "$BACKUPD" backup -s "$SOCKET" >/dev/null
    digest=$(cli DEBUG DIGEST)
    everything was.json
}
fill() { # key, messages, bytes of each
    cli EVAL 'local text = string.rep("abcdefgh", ARGV[2] / 8)
        for i = 1, ARGV[1] do redis.call("XADD", KEYS[1], i .. "-1", "n", i, "text", text) end' 1 "$@" >/dev/null
}
read_by() { # key, group, consumer, messages
    cli XREADGROUP GROUP "$2" "$3" COUNT "$4" STREAMS "$1" '>' >/dev/null
}
# A queue that is trimmed below what is pending; one with nothing left; groups, consumers with nothing, deletions.
fill queue 30000 80
cli XGROUP CREATE queue workers 0 >/dev/null
read_by queue workers one 100
cli XTRIM queue MAXLEN 29950 >/dev/null
fill deep 15000 800
for group in a b; do cli XGROUP CREATE deep $group 0 >/dev/null; done
read_by deep a one 5000
read_by deep a two 5000
read_by deep b one 300
cli XGROUP CREATECONSUMER deep b idle >/dev/null
cli XACK deep a 1-1 2-1 777-1 >/dev/null
cli XDEL deep 3-1 6000-1 15000-1 >/dev/null
cli XCLAIM deep a two 0 5-1 TIME 1600000000000 RETRYCOUNT 7 JUSTID >/dev/null
cli XTRIM deep MAXLEN 14000 >/dev/null
cli PEXPIREAT deep 4000000000000 >/dev/null
cli XADD small '*' a b >/dev/null
snapshot
for existing in fail skip replace; do
    cli FLUSHALL >/dev/null
    [ $existing != replace ] || cli SET queue other >/dev/null
    status 0 into --existing $existing
    has out 'restored 3 keys' 'compared: equal'
    equal was.json
done
status 26 into
has err '3 keys are there already'
status 0 into --existing skip
has out '3 skipped'
equal was.json
# Filters that know the size only at the end; expiries taken off; as a file of commands.
cli FLUSHALL >/dev/null
status 0 into --size 8MB~ --ttl persist
has out 'restored 1 keys' 'compared: equal'
[ "$(cli TTL deep) $(cli DBSIZE)" = '-1 1' ]
cli FLUSHALL >/dev/null
"$BACKUPD" export latest --format resp --target redis:7.0 --restore >commands
redis-cli -s "$SOCKET" --pipe <commands | tail -n 1 | grep -q '^errors: 0, '
equal was.json

# Killed while the payload is under way: it is there whole afterwards, or what was there before is.
came() { cli INFO stats | tr -d '\r' | sed -n 's/^total_net_input_bytes://p'; }
killed_on_the_way() {
    local before pid
    before=$(came)
    "$BACKUPD" restore latest --to "unix://$SOCKET" --tmpdir . --checkpoint mark --rate-bytes 4M "$@" >out 2>err &
    pid=$!
    until [ "$(($(came) - before))" -gt 6000000 ]; do kill -0 $pid && sleep 0.01; done
    kill -9 $pid
    wait $pid 2>/dev/null || :
    grep -q '^acknowledged' mark
}
cli FLUSHALL >/dev/null
fill deep 15000 800
cli XGROUP CREATE deep a 0 >/dev/null
read_by deep a one 5000
cli XTRIM deep MAXLEN 12000 >/dev/null
snapshot
for existing in fail skip replace; do
    cli FLUSHALL >/dev/null
    killed_on_the_way --existing $existing
    [ "$(cli DBSIZE)" = 0 ]
    status 0 into --checkpoint mark --existing $existing
    has out 'restored 1 keys' 'compared: equal'
    equal was.json
    [ ! -e mark ]
done
cli FLUSHALL >/dev/null
cli SET deep theirs >/dev/null
killed_on_the_way --existing skip
status 3 into --checkpoint mark --existing skip
[ "$(cli GET deep)" = theirs ]

# Larger than a payload shall be: by commands, without the times of consumers; what is trimmed but pending is a loss.
cli FLUSHALL >/dev/null
fill huge 1100 65536
cli XGROUP CREATE huge a 0 >/dev/null
read_by huge a one 100
cli SET beside it >/dev/null
snapshot
for existing in fail skip replace; do
    [ $existing = replace ] || cli FLUSHALL >/dev/null
    status 0 into --existing $existing
    has out 'restored 2 keys' 'compared: equal'
    equal was.json 'seen_time|active_time'
done
cli XTRIM huge MAXLEN 1050 >/dev/null
snapshot
cli FLUSHALL >/dev/null
status 26 into
has err 'pending messages of streams that no consumer has, or that are gone' '"huge"' 'nothing was written'
[ "$(cli DBSIZE)" = 0 ]
status 3 into --on-loss drop
[ "$(cli EXISTS huge beside)" = 1 ]
cli FLUSHALL >/dev/null
status 3 into --on-loss stream-nack=convert
[ "$(cli XLEN huge) $(cli XPENDING huge a | head -n 1)" = '1050 50' ]
