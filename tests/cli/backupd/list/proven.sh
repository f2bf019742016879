# What was only decoded is not proven: receipts of that kind are passed over, however many there are, and --limit still
# shows what it should.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
cat >server <<'END'
#!/bin/sh
echo 'Redis server v=2.4.18 sha=0'
END
chmod +x server
store 2026-11-01
store 2026-11-02 b
for _ in 1 2 3 4 5 6 7 8 9 10; do
    ends 3 "$BACKUPD" drill --identity sheet --server ./server --source b
    says 'not proven here'
    says 'redis 2.4.18 takes up to'
done
ends 0 "$BACKUPD" list --limit 1 --json
[ "$(json 'd["proven"], len(d["snapshots"])')" = "([{'source': 'b', 'receipts_not_read': 6}], 1)" ] || die proven
ends 0 "$BACKUPD" list --all --json
[ "$(json 'd["proven"]')" = "[{'source': 'b'}]" ] || die all
ends 0 "$BACKUPD" list
never proven
ends 0 "$BACKUPD" status --json
[ "$(json '[s for s in d["sources"] if "proven_ms" in s]')" = '[]' ] || die status
ends 0 "$BACKUPD" show latest --source b --json
[ "$(json 'len([r for r in d["records"] if r["kind"] == "receipt" and r["proof"] == "decoded"])')" = 10 ] || die show
# A receipt that is not what was signed is a fault of the log, and no proof.
receipt=$(find repo/log -name '*-receipt-*' | sort | tail -n 1)
chmod -R u+w repo
python3 - "$receipt" <<'END'
import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[40] ^= 1; open(sys.argv[1], "wb").write(b)
END
ends 24 "$BACKUPD" list
says "$(basename "$receipt")"
