# Reading a snapshot of several shards: get reads the key's shard alone, export gives all of them as one, cat wants a name.
# shellcheck source=tests/live/cluster/_files.sh
. "$TESTS/live/cluster/_files.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_start a 3 0
cluster_fill a
printf '#!lua name=mine\nredis.register_function("f", function() return 1 end)\n' >lib
for i in 0 1 2; do at a/$i -x FUNCTION LOAD REPLACE <lib >/dev/null; done
for key in foo bar hello; do cluster_cli a SET $key "value of $key" >/dev/null; done
cluster_oracle a >a.json
KEYS=$(cluster_keys a)
take "$(cluster_uri a)" --source c
for key in foo bar hello; do
    ends 0 "$BACKUPD" get "$ID" $key
    [ "$(cat out)" = "\"value of $key\"" ] || [ "$(cat out)" = "value of $key" ] || die "$(cat out)"
done
ends 4 "$BACKUPD" get "$ID" 'not there'
ends 0 "$BACKUPD" export "$ID"
[ "$(wc -l <out)" = "$KEYS" ]
ends 0 "$BACKUPD" export "$ID" --format json
[ "$(json 'len(d)')" = "$KEYS" ]
ends 0 "$BACKUPD" export "$ID" --key foo --limit 1
[ "$(wc -l <out)" = 1 ]
ends 0 "$BACKUPD" export "$ID" --format resp --to-target redis:7.0 --restore -o all.resp
[ "$(grep -ac 'name=mine' all.resp)" = 1 ]
server one
redis-cli -s one/s --pipe <all.resp >piped
grep -q 'errors: 0' piped
server_oracle one >one.json
oracles_equal a.json one.json
ends 2 "$BACKUPD" cat "$ID"
says 'holds 3 dumps, which one? shard-0-5460.rdb (slots 0-5460), '
ends 0 "$BACKUPD" cat "$ID" shard-5461-10921.rdb
cp out shard.rdb
ends 0 "$RDBTOOL" check shard.rdb
ends 0 "$BACKUPD" cat "$ID" cluster
says 'myself,master'
