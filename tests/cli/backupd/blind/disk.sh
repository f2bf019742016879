# A copy of the host's whole disk, state directory and repository: no 32 bytes of it, as they stand or as text, are a secret
# that opens anything.
# TIMEOUT: 600
# LONG
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
mkdir elsewhere copy
mv sheet elsewhere/seed
"$BACKUPD" backup --from "$DUMP" >/dev/null
cp -r store state copy/
export RESPITE_STATE=$PWD/copy/state
[ "$(find copy -type f | wc -l)" -ge 9 ]
# The thief's own list of what may be a secret: every window of 32 bytes, every run of base32, as identity files.
python3 - <<'END'
import base64, hashlib, os, re
secrets = set()
for folder, _, names in os.walk("copy"):
    for name in names:
        data = open(os.path.join(folder, name), "rb").read()
        for text in re.findall(rb"[a-z2-7]{52,}", data + b" " + name.encode()):
            raw = base64.b32decode(text.upper() + b"=" * (-len(text) % 8))
            secrets.update(raw[i:i + 32] for i in range(len(raw) - 31))
        for text in re.findall(rb"[0-9a-f]{64}", data + b" " + name.encode()):
            secrets.add(bytes.fromhex(text.decode()))
        secrets.update(data[i:i + 32] for i in range(len(data) - 31))
assert len(secrets) > 2000, len(secrets)
os.mkdir("try")
for i, s in enumerate(sorted(secrets)):
    text = base64.b32encode(s + hashlib.blake2b(s, digest_size=32).digest()[:4]).decode().lower().rstrip("=")
    with open(f"try/{i}", "w") as w:
        w.write("rsp-secret-" + text + "\n")
    os.chmod(f"try/{i}", 0o600)
END
# The thief has what the host has: he writes, and reads nothing.
root=$(cat copy/state/*/root.pub)
own=$(find copy/state -name identity)
status 12 "$BACKUPD" cat latest --repo "file:$PWD/copy/store" --identity "$own"
has err --identity
RESPITE_STATE=$PWD/none
opens() { # FILES...: one of them opens the snapshot
    local options=() f rc=0
    for f; do options+=(--identity "$f"); done
    "$BACKUPD" cat latest --repo "file:$PWD/copy/store" --root "$root" "${options[@]}" >out 2>err || rc=$?
    case $rc in
    0) return 0 ;;
    12) return 1 ;;
    *) cat err >&2 && exit 1 ;;
    esac
}
files=(try/*)
for ((i = 0; i < ${#files[@]}; i += 31)); do
    if opens "${files[@]:i:31}"; then echo 'a secret lies on the disk' >&2 && exit 1; fi
done
# Who has the seed among them gets in: so the attempts could have opened it.
opens "${files[@]:0:31}" elsewhere/seed
cmp out "$DUMP"
