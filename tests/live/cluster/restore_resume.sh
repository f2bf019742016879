# A restore into a cluster that is ended in the middle goes on from its checkpoint; when a primary was started again, which
#   may have lost what was written to it, it is refused.
# TIMEOUT: 200
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_begin a 2 0
cluster_begin c 3 0
cluster_ready a
cluster_ready c
cluster_fill a --mb 1
cluster_resync a
cluster_oracle a >a.json
take "$(cluster_uri a)" --source c
into() { "$BACKUPD" restore "$ID" --to "$(cluster_uri c)" --checkpoint mark "$@"; }
cut_off() { # EXISTING
    "$BACKUPD" restore "$ID" --to "$(cluster_uri c)" --checkpoint mark --rate-ops 500 --existing "$1" >out 2>err &
    PID[restore]=$!
    written() { [ -s mark ] && [ "$(cluster_keys c)" -gt 500 ]; }
    until_true 'nothing is written' written
    kill -TERM "${PID[restore]}"
    wait "${PID[restore]}" || :
    unset 'PID[restore]'
    [ -s mark ] || { cat out err >&2 && die 'there is no checkpoint'; }
    [ "$(grep -c ^target mark)" = 3 ]
}
for existing in fail skip replace; do
    cut_off $existing
    ends 0 into --existing $existing --json
    [ "$(json 'd["resumed"] > 0, d["equal"]')" = '(True, True)' ]
    [ ! -e mark ]
    cluster_oracle c >c.json
    oracles_equal a.json c.json
    for i in $(cluster_live c); do at "c/$i" FLUSHALL >/dev/null && at "c/$i" FUNCTION FLUSH >/dev/null; done
done
cut_off fail
cluster_kill c 1
cluster_revive c 1
cluster_wait_failover c
ends 2 into
says 'or that was started again'
