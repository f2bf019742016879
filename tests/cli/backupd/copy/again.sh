# copy: what the target retired or pruned is not brought back, unless --again says so.
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
make_repo
B=file:$PWD/mirror
ends 0 "$BACKUPD" init --repo "$B" --mirror-of "$RESPITE_REPO"
store 2026-11-18T00:00:00Z web
OLD=$ID
store 2026-11-19T00:00:00Z web
ends 0 "$BACKUPD" copy --to "$B"
ends 0 "$BACKUPD" expire "$OLD" --repo "$B"
ends 0 "$BACKUPD" copy --to "$B"
says 'retired or removed there 1 (--again)'
ends 3 "$BACKUPD" copy --to "$B" --again
says 'pin it there'
ends 0 "$BACKUPD" prune --repo "$B" --quarantine 0s
ends 0 "$BACKUPD" copy --to "$B"
says 'copied 0, there already 1, retired or removed there 1'
ends 0 "$BACKUPD" copy --to "$B" --again
says 'copied 1, there already 1'
ends 0 "$BACKUPD" verify --repo "$B" --read-data --identity sheet
says '2 snapshots'
ends 0 "$BACKUPD" show latest --repo "$B" --json
[ "$(json 'd["id"]')" = "$ID" ] || die "the one that was copied last is not the latest"
