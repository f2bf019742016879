# A failover in the middle of a capture: the primary that is captured is killed, its replica takes over, the shard is captured
#   from there; and one by order while another shard is captured: whoever is no longer the primary is captured again.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
cluster_start c 3 1
cluster_fill c
expired() { [ -z "$(cluster_each c KEYS 'over:*')" ]; } # which takes them out of what is counted
until_true 'keys do not expire' expired
cluster_settled c
uri=$(cluster_uri c)
keys=$(cluster_keys c)
slow() { for i in $(cluster_live c); do at "c/$i" CONFIG SET rdb-key-save-delay "$1" >/dev/null; done; }
saves() { [ "$(field "c/$1" rdb_bgsave_in_progress)" = 1 ]; }
begin() { # NODES THAT ARE CAPTURED
    slow 1500
    "$BACKUPD" backup "$uri" --source c --source-role master -v --json >fails.out 2>fails.err &
    PID[fails]=$!
    for i in "$@"; do until_true "$i is not captured" saves "$i"; done
}
end() { # SHARD NODE
    slow 0
    wait "${PID[fails]}" || { cat fails.err >&2 && die 'a failover is no reason to give up'; }
    unset 'PID[fails]'
    cp fails.out out
    [ "$(json 'd["good"], d["keys"]')" = "(True, $keys)" ]
    [ "$(json "d['shards'][$1]['place']")" = "redis://127.0.0.1:${PORT[c/$2]}" ]
    [ "$(json "d['shards'][$1]['tries']")" -gt 1 ]
    [ "$(json "d['shards'][$1]['node']")" = "$(at "c/$2" CLUSTER MYID)" ]
}
begin 0 1 2
cluster_kill c 1
end 1 4
# By order: nothing breaks off, but before the last moment it was another one.
slow 1500
"$BACKUPD" backup "$uri" --source c --source-role master --at-once 1 -v --json >fails.out 2>fails.err &
PID[fails]=$!
until_true 'nothing is captured' saves 0
cluster_failover c 3
end 0 3
