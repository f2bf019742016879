# --source restricts expire to one source, by policy and by hand; the others are not touched.
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
make_repo
for day in 01 02 03; do
    store 2026-09-$day web
    store 2026-09-$day cache
done
living() { ends 0 "$BACKUPD" list --source "$1" --json && json 'len(d["snapshots"])'; }
ends 0 "$BACKUPD" expire --source web --keep-last 1 --min-age 0s --dry-run --json
[ "$(json 'len(d["snapshots"])')" = 3 ] || die 'rows of the other source'
ends 0 "$BACKUPD" expire --source web --keep-last 1 --min-age 0s
[ "$(living web) $(living cache)" = '1 3' ] || die "not as told: $(living web) $(living cache)"
ends 0 "$BACKUPD" list --source cache --json
oldest=$(json 'min((s["time_ms"], s["id"]) for s in d["snapshots"])[1]')
ends 4 "$BACKUPD" expire --source web "$oldest"
ends 0 "$BACKUPD" expire --source cache "$oldest"
[ "$(living web) $(living cache)" = '1 2' ] || die 'by hand: not as told'
