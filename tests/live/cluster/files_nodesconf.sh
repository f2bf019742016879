# Files for the nodes of a nodes.conf, or of what CLUSTER NODES says: one for each primary, by its id; a slot that nobody owns
#   is no place for a key, and nothing is written then.
# shellcheck source=tests/live/cluster/_files.sh
. "$TESTS/live/cluster/_files.sh"
captured 2
cluster_start b 3 1
at b/1 CLUSTER NODES >nodes
declare -A IDS
for i in 0 1 2; do IDS[$i]=$(at b/$i CLUSTER MYID); done
ends 0 "$BACKUPD" restore "$ID" --nodes nodes --to files
for i in 0 1 2; do
    says "files/dump-${IDS[$i]}.rdb: "
    says "for 127.0.0.1:${PORT[b/$i]}"
done
[ "$(find files -type f | wc -l)" = 3 ]
cp -r files again
ends 0 "$BACKUPD" restore "$ID" --nodes b/0/nodes.conf --to again --force
for i in 0 1 2; do cmp "files/dump-${IDS[$i]}.rdb" "again/dump-${IDS[$i]}.rdb"; done
for i in 0 1 2 3 4 5; do
    cluster_kill b $i
    rm -f b/$i/dump.rdb
done
for i in 0 1 2; do cp "files/dump-${IDS[$i]}.rdb" b/$i/dump.rdb; done
for i in 0 1 2 3 4 5; do cluster_revive b $i; done
for i in 0 1 2 3 4 5; do until_true "b/$i is not ready" cluster_sees_all b $i; done
same b

grep -v "${IDS[1]}" nodes >hole || :
ends 2 "$BACKUPD" restore "$ID" --nodes hole --to none
says 'slots have no owner in it'
says 'has no owner in the map'
[ -z "$(find none -type f)" ]
echo nonsense >hole
"$BACKUPD" restore "$ID" --nodes hole --to none >out 2>err && die 'nonsense was taken'
says 'hole'
