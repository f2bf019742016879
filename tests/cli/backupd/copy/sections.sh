# What this is: two repositories of a configuration at once: each is opened with the identity and root of its own section.
# Rests on: _repo.sh.
# Does not: reach a server (verify/repair.sh: a mirror's password).
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
make_repo
A=file:$PWD/repo B=file:$PWD/mirror
ends 0 "$BACKUPD" init --repo "$B" --mirror-of "$A"
store 2026-11-18T00:00:00Z web
ends 0 "$BACKUPD" key new --out nobody
OTHER=$(sed -n 's/^public: *//p' nobody)
unset RESPITE_REPO
export RESPITE_CONFIG=$PWD/conf
# conf A B: a line of each section
conf() {
    printf '[global]\nrepo = a\n[repo a]\nurl = %s\n%s\n[repo b]\nurl = %s\n%s\n' "$A" "$1" "$B" "$2" >conf
}
conf '' 'identity = missing'
ends 12 "$BACKUPD" copy --to b
says 'missing'
conf 'identity = nobody' ''
ends 0 "$BACKUPD" copy --to b
says 'copied 1'
ends 0 "$BACKUPD" copy --to b --identity sheet
ends 12 "$BACKUPD" copy --to b --identity nobody
conf '' "root = $OTHER"
ends 0 "$BACKUPD" list
if "$BACKUPD" copy --to b >out 2>err; then die 'a root of nobody was taken'; fi
conf "root = $OTHER" ''
ends 0 "$BACKUPD" list --repo b
if "$BACKUPD" list >out 2>err; then die 'a root of nobody was taken'; fi
# So is the passphrase.
conf '' ''
printf 'first\n' >pass-a
printf 'second\n' >pass-b
chmod 600 pass-a pass-b
ends 0 "$BACKUPD" key new --out sealed --name sealed --passphrase-file pass-b
PUB2=$(sed -n 's/^public: *//p' sealed)
ends 0 "$BACKUPD" key add "$PUB2" --name sealed --role keep --identity sheet --repo "$A"
store 2026-11-19T00:00:00Z web
conf 'passphrase-file = pass-a' $'identity = sealed\npassphrase-file = pass-b'
ends 0 "$BACKUPD" copy --to b
says 'copied 1'
conf 'passphrase-file = pass-b' $'identity = sealed\npassphrase-file = pass-a'
ends 12 "$BACKUPD" copy --to b
