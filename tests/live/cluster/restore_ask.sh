# A slot that is half on its way the whole time: keys that are not at its owner are asked for and written at the node that
#   imports it (ASK), those of several commands too; nothing that exists is overlooked or written over.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
server one
python3 - >commands <<'END'
for i in range(500):
    print("SET {t}:%d value:%d" % (i, i))
    print("RPUSH {t}:list:%d a b c" % i)
    print("SET other:%d value" % i)
END
at one <commands >/dev/null
at one EVAL 'for i = 1, 120000 do redis.call("RPUSH", KEYS[1], "element number " .. i .. " of a long list") end' 1 "{t}big" >/dev/null
at one EVAL 'redis.call("SET", KEYS[1], string.rep("0123456789abcdef", 400000))' 1 "{t}string" >/dev/null
server_oracle one >one.json
take "$(uri one)" --source one
cluster_start c 3 0
slot=$(python3 "$CLUSTER_PY" slot '{t}')
from=$(cluster_owner c "$slot")
to=$(((from + 1) % 3))
# Two of ours are there: one goes, the other stays
cluster_cli c SET '{t}:1' theirs >/dev/null
cluster_cli c SET '{t}:2' theirs >/dev/null
cluster_move_begin c "$slot" $to
into() { ends "$1" "$BACKUPD" restore "$ID" --to "$(cluster_uri c)" "${@:2}"; }
into 26
says '2 keys are there already'
[ "$(cluster_keys c)" = 2 ]
into 0 --existing skip --json
[ "$(json 'd["equal"], d["skipped"]')" = '(True, 2)' ]
into 0 --existing replace --json
[ "$(json 'd["equal"], d["skipped"]')" = '(True, 0)' ]
# The whole slot is asked for: no key of it is at its owner.
cluster_each c FLUSHALL >/dev/null
into 0 --json
[ "$(json 'd["equal"]')" = True ]
[ "$(at c/$to DBSIZE)" -ge 1002 ]
cluster_move_end c "$slot" $to
cluster_oracle c >c.json
oracles_equal one.json c.json
