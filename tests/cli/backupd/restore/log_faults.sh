# When the log has faults "latest" is not known for certain: exit 24. A snapshot that is named is restored: exit 3.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
export RESPITE_IDENTITY=$PWD/sheet
"$BACKUPD" backup --from "$DUMP" --json >first
"$BACKUPD" backup --from "$DUMP" >/dev/null
id=$(json first 'd["snapshot"]')
newest=$(find store/log -type f -name '0000000002-*')
spoil "$newest" 100
for verb in "restore latest --to l.rdb" "cat latest" "export latest" "get latest key"; do
    # shellcheck disable=SC2086
    status 24 "$BACKUPD" $verb
done
[ ! -e l.rdb ]
status 3 "$BACKUPD" restore "$id" --to back.rdb
cmp back.rdb "$DUMP"
has err 'the log has faults' 'way out'
status 3 "$BACKUPD" cat "$id"
cmp out "$DUMP"
# The snapshot is made all the same, and it is told.
status 24 "$BACKUPD" backup --from "$DUMP"
has out ', good'
