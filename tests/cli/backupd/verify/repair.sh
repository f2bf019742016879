# verify --repair-from: what is damaged or missing comes back from a mirror, what is sound is not touched, and a mirror that
# is damaged too changes nothing.
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
make_repo
B=file:$PWD/mirror
ends 0 "$BACKUPD" init --repo "$B" --mirror-of "$RESPITE_REPO"
store 2026-11-18T00:00:00Z web
store 2026-11-19T00:00:00Z web
ends 0 "$BACKUPD" copy --to "$B"
cp -a repo before
spoil() {
    chmod u+w "$1"
    printf '\001\002\003' | dd of="$1" bs=1 seek=400 conv=notrunc 2>/dev/null
}
first=$(find repo/data -type f | sort | head -n 1) second=$(find repo/data -type f | sort | tail -n 1)
spoil "$first"
rm -rf repo/manifests repo/keys "$second"
ends 24 "$BACKUPD" verify --read-stored
ends 0 "$BACKUPD" key new --out nobody
ends 12 "$BACKUPD" verify --repair-from "$B" --identity nobody
ends 0 "$BACKUPD" verify --repair-from "$B" --json
[ "$(json 'd["sound"], d["repair"]["damaged"], d["repair"]["repaired"]')" = '(True, 6, 6)' ]
for folder in data keys manifests; do diff -r "repo/$folder" "before/$folder"; done
ends 0 "$BACKUPD" verify --read-data --identity sheet
says 'parsed 2 of 2: sound'
ends 0 "$BACKUPD" verify --repair-from "$B"
says '0 damaged or missing, 0 repaired'
spoil "$first"
spoil "mirror${first#repo}"
cp "$first" kept
ends 24 "$BACKUPD" verify --repair-from "$B" --read-stored
says 'NOT repaired'
cmp kept "$first"
# The mirror is reached as its own section says, and gets no password of the repository's.
vacant=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >conf <<C
[repo own]
url = $RESPITE_REPO
[repo mirror]
url = davs://127.0.0.1:$vacant/x
repo-user = me
repo-password-file = missing
C
ends 20 env -u RESPITE_REPO "$BACKUPD" verify --config conf --repo own --repair-from mirror
says 'missing: cannot open the file of the password'
