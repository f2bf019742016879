# A repository that an older release made is worked with: stored to, expired, pruned, given another reader; still sound.
# shellcheck source=tests/cli/backupd/golden/_golden.sh
. "$TESTS/cli/backupd/golden/_golden.sh"
for golden in $(releases); do
    clone "$golden"
    export RESPITE_IDENTITY=keys/sheet
    ends 0 "$BACKUPD" backup --from "$DATA/redis-7.2.6/multidb.rdb" --source web
    ends 0 "$BACKUPD" prune --quarantine 0s --debris-age 0s
    ends 0 "$BACKUPD" key new --out new --name new
    ends 0 "$BACKUPD" key add "$(<out)" --name new --role read
    ends 0 "$BACKUPD" key rewrap
    ends 0 "$BACKUPD" verify --read-data --json
    [ "$(faults)" = '[]' ] || die "$(faults)"
    streams "$golden" --root keys/root.pub --identity new
    ends 0 "$BACKUPD" cat latest --source web --identity new --root keys/root.pub
    cmp out "$DATA/redis-7.2.6/multidb.rdb"
    unset RESPITE_IDENTITY
done
