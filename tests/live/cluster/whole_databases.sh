# Databases and a cluster, which has one: refused and nothing written; mapped when nothing collides; a name that two of them
#   have is refused; and back, into another database of a server. Judged by the oracle of the source with its databases put
#   together.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_begin c 2 0
server one
fill one --dbs 1
for i in $(seq 300); do echo "SET {three:$((i % 9))}:$i $i EX 100000"; done | at one -n 3 >/dev/null
at one -n 3 HSET '{three:1}:hash' a 1 b 2 >/dev/null
at one -n 3 XADD '{three:1}:stream' 5-1 a b >/dev/null
at one -n 3 XGROUP CREATE '{three:1}:stream' group 0 >/dev/null
at one -n 3 XREADGROUP GROUP group reader STREAMS '{three:1}:stream' '>' >/dev/null
take "$(uri one)"
server_oracle one >one.json
python3 - <<'PY'
import json
d = json.load(open("one.json"))
assert list(d["dbs"]) == ["0", "3"]
d["dbs"] = {"0": d["dbs"]["0"] + d["dbs"]["3"]}
json.dump(d, open("flat.json", "w"))
PY
cluster_ready c
to() { "$BACKUPD" restore "$ID" --to "$(cluster_uri c)" "$@"; }
ends 26 to
says database
[ "$(cluster_keys c)" = 0 ]
[ -z "$(cluster_each c FUNCTION LIST)" ]
ends 3 to --dry-run
says 302
[ "$(cluster_keys c)" = 0 ]
# Left out by order, and only that
ends 3 to --on-loss database=drop
cluster_oracle c >c.json
python3 - <<'PY'
import json
d = json.load(open("one.json"))
del d["dbs"]["3"]
json.dump(d, open("zero.json", "w"))
PY
oracles_equal zero.json c.json
cluster_each c FLUSHALL >/dev/null
cluster_each c FUNCTION FLUSH >/dev/null
# Mapped
ends 0 to --db-map 3:0
says 'compared: equal'
cluster_oracle c >c.json
oracles_equal flat.json c.json
# And back, all of it into a database of its own
CLUSTER=$ID
take "$(cluster_uri c)" --source c
server back
ends 0 "$BACKUPD" restore "$ID" --to "$(uri back)" --db-map 0:5
server_oracle back >back.json
sed -i 's/^"5": \[/"0": [/; s/{"dbs": {"5"/{"dbs": {"0"/' back.json
oracles_equal flat.json back.json
# One name in both
at one -n 3 SET hash:3 'of database 3' >/dev/null
ID=$CLUSTER
take "$(uri one)"
cluster_each c FLUSHALL >/dev/null
cluster_each c FUNCTION FLUSH >/dev/null
ends 26 to --db-map 3:0
says hash:3
[ "$(cluster_keys c)" = 0 ]
