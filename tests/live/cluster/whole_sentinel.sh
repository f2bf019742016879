# A master that three sentinels watch: captured under load; while it is captured the master is killed and another takes over:
#   the capture is made again, of what is the master then; and restored through the sentinels into whoever is it now.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
# shellcheck source=tests/live/cluster/_sentinel.sh
. "$TESTS/live/cluster/_sentinel.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
sentinel_start s
server one
fill s/0
sentinel_load_begin s --rate 500
take "$(sentinel_uri s)" --source busy
sentinel_load_end s
ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)"
says 'compared: equal'
for i in $(seq 0 99); do
    { read -r a && read -r b; } < <(at one MGET "{pair:$i}:a" "{pair:$i}:b")
    [ "$a" = "$b" ] || die "pair $i: $a and $b"
done

# Sent anew, so that all three have the same times of consumers
at s/0 DEBUG CHANGE-REPL-ID >/dev/null
at s/0 CLIENT KILL TYPE replica >/dev/null
follows() { [ "$(field "$1" master_replid)" = "$(field s/0 master_replid)" ] && linked "$1"; }
for i in 1 2; do until_true "s/$i does not follow" follows "s/$i"; done
server_oracle s/0 >s.json
slow() { for i in 0 1 2; do at "s/$i" CONFIG SET rdb-key-save-delay "$1" >/dev/null 2>&1 || :; done; }
saving() { for i in 0 1 2; do [ "$(field "s/$i" rdb_bgsave_in_progress 2>/dev/null)" != 1 ] || echo "$i"; done; }
one_saves() { [ -n "$(saving)" ]; }
for how in '' kill; do # by order, and because it is dead
    slow 3000
    "$BACKUPD" backup "$(sentinel_uri s)" --source "s" --json >fails.out 2>fails.err &
    fails=$!
    PID[fails]=$!
    until_true 'nothing is captured' one_saves
    # Whoever is being captured may be a replica: that one dies, too.
    victim=$(saving | head -n 1) old=$(sentinel_master s)
    sentinel_failover s "$how"
    new=$(sentinel_master s)
    [ "$new" != "$old" ]
    slow 0
    if [ "$how" = kill ] && [ "$victim" != "$old" ] && [ "$victim" != "$new" ] && kill -0 $fails 2>/dev/null; then
        server_end "s/$victim" KILL
    fi
    rc=0
    wait $fails || rc=$?
    unset 'PID[fails]'
    cat fails.err >&2
    [ $rc = 0 ] || die "the backup ended with $rc"
    cp fails.out out
    ID=$(json 'd["snapshot"]')
    server_oracle "s/$new" >now.json
    at one FLUSHALL >/dev/null
    at one FUNCTION FLUSH >/dev/null
    ends 0 "$BACKUPD" restore "$ID" --to "$(uri one)"
    says 'compared: equal'
    server_oracle one >one.json
    oracles_equal s.json one.json
    oracles_equal now.json one.json
done

# Back, to whoever is the master
at "s/$new" FLUSHALL >/dev/null
at "s/$new" FUNCTION FLUSH >/dev/null
ends 0 "$BACKUPD" restore "$ID" --to "$(sentinel_uri s)"
says 'compared: equal'
server_oracle "s/$new" >now.json
oracles_equal s.json now.json
