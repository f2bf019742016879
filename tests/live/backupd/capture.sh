# A running server into the repository, by each method and by name; proven at birth; what was taken is what the server has.
# shellcheck source=tests/live/_server.sh
. "$TESTS/live/_server.sh"
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
server_start --repl-diskless-sync-delay 0
for i in {1..50}; do echo "SET key:$i value:$i EX 100000"; done | cli >/dev/null
cli HSET hash a 1 b 2 >/dev/null
cli -n 3 RPUSH list a b c >/dev/null
status 0 "$BACKUPD" backup "unix://$SOCKET" --source live
has out "captured unix://$SOCKET: the server itself" 'psync, rdb-only' ' of live: 52 keys' ', good'
[ "$(wc -l <out)" = 2 ]
status 0 "$BACKUPD" backup -s "$SOCKET" --source live --json
[ "$(json out 'd["captured"]["point_in_time"], d["keys"], d["good"]')" = '(True, 52, True)' ]
dd1=$(json out 'd["dd1"]')
"$BACKUPD" cat latest --identity sheet >dump.rdb
[ "$("$RDBTOOL" check --digest dump.rdb | sed -n 's/.*, dd1:\([0-9a-f]*\) .*/\1/p')" = "$dd1" ]
for method in bgsave scan; do
    status 0 "$BACKUPD" backup -s "$SOCKET" --source live --method $method --json
    [ "$(json out 'd["captured"]["method"], d["keys"], d["dd1"]')" = "('$method', 52, '$dd1')" ]
done
has err 'no point in time'
[ "$(json out 'd["good"]')" = False ]
# By its section; by its address.
printf '[source cache]\nuri = unix://%s\ntag = team=web\n' "$SOCKET" >conf
status 0 "$BACKUPD" backup cache --config conf --json
[ "$(json out 'd["source"], d["dd1"]')" = "('cache', '$dd1')" ]
status 0 env RESPITE_SOCKET="$SOCKET" "$BACKUPD" backup --json
[ "$(json out 'd["source"]')" = "${SOCKET//\//_}" ]
# Proven at birth; with a server that cannot load it: stored, and said.
status 0 "$BACKUPD" backup -s "$SOCKET" --source live --prove=server
has out 'proven: redis 7.' '52 keys, the data equal'
printf '#!/bin/sh\necho "Redis server v=5.0.14 sha=00000000:0 malloc=libc bits=64 build=0"\n' >old-server
chmod +x old-server
status 3 "$BACKUPD" backup -s "$SOCKET" --source live --prove=server --server "$PWD/old-server" --json
[ "$(json out 'd["proof"]["server"], d["good"]')" = '(False, True)' ]
status 2 "$BACKUPD" backup -s "$SOCKET" --source live --prove=server --server /bin/true
has err /bin/true
# Refused is 21, and nothing is stored.
cli ACL SETUSER bk on '>s3cret' +info +role >/dev/null
"$BACKUPD" list --all --json >before
status 21 env REDISCLI_AUTH=s3cret "$BACKUPD" backup -s "$SOCKET" --user bk
has err 'ACL SETUSER bk +'
if grep -qF s3cret out err; then exit 1; fi
status 21 "$BACKUPD" backup -s "$SOCKET" --source-role replica --patience 0s
"$BACKUPD" list --all --json | cmp - before
