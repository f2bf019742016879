# Slots on their way: a backup waits until they have arrived, or refuses and names them; slots that move while shards are
#   captured make everything be captured again, and no key is lost or there twice.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_start c 3 0
cluster_fill c
expired() { [ -z "$(cluster_each c KEYS 'over:*')" ]; } # which takes them out of what is counted
until_true 'keys do not expire' expired
uri=$(cluster_uri c)
slot=$(python3 "$CLUSTER_PY" slot '{user:1}')
owner=$(cluster_owner c "$slot")
other=$(((owner + 1) % 3))

cluster_move_begin c "$slot" $other
ends 21 "$BACKUPD" backup "$uri" --source c --patience 0s
says "slots are on their way from one node to another: $slot;"
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len(d["snapshots"])')" = 0 ]

# It waits for the end of it, and says so.
"$BACKUPD" backup "$uri" --source c --json >waits.out 2>waits.err &
PID[waits]=$!
until_true 'it does not wait' grep -q 'looking again' waits.err
cluster_move_end c "$slot" $other
wait "${PID[waits]}" || { cat waits.err >&2 && die 'it has not waited'; }
[ "$(wc -l <waits.err)" = 1 ] || { cat waits.err >&2 && die 'it says more than that it waits'; }
unset 'PID[waits]'
cp waits.out out
[ "$(json 'd["good"], d["keys"]')" = "(True, $(cluster_keys c))" ]

# In the middle: half of the slot's keys go before the moment of a shard that is captured late, half behind it.
for i in 0 1 2; do at "c/$i" CONFIG SET rdb-key-save-delay 1500 >/dev/null; done
"$BACKUPD" backup "$uri" --source c --at-once 1 -v --json >moved.out 2>moved.err &
PID[moved]=$!
one_saves() { for i in 0 1 2; do [ "$(field "c/$i" rdb_bgsave_in_progress)" != 1 ] || return 0; done; return 1; }
until_true 'nothing is captured' one_saves
cluster_move_begin c "$slot" "$owner"
cluster_move_end c "$slot" "$owner"
for i in 0 1 2; do at "c/$i" CONFIG SET rdb-key-save-delay 0 >/dev/null; done
wait "${PID[moved]}" || { cat moved.err >&2 && die 'slots that moved once are no reason to give up'; }
unset 'PID[moved]'
grep -q 'slots moved while they were captured' moved.err || { cat moved.err >&2 && die 'nobody saw that slots moved'; }
cp moved.out out
[ "$(json 'd["good"], d["keys"]')" = "(True, $(cluster_keys c))" ]
