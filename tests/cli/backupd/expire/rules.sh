# Rules of expire: what stays and why, the last good one, the limit at once, by hand, dry runs.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
for day in 01 02 03 04 05 06; do store "2026-11-$day"; done
later='--min-age 0s'
ends 2 "$BACKUPD" expire
says --keep-last
# shellcheck disable=SC2086
ends 0 "$BACKUPD" expire --keep-last 2 --dry-run --json $later
[ "$(json 'd["dry_run"], len(d["snapshots"])')" = '(True, 6)' ] || die 'rows'
[ "$(json 'd["retired"]')" = 3 ] || die 'three at once, no more'
[ "$(json '[s["retired"] for s in d["snapshots"]][-2:]')" = '[False, False]' ] || die 'the newest stay'
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len(d["snapshots"])')" = 6 ] || die 'a dry run retired'
# Young ones stay whatever the rules.
ends 0 "$BACKUPD" expire --keep-last 1 --json
[ "$(json 'd["retired"]')" = 0 ] || die 'young'
# shellcheck disable=SC2086
ends 0 "$BACKUPD" expire --keep-last 2 $later
says '3 retired'
ends 0 "$BACKUPD" list --all --json
[ "$(json '[s["time"][8:10] for s in d["snapshots"]]')" = "['04', '05', '06']" ] || die 'what is left'
# By hand; the last good one never.
id=$(json 'd["snapshots"][0]["id"]')
ends 0 "$BACKUPD" expire "$id" --dry-run
ends 0 "$BACKUPD" expire "$id"
ends 2 "$BACKUPD" expire latest
ends 4 "$BACKUPD" expire "$id$id"
ends 2 "$BACKUPD" expire latest --acknowledge x
# A writer alone may not.
ends 0 "$BACKUPD" key new --out w --name w
ends 0 "$BACKUPD" key add "$(cat out)" --name w --role write --identity sheet
ends 12 "$BACKUPD" expire --keep-last 1 --identity w
