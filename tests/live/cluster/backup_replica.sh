# Who is taken of a shard: its replica; its primary when that is asked for, or when its link is broken; and with
#   --source-role replica nothing at all when one shard has no healthy one: no snapshot of the others.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
cluster_start c 3 1
cluster_fill c
expired() { [ -z "$(cluster_each c KEYS 'over:*')" ]; } # which takes them out of what is counted
until_true 'keys do not expire' expired
cluster_settled c
uri=$(cluster_uri c)
places() { json 'sorted(s["place"].rsplit(":", 1)[1] for s in d["shards"])'; }
ports() { for i in "$@"; do echo "${PORT[c/$i]}"; done | sort | awk -v q="'" '{ printf "%s%s%s%s", n++ ? ", " : "[", q, $0, q } END { print "]" }'; }
ends 0 "$BACKUPD" backup "$uri" --source c --json
[ "$(places)" = "$(ports 3 4 5)" ]
[ "$(json 'all("a replica of redis://127.0.0.1:" in s["why"] for s in d["shards"])')" = True ]
ends 0 "$BACKUPD" backup "$uri" --source c --source-role master --json
[ "$(places)" = "$(ports 0 1 2)" ]

# One whose link is broken holds the data of yesterday.
at c/4 CONFIG SET masteruser nobody >/dev/null
at c/4 CONFIG SET masterauth wrong >/dev/null
at c/1 CLIENT KILL TYPE replica >/dev/null
broken() { [ "$(field c/4 master_link_status)" = down ]; }
until_true 'the link holds' broken
ends 0 "$BACKUPD" backup "$uri" --source c --json
[ "$(places)" = "$(ports 3 1 5)" ]
[ "$(json '"the server itself" in d["shards"][1]["why"]')" = True ]
ends 0 "$BACKUPD" list --all --json
before=$(json 'len(d["snapshots"])')
ends 21 "$BACKUPD" backup "$uri" --source c --source-role replica --patience 0s --shard-retries 0
says 'no replica'
says 'slots 5461-10921'
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len(d["snapshots"])')" = "$before" ]
