# A restore into a running server that is killed and goes on: the very first value half written, expiries that were moved.
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
# --ttl shift: by as much as the first run said, whenever the second runs.
cli FLUSHALL >/dev/null
for i in {1..2000}; do echo "SET key:$i value:$i EX 100000"; done | cli >/dev/null
"$BACKUPD" backup -s "$SOCKET" >/dev/null
cli FLUSHALL >/dev/null
some() { [ "$(cli DBSIZE)" -gt 200 ]; }
killed_at some -- "$BACKUPD" restore latest --to "unix://$SOCKET" --checkpoint mark --ttl shift --rate-ops 1000
[ "$(cli DBSIZE)" -lt 2000 ]
status 0 into --ttl shift
has out 'compared: equal'
[ "$(cli DBSIZE)" = 2000 ]
