# A damaged dump is refused, with what is wrong and where; --accept-damaged stores it, byte for byte, never good, exit 3.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
cp "$DUMP" wrong.rdb
spoil wrong.rdb $(($(wc -c <wrong.rdb) - 1))
head -c 60 "$DUMP" >cut.rdb
cp "$DUMP" trailing.rdb
echo more >>trailing.rdb
head -c 5000 /dev/urandom >random.rdb
: >empty.rdb
for mode in full quick; do
    status 24 "$BACKUPD" backup --from wrong.rdb --check $mode
    has err 'wrong checksum' '--accept-damaged'
    for name in cut trailing random empty; do
        status 23 "$BACKUPD" backup --from $name.rdb --check $mode
        has err "$name.rdb: "
    done
done
[ -z "$(find store/log store/data store/manifests -type f 2>/dev/null)" ]
for name in wrong cut trailing random empty; do
    status 3 "$BACKUPD" backup --from $name.rdb --accept-damaged --source $name
    has out 'DAMAGED'
    status 0 "$BACKUPD" list --source $name
    has out 'damaged'
    status 3 "$BACKUPD" cat latest --source $name --identity sheet
    cmp out $name.rdb
    status 3 "$BACKUPD" restore latest --source $name --identity sheet --to $name.back
    cmp $name.back $name.rdb
    status 3 "$BACKUPD" restore latest --source $name --identity sheet --to $name.2 --json
    [ "$(json out 'd["damaged"], d["checked"]')" = '(True, False)' ]
done
# It was stored as it is: nothing is wrong with the repository.
status 0 "$BACKUPD" verify --read-data --identity sheet
