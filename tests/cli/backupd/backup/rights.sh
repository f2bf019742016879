# Without a secret that may write there is no backup: exit 12, and the option is named. So it is on a host that knows nothing.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
"$BACKUPD" key new --out reader --name reader >/dev/null
status 12 "$BACKUPD" backup --from "$DUMP" --identity reader
has err '--identity'
mkdir empty
status 12 "$BACKUPD" backup --from "$DUMP" --state "$PWD/empty"
has err '--identity'
find state -name identity -delete
status 12 "$BACKUPD" backup --from "$DUMP"
has err '--identity'
[ -z "$(find store/log store/data -type f 2>/dev/null)" ]
# The sheet may do everything.
status 0 "$BACKUPD" backup --from "$DUMP" --identity sheet
status 10 "$BACKUPD" backup --from "$DUMP" --repo "file:$PWD/nowhere"
