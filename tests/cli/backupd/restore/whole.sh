# A restore appears whole or not at all, never over a file without --force, and goes on with --resume.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
large dump.rdb
"$BACKUPD" backup --from dump.rdb >/dev/null
export RESPITE_IDENTITY=$PWD/sheet
status 2 "$BACKUPD" restore latest
has err '--to'
status 0 "$BACKUPD" restore latest --to back.rdb
has out '1500 keys, checked'
cmp dump.rdb back.rdb
[ "$(stat -c %a back.rdb)" = 600 ]
echo old >old.rdb
status 26 "$BACKUPD" restore latest --to old.rdb
has err '--force'
[ "$(cat old.rdb)" = old ]
status 0 "$BACKUPD" restore latest --to old.rdb --force
cmp dump.rdb old.rdb
status 26 "$BACKUPD" restore latest --to missing/dir.rdb
# What an interrupted run left is compared and kept.
head -c 3000000 dump.rdb >.more.rdb.respite-restore.part
status 0 "$BACKUPD" restore latest --to more.rdb --resume --json
cmp dump.rdb more.rdb
[ "$(json out 'd["resumed_bytes"] > 1000000, d["bytes"], d["keys"]')" = "(True, $(wc -c <dump.rdb), 1500)" ]
# Another one is in the way.
flock .busy.rdb.respite-restore.part sleep 60 &
holder=$!
until ! flock -n .busy.rdb.respite-restore.part true; do :; done
status 26 "$BACKUPD" restore latest --to busy.rdb --resume
kill $holder
rm -f .busy.rdb.respite-restore.part
# A full disk leaves nothing behind.
(ulimit -f 1000 && trap '' XFSZ && status 25 "$BACKUPD" restore latest --to full.rdb) ||
    (ulimit -f 1000 && trap '' XFSZ && status 26 "$BACKUPD" restore latest --to full.rdb)
[ "$(find . -maxdepth 1 -name '*.part' -o -maxdepth 1 -name full.rdb | wc -l)" = 0 ]
status 4 "$BACKUPD" restore 0000 --to none.rdb
status 0 "$BACKUPD" restore latest --to raw.rdb --no-check
has out 'not checked'
