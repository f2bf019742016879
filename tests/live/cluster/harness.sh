# The cases' own cluster: what a whole one holds is the same before and after slots go, half gone, and after a failover; and
# what is not the same is found: a value, a function on one primary only, a key on a primary that has not its slot.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
cluster_start c 3 1
[ "$(cluster_primaries c | tr '\n' ' ')" = '0 1 2 ' ]
[ "$(cluster_replicas_of c 1)" = 4 ]
cluster_fill c
cluster_load_begin c --rate 500
cluster_load_end c
cluster_resync c
cluster_oracle c >before.json
[ "$(grep -c '"type"' before.json)" -gt 3000 ]

slot=$(python3 "$CLUSTER_PY" slot '{user:1}')
[ "$(cluster_owner c "$slot")" = 1 ]
cluster_move_begin c "$slot" 2
at c/1 CLUSTER NODES | grep -qF "[$slot->-"
at c/2 CLUSTER NODES | grep -qF "[$slot-<-"
cluster_move_end c "$slot" 2
[ "$(cluster_owner c '{user:1}:name')" = 2 ]
cluster_oracle c >after.json
oracles_equal before.json after.json

cluster_kill c 0
cluster_wait_failover c
[ "$(cluster_primaries c | tr '\n' ' ')" = '1 2 3 ' ]
cluster_oracle c >after.json
oracles_equal before.json after.json

cluster_cli c SET key:7 other >/dev/null
cluster_oracle c >after.json
if (oracles_equal before.json after.json) 2>differs; then die 'a value changed and nobody saw it'; fi
grep -qF "'key:7' value" differs
at c/1 FUNCTION FLUSH >/dev/null
if (cluster_oracle c >after.json) 2>differs; then die 'functions differ and nobody saw it'; fi
grep -q 'other functions' differs
