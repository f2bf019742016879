# Into a data directory: what the server will load, by its configuration; what is there is kept; in doubt nothing is done.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
large dump.rdb
"$BACKUPD" backup --from dump.rdb >/dev/null
export RESPITE_IDENTITY=$PWD/sheet
mkdir data
status 0 "$BACKUPD" restore latest --to data --server-version redis:7.2.6
has out '1500 keys, checked' 'will load: ' data/dump.rdb '--appendonly no'
cmp dump.rdb data/dump.rdb
status 26 "$BACKUPD" restore latest --to data --server none
has err '--force'
status 0 "$BACKUPD" restore latest --to data --server none --force --json
[ "$(json out 'd["keys"], d["aof"], "kept_aside" in d, "server_kind" in d')" = '(1500, False, True, False)' ]
has err 'version'
cmp dump.rdb "$(json out 'd["kept_aside"]')/dump.rdb" || cmp dump.rdb "$(json out 'd["kept_aside"]')"
# A configuration with an AOF: a base and its manifest.
mkdir aof
printf 'dir %s\nappendonly yes\nport 0\n' "$PWD/aof" >redis.conf
status 0 "$BACKUPD" restore latest --server-config redis.conf --server-version redis:7.2.6 --json
[ "$(json out 'd["aof"]')" = True ]
[ -e aof/appendonlydir/appendonly.aof.manifest ]
status 2 "$BACKUPD" restore latest --server-config redis.conf --to data
has err 'not data'
# Without it nobody knows.
status 26 "$BACKUPD" restore latest --to aof --server none
has err 'appendonly yes' '--server-config'
# An older server would not load it.
mkdir old
status 23 "$BACKUPD" restore latest --to old --server-version redis:7.0.15
has err 'version 11' 'redis 7.0.15'
[ -z "$(ls old)" ]
status 2 "$BACKUPD" restore latest --to old --server-version redis
status 20 "$BACKUPD" restore latest --server-config none.conf
status 26 "$BACKUPD" restore latest --to old --server "$PWD/none"
