# A cluster of three shards with a replica each into one snapshot: a stream for each, in the order of their slots, taken from the
#   replicas, each with the digest of its shard; what stands in the manifest; by cluster://, by -c, and by its section.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_start c 3 1
cluster_fill c
expired() { [ -z "$(cluster_each c KEYS 'over:*')" ]; } # which takes them out of what is counted
until_true 'keys do not expire' expired
cluster_resync c
uri=$(cluster_uri c)
ends 0 "$BACKUPD" backup "$uri" --source c
says 'captured 3 shards, each of one moment, within '
says 'captured slots 0-5460 at redis://127.0.0.1:'
says ': a replica of redis://127.0.0.1:'
says ", good"
ends 0 "$BACKUPD" backup "$uri" --source c --json
cp out one.json
[ "$(json '[s["slots"] for s in d["shards"]]')" = "['0-5460', '5461-10921', '10922-16383']" ]
[ "$(json 'd["good"], d["keys"]')" = "(True, $(cluster_keys c))" ]
[ "$(json 'sum(s["keys"] for s in d["shards"]) == d["keys"] and 0 <= d["skew_ms"] < 60000')" = True ]
[ "$(json '[s["tries"] for s in d["shards"]]')" = '[1, 1, 1]' ]
for i in 0 1 2; do
    replica=$(cluster_replicas_of c $i)
    [ "$(json "d['shards'][$i]['place']")" = "redis://127.0.0.1:${PORT[c/$replica]}" ]
    [ "$(json "d['shards'][$i]['node']")" = "$(at c/$i CLUSTER MYID)" ]
done

# The manifest: each stream's facts, and its digest is that of the shard's own dump.
ends 0 "$BACKUPD" show latest --source c --json
[ "$(json '[s["name"] for s in d["manifest"]["streams"]]')" = \
    "['shard-0-5460.rdb', 'shard-5461-10921.rdb', 'shard-10922-16383.rdb']" ]
[ "$(json '[(s["role"], s["slots"]) for s in d["manifest"]["streams"]][2]')" = "('replica', '10922-16383')" ]
for i in 0 1 2; do
    at c/$i DEBUG CHANGE-REPL-ID >/dev/null
    redis-cli -s c/$i/s --rdb shard.rdb >/dev/null 2>&1
    dd1=$("$RDBTOOL" check --digest shard.rdb | sed -n 's/.*, dd1:\([0-9a-f]*\).*/\1/p')
    [ "$(json "d['manifest']['streams'][$i]['dd1']")" = "$dd1" ]
    [ "$(json "d['manifest']['streams'][$i]['taken_ms'] > 0")" = True ]
done
ends 0 "$BACKUPD" show latest --source c
says 'shard-5461-10921.rdb, '
says ', slots 10922-16383, from redis://127.0.0.1:'
says ', a replica, offset '
says 'skew        '
says 'beside      cluster, '
says 'beside      info 5461-10921, '
ends 0 "$BACKUPD" verify latest --source c

# One shard after the other; at the primaries; proven shard by shard; by -c and by the section of a configuration.
ends 0 "$BACKUPD" backup "$uri" --source c --at-once 1 --source-role master --prove=server --json
[ "$(json 'd["proof"]["server"], d["proof"]["keys"] == d["keys"]')" = '(True, True)' ]
[ "$(json 'd["dd1"]')" = "$(cp one.json out && json 'd["dd1"]')" ]
ends 0 "$BACKUPD" backup -c -p "${PORT[c/4]}" --source c --json
[ "$(json 'len(d["shards"])')" = 3 ]
printf '[source shop]\nuri = %s\nat-once = 2\n' "$uri" >conf
ends 0 "$BACKUPD" backup shop --config conf --json
[ "$(json 'd["source"], len(d["shards"])')" = "('shop', 3)" ]
# A node by itself has a part of the keys: that must be meant.
ends 21 "$BACKUPD" backup -p "${PORT[c/4]}" --source part
says '--one-node this one'
ends 0 "$BACKUPD" backup -p "${PORT[c/4]}" --source part --one-node --json
[ "$(json "0 < d['keys'] < $(cluster_keys c)")" = True ]
# BGSAVE is for one that is here; SCAN is no point in time.
ends 2 "$BACKUPD" backup "$uri" --source c --method bgsave
says 'on several hosts'
ends 0 "$BACKUPD" backup "$uri" --source c --method scan --json
[ "$(json 'd["good"], d["keys"]')" = "(False, $(cluster_keys c))" ]
