# A fresh clone of a golden repository is sound, to the last byte, whatever the times of its files.
# shellcheck source=tests/cli/backupd/golden/_golden.sh
. "$TESTS/cli/backupd/golden/_golden.sh"
for golden in $(releases); do
    clone "$golden"
    for times in now 2001-01-01 2037-01-01; do
        [ "$times" = now ] || find repo -exec touch -d "$times" {} +
        ends 0 "$BACKUPD" verify --json --root keys/root.pub
        [ "$(faults)" = '[]' ] || die "$times: $(faults)"
        ends 0 "$BACKUPD" verify --read-stored --root keys/root.pub
        ends 0 "$BACKUPD" verify --read-data --json --identity keys/sheet
        [ "$(faults)" = '[]' ] || die "$times: $(faults)"
    done
done
