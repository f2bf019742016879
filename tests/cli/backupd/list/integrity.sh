# What is wrong with the log is said, with a way out, and ends in 24; what is sound is still listed.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
for day in 01 02 03; do store "2026-11-$day"; done
record=$(find repo/log -name '0000000002-*-commit-*')
chmod -R u+w repo
cp "$record" kept
# A flipped byte.
python3 - "$record" <<'END'
import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[40] ^= 1; open(sys.argv[1], "wb").write(b)
END
for verb in "list --all" "list --all --json" "show latest" status; do
    # shellcheck disable=SC2086
    ends 24 "$BACKUPD" $verb
    says "$(basename "$record")"
done
ends 24 "$BACKUPD" list --all
[ "$(grep -c '^[0-9a-f]\{10\} ' out)" = 2 ] || die 'the sound ones are not listed'
says 'way out'
ends 24 "$BACKUPD" expire --keep-last 1
ends 24 "$BACKUPD" prune
# Gone without a word.
rm "$record"
ends 24 "$BACKUPD" list --all
cp kept "$record"
ends 0 "$BACKUPD" list --all
# Given up by a keeper: listed as lost ever after, and all goes on.
python3 - "$record" <<'END'
import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[40] ^= 1; open(sys.argv[1], "wb").write(b)
END
ends 12 "$BACKUPD" expire --acknowledge "$(basename "$record")" --identity sheet.none
ends 4 "$BACKUPD" expire --acknowledge 0000000000000000000000000000000000000000000000000000000000000000
ends 24 "$BACKUPD" expire --acknowledge "${record##*-}" --dry-run
ends 0 "$BACKUPD" expire --acknowledge "${record##*-}"
ends 0 "$BACKUPD" list --all
says lost
# The newest is dropped: this host has seen it. Who knows of it may go on.
store 2026-11-04
newest=$(find repo/log -name '*-20261104T*-commit-*')
mv "$newest" kept
for verb in list "list --all" status "show latest"; do
    # shellcheck disable=SC2086
    ends 24 "$BACKUPD" $verb
    says 'has seen this record'
done
ends 0 "$BACKUPD" list --accept-rollback
cp kept "$newest"
ends 0 "$BACKUPD" list
