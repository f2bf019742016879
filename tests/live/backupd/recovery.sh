# What this is: every command of respite-recovery(7), in its order, with private paths: the server is gone, and comes back.
# Rests on: redis-server, redis-cli, the page's literal blocks, whose lines begin with "# ".
# Does not: use systemd: a function stands for it.
# shellcheck disable=SC2016,SC2154
die() { echo "$*" >&2 && exit 1; }
command -v redis-server >/dev/null || { echo 'redis-server is not installed' >&2 && exit 77; }
page=$TESTS/../man/respite-recovery.7
server=
cli() { command redis-cli -s "$PWD/s" "$@"; }
redis-cli() { cli "$@"; }
backupd() { "$BACKUPD" "$@"; }
rdbtool() { "$RDBTOOL" "$@"; }
stop() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || :
    wait "$server" 2>/dev/null || :
    server=
}
trap stop EXIT
start() {
    redis-server "$PWD/redis.conf" &
    server=$!
    for _ in $(seq 400); do
        [ "$(cli PING 2>/dev/null || :)" != PONG ] || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.025
    done
    cat "$PWD/server.log" >&2
    die 'the server does not start'
}
systemctl() { # start|stop redis-server
    case $1 in
    start) start ;;
    stop) stop ;;
    esac
}
mkdir data
cat >redis.conf <<CONF
port 0
unixsocket $PWD/s
dir $PWD/data
appendonly yes
save ""
logfile $PWD/server.log
daemonize no
repl-diskless-sync-delay 0
CONF

# The days before: a server with AOF on, backed up by a host of its own.
start
"$TESTS/demo/fill.sh" "$PWD/s"
want=$(cli DBSIZE)
RESPITE_STATE=$PWD/host backupd init --repo "file:$PWD/repo" --recovery-out recovery.txt >/dev/null
RESPITE_STATE=$PWD/host backupd backup -s "$PWD/s" --repo "file:$PWD/repo" --source web >/dev/null
# The day: its data is garbage, the host is gone.
stop
rm -rf host
find data -type f -exec sh -c 'head -c 100 /dev/urandom >"$1"' sh {} \;

# The commands, each with what must hold when it is done.
sed -n '/^\.Bd -literal/,/^\.Ed/s/^# //p' "$page" >commands
[ "$(wc -l <commands)" -ge 16 ] || die 'the page has lost its commands'
restored=0
while read -r line; do
    case $line in
    *'--to redis://'*'--dry-run' | *'--to redis://10.0.0.7:6379') cli FLUSHALL >/dev/null && cli FUNCTION FLUSH >/dev/null ;;
    esac
    run=$(sed "s|file:/srv/backup|file:$PWD/repo|; s|/etc/redis/redis.conf|$PWD/redis.conf|; s|/var/lib/redis|$PWD/data|g
        s|redis://10.0.0.7:6379|unix://$PWD/s|" <<<"$line")
    rc=0
    eval "$run" >out 2>err </dev/null || rc=$?
    [ "$rc" = 0 ] || { cat out err >&2 && die "'$line' ended with $rc"; }
    case $line in
    'systemctl start'*)
        [ "$(cli DBSIZE)" = "$want" ] || die "$(cli DBSIZE) keys instead of $want after the restore into the directory"
        [ "$(cli CONFIG GET appendonly | tail -n 1)" = yes ]
        restored=$((restored + 1))
        ;;
    *--dry-run) [ "$(cli DBSIZE)" = 0 ] || die 'a dry run wrote' ;;
    *'--to redis://'*)
        [ "$(cli DBSIZE)" = "$want" ] || die "$(cli DBSIZE) keys instead of $want after: $line"
        grep -q 'equal' out || { cat out err >&2 && die "'$line' does not say that the data is equal"; }
        restored=$((restored + 1))
        ;;
    'backupd drill'*) grep -q '^proven' out || die 'not proven' ;;
    esac
done <commands
[ $restored = 4 ] || die "$restored restores"
[ ! -e restore.state ] || die 'the checkpoint stays behind'
# What stands in the synopsis of every step is there: no block without a command.
! sed -n '/^\.Bd -literal/,/^\.Ed/p' "$page" | grep -v '^\.\|^# ' | grep -q . || die 'a line in a block is no command'
