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
# A configuration that says no directory, or one that counts from where its server is started: --to says it.
for line in 'dir ./' 'maxmemory 0'; do
    rm -rf relative && mkdir relative
    printf '%s\nappendonly yes\nport 0\n' "$line" >redis.conf
    status 2 "$BACKUPD" restore latest --server-config redis.conf --server-version redis:7.2.6
    status 0 "$BACKUPD" restore latest --server-config redis.conf --to relative --server-version redis:7.2.6
    [ -e relative/appendonlydir/appendonly.aof.manifest ]
done
# What the server does not load it would write over: it is not left there.
mkdir mixed
cp data/dump.rdb mixed
printf 'dir %s\nappendonly yes\nport 0\n' "$PWD/mixed" >redis.conf
status 26 "$BACKUPD" restore latest --server-config redis.conf --server-version redis:7.2.6
has err 'dump.rdb' '--force'
status 0 "$BACKUPD" restore latest --server-config redis.conf --server-version redis:7.2.6 --force
cmp dump.rdb mixed/respite-aside-*/dump.rdb
[ ! -e mixed/dump.rdb ]
# Without it nobody knows.
mkdir single empty
touch single/appendonly.aof
status 26 "$BACKUPD" restore latest --to single --server none
has err 'appendonly yes' 'move that file'
status 0 "$BACKUPD" restore latest --to empty --server none
has err 'starts EMPTY'
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
