# Files for the nodes of a cluster whose slots lie in many pieces: the plan is cut where a range ends, and says that it is cut;
# as JSON it is whole.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
python3 - >dump.rdb <<'END'
import sys
out = b"REDIS0011\xfe\x00" + b"".join(b"\x00\x07key:%03d\x01v" % i for i in range(300)) + b"\xff" + bytes(8)
sys.stdout.buffer.write(out)
END
"$BACKUPD" backup --from dump.rdb >/dev/null
export RESPITE_IDENTITY=$PWD/sheet
# Every second slot is the other's.
python3 - >nodes.conf <<'END'
for k in range(2):
    print("%040x 127.0.0.1:%d@%d %smaster - 0 0 %d connected %s" % (k + 1, 7000 + k, 17000 + k, "" if k else "myself,",
                                                                k + 1, " ".join(map(str, range(k, 16384, 2)))))
print("vars currentEpoch 2 lastVoteEpoch 0")
END
status 0 "$BACKUPD" restore latest --nodes nodes.conf --to files
has out '300 keys' ', slots 0,2,4,6,' ', slots 1,3,5,7,' '..., for 127.0.0.1:7001'
grep -o 'slots [0-9,-]*\.\.\.' out | while read -r _ slots; do
    case $slots in *,...) ;; *) echo "cut inside a number: ${slots: -12}" && exit 1 ;; esac
done
status 0 "$BACKUPD" restore latest --nodes nodes.conf --to again --json
[ "$(json out '[f["slots"].count(",") for f in d["files"]], d["keys"]')" = "([8191, 8191], 300)" ]
cmp files/dump-0000000000000000000000000000000000000002.rdb again/dump-0000000000000000000000000000000000000002.rdb
