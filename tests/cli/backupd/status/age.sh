# The newest of each source, its age, and 3 when it is too old.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
ends 0 "$BACKUPD" status
ends 3 "$BACKUPD" status --max-age 1d
store 2026-11-01T00:00:00Z
store 2026-11-02T00:00:00Z b
now=2026-11-02T10:00:00Z
ends 0 "$BACKUPD" status --now $now --json
[ "$(json 'sorted((s["source"], s["age_ms"], s["seq"], s["too_old"]) for s in d["sources"])')" = \
    "[('b', 36000000, 1, False), ('default', 122400000, 1, False)]" ] || die 'rows'
ends 3 "$BACKUPD" status --now $now --max-age 1d
[ "$(grep -c 'TOO OLD' out)" = 1 ] || die 'one is too old'
ends 0 "$BACKUPD" status --now $now --max-age 2d
ends 0 "$BACKUPD" status --now $now --max-age 1d --source b
ends 3 env RESPITE_MAX_AGE=1h "$BACKUPD" status --now $now --source b
ends 2 "$BACKUPD" status --now yesterday
