# A manifest that is not what was signed: verify --read-data names it and goes on with the other snapshots; restore is 24.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
export RESPITE_IDENTITY=$PWD/sheet
"$BACKUPD" backup --from "$DUMP" --json >first
manifest=$(find store/manifests -type f)
"$BACKUPD" backup --from "$DUMP" >/dev/null
spoil "$manifest" 200
status 24 "$BACKUPD" verify --read-data
has out "${manifest#store/}" 'read 1 chunks' 'NOT sound'
status 24 "$BACKUPD" verify --read-data --json
[ "$(json out 'd["sound"], len(d["findings"]), d["read_data"]["snapshots"]')" = '(False, 1, 1)' ]
status 24 "$BACKUPD" restore "$(json first 'd["snapshot"]')" --to none
[ ! -e none ]
status 0 "$BACKUPD" restore latest --to back.rdb
