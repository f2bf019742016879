# Nodes that die in the middle: the replica that is being captured is killed; a primary is killed and its replica takes over;
#   a replica whose link is broken is not taken. Each time one snapshot of all shards, and what it holds is what the
#   primaries held, by the oracle.
# Does not: stop one that then says nothing any more: that is noticed after a minute (tests/long/cluster_stopped.sh).
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
# begin REPLICA MICROSECONDS [OPTIONS...]: a capture is under way, and of that one it takes so long for each key
begin() {
    at "c/$1" CONFIG SET rdb-key-save-delay "$2" >/dev/null
    "$BACKUPD" backup "$(cluster_uri c)" --source c --json "${@:3}" >whole.out 2>whole.err &
    WHOLE=$!
    PID[whole]=$!
    until_true 'nothing is captured' saves "$1"
}
saves() { [ "$(field "c/$1" rdb_bgsave_in_progress)" = 1 ]; }
# done_well: it ends, is good, and holds what the primaries held
done_well() {
    kill -0 "$WHOLE" || die 'it ended too early'
    wait "$WHOLE" || { cat whole.err >&2 && die 'the backup failed'; }
    unset 'PID[whole]'
    cat whole.err >&2
    cp whole.out out
    [ "$(json 'd["good"] and len(d["shards"])')" = 3 ]
    [ "$(json 'max(s["tries"] for s in d["shards"])')" -gt 1 ] || die 'no shard was captured again'
    ID=$(json 'd["snapshot"]')
    at one FLUSHALL >/dev/null
    at one FUNCTION FLUSH >/dev/null
    ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)"
    says 'compared: equal'
    server_oracle one >one.json
    oracles_equal c.json one.json
}

# Killed
begin 5 30000
cluster_kill c 5
done_well
cluster_revive c 5
cluster_wait_failover c
until_true 'c/5 has no link' linked c/5

# A primary, whose replica takes over while it is captured
begin 3 5000
cluster_kill c 0
cluster_wait_failover c
cluster_is_primary c 3
cat whole.err >&2
wait "$WHOLE" || { cat whole.err >&2 && die 'the backup failed'; }
unset 'PID[whole]'
cp whole.out out
ID=$(json 'd["snapshot"]')
cluster_oracle c >now.json
oracles_equal c.json now.json
at one FLUSHALL >/dev/null
at one FUNCTION FLUSH >/dev/null
ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)"
server_oracle one >one.json
oracles_equal c.json one.json
cluster_revive c 0
until_true 'c/0 has no link' linked c/0

# A broken link: it has the data of yesterday, and a primary that it no longer hears
primary=$(cluster_primaries c | head -n 1)
replica=$(cluster_replicas_of c "$primary")
at "c/$replica" CONFIG SET masteruser nobody >/dev/null
at "c/$replica" CONFIG SET masterauth wrong >/dev/null
at "c/$primary" CLIENT KILL TYPE replica >/dev/null
broken() { [ "$(field "$1" master_link_status)" = down ]; }
until_true 'the link holds' broken "c/$replica"
key=$(cluster_tag "$(at "c/$primary" CLUSTER NODES | awk '$3 ~ /myself/ { split($9, r, "-"); print r[1] }')")
cluster_cli c SET "{$key}:new" 'only the primary has it' >/dev/null
cluster_oracle c >c.json
take "$(cluster_uri c)" --source c
taken=$(json "[s['place'] for s in d['shards']]")
case $taken in *:"${PORT[c/$replica]}"*) die "it took the one without a link: $taken" ;; esac
at one FLUSHALL >/dev/null
at one FUNCTION FLUSH >/dev/null
ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)"
server_oracle one >one.json
oracles_equal c.json one.json
