# Databases into a cluster, which has one: refused with names, dropped, mapped; two that become one, with keys in both, are
#   refused, or the first counts. All names go to a file.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
server one
for i in {1..20}; do echo "SET key:$i zero"; done | at one >/dev/null
for i in {15..30}; do echo "SET key:$i three"; done | at one -n 3 >/dev/null
take "$(uri one)" --source one
cluster_start c 3 0
into() { ends "$1" "$BACKUPD" restore "$ID" --to "$(cluster_uri c)" "${@:2}"; }
into 26
says 'a cluster has only database 0, and 16 keys are in others'
into 3 --dry-run --json --losses-to lost
[ "$(json '[(l["kind"], l["count"], l["action"]) for l in d["plan"]["losses"]]')" = "[('database', 16, 'fail')]" ]
[ "$(grep -c '"kind":"database","action":"fail"' lost)" = 16 ]
[ "$(cluster_keys c)" = 0 ]
into 3 --on-loss drop --json
[ "$(json 'd["equal"], d["keys"]')" = '(True, 20)' ]
cluster_each c FLUSHALL >/dev/null
into 0 --db 3 --db-map 3:0 --json
[ "$(json 'd["equal"], d["keys"]')" = '(True, 16)' ]
[ "$(cluster_cli c GET key:15)" = three ]
cluster_each c FLUSHALL >/dev/null
into 26 --db-map 3:0
says '6 keys are there twice'
[ "$(cluster_keys c)" = 0 ]
into 3 --db-map 3:0 --on-loss collision=drop --losses-to lost --json
[ "$(json 'd["equal"], d["keys"]')" = '(True, 30)' ]
[ "$(grep -c '"db":0,.*"kind":"collision","action":"drop"' lost)" = 6 ]
[ "$(cluster_cli c GET key:15) $(cluster_cli c GET key:14)" = 'zero zero' ]
# The same into a server
at one FLUSHALL >/dev/null
ends 26 "$BACKUPD" restore "$ID" --to "$(uri one)" --db-map 3:0
says '6 keys are there twice'
ends 3 "$BACKUPD" restore "$ID" --to "$(uri one)" --db-map 3:0 --on-loss drop --json
[ "$(json 'd["equal"], d["keys"]')" = '(True, 30)' ]
