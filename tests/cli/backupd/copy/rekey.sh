# copy --rekey: into a repository of another root, under its keys and another name; facts and flags stay; once.
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
make_repo
A=$RESPITE_REPO B=file:$PWD/other
mv sheet sheet_a
ends 0 "$BACKUPD" init --repo "$B" --recovery-out sheet_b --name there
store 2026-11-18T00:00:00Z web
ends 0 "$BACKUPD" backup --from "$DUMP" --source web --now 2026-11-19T00:00:00Z --check quick --tag place=cellar
ends 2 "$BACKUPD" copy --from "$A" --to "$B"
says --rekey
ends 12 "$BACKUPD" copy --from "$A" --to "$B" --rekey
ends 0 "$BACKUPD" copy --from "$A" --to "$B" --rekey --identity sheet_a --identity sheet_b --source-as shop
says 'copied 2'
ends 0 "$BACKUPD" copy --from "$A" --to "$B" --rekey --identity sheet_a --identity sheet_b --source-as shop
says 'copied 0, there already 2'
ends 0 "$BACKUPD" list --repo "$B" --source shop --json
[ "$(json '[sorted(s["flags"]) for s in d["snapshots"]]')" = "[['good'], ['quick']]" ]
ends 0 "$BACKUPD" show latest --repo "$B" --source shop --identity sheet_b
says 'place=cellar'
says 'rekeyed-from='
ends 12 "$BACKUPD" cat latest --repo "$B" --source shop --identity sheet_a
ends 0 "$BACKUPD" restore latest --repo "$B" --source shop --to back.rdb --identity sheet_b
cmp back.rdb "$DUMP"
ends 0 "$BACKUPD" verify --repo "$B" --read-data --identity sheet_b
says 'parsed 2 of 2: sound'
# A time that the first repository has stays; what it was called there is not forgotten either.
ends 0 "$BACKUPD" list --repo "$B" --source shop --json
[ "$(json '[s["time"][:10] for s in d["snapshots"]]')" = "['2026-11-18', '2026-11-19']" ]
# Under another source there it would have the same id: it is not made, and not called "there" either.
ends 3 "$BACKUPD" copy --from "$A" --to "$B" --rekey --identity sheet_a --identity sheet_b
says 'under another source'
says 'FAILED 2'
