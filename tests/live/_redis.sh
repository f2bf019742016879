# What this is: private servers for the cases of backupd, each in a folder of its own, with what is asked of them; source it.
# Rests on: redis-server (or ENGINE, a command with its arguments), redis-cli, python3; tests/cli/backupd/_repo.sh.
# Does not: listen anywhere but on loopback and unix sockets, or outlive the case.
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
for tool in redis-server redis-cli; do
    command -v $tool >/dev/null || { echo "$tool is not installed" >&2 && exit 77; }
done
ENGINE=(redis-server)
declare -A PORT PID
children_stop() {
    local name
    for name in "${!PID[@]}"; do kill -KILL "${PID[$name]}" 2>/dev/null || :; done
    wait 2>/dev/null || :
}
trap children_stop EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# at NAME COMMAND...: asks it over its unix socket
at() { redis-cli -s "$1/s" "${@:2}"; }
uri() { echo "redis://127.0.0.1:${PORT[$1]}"; }
# until MESSAGE COMMAND...: tries it for twenty seconds
until_true() {
    local i
    for ((i = 0; i < 800; i++)); do
        ! "${@:2}" || return 0
        sleep 0.025
    done
    die "$1"
}
answers() { [ "$(at "$1" PING 2>/dev/null || :)" = PONG ] || ! kill -0 "${PID[$1]}" 2>/dev/null; }
# server NAME [OPTIONS...]: starts it in ./NAME (where a dump.rdb may lie) on a free port and on ./NAME/s
server() {
    local name=$1 try
    shift
    mkdir -p "$name"
    for try in 1 2 3; do
        PORT[$name]=$(free_port)
        "${ENGINE[@]}" --port "${PORT[$name]}" --bind 127.0.0.1 --unixsocket s --dir "$PWD/$name" --save '' \
            --appendonly no --daemonize no --logfile log --repl-diskless-sync-delay 0 --enable-debug-command yes \
            --databases 16 --proto-max-bulk-len 600mb "$@" >"$name/out" 2>&1 &
        PID[$name]=$!
        until_true "$name does not answer" answers "$name"
        # It answered, or ended; what it says now is another matter (a replica may be loading).
        ! kill -0 "${PID[$name]}" 2>/dev/null || return 0
        grep -q 'Address already in use' "$name/log" 2>/dev/null || break
    done
    cat "$name/out" "$name/log" >&2
    die "$name does not start (try $try)"
}
# server_end NAME [SIGNAL]
server_end() {
    kill "-${2:-TERM}" "${PID[$1]}" 2>/dev/null || :
    wait "${PID[$1]}" 2>/dev/null || :
    unset "PID[$1]"
}
fill() { python3 "$TESTS/live/fill.py" "unix:$1/s" "${@:2}"; }
# field NAME FIELD: of INFO
field() { at "$1" INFO | tr -d '\r' | sed -n "s/^$2://p"; }
linked() { [ "$(field "$1" master_link_status)" = up ]; }
equal() { "$TESTS/live/_equal.sh" "$1/s" "$2/s" || die "$1 and $2 are not equal"; }

# take [OPTIONS...] SOURCE: a backup that must be good; its JSON in ./out, the snapshot's id in ID
take() {
    ends 0 "$BACKUPD" backup --json "$@"
    [ "$(json 'd["good"]')" = True ] || die "not good: $*"
    ID=$(json 'd["snapshot"]')
}
# restored NAME: a server in ./NAME that loaded snapshot ID from its file
restored() {
    mkdir -p "$1"
    ends 0 "$BACKUPD" restore "$ID" --identity sheet --to "$1/dump.rdb"
    server "$@"
}
# same_as SERVER: snapshot ID, loaded by another server of its kind, is what SERVER holds
same_as() {
    restored back
    equal "$1" back
    server_end back
    rm -rf back
}
# whole_again: snapshot ID, loaded and saved again by a server, has the digest of the snapshot
whole_again() {
    local before
    restored back
    before=$("$RDBTOOL" check --digest back/dump.rdb | sed -n 's/.*, dd1:\([0-9a-f]*\).*/\1/p')
    at back SAVE >/dev/null
    [ -n "$before" ]
    "$RDBTOOL" check --digest back/dump.rdb | grep -q "dd1:$before" || die 'the server that loaded it holds other data'
    server_end back
    rm -rf back
}
