# A digest of the data in the clear would let a thief of the storage test guesses: dd1 stands in the sealed manifest alone.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
dump() { # FILE PIN: a dump of one key
    python3 - "$@" <<'END'
import sys
pin = sys.argv[2].encode()
with open(sys.argv[1], "wb") as w:
    w.write(b"REDIS0011\xfe\x00\x00\x03pin" + bytes([len(pin)]) + pin + b"\xff" + bytes(8))
END
}
dump secret.rdb k4711
"$BACKUPD" backup --from secret.rdb >/dev/null
root=$(cat state/*/root.pub)
export RESPITE_STATE=$PWD/none # the thief has the storage and nothing else; root's public identity stands in roles/
status 0 "$BACKUPD" show latest --root "$root" --json
if grep -q dd1 out; then exit 1; fi
dd1=$("$RDBTOOL" check --digest secret.rdb | sed -n 's/.*, dd1:\([0-9a-f]*\) .*/\1/p')
[ ${#dd1} = 32 ]
python3 - "$dd1" store <<'END'
import os, sys
want = bytes.fromhex(sys.argv[1])
for folder, _, files in os.walk(sys.argv[2]):
    for f in files:
        p = os.path.join(folder, f)
        held = open(p, "rb").read()
        if want in held or want[::-1] in held or sys.argv[1].encode() in held:
            sys.exit(p + " holds the digest")
END
export RESPITE_STATE=$PWD/state
status 0 "$BACKUPD" show latest --json --identity sheet
[ "$(json out 'd["manifest"]["streams"][0]["dd1"]')" = "$dd1" ]
