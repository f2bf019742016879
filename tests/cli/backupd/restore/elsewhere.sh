# On an empty machine the sheet and the directory are enough; without the sheet it is exit 12.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
"$BACKUPD" backup --from "$DUMP" >/dev/null
mkdir far
cp -r store sheet far
cd far || exit 1
unset RESPITE_STATE
export HOME=$PWD/home RESPITE_REPO="file:$PWD/store" RESPITE_STATE="$PWD/none"
mkdir home
status 0 "$BACKUPD" restore latest --identity sheet --to back.rdb
cmp back.rdb "$DUMP"
has err 'seq 1'
status 12 "$BACKUPD" restore latest --to again.rdb
has err '--identity'
[ ! -e again.rdb ]
[ ! -e none ]
