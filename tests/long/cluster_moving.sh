# A cluster that is written to, while slots full of keys go to and fro with short rests, is captured eight times, each time
#   until it succeeds: what nobody writes to is in each snapshot exactly as the primaries have it, by the oracle, no key
#   twice and none missing; and what is written at once to one slot was captured at once.
# TIMEOUT: 900
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

# still FILE > OTHER: without the keys that the load writes
still() {
    python3 - "$1" <<'PY'
import base64, json, sys
d = json.load(open(sys.argv[1]))
loaded = (b"{w:", b"{pair:")
d["dbs"] = {n: [e for e in keys if not base64.b64decode(e["key"]).startswith(loaded)] for n, keys in d["dbs"].items()}
json.dump(d, sys.stdout)
PY
}
mover() {
    local i slot to
    for ((i = 0; ; i++)); do
        # A family of keys, or a pair under load: each in a slot of its own
        slot=$(python3 "$CLUSTER_PY" slot "{user:$((i % 40))}")
        for to in 0 1 2; do
            [ "$(cluster_owner c "$slot")" != $to ] || continue
            cluster_move_begin c "$slot" $to
            cluster_move_end c "$slot" $to
            break
        done
        [ ! -e stop-moving ] || return 0
        sleep 1.5
    done
}
cluster_load_begin c --lasting
mover 2>moved &
MOVER=$!
PID[mover]=$!
again=0
for round in $(seq 8); do
    for try in $(seq 20); do
        rc=0
        "$BACKUPD" backup "$(cluster_uri c)" --source c --json >out 2>err || rc=$?
        [ $rc != 0 ] || break
        [ $rc = 21 ] || { cat err >&2 && die "round $round: exit status $rc"; }
        again=$((again + 1))
    done
    [ "$rc" = 0 ] || { cat err >&2 && die "round $round: no success in $try tries"; }
    kill -0 $MOVER || die 'the mover ended'
    ID=$(json 'd["snapshot"]')
    at one FLUSHALL >/dev/null
    at one FUNCTION FLUSH >/dev/null
    ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)"
    says 'compared: equal'
    server_oracle one >one.json
    still c.json >a.json
    still one.json >b.json
    oracles_equal a.json b.json
    for i in $(seq 0 99); do
        { read -r a && read -r b; } < <(at one MGET "{pair:$i}:a" "{pair:$i}:b")
        [ "$a" = "$b" ] || die "round $round, pair $i: $a and $b"
    done
done
touch stop-moving
wait $MOVER || { cat moved >&2 && die 'the mover broke off'; }
unset 'PID[mover]'
cluster_load_end c
echo "$(grep -c 'went from' moved) halves of slots moved, $again captures were refused" >&2
[ "$(grep -c 'went from' moved)" -gt 8 ]
