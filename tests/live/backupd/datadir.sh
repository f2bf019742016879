# Into a data directory: the server that is started with the configuration has the data, AOF or not; one at work is left alone.
# shellcheck source=tests/live/_server.sh
. "$TESTS/live/_server.sh"
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
export RESPITE_IDENTITY=$PWD/sheet
mkdir first second third
server_start --dir "$PWD/first" --repl-diskless-sync-delay 0 --enable-debug-command yes
for i in {1..20}; do echo "SET key:$i value:$i"; done | cli >/dev/null
cli HSET hash a 1 b 2 >/dev/null
cli XADD stream 1-1 a b >/dev/null
"$BACKUPD" backup -s "$SOCKET" >/dev/null
digest=$(cli DEBUG DIGEST)
# At work there: nothing is written.
printf 'dir %s\nport 0\nunixsocket %s\n' "$PWD/first" "$SOCKET" >first.conf
status 26 "$BACKUPD" restore latest --server-config first.conf
has err 'at work' '--force'
[ -z "$(ls first)" ]
server_stop
for mode in no yes; do
    dir=$PWD/second
    [ $mode = no ] || dir=$PWD/third
    printf 'dir %s\nport 0\nunixsocket %s\nappendonly %s\nenable-debug-command yes\nsave ""\n' "$dir" "$SOCKET" $mode >conf
    status 0 "$BACKUPD" restore latest --server-config conf
    has out '22 keys, checked' 'redis 7.' 'will load: ' "start the server as usual"
    redis-server conf >server.log 2>&1 &
    SERVER=$!
    until [ "$(cli PING 2>/dev/null || :)" = PONG ]; do kill -0 $SERVER; done
    [ "$(cli DEBUG DIGEST)" = "$digest" ]
    server_stop
    status 26 "$BACKUPD" restore latest --server-config conf
    has err '--force'
    status 0 "$BACKUPD" restore latest --server-config conf --force
    has out 'kept in'
done
