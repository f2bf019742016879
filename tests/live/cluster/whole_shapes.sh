# Three primaries with their replicas, captured under load and at rest; what was captured at rest is restored into two, three
#   and five shards and into one server, and back from there into a cluster: each holds what the primaries held, by the
#   oracle (hash tags, groups and what is pending, functions, expiries). Under load each shard is of one moment.
# TIMEOUT: 300
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_begin c 3 1
cluster_begin two 2 0
cluster_begin three 3 0
cluster_begin five 5 0
server one
for name in c two three five; do cluster_ready $name; done
cluster_fill c --mb 2

# Under load, from beginning to end
cluster_load_begin c --lasting
take "$(cluster_uri c)" --source busy
kill -0 "${CLUSTER_LOAD[c]}" || die 'there was no load'
cluster_load_end c
[ "$(json 'len(d["shards"])')" = 3 ]
ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)" --json
[ "$(json 'd["compared"] and d["equal"]')" = True ] || { cat out >&2 && exit 1; }
[ "$(at one DBSIZE)" -gt 3000 ]
# Written at once in one shard: a snapshot that is no moment of it would have one without the other.
pairs=0
for i in $(seq 0 99); do
    { read -r a && read -r b; } < <(at one MGET "{pair:$i}:a" "{pair:$i}:b")
    [ "$a" = "$b" ] || die "pair $i: $a and $b"
    [ -z "$a" ] || pairs=$((pairs + 1))
done
[ $pairs -gt 10 ] || die "only $pairs pairs were captured"
# What a server says that it holds is what the snapshot says
expected=$(json 'd["dd1_expected"]')
at one SAVE >/dev/null
"$RDBTOOL" check --digest one/dump.rdb | grep -qF "$expected" || die "the server holds other data than $expected"

# At rest
cluster_resync c
cluster_oracle c >c.json
take "$(cluster_uri c)" --source calm
CALM=$ID
for name in two three five; do
    ends 0 "$BACKUPD" restore "$CALM" --to "$(cluster_uri $name)" --json
    [ "$(json 'd["compared"] and d["equal"]')" = True ] || { cat out >&2 && exit 1; }
    cluster_oracle $name >$name.json
    oracles_equal c.json $name.json
    [ "$name" = five ] || cluster_stop $name
done
at one FLUSHALL >/dev/null
at one FUNCTION FLUSH >/dev/null
ends 0 "$BACKUPD" restore "$CALM" --to "$(uri one)"
says 'compared: equal'
server_oracle one >one.json
oracles_equal c.json one.json

# From one server into shards
take "$(uri one)" --source one
for i in $(cluster_live five); do
    at "five/$i" FLUSHALL >/dev/null
    at "five/$i" FUNCTION FLUSH >/dev/null
done
ends 0 "$BACKUPD" restore "$ID" --to "$(cluster_uri five)"
says 'compared: equal'
cluster_oracle five >five.json
oracles_equal c.json five.json
# And of the five one snapshot that is the same once more
take "$(cluster_uri five)" --source five
[ "$(json 'len(d["shards"])')" = 5 ]
at one FLUSHALL >/dev/null
at one FUNCTION FLUSH >/dev/null
ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)"
server_oracle one >one.json
oracles_equal c.json one.json
