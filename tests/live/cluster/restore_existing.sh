# What of a snapshot exists in a cluster already: found on whatever primary it is, skipped or replaced, and so are functions.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
server one
for i in {1..300}; do echo "SET key:$i value:$i"; done | at one >/dev/null
at one RPUSH list a b c >/dev/null
printf '#!lua name=ours\nredis.register_function("f", function() return 1 end)' | at one -x FUNCTION LOAD >/dev/null
take "$(uri one)" --source one
cluster_start c 3 0
into() { ends "$1" "$BACKUPD" restore "$ID" --to "$(cluster_uri c)" "${@:2}"; }
for i in 7 70 170 270; do cluster_cli c SET key:$i theirs >/dev/null; done
cluster_cli c RPUSH list theirs >/dev/null
into 26
says '5 keys are there already'
[ "$(cluster_keys c)" = 5 ]
[ -z "$(at c/0 FUNCTION LIST)" ]
into 3 --dry-run --json
[ "$(json 'd["plan"]["existing"], d["plan"]["target_keys"]')" = '(5, 5)' ]
into 0 --existing skip --json
[ "$(json 'd["equal"], d["skipped"], d["keys"], d["functions"]')" = '(True, 5, 296, 1)' ]
[ "$(cluster_cli c GET key:70) $(cluster_cli c GET key:71) $(cluster_cli c LLEN list)" = 'theirs value:71 1' ]
[ "$(cluster_each c FUNCTION LIST | grep -c ours)" = 3 ]
cluster_each c FLUSHALL >/dev/null
into 26
says 'the function library "ours" is there already'
into 0 --existing replace --json
[ "$(json 'd["equal"], d["keys"], d["functions"]')" = '(True, 301, 1)' ]
[ "$(cluster_cli c GET key:70) $(cluster_cli c LLEN list)" = 'value:70 3' ]
