# What every release wrote is opened for ever: the recovery sheet and the directory alone, on an empty machine.
# shellcheck source=tests/cli/backupd/golden/_golden.sh
. "$TESTS/cli/backupd/golden/_golden.sh"
n=0
for golden in $(releases); do
    clone "$golden"
    chmod -R a-w repo
    export RESPITE_IDENTITY=keys/sheet
    ends 0 "$BACKUPD" list --all --json
    agrees "$golden/expect/list.json"
    [ "$(faults)" = '[]' ] || die "faults: $(faults)"
    ends 0 "$BACKUPD" list --json
    agrees "$golden/expect/list.json"
    while read -r id cat want export exported; do
        ends 0 "$BACKUPD" show "$id" --json
        agrees "$golden/expect/show-$id.json"
        ends "$cat" "$BACKUPD" cat "$id"
        [ "$(sum out)" = "$want" ] || die "$id: other bytes"
        ends "$export" "$BACKUPD" export "$id" --bytes base64 --with-meta
        [ "$(sum out)" = "$exported" ] || die "$id: other keys"
        [ "$cat" = 0 ] || continue
        rm -f back.rdb
        ends 0 "$BACKUPD" restore "$id" --to back.rdb
        [ "$(sum back.rdb)" = "$want" ] || die "$id: restored other bytes"
    done <"$golden/expect/streams"
    n=$((n + 1))
    [ ! -e "$RESPITE_STATE" ] || [ -z "$(find "$RESPITE_STATE" -name root.pub)" ] || die 'it remembers what nobody told it to'
done
[ "$n" != 0 ] || die 'no golden repository'
