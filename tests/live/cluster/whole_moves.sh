# Slots on their way: a capture refuses and names them; waits and goes on when they arrive; and one that they set out in
#   the middle of, between the moments of two shards, is taken again. What comes out is what the primaries held, by the
#   oracle: no key twice, none missing.
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
slot=$(python3 "$CLUSTER_PY" slot '{user:1}') # of the second shard
same() {
    at one FLUSHALL >/dev/null
    at one FUNCTION FLUSH >/dev/null
    ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)"
    says 'compared: equal'
    server_oracle one >one.json
    oracles_equal c.json one.json
}

cluster_move_begin c "$slot" 2
ends 21 "$BACKUPD" backup "$(cluster_uri c)" --source c --patience 1s
says "$slot"
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len(d["snapshots"])')" = 0 ]

# They arrive while it waits: it has asked for the map more than once.
asks() { at c/0 INFO commandstats | awk -F '[=,]' '/cluster\|(nodes|shards|slots)/ { n += $2 } END { exit !(n > 3) }'; }
at c/0 CONFIG RESETSTAT >/dev/null
"$BACKUPD" backup "$(cluster_uri c)" --source c --patience 60s --json >waits.out 2>waits.err &
waits=$!
PID[waits]=$waits
until_true 'it does not wait' asks
kill -0 $waits
cluster_move_end c "$slot" 2
wait $waits || { cat waits.err >&2 && exit 1; }
unset 'PID[waits]'
ID=$(python3 -c 'import json; print(json.load(open("waits.out"))["snapshot"])')
same

# They set out between the moments of two shards: the third one's comes three seconds after the others', and a slot goes from
# the second to the third meanwhile, or a part of it. Its keys would be there twice; or those that go to the first, never.
synced() { for i in 3 4 5; do field "c/$i" sync_full; done | awk '{ n += $1 } END { print n }'; }
more() { [ "$(synced)" -ge $((BEFORE + 3)) ]; }
slot=$(python3 "$CLUSTER_PY" slot '{user:2}')
[ "$(cluster_owner c "$slot")" = 1 ]
for to in 2 0; do
    cluster_settled c
    at c/5 CONFIG SET repl-diskless-sync-delay 3 >/dev/null
    BEFORE=$(synced)
    "$BACKUPD" backup "$(cluster_uri c)" --source c --patience 60s --json >moves.out 2>moves.err &
    moves=$!
    PID[moves]=$moves
    until_true 'nothing is captured' more
    cluster_move_begin c "$slot" $to
    [ $to = 0 ] || cluster_move_end c "$slot" $to
    at c/5 CONFIG SET repl-diskless-sync-delay 0 >/dev/null
    kill -0 $moves || die 'it ended before the slot had gone'
    [ $to != 0 ] || { until_true 'it is not asked again' asks && cluster_move_end c "$slot" $to; }
    wait $moves || { cat moves.err >&2 && die 'it did not succeed'; }
    unset 'PID[moves]'
    cp moves.out out
    ID=$(json 'd["snapshot"]')
    same
done
