# A node that dies while it is captured: its shard is captured again, from another node, the others once; a shard that nobody
#   has any more: no snapshot, though the others are whole; and which one is said.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_start c 3 1
cluster_fill c
expired() { [ -z "$(cluster_each c KEYS 'over:*')" ]; } # which takes them out of what is counted
until_true 'keys do not expire' expired
cluster_settled c
uri=$(cluster_uri c)
keys=$(cluster_keys c)
slow() { for i in $(cluster_live c); do at "c/$i" CONFIG SET rdb-key-save-delay "$1" >/dev/null; done; }
saves() { [ "$(field "c/$1" rdb_bgsave_in_progress)" = 1 ]; }
begin() { # OPTIONS...
    slow 1500
    "$BACKUPD" backup "$uri" --source c -v --json "$@" >dies.out 2>dies.err &
    PID[dies]=$!
    for i in 3 4 5; do until_true "$i is not captured" saves $i; done
}
begin
cluster_kill c 4
slow 0
wait "${PID[dies]}" || { cat dies.err >&2 && die 'one death is no reason to give up'; }
unset 'PID[dies]'
cp dies.out out
[ "$(json 'd["good"], d["keys"]')" = "(True, $keys)" ]
[ "$(json '[s["tries"] for s in d["shards"]]')" = '[1, 2, 1]' ]
[ "$(json 'd["shards"][1]["place"]')" = "redis://127.0.0.1:${PORT[c/1]}" ]
grep -q 'slots 5461-10921: captured again: ' dies.err
ends 0 "$BACKUPD" verify latest --source c --read-data 2>/dev/null || ends 0 "$BACKUPD" verify latest --source c

# Without retries it is the end, and so it is when nobody is left.
cluster_revive c 4
until_true 'c/4 has no link' linked c/4
cluster_settled c
begin --shard-retries 0
cluster_kill c 5
slow 0
rc=0
wait "${PID[dies]}" || rc=$?
unset 'PID[dies]'
[ $rc = 21 ] || { cat dies.err >&2 && die "exit status $rc"; }
grep -q 'slots 10922-16383, redis://127.0.0.1:' dies.err
cluster_kill c 2
ends 21 "$BACKUPD" backup "$uri" --source c --patience 3s
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len(d["snapshots"])')" = 1 ]
