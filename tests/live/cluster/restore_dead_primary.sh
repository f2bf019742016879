# A primary dies while a restore writes, and its replica takes over: what it had not handed over is written again, and all is
#   there afterwards, large values in parts included. With nobody to take over the restore ends with words.
# TIMEOUT: 300
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
server one
python3 - >commands <<'END'
for i in range(60000):
    print("SET key:%d value:%d" % (i, i))
for i in range(3000):
    print("RPUSH list:%d a b c %d" % (i, i))
END
at one <commands >/dev/null
for tag in 1 2 3 4 5 6; do
    at one EVAL 'for i = 1, 120000 do redis.call("RPUSH", KEYS[1], "element number " .. i .. " of a long list") end' 1 "list:$tag" >/dev/null
done
at one FUNCTION LOAD '#!lua name=a
redis.register_function("f", function() return 1 end)' >/dev/null
server_oracle one >one.json
take "$(uri one)" --source one
cluster_start c 3 1
written() { [ "$(at c/2 DBSIZE)" -gt "$1" ]; }
"$BACKUPD" restore "$ID" --to "$(cluster_uri c)" --rate-ops 30000 --json >out 2>err &
PID[restore]=$!
until_true 'nothing is written' written 2000
cluster_kill c 0
rc=0
wait "${PID[restore]}" || rc=$?
unset 'PID[restore]'
[ $rc = 0 ] || { cat out err >&2 && die "exit status $rc"; }
[ "$(json 'd["equal"], d["compared"], d["keys"]')" = '(True, True, 63000)' ] || { cat out err >&2 && exit 1; }
cluster_wait_failover c
cluster_oracle c >c.json
oracles_equal one.json c.json
