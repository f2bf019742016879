# The master that Sentinel names: captured by its name, with who named it; killed while it is captured: the one that takes over
#   is captured, into the same snapshot.
# shellcheck source=tests/live/cluster/_sentinel.sh
. "$TESTS/live/cluster/_sentinel.sh"
make_repo
sentinel_start s
fill s/0
uri=$(sentinel_uri s)
ends 0 "$BACKUPD" backup "$uri" --source s
says "named by sentinel://127.0.0.1:"
ends 0 "$BACKUPD" backup "$uri" --source s --source-role master --json
[ "$(json 'd["captured"]["place"]')" = "redis://127.0.0.1:${PORT[s/0]}" ]
[ "$(json 'd["captured"]["tries"], d["captured"]["via"].startswith("sentinel://")')" = '(1, True)' ]
keys=$(json 'd["keys"]')
at s/0 CONFIG SET rdb-key-save-delay 2000 >/dev/null
"$BACKUPD" backup "$uri" --source s --source-role master -v --json >fails.out 2>fails.err &
PID[fails]=$!
saves() { [ "$(field s/0 rdb_bgsave_in_progress)" = 1 ]; }
until_true 'nothing is captured' saves
sentinel_failover s kill
wait "${PID[fails]}" || { cat fails.err >&2 && die 'a failover is no reason to give up'; }
unset 'PID[fails]'
cp fails.out out
new=$(sentinel_master s)
[ "$new" != 0 ]
[ "$(json 'd["good"], d["keys"], d["captured"]["tries"]')" = "(True, $keys, 2)" ]
[ "$(json 'd["captured"]["place"]')" = "redis://127.0.0.1:${PORT[s/$new]}" ]
grep -q 'captured again: ' fails.err
ends 21 "$BACKUPD" backup "${uri%/*}/other" --source s
says "no sentinel has a master 'other'; they have 'mymaster'"
