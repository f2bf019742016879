# The map of a cluster by any of its nodes: slots, primaries and replicas as the nodes themselves have them; hostnames where
# they are preferred; a primary that dies is waited for; nodes and servers that are none are said so.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
cluster_start c 3 1
map() { json "[(s['slots'], s['nodes'][0]['place'], [n['place'] for n in s['nodes'][1:]]) for s in d['cluster']['shards']]"; }
p() { echo "redis://127.0.0.1:${PORT[c/$1]}"; }
want="[('0-5460', '$(p 0)', ['$(p 3)']), ('5461-10921', '$(p 1)', ['$(p 4)']), ('10922-16383', '$(p 2)', ['$(p 5)'])]"
for seed in "cluster://127.0.0.1:${PORT[c/0]}" "cluster://127.0.0.1:1,127.0.0.1:${PORT[c/4]}" "$(cluster_uri c)"; do
    ends 0 "$BACKUPD" check "$seed" --json
    [ "$(map)" = "$want" ] || die "$(map)"
    [ "$(json "(d['cluster']['ok'], d['cluster']['uncovered'], d['cluster']['moves'])")" = '(True, 0, [])' ]
done
# As redis-cli has it.
ends 0 "$BACKUPD" check -c -p "${PORT[c/5]}" --json
[ "$(map)" = "$want" ]
ends 0 "$BACKUPD" check -c "redis://127.0.0.1:${PORT[c/2]}" --json
[ "$(map)" = "$want" ]
ends 2 "$BACKUPD" check -c -s c/0/s
says 'not by a unix socket'
ends 3 "$BACKUPD" check -p "${PORT[c/2]}"
says 'one node of a cluster'
says cluster://
ends 21 "$BACKUPD" check cluster://127.0.0.1:1
says 'no node tells'
# Hostnames, where the nodes prefer them; the others have none, and are reached by their addresses.
for i in 0 1 2 3 4 5; do at c/$i CONFIG SET cluster-preferred-endpoint-type hostname >/dev/null; done
at c/1 CONFIG SET cluster-announce-hostname localhost >/dev/null
spread() { at c/0 CLUSTER NODES | grep -q ,localhost; }
until_true 'the hostname is not told' spread
ends 0 "$BACKUPD" check -4 "cluster://127.0.0.1:${PORT[c/0]}" --json
[ "$(json "[s['nodes'][0]['place'] for s in d['cluster']['shards']]")" = "['$(p 0)', 'redis://localhost:${PORT[c/1]}', '$(p 2)']" ]
# No endpoint: as the node that was asked.
for i in 0 1 2 3 4 5; do at c/$i CONFIG SET cluster-preferred-endpoint-type unknown-endpoint >/dev/null; done
ends 0 "$BACKUPD" check -4 "cluster://localhost:${PORT[c/0]}" --json
[ "$(json "{n['place'].split(':')[1] for s in d['cluster']['shards'] for n in s['nodes']}")" = "{'//localhost'}" ]
for i in 0 1 2 3 4 5; do at c/$i CONFIG SET cluster-preferred-endpoint-type ip >/dev/null; done
# A primary dies: a finding now; with patience its replica stands there.
cluster_kill c 0
ends 3 "$BACKUPD" check "$(cluster_uri c)"
says 'a backup would fail now'
ends 0 "$BACKUPD" check "$(cluster_uri c)" --patience 60s --json
[ "$(json "d['cluster']['shards'][0]['nodes'][0]['place']")" = "$(p 3)" ]
# It dies too, and nobody takes its slots: what is told is who failed, not that the cluster is not well.
cluster_kill c 3
failed() { at c/1 CLUSTER INFO | grep -q cluster_state:fail; }
until_true 'no node calls it failed' failed
ends 3 "$BACKUPD" check "cluster://127.0.0.1:${PORT[c/1]}"
grep -q "would fail now: .*127.0.0.1:${PORT[c/3]}" out || { cat out >&2 && die 'who failed is not told'; }
# A node that nobody has given slots.
CLUSTER_ENGINE[n]=${ENGINE[*]}
cluster_spawn n/0 "$(python3 "$CLUSTER_PY" free 1)"
until_true 'n/0 does not answer' answers n/0
ends 3 "$BACKUPD" check "cluster://127.0.0.1:${PORT[n/0]}"
says '16384 of 16384 slots belong to no node'
# No cluster.
server one
ends 21 "$BACKUPD" check "cluster://127.0.0.1:${PORT[one]}"
says 'not in cluster mode'
