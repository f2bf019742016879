# Many damaged records are given up at once: one record for each source, all of them or none.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
for day in 01 02 03; do
    store "2026-11-$day" a
    store "2026-11-$day" b
done
names=()
for dir in repo/log/*; do
    # shellcheck disable=SC2012
    for name in $(ls "$dir" | head -n 2); do
        chmod u+w "$dir/$name"
        printf x >>"$dir/$name"
        names+=(--acknowledge "$name")
    done
done
[ "${#names[@]}" = 8 ] || die 'not four records'
ends 24 "$BACKUPD" verify
records() { find repo/log -type f | wc -l; }
before=$(records)
ends 4 "$BACKUPD" expire "${names[@]}" --acknowledge 0123456789abcdef
says 0123456789abcdef
ends 24 "$BACKUPD" expire "${names[@]}" --dry-run
says 'would give up'
[ "$(records)" = "$before" ] || die 'something was published'
ends 0 "$BACKUPD" expire "${names[@]}" "${names[@]}"
[ "$(grep -c 'given up for ever' out)" = 8 ] || die 'not said for each'
[ "$(records)" = $((before + 2)) ] || die 'not one record for each source'
ends 0 "$BACKUPD" verify
ends 0 "$BACKUPD" expire "${names[@]}" --json
[ "$(records)" = $((before + 2)) ] || die 'given up twice'
[ "$(json 'len(d["acknowledged"])')" = 4 ] || die json
