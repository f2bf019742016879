# Slots on their way are seen on both sides, with one side alone, and on a primary that has no slots yet; when all is settled
# again it is well; a slot that its owner has given up is a finding.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
cluster_start c 3 0
cluster_begin extra 1 0
cluster_ready extra
at extra/0 FLUSHALL >/dev/null
at extra/0 CLUSTER RESET HARD >/dev/null # no slots, another id
at c/0 CLUSTER MEET 127.0.0.1 "${PORT[extra/0]}" >/dev/null
met() {
    local n
    for n in c/0 c/1 c/2 extra/0; do [ "$(at $n CLUSTER NODES | grep -c ' connected')" = 4 ] || return 1; done
}
until_true 'the fourth node is not known' met
check() { "$BACKUPD" check "$(cluster_uri c)" --json; }
moves() { json "sorted((m['slot'], m.get('shard', -1), m['importing']) for m in d['cluster']['moves'])"; }
ends 0 check
[ "$(json "len(d['cluster']['shards'])")" = 3 ]
id() { at "$1" CLUSTER MYID; }
at c/0 CLUSTER SETSLOT 5 MIGRATING "$(id c/1)" >/dev/null
ends 3 check
[ "$(moves)" = '[(5, 0, False)]' ]
at c/1 CLUSTER SETSLOT 5 IMPORTING "$(id c/0)" >/dev/null
ends 3 check
[ "$(moves)" = '[(5, 0, False), (5, 1, True)]' ]
ends 3 "$BACKUPD" check "$(cluster_uri c)"
says 'slot 5 is on its way'
at c/0 CLUSTER SETSLOT 5 STABLE >/dev/null
ends 3 check
[ "$(moves)" = '[(5, 1, True)]' ]
at c/1 CLUSTER SETSLOT 5 STABLE >/dev/null
# Only the one that is to have its first slot says so.
at extra/0 CLUSTER SETSLOT 9 IMPORTING "$(id c/0)" >/dev/null
ends 3 check
[ "$(moves)" = '[(9, -1, True)]' ]
at extra/0 CLUSTER SETSLOT 9 STABLE >/dev/null
ends 0 check
# It moves for good: the new map is told by all, and has four shards.
for n in extra/0 c/0 c/1 c/2; do at $n CLUSTER SETSLOT 9 NODE "$(id extra/0)" >/dev/null; done
ends 0 "$BACKUPD" check "$(cluster_uri c)" --json --patience 60s
[ "$(json "[s['slots'] for s in d['cluster']['shards']]")" = "['0-8,10-5460', '9', '5461-10921', '10922-16383']" ]
# Its owner gives a slot up, and nobody takes it; the others may still believe that it has it.
at c/2 CLUSTER DELSLOTS 16000 >/dev/null
ends 3 check
[ "$(json "(d['cluster']['ok'], d['cluster']['uncovered'])")" != '(True, 0)' ]
