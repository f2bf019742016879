# What prune has removed, or is about to, is not pinned, and nobody is told that it is.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
store 2026-01-01
first=$ID
cp -R repo/log kept
store 2026-01-02
ends 0 "$BACKUPD" expire "$first"
ends 0 "$BACKUPD" prune --quarantine 0s
ends 4 "$BACKUPD" pin "$first"
# The commit comes back; the record that says it is gone stays.
cp -R --no-clobber kept/. repo/log
before=$(find repo/log -type f | wc -l)
for dry in '' --dry-run; do
    # shellcheck disable=SC2086
    ends 4 "$BACKUPD" pin "$first" $dry
    says 'cannot be pinned'
    [ ! -s out ] || die 'said to be pinned'
done
[ "$(find repo/log -type f | wc -l)" = "$before" ] || die 'a record was published'
