# export of a snapshot is export of the dump, with its formats and filters; damage in the store is 24 and leaves no OUT.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
f=$DATA/redis-7.0-rc1/cluster.rdb
"$BACKUPD" backup --from "$f" >/dev/null
status 12 "$BACKUPD" export latest
has err '--identity'
export RESPITE_IDENTITY=$PWD/sheet
for args in "" "--format json" "--bytes base64" "--with-meta" "--type list,hash" "--key key:1*" "--limit 3" "--not-key key:*" \
    "--slot 0-4000" "--size 100~"; do
    # shellcheck disable=SC2086
    "$RDBTOOL" export "$f" $args >want
    # shellcheck disable=SC2086
    status 0 "$BACKUPD" export latest $args
    cmp want out
done
status 0 "$BACKUPD" export latest --output data.json
"$RDBTOOL" export "$f" | cmp - data.json
status 26 "$BACKUPD" export latest --output data.json
status 2 "$BACKUPD" export latest --force
status 2 "$BACKUPD" export latest --type nonsense
large dump.rdb
"$BACKUPD" backup --from dump.rdb >/dev/null
spoil "$(largest)" 2000000
status 24 "$BACKUPD" export latest --output none.json
has err 'data/' 'none.json: not written'
[ ! -e none.json ]
