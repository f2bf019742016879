# A restore into a running server that is killed and goes on: the very first value half written, expiries that were moved; and
# values in parts.
# shellcheck source=tests/live/_server.sh
. "$TESTS/live/_server.sh"
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
export RESPITE_IDENTITY=$PWD/sheet
server_start --repl-diskless-sync-delay 0 --enable-debug-command yes
# killed_at TEST... -- COMMAND...: started, killed as soon as the test holds.
killed_at() {
    local until=()
    while [ "$1" != -- ]; do until+=("$1") && shift; done
    shift
    "$@" >out 2>err &
    local pid=$!
    until "${until[@]}"; do kill -0 $pid && sleep 0.01; done
    kill -9 $pid
    wait $pid 2>/dev/null || :
}
many() { [ "$(cli DBSIZE)" -gt 200 ]; }
begun() { [ "$(cli LLEN "$1")" -gt 1000 ]; }
into() { "$BACKUPD" restore latest --to "unix://$SOCKET" --checkpoint mark "$@"; }
python3 -c 'for i in range(400): print("RPUSH big", *(f"element:{i}:{j}" for j in range(1000)))' | cli >/dev/null
"$BACKUPD" backup -s "$SOCKET" >/dev/null
digest=$(cli DEBUG DIGEST)
for existing in skip fail replace; do
    cli FLUSHALL >/dev/null
    killed_at begun big -- "$BACKUPD" restore latest --to "unix://$SOCKET" --checkpoint mark --existing $existing \
        --rate-bytes 4M
    grep -q '^acknowledged 0$' mark
    [ "$(cli LLEN big)" -lt 400000 ]
    status 0 into --existing $existing
    has out 'compared: equal'
    [ "$(cli DEBUG DIGEST)" = "$digest" ]
    [ ! -e mark ]
done
# What an earlier run may have written and what was there before look the same: it is compared all the same, and when it
# differs nothing is claimed.
for value in value:7 other; do
    cli FLUSHALL >/dev/null
    for i in {1..2000}; do echo "SET key:$i value:$i"; done | cli >/dev/null
    "$BACKUPD" backup -s "$SOCKET" >/dev/null
    cli FLUSHALL >/dev/null
    cli SET key:7 $value >/dev/null
    killed_at many -- "$BACKUPD" restore latest --to "unix://$SOCKET" --checkpoint mark --existing skip --rate-ops 1000
    if [ $value = other ]; then
        status 3 into --existing skip
        has out 'not comparable: keys were there'
    else
        status 0 into --existing skip
        if grep -q 'dd1:0000' out; then exit 1; fi
    fi
    [ "$(cli DBSIZE) $(cli GET key:7)" = "2000 $value" ]
done
# --ttl shift: by as much as the first run said, whenever the second runs.
cli FLUSHALL >/dev/null
for i in {1..2000}; do echo "SET key:$i value:$i EX 100000"; done | cli >/dev/null
"$BACKUPD" backup -s "$SOCKET" >/dev/null
cli FLUSHALL >/dev/null
killed_at many -- "$BACKUPD" restore latest --to "unix://$SOCKET" --checkpoint mark --ttl shift --rate-ops 1000
[ "$(cli DBSIZE)" -lt 2000 ]
status 0 into --ttl shift
has out 'compared: equal'
[ "$(cli DBSIZE)" = 2000 ]
# Values in parts whose last part leaves nothing to send.
cli FLUSHALL >/dev/null
head -c 4194304 /dev/urandom | cli -x SET bits >/dev/null
cli RPUSH list a b c >/dev/null
head -c 3145728 /dev/urandom | cli -x RPUSH list >/dev/null
"$BACKUPD" backup -s "$SOCKET" >/dev/null
digest=$(cli DEBUG DIGEST)
for existing in skip fail replace; do
    cli FLUSHALL >/dev/null
    status 0 into --existing $existing
    has out 'restored 2 keys' 'compared: equal'
    [ "$(cli DEBUG DIGEST)" = "$digest" ]
done
# Two databases become one, and a key is in both: no command of several keys hides that.
cli FLUSHALL >/dev/null
cli SET a one >/dev/null
cli -n 1 SET a two >/dev/null
"$BACKUPD" backup -s "$SOCKET" >/dev/null
cli FLUSHALL >/dev/null
status 26 "$BACKUPD" restore latest --to "unix://$SOCKET" --db-map 1:0
has err 'two databases'
