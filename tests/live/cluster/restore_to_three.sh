# A cluster's snapshot into another cluster of three: a dry run first, which writes nothing and says how many primaries
#   would be written to; every key is where it belongs, and equal by the oracle.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_begin a 3 0
cluster_begin b 3 1
cluster_ready a
cluster_ready b
cluster_fill a
cluster_oracle a >a.json
take "$(cluster_uri a)" --source c
into() { ends "$1" "$BACKUPD" restore "$ID" --to "$(cluster_uri b)" "${@:2}"; }
into 0 --dry-run
says 'the 3 primaries hold 0 keys'
into 0 --dry-run --json
[ "$(json 'd["plan"]["nodes"], d["streams"], d["plan"]["target"][:5]')" = "(3, 3, 'redis')" ]
[ "$(json 'd["plan"]["keys"]')" = "$(cluster_keys a)" ]
[ "$(cluster_keys b)" = 0 ]
into 0 --json
[ "$(json 'd["equal"], d["disturbed"], d["plan"]["nodes"]')" = '(True, False, 3)' ]
[ "$(cluster_keys b)" = "$(cluster_keys a)" ]
cluster_oracle b >b.json
oracles_equal a.json b.json
# A node of it as a server: it would take some of the keys.
ends 26 "$BACKUPD" restore "$ID" --to "redis://127.0.0.1:${PORT[b/0]}" --existing replace
says 'is a node of a cluster'
