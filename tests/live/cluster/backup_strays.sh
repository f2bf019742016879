# A node that has a key of a slot that is not its own: it is captured twice, then stored as it is, and said; such a snapshot is
#   not good. Without that key it is.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
cluster_start c 2 0
cluster_fill c
uri=$(cluster_uri c)
slot=16000 # of the second
key="{$(cluster_tag $slot)}:stray"
at c/0 CLUSTER SETSLOT $slot IMPORTING "$(at c/1 CLUSTER MYID)" >/dev/null
printf 'ASKING\nSET %s value\n' "$key" | at c/0 >/dev/null
at c/0 CLUSTER SETSLOT $slot STABLE >/dev/null
"$BACKUPD" backup "$uri" --source c --json >out 2>err
[ "$(json 'd["good"], [s["stray_keys"] for s in d["shards"]], [s["tries"] for s in d["shards"]]')" = '(False, [1, 0], [2, 1])' ]
says "1 keys are of slots that are not its own, the first \"$key\" of slot $slot"
ends 0 "$BACKUPD" backup "$uri" --source c
says 'not good: keys in shards that have not their slots'
export RESPITE_IDENTITY=$PWD/sheet
ends 0 "$BACKUPD" show latest
says '1 keys are where no client finds them'
at c/0 CLUSTER SETSLOT $slot IMPORTING "$(at c/1 CLUSTER MYID)" >/dev/null
printf 'ASKING\nDEL %s\n' "$key" | at c/0 >/dev/null
at c/0 CLUSTER SETSLOT $slot STABLE >/dev/null
take "$uri" --source c
