# Each kind of identity opens a golden repository: plain and sealed identity files, a passphrase reader; a writer does not.
# LONG
# shellcheck source=tests/cli/backupd/golden/_golden.sh
. "$TESTS/cli/backupd/golden/_golden.sh"
for golden in $(releases); do
    clone "$golden"
    root=$(<keys/root.pub)
    streams "$golden" --root "$root" --identity keys/ops
    # These cost a second each: one snapshot of before they were added, one of after.
    sed -n '1p;$p' "$golden/expect/streams" | while read -r id _ want _; do
        ends 0 "$BACKUPD" cat "$id" --root "$root" --identity keys/vault --passphrase-file keys/passphrase
        [ "$(sum out)" = "$want" ] || die "$id: other bytes by the sealed identity"
        ends 0 "$BACKUPD" cat "$id" --root "$root" --passphrase-file keys/passphrase
        [ "$(sum out)" = "$want" ] || die "$id: other bytes by the passphrase reader"
    done
    id=$(sed -n '1s/ .*//p' "$golden/expect/streams")
    ends 12 "$BACKUPD" cat "$id" --root "$root" --identity keys/spare
    ends 12 "$BACKUPD" cat "$id" --root "$root"
    ends 12 "$BACKUPD" cat "$id" --root "$root" --identity keys/vault
    ends 0 "$BACKUPD" list --all --json --root "$root"
    agrees "$golden/expect/list.json"
    ends 12 "$BACKUPD" backup --from "$DATA/redis-7.0.15-debian/onekey.rdb" --source web --root "$root" --identity keys/spare
    ends 12 "$BACKUPD" expire "$id" --root "$root" --identity keys/ops
done
