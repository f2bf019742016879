# A writer whose snapshots lie in two repositories is removed from both: what it signed stays valid in each.
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
make_repo
A=file:$PWD/repo B=file:$PWD/mirror
unset RESPITE_REPO
ends 0 "$BACKUPD" init --repo "$B" --mirror-of "$A"
first=$RESPITE_STATE
export RESPITE_STATE=$PWD/second
ends 0 "$BACKUPD" init --root "$PUB" --name two --repo "$A"
two=$(sed -n 's/^this host *//p' out)
ends 0 "$BACKUPD" init --root "$PUB" --name two --repo "$B"
export RESPITE_STATE=$first
ends 0 "$BACKUPD" key add "$two" --name two --role write --identity sheet --repo "$A"
ends 0 "$BACKUPD" key republish --repo "$B"
RESPITE_STATE=$PWD/second ends 0 "$BACKUPD" backup --from "$DUMP" --source web --repos "$A,$B"
ends 2 "$BACKUPD" key remove two --identity sheet --repos "$A,$A"
ends 0 "$BACKUPD" key remove two --identity sheet --repos "$A,$B" --dry-run
says 'would remove two'
ends 0 "$BACKUPD" key remove two --identity sheet --repos "$A,$B"
[ "$(grep -c 'valid up to' out)" = 2 ] || { cat out >&2 && die 'a head of each was to be left'; }
for repo in "$A" "$B"; do
    ends 0 "$BACKUPD" verify --repo "$repo" --read-data --identity sheet
    ends 0 "$BACKUPD" list --repo "$repo"
    says good
    ends 0 "$BACKUPD" key list --repo "$repo"
    never two
done
# And it is gone from both.
RESPITE_STATE=$PWD/second ends 12 "$BACKUPD" backup --from "$DUMP" --source web --repo "$B"
# Another lineage has nothing to do with it.
ends 0 "$BACKUPD" init --repo "file:$PWD/stranger" --recovery-out sheet2
ends 0 "$BACKUPD" key new --out three --name three
ends 0 "$BACKUPD" key add "$(sed -n 's/^public: *//p' three)" --name three --role prove --identity sheet --repo "$A"
ends 2 "$BACKUPD" key remove three --identity sheet --repos "$A,file:$PWD/stranger"
says 'another lineage'
