# Facts beside a snapshot: by any identity of the roles record, shown by show.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
store 2026-11-01
ends 0 "$BACKUPD" annotate latest ticket=42 'who=an operator'
ends 0 "$BACKUPD" show latest
says note
ends 2 "$BACKUPD" annotate latest ticket
ends 2 "$BACKUPD" annotate latest =42
ends 2 "$BACKUPD" annotate latest
ends 4 "$BACKUPD" annotate 0123456789 a=b
ends 12 env RESPITE_STATE="$PWD/none" "$BACKUPD" annotate latest a=b --root "$PUB"
says --identity
