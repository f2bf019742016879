# Nodes that stand still and reset no connection: the replica that is being captured, and a primary that is captured itself
#   because it has no replica that lives; each is noticed after a minute of silence, and the shard is captured anew from
#   whoever has its data. What the snapshot holds is what the primaries held, by the oracle.
# TIMEOUT: 600
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_begin c 3 1
server one
cluster_ready c
cluster_fill c
cluster_resync c
cluster_oracle c >c.json
saves() { [ "$(field "c/$1" rdb_bgsave_in_progress)" = 1 ]; }
# stands INDEX OPTIONS...: it does, while it is captured; the others are done long before
stands() {
    at "c/$1" CONFIG SET rdb-key-save-delay 20000 >/dev/null
    "$BACKUPD" backup "$(cluster_uri c)" --source c --json "${@:2}" >whole.out 2>whole.err &
    WHOLE=$!
    PID[whole]=$!
    until_true 'nothing is captured' saves "$1"
    cluster_kill c "$1" STOP
    wait "$WHOLE" || { cat whole.err >&2 && die 'the backup failed'; }
    unset 'PID[whole]'
    cp whole.out out
    [ "$(json 'd["good"] and len(d["shards"])')" = 3 ]
    [ "$(json 'max(s["tries"] for s in d["shards"])')" -gt 1 ] || { cat out >&2 && die 'no shard was captured again'; }
    cluster_revive c "$1"
    at "c/$1" CONFIG SET rdb-key-save-delay 0 >/dev/null
    cluster_wait_failover c
    at one FLUSHALL >/dev/null
    at one FUNCTION FLUSH >/dev/null
    ID=$(json 'd["snapshot"]')
    ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)"
    says 'compared: equal'
    server_oracle one >one.json
    oracles_equal c.json one.json
}
stands 4
until_true 'c/4 has no link' linked c/4
# Its replica takes over while nobody answers.
stands 0 --source-role master
cluster_is_primary c 3
