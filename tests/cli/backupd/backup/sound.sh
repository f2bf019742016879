# A sound dump is stored and good: from a file, a pipe, and compressed; one line, or JSON, says what is now safe.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
status 0 "$BACKUPD" backup --from "$DUMP" --tag why=test --source main
[ "$(wc -l <out)" = 1 ]
has out 'stored ' ' of main: 1 keys, ' ', good'
[ ! -s err ]
"$BACKUPD" backup --from - --source main <"$DUMP" >line
has line ', good'
gzip -c "$DUMP" >dump.gz
status 0 "$BACKUPD" backup --from dump.gz --source main --json --prove read
[ "$(json out 'd["good"], d["keys"], d["findings"], d["seq"], d["source"]')" = "(True, 1, 0, 3, 'main')" ]
[ "$(json out 'd["plain_bytes"]')" = "$(wc -c <"$DUMP")" ]
has out '"dd1": "'"$("$RDBTOOL" check --digest "$DUMP" | sed -n 's/.*, dd1:\([0-9a-f]*\) .*/\1/p')"
# The hurried ones are never good; they are sound all the same.
status 0 "$BACKUPD" backup --from "$DUMP" --source main --check quick --json
[ "$(json out 'd["good"], "dd1" in d')" = '(False, False)' ]
status 0 "$BACKUPD" backup --from "$DUMP" --source main --no-digest
has out 'not good: without a digest'
status 0 "$BACKUPD" list
[ "$(wc -l <out)" = 6 ]
# What cannot be.
status 2 "$BACKUPD" backup
has err '--from'
status 2 "$BACKUPD" backup --from "$DUMP" --tag novalue
status 21 "$BACKUPD" backup --from missing.rdb
has err 'missing.rdb'
status 21 "$BACKUPD" backup --from .
