# probe: a row for each test, exit status, JSON, read-only, nothing stays behind; no identity, no state is asked for.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
mkdir store
ends 0 "$BACKUPD" probe --repo "file:$PWD/store"
for what in clock put 'put twice' upload beside range unseen taken list names pages stat get many replace delete clean; do
    grep -q "^OK *$what  " out || die "no row: $what"
done
says 'may delete: a thief of this host may, too'
says 'to set up:'
says 'backupd key policy'
[ -z "$(ls -A store)" ] || die 'something stays behind'
[ ! -e "$RESPITE_STATE" ] || die 'a state was made'
ends 0 "$BACKUPD" probe --repo "file:$PWD/store" --json --part-size 5M
[ "$(json 'd["verdict"], len(d["rows"]) > 18, {r["verdict"] for r in d["rows"]} - {"ok", "note"}')" = "('ok', True, set())" ] ||
    die verdict
ends 0 "$BACKUPD" probe --repo "file:$PWD/store" --read-only
never 'put twice'
says 'nothing to read'
make_repo
find repo | sort >before
ends 0 "$BACKUPD" probe --read-only
says 'listed in order'
ends 0 "$BACKUPD" probe
find repo | sort | cmp - before || die 'the repository was changed'
ends 10 "$BACKUPD" probe --repo "file:$PWD/none"
[ ! -e none ] || die 'a directory was made'
ends 2 env -u RESPITE_REPO "$BACKUPD" probe
says 'which storage?'
ends 2 "$BACKUPD" probe --identity sheet
if [ "$(id -u)" != 0 ]; then
    chmod a-w store
    ends 22 "$BACKUPD" probe --repo "file:$PWD/store"
    says 'cannot be put'
    says 'no repository should be kept here'
    chmod u+w store
fi
