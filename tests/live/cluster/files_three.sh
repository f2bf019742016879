# A cluster's snapshot of five shards as files for three nodes, cut as `redis-cli --cluster create` would; a server's own
#   snapshot, with several databases, which a cluster has not.
# shellcheck source=tests/live/cluster/_files.sh
. "$TESTS/live/cluster/_files.sh"
captured 5
ends 0 "$BACKUPD" restore "$ID" --nodes 3 --to three
says 'three/dump-5461-10922.rdb: '
loaded b three
same b
cluster_stop b

server one
at one SET first 0 >/dev/null
at one -n 3 SET second 3 >/dev/null
take -u "unix://$PWD/one/s" --source one
ends 23 "$BACKUPD" restore "$ID" --source one --nodes 2 --to two
says 'would be lost: keys of databases that the target does not have (1, the first: second)'
[ -z "$(find two -type f)" ]
ends 3 "$BACKUPD" restore "$ID" --source one --nodes 2 --to two --on-loss database=drop
says 'lost: keys of databases that the target does not have (1, the first: second)'
loaded c two
[ "$(cluster_keys c)" = 1 ]
ends 0 "$BACKUPD" restore "$ID" --source one --nodes 1 --to all.rdb
says '2 keys'
