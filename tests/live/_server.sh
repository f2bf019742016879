# What this is: a private redis-server for a live case; source it, then server_start [OPTIONS...].
# Rests on: redis-server, redis-cli. Listens on a unix socket ($SOCKET) only; ends with the case.
for tool in redis-server redis-cli; do
    command -v $tool >/dev/null || { echo "$tool is not installed" >&2 && exit 77; }
done
SOCKET=$TMPDIR/s
SERVER=
server_stop() {
    [ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || :
    wait 2>/dev/null || :
    SERVER=
}
trap server_stop EXIT
cli() { redis-cli -s "$SOCKET" "$@"; }
server_start() {
    redis-server --port 0 --unixsocket "$SOCKET" --dir "$TMPDIR" --save '' --appendonly no --daemonize no \
        --logfile "$TMPDIR/server.log" "$@" &
    SERVER=$!
    for _ in $(seq 400); do
        [ "$(cli PING 2>/dev/null || :)" != PONG ] || return 0
        kill -0 "$SERVER" 2>/dev/null || break
        sleep 0.025
    done
    cat "$TMPDIR/server.log" >&2
    exit 1
}
