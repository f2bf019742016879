# What becomes of a cluster's snapshot: every shard proven in a private server, one after the other, with one receipt; all
#   data read again, and damage told of its shard; copied, repaired from the copy, sealed anew, and equal each time.
# shellcheck source=tests/live/cluster/_cluster.sh disable=SC2015
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_start c 3 0
cluster_fill c
ends 0 "$BACKUPD" backup "$(cluster_uri c)" --source c --json
keys=$(json 'd["keys"]')
dd1=$(json 'd["dd1"]')

# A drill: one after the other, added up; a line for each; one receipt.
mkdir drills
ends 0 "$BACKUPD" drill --source c --tmpdir drills --json
[ "$(json 'd["proof"], d["keys"], d["server_keys"], d["dd1"] == d["server_dd1"]')" = "('server', $keys, $keys, True)" ]
[ "$(json 'd["dd1"]')" = "$dd1" ] || die 'dd1 is not the sum of the shards'
[ "$(json '[(s["name"], s["proof"]) for s in d["streams"]]')" = \
    "[('shard-0-5460.rdb', 'server'), ('shard-5461-10921.rdb', 'server'), ('shard-10922-16383.rdb', 'server')]" ]
[ "$(json 'sum(s["keys"] for s in d["streams"])')" = "$keys" ]
ends 0 "$BACKUPD" drill --source c --tmpdir drills
says ' of c: restored into redis '
says '  shard-10922-16383.rdb: proven, '
[ -z "$(ls -A drills)" ] || die 'a file is left'
ends 0 "$BACKUPD" show latest --source c
says 'recovery: proof=server keys='
says ' streams=3 engine=redis-'

# Everything read again, shard by shard.
ends 0 "$BACKUPD" verify latest --source c --read-data --json
[ "$(json 'd["read_data"]["keys"], d["read_data"]["parsed"]')" = "($keys, 1)" ]

# Into a mirror; then one object of each shard is harmed, and comes back from there.
ends 0 "$BACKUPD" init --mirror-of "file:$PWD/repo" --repo "file:$PWD/mirror"
ends 0 "$BACKUPD" copy --to "file:$PWD/mirror"
n=0
for object in repo/data/*/*; do
    chmod u+w "$object"
    printf X | dd of="$object" bs=1 seek=$((300 + n)) conv=notrunc status=none
    n=$((n + 1))
done
[ $n = 3 ] || die "$n objects"
ends 24 "$BACKUPD" verify latest --source c --read-data
for shard in shard-0-5460.rdb shard-5461-10921.rdb shard-10922-16383.rdb; do says ": $shard: data/"; done
ends 24 "$BACKUPD" drill --source c --tmpdir drills
says 'NOT sound: '
says '  shard-5461-10921.rdb: NOT sound: '
ends 0 "$BACKUPD" verify latest --source c --repair-from "file:$PWD/mirror"
ends 0 "$BACKUPD" verify latest --source c --read-data
ends 0 "$BACKUPD" drill latest --repo "file:$PWD/mirror" --source c --tmpdir drills --json
[ "$(json 'd["dd1"]')" = "$dd1" ] || die 'the copy is another'

# Sealed anew for another root.
ends 0 env RESPITE_STATE="$PWD/other-state" "$BACKUPD" init --repo "file:$PWD/other" --recovery-out other-sheet
ends 0 "$BACKUPD" copy --to "file:$PWD/other" --rekey --identity sheet --identity other-sheet
ends 0 "$BACKUPD" drill latest --repo "file:$PWD/other" --identity other-sheet --source c --tmpdir drills --json
[ "$(json 'd["dd1"], len(d["streams"])')" = "('$dd1', 3)" ] || die 'sealed anew it is another'
ends 0 "$BACKUPD" show latest --repo "file:$PWD/other" --identity other-sheet --source c
says ', slots 10922-16383, from redis://127.0.0.1:'
