# What was retired goes when the quarantine is over, and not before; what is left verifies.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
for day in 01 02 03; do store "2026-11-$day"; done
ends 0 "$BACKUPD" list --all --json
old=$(json 'd["snapshots"][0]["id"]')
ends 0 "$BACKUPD" expire "$old"
before=$(find repo -type f | wc -l)
ends 0 "$BACKUPD" prune --json
[ "$(json 'd["snapshots"], d["waiting"], d["complete"]')" = '(0, 1, True)' ] || die 'quarantine'
[ "$(find repo -type f | wc -l)" = "$before" ] || die 'files are gone'
ends 0 "$BACKUPD" prune --quarantine 0s --dry-run
says 'would remove 1 snapshots'
[ "$(find repo -type f | wc -l)" = "$before" ] || die 'a dry run removed files'
ends 0 "$BACKUPD" prune --quarantine 0s
says 'removed 1 snapshots'
[ "$(find repo -type f | wc -l)" -lt "$before" ] || die 'nothing is gone'
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len(d["snapshots"]), [t for t in d["troubles"] if t["status"] != "note"]')" = '(2, [])' ] || die 'what is left'
ends 0 "$BACKUPD" verify
ends 0 "$BACKUPD" prune --quarantine 0s
says 'removed 0 snapshots'
ends 12 env RESPITE_STATE="$PWD/none" "$BACKUPD" prune --root "$PUB"
says --identity
