# get of a snapshot is get of the dump: every key of a file, its database, what is not there.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
f=$DATA/redis-7.0-rc1/cluster.rdb
"$BACKUPD" backup --from "$f" >/dev/null
status 12 "$BACKUPD" get latest key
has err '--identity'
export RESPITE_IDENTITY=$PWD/sheet
"$RDBTOOL" export "$f" --limit 40 | python3 -c 'import json, sys
for line in sys.stdin: print(json.loads(line)["key"])' >keys
while read -r key; do
    "$RDBTOOL" get "$f" "$key" >want
    status 0 "$BACKUPD" get latest "$key"
    cmp want out
done < <(head -n 10 keys)
key=$(head -n 1 keys)
status 0 "$BACKUPD" get latest --key-base64 "$(printf %s "$key" | base64 -w 0)"
status 4 "$BACKUPD" get latest "$key" --db 7
status 4 "$BACKUPD" get latest "no such key"
has err 'no such key in db 0'
status 2 "$BACKUPD" get latest
has err 'KEY is missing'
status 4 "$BACKUPD" get 1111 "$key"
