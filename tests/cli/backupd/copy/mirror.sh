# copy: into a mirror without opening anything, said again without a byte, what is damaged left out, what was removed not
# brought back; a receipt goes along; list and show say where it comes from.
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
make_repo
A=file:$PWD/repo B=file:$PWD/mirror
ends 0 "$BACKUPD" init --repo "$B" --mirror-of "$A"
store 2026-11-18T00:00:00Z web
ends 0 "$BACKUPD" backup --from "$DUMP" --source web --now 2026-11-19T00:00:00Z --prove=read
store 2026-11-20T00:00:00Z db
ends 2 "$BACKUPD" copy --from "$A"
says --to
ends 2 "$BACKUPD" copy --from "$A" --to "$A"
says 'copied from'
ends 0 "$BACKUPD" copy --from "$A" --to "$B" --dry-run --json
[ "$(json 'd["copied"], d["dry_run"], d["objects"]')" = '(3, True, 0)' ]
[ ! -d mirror/data ] || die "a dry run wrote"
ends 0 "$BACKUPD" copy --from "$A" --to "$B" --source web
says '2 snapshots: copied 2, there already 0'
says '1 receipt'
ends 0 "$BACKUPD" copy --to "$B" --json
[ "$(json 'd["copied"], d["there"], d["failed"], d["went"]')" = '(1, 2, 0, 0)' ]
ends 0 "$BACKUPD" copy --to "$B"
says 'copied 0, there already 3; 0 objects'
diff -r repo/data mirror/data && diff -r repo/keys mirror/keys && diff -r repo/manifests mirror/manifests
ends 0 "$BACKUPD" verify --repo "$B" --read-data --identity sheet
says 'parsed 3 of 3: sound'
ends 0 "$BACKUPD" list --repo "$B" --all --json
[ "$(json '[s["time"][:10] for s in d["snapshots"]]')" = "['2026-11-18', '2026-11-19', '2026-11-20']" ]
[ "$(json '{("copied" in s["flags"]) for s in d["snapshots"]}')" = '{True}' ]
FROM=$(json 'd["snapshots"][0]["copied_from"]')
ends 0 "$BACKUPD" show "$ID" --repo "$B"
says "copied      from repository $FROM"
ends 0 "$BACKUPD" restore latest --source db --repo "$B" --to back.rdb --identity sheet
cmp back.rdb "$DUMP"
# Without keep there, nothing.
ends 0 "$BACKUPD" key new --out nobody
ends 12 "$BACKUPD" copy --to "$B" --identity nobody
# One that is damaged is left out, and the rest goes on.
store 2026-11-21T00:00:00Z web
ends 0 "$BACKUPD" show "$ID" --json
EPOCH=$(json 'd["epoch"]')
store 2026-11-22T00:00:00Z web
for object in repo/data/"$EPOCH"/*; do
    chmod u+w "$object"
    printf '\001\002' | dd of="$object" bs=1 seek=300 conv=notrunc 2>/dev/null
done
ends 3 "$BACKUPD" copy --to "$B"
says "data/$EPOCH/"
says 'FAILED 1'
says 'copied 1'
[ ! -d "mirror/data/$EPOCH" ] || [ -z "$(ls "mirror/data/$EPOCH")" ] || die "a damaged object was published"
ends 0 "$BACKUPD" verify --repo "$B" --read-stored
