# A cluster's snapshot as one file: a server by itself loads it; a single file of three shards is never made by accident; one
#   shard as it is, into a file and into a directory.
# shellcheck source=tests/live/cluster/_files.sh
. "$TESTS/live/cluster/_files.sh"
captured 3
ends 0 "$BACKUPD" restore "$ID" --nodes 1 --to all.rdb
says '3 dumps into 1 file: '
ends 0 "$RDBTOOL" check all.rdb
mkdir one
cp all.rdb one/dump.rdb
server one
[ "$(at one DBSIZE)" = "$KEYS" ]
server_oracle one >one.json
oracles_equal a.json one.json
server_end one
mkdir data
ends 0 "$BACKUPD" restore "$ID" --nodes 1 --to data
cmp all.rdb data/dump.rdb

ends 2 "$BACKUPD" restore "$ID" --to wrong.rdb
says '--nodes 1'
says 'shard-0-5460.rdb (slots 0-5460)'
[ ! -e wrong.rdb ]
mkdir server
ends 2 "$BACKUPD" restore "$ID" --to server --server none
says '--shard NAME'
[ -z "$(ls -A server)" ]
ends 4 "$BACKUPD" restore "$ID" --to wrong.rdb --shard 1-2
says 'no dump of it is called 1-2'
ends 0 "$BACKUPD" restore "$ID" --to shard.rdb --shard 0-5460
ends 0 "$BACKUPD" cat "$ID" shard-0-5460.rdb
cmp out shard.rdb
ends 0 "$BACKUPD" restore "$ID" --to server --shard 0-5460 --server none
says 'gets the slots 0-5460 alone'
cmp server/dump.rdb shard.rdb
mkdir node
printf 'dir %s/node\ncluster-enabled yes\n' "$PWD" >node.conf
ends 0 "$BACKUPD" restore "$ID" --server-config node.conf --shard 0-5460 --server none
says 'its nodes.conf must give it the slots 0-5460'
