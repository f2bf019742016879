# Slots go from one primary to another while keys are written, some of them large lists in parts: what is redirected arrives,
#   in order, and everything is there afterwards.
# TIMEOUT: 200
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
server one
fill one
at one FLUSHALL >/dev/null
python3 - >commands <<'END'
for i in range(60000):
    print("SET key:%d value:%d" % (i, i))
for i in range(40):
    print("SADD {set:%d} %s" % (i, " ".join("m%d" % k for k in range(50))))
END
at one <commands >/dev/null
# Lists and strings that do not lie in one batch
for tag in 1 2 3 4; do
    at one EVAL 'for i = 1, 120000 do redis.call("RPUSH", KEYS[1], "element number " .. i .. " of a long list") end' 1 "{list:$tag}" >/dev/null
    at one EVAL 'redis.call("SET", KEYS[1], string.rep("0123456789abcdef", 400000))' 1 "{string:$tag}" >/dev/null
done
server_oracle one >one.json
take "$(uri one)" --source one
cluster_start c 3 0
"$BACKUPD" restore "$ID" --to "$(cluster_uri c)" --rate-ops 4000 --json >out 2>err &
PID[restore]=$!
written() { [ "$(cluster_keys c)" -gt 1000 ]; }
until_true 'nothing is written' written
n=0
for tag in '{list:1}' '{list:2}' '{list:3}' '{list:4}' '{string:1}' '{string:2}' key:1 key:2 key:3 key:4 key:5 key:6; do
    kill -0 "${PID[restore]}" 2>/dev/null || break
    slot=$(python3 "$CLUSTER_PY" slot "$tag")
    owner=$(cluster_owner c "$slot")
    to=$(((owner + 1) % 3))
    cluster_move_begin c "$slot" "$to"
    cluster_move_end c "$slot" "$to"
    n=$((n + 1))
done
[ $n -gt 3 ] || die "only $n slots went while keys were written"
rc=0
wait "${PID[restore]}" || rc=$?
unset 'PID[restore]'
[ $rc = 0 ] || { cat out err >&2 && die "exit status $rc"; }
[ "$(json 'd["equal"]')" = True ]
cluster_oracle c >c.json
oracles_equal one.json c.json
