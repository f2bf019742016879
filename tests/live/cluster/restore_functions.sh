# Functions go to every primary: a library that all shards have once, one that a single shard has, too; two libraries of one
#   name with different code are refused by name, before anything is written.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_begin a 3 0
cluster_begin c 3 0
cluster_ready a
cluster_ready c
library() { printf '#!lua name=%s\nredis.register_function("%s", function() return %s end)' "$@"; }
cluster_each a FUNCTION LOAD "$(library all f 1)" >/dev/null
at a/1 FUNCTION LOAD "$(library one g 1)" >/dev/null
cluster_cli a SET key value >/dev/null
take "$(cluster_uri a)" --source c
into() { ends "$1" "$BACKUPD" restore "$ID" --to "$(cluster_uri c)" "${@:2}"; }
into 0 --dry-run --json
[ "$(json 'd["plan"]["functions"]')" = 2 ]
into 0 --json
[ "$(json 'd["functions"], d["keys"], d["equal"]')" = '(2, 1, True)' ]
for i in 0 1 2; do [ "$(at c/$i FCALL f 0) $(at c/$i FCALL g 0)" = '1 1' ]; done
into 0 --existing skip --json
[ "$(json 'd["functions"], d["skipped"]')" = '(0, 1)' ]
# All of them into one server, and without them
server one
ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)" --json
[ "$(json 'd["functions"], d["equal"]')" = '(2, True)' ]
# Another code in one shard
at a/2 FUNCTION LOAD REPLACE "$(library all f 2)" >/dev/null
take "$(cluster_uri a)" --source c
cluster_each c FLUSHALL >/dev/null
cluster_each c FUNCTION FLUSH >/dev/null
into 26
says 'the function library "all" has one code in stream 0 and another in stream 2'
[ "$(cluster_keys c)" = 0 ]
[ -z "$(at c/0 FUNCTION LIST)" ]
into 0 --no-functions --json
[ "$(json 'd["functions"], d["keys"], d["equal"]')" = '(0, 1, True)' ]
