# check: rights by trying, clock, space, rules; nothing stays behind; a storage that cannot be written to.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
find repo -type f | sort >before
ends 0 "$BACKUPD" check --keep-daily 7
says 'host may write and keep'
says clock
says space
find repo -type f | sort | cmp - before
ends 3 "$BACKUPD" check --keep-last 7
says 'keep-last is the only rule'
ends 3 "$BACKUPD" check --keep-daily 7 --now 2020-01-01
says 'ahead of'
ends 0 "$BACKUPD" check --keep-daily 7 --json
[ "$(json 'sorted({p["level"] for p in d["points"]})[-1]')" = warning ] || die levels
ends 2 "$BACKUPD" check --repo
ends 2 env -u RESPITE_REPO "$BACKUPD" check
says --repo
if [ "$(id -u)" != 0 ]; then
    chmod a-w repo
    ends 3 "$BACKUPD" check --keep-daily 7
    says 'cannot create'
    chmod u+w repo
fi
