# What a check of a cluster says of each shard: who would be taken, replicas that hang or are not linked, the rights that are
# missing on each node, which are each node's own; and that nothing was changed.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
cluster_start c 3 1
cluster_fill c --mb 1 >/dev/null 2>&1
over() { [ -z "$(cluster_each c --scan --pattern 'over:*')" ]; }
until_true 'what has expired is still there' over
before=$(cluster_keys c)
taken() { json "[s.get('taken') for s in d['cluster']['shards']]"; }
p() { echo "redis://127.0.0.1:${PORT[c/$1]}"; }
ends 0 "$BACKUPD" check "$(cluster_uri c)" --json
[ "$(taken)" = "['$(p 3)', '$(p 4)', '$(p 5)']" ]
[ "$(json "sum(s['keys'] for s in d['cluster']['shards'])")" = "$before" ]
ends 0 "$BACKUPD" check "$(cluster_uri c)" --source-role master --json
[ "$(taken)" = "['$(p 0)', '$(p 1)', '$(p 2)']" ]
ends 0 "$BACKUPD" check "$(cluster_uri c)"
says 'all primaries tell the same map'
says 'all 16384 are covered'
says "$(p 0), redis"
says 'a save copies at most'
says '3 shards on redis://127.0.0.1 save at the same time'
# A user that lacks a rule on one replica alone, and another one everywhere.
for i in 0 1 2 3 4 5; do
    at c/$i ACL SETUSER bk on '>pw' +psync +replconf +ping +info +role '+cluster|nodes' '+cluster|shards' '+cluster|info' >/dev/null
done
export REDISCLI_AUTH=pw
ends 0 "$BACKUPD" check "$(cluster_uri c)" --user bk
at c/4 ACL SETUSER bk -psync >/dev/null
ends 3 "$BACKUPD" check "$(cluster_uri c)" --user bk
says "$(p 4): capture: not allowed: psync: ACL SETUSER bk +psync"
never "$(p 1): capture: not allowed"
for i in 0 1 2 3 4 5; do at c/$i ACL SETUSER bk +psync '-cluster|nodes' >/dev/null; done
ends 3 "$BACKUPD" check "$(cluster_uri c)" --user bk
says '+cluster|nodes'
for i in 0 1 2 3 4 5; do at c/$i ACL SETUSER bk '-cluster|shards' >/dev/null; done
ends 21 "$BACKUPD" check "$(cluster_uri c)" --user bk
says 'ACL SETUSER bk +cluster|nodes +cluster|shards'
unset REDISCLI_AUTH
# A replica that hangs is passed over.
cluster_kill c 3 STOP
ends 0 "$BACKUPD" check "$(cluster_uri c)" --idle-timeout 1s --json
[ "$(taken)" = "['$(p 0)', '$(p 4)', '$(p 5)']" ]
ends 3 "$BACKUPD" check "$(cluster_uri c)" --idle-timeout 1s --source-role replica
cluster_revive c 3
[ "$(cluster_keys c)" = "$before" ]
