# A host with no secret on its disk, and one that may only write: what needs a secret ends in 12 and names --identity; what
# needs none works. And the sheet alone opens all.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
store 2026-11-01
ends 0 "$BACKUPD" key new --out other --name other
other=$(cat out)
reading=("cat latest" "get latest {tag}:l1" "export latest" "restore latest --to x" "verify --read-data")
signing=("backup --from $DUMP" "pin latest" "unpin latest" "annotate latest a=b" "expire --keep-last 1" "expire latest"
    "expire --acknowledge x" prune)
root=("key add $other --name other --role read" "key remove host" "key forget 0123456789abcdef")
open=(list "list --all" status "show latest" verify "verify --read-stored" "key list" "check --keep-daily 3" "key republish"
    "expire --keep-last 9 --dry-run" "prune --dry-run")
refused() {
    local line words
    for line; do
        read -ra words <<<"$line"
        ends 12 "$BACKUPD" "${words[@]}"
        says --identity
        [ ! -e x ] || die "$line: wrote a file"
    done
}
works() {
    local line words
    for line; do
        read -ra words <<<"$line"
        ends 0 "$BACKUPD" "${words[@]}"
    done
}
# The writer reads nothing.
refused "${reading[@]}" "${root[@]}"
works "${open[@]}"
# Without its identity it signs nothing either.
mv "$RESPITE_STATE"/*/identity kept
refused "${reading[@]}" "${signing[@]}" "${root[@]}" "key show"
works "${open[@]}"
# The storage and the sheet, on an empty machine.
export RESPITE_STATE=$PWD/none RESPITE_IDENTITY=sheet
works "restore latest --to x" "${open[@]}" "verify --read-data"
cmp x "$DUMP"
works "${root[0]}" "key rewrap" "pin latest" "backup --from $DUMP"
[ ! -e none ] || die 'a state was made'
