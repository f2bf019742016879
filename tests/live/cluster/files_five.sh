# A cluster's snapshot of three shards as files for five nodes, and for two: each node loads its file, owns what is in it, and
#   all of them together hold what the cluster held; nothing is there before everything is, and nothing is replaced.
# shellcheck source=tests/live/cluster/_files.sh
. "$TESTS/live/cluster/_files.sh"
captured 3
ends 0 "$BACKUPD" restore "$ID" --nodes 5 --to five
says '3 dumps into 5 files: '
says 'five/dump-0-3276.rdb: '
says ', slots 13107-16383'
says 'must own exactly these slots'
[ "$(find five -type f | wc -l)" = 5 ]
[ "$(stat -c %a five/dump-0-3276.rdb)" = 600 ]
for f in five/*; do ends 0 "$RDBTOOL" check "$f"; done
loaded b five
same b
cluster_stop b
ends 0 "$BACKUPD" restore "$ID" --nodes 2 --to two --json
[ "$(json '[f["slots"] for f in d["files"]]')" = "['0-8191', '8192-16383']" ]
[ "$(json 'd["keys"] == sum(f["keys"] for f in d["files"])')" = True ]
loaded b two
same b

# What is there stays, and none of the others appears.
rm five/dump-3277-6553.rdb
ends 26 "$BACKUPD" restore "$ID" --nodes 5 --to five
says 'exists already; --force replaces it'
[ "$(find five -type f | wc -l)" = 4 ]
ends 0 "$BACKUPD" restore "$ID" --nodes 5 --to five --force
[ "$(find five -type f | wc -l)" = 5 ]

# Some keys only; a target that is too old for what is there.
ends 0 "$BACKUPD" restore "$ID" --nodes 5 --to some --slot 0-99 --json
[ "$(json 'd["files"][0]["keys"] == d["keys"], d["files"][4]["keys"]')" = '(True, 0)' ]
ends 23 "$BACKUPD" restore "$ID" --nodes 5 --to old --to-target redis:2.8 --no-functions
says 'redis 2.8'
[ -z "$(find old -type f)" ]
