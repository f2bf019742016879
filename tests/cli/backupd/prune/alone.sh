# What this is: of expire and prune one at a time on a host (11); a dry run, a backup and a list wait for nobody; a lock
# whose holder was killed holds nothing.
# Rests on: flock of util-linux.
# Does not: try two hosts: the record log sees to them.
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
make_repo
store 2026-11-01T00:00:00Z
lock=$(echo "$RESPITE_STATE"/*/roles)
lock=${lock%/roles}/lock
flock "$lock" sh -c 'echo >held; exec sleep 60' &
holder=$!
until [ -e held ]; do sleep 0.05; done
ends 11 "$BACKUPD" prune
says 'another expire or prune'
ends 11 "$BACKUPD" expire --keep-daily 7
ends 0 "$BACKUPD" prune --dry-run
ends 0 "$BACKUPD" expire --keep-daily 7 --dry-run
ends 0 "$BACKUPD" backup --from "$DUMP" --source web
ends 0 "$BACKUPD" list
# flock ends by itself once its child is killed: either may be gone when its turn comes.
pkill -KILL -P "$holder" || :
kill -KILL "$holder" 2>/dev/null || :
wait "$holder" 2>/dev/null || :
until flock --nonblock "$lock" true; do sleep 0.05; done
ends 0 "$BACKUPD" prune
