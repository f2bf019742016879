# Pins need a keeper, hold against expire, and are taken off again.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
store 2026-01-01
first=$ID
for day in 02 03 04; do store "2026-01-$day"; done
ends 0 "$BACKUPD" pin "$first" --dry-run
ends 0 "$BACKUPD" list
never pinned
ends 0 "$BACKUPD" pin "$first" --note 'before the move'
ends 0 "$BACKUPD" list
says pinned
ends 0 "$BACKUPD" show "$first"
says 'before the move'
ends 2 "$BACKUPD" expire "$first" --now 2026-12-30
says pinned
ends 0 "$BACKUPD" unpin "$first" --json
[ "$(json 'd["done"]')" = unpinned ] || die json
ends 4 "$BACKUPD" unpin "$first"
ends 0 "$BACKUPD" list
never pinned
ends 4 "$BACKUPD" pin 0123456789
# A writer alone may not.
ends 0 "$BACKUPD" key new --out w --name w
ends 0 "$BACKUPD" key add "$(cat out)" --name w --role write --identity sheet
for verb in pin unpin; do
    ends 12 "$BACKUPD" $verb "$first" --identity w
    says --identity
done
