# What this is: a private master with two replicas and three sentinels on loopback, each a server of _redis.sh; source it.
# Rests on: tests/live/_redis.sh; _cluster.py.
# Does not: wait for sentinels to find each other: their files name all of them.
#
# sentinel_start NAME    servers NAME/0 (the master) NAME/1 NAME/2, sentinels NAME/s0 NAME/s1 NAME/s2 that call it mymaster
#     SENTINEL_OPTIONS: further options of each server; SENTINEL_DOWN: down-after-milliseconds; SENTINEL_CONF: further lines of
#     each sentinel's file; SENTINEL_LISTEN: the option that all of their ports are for (tls-port, with port 0 among the others)
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
SENTINEL_PY=$TESTS/live/cluster/_cluster.py
SENTINEL_OPTIONS=()
SENTINEL_DOWN=1000
SENTINEL_CONF=()
SENTINEL_LISTEN=port

sentinel_spawn() { # NAME/INDEX [OPTIONS...]
    mkdir -p "$1"
    "${ENGINE[@]}" "--$SENTINEL_LISTEN" "${PORT[$1]}" --bind 127.0.0.1 --unixsocket s --dir "$PWD/$1" --save '' --appendonly no \
        --daemonize no --logfile log --repl-diskless-sync-delay 0 --repl-ping-replica-period 1 --enable-debug-command yes \
        "${@:2}" ${SENTINEL_OPTIONS[@]+"${SENTINEL_OPTIONS[@]}"} >"$1/out" 2>&1 &
    PID[$1]=$!
}
sentinel_id() { printf '%040x' $((1000 + $1)); }
sentinel_watch() { # NAME/sINDEX INDEX
    local name=${1%/*} i
    mkdir -p "$1"
    {
        printf '%s %s\nbind 127.0.0.1\nunixsocket %s/s\ndir %s\nlogfile log\ndaemonize no\n' "$SENTINEL_LISTEN" "${PORT[$1]}" "$PWD/$1" "$PWD/$1"
        printf 'sentinel myid %s\nsentinel monitor mymaster 127.0.0.1 %s 2\n' "$(sentinel_id "$2")" "${PORT[$name/0]}"
        printf 'sentinel %s\n' "down-after-milliseconds mymaster $SENTINEL_DOWN" 'failover-timeout mymaster 3000'
        [ ${#SENTINEL_CONF[@]} = 0 ] || printf '%s\n' "${SENTINEL_CONF[@]}"
        for i in 1 2; do echo "sentinel known-replica mymaster 127.0.0.1 ${PORT[$name/$i]}"; done
        for i in 0 1 2; do
            [ "$i" = "$2" ] || echo "sentinel known-sentinel mymaster 127.0.0.1 ${PORT[$name/s$i]} $(sentinel_id "$i")"
        done
    } >"$1/sentinel.conf"
    "${ENGINE[@]}" "$1/sentinel.conf" --sentinel >"$1/out" 2>&1 &
    PID[$1]=$!
}
sentinel_start() {
    local name=$1 i ports
    read -r -a ports <<<"$(python3 "$SENTINEL_PY" free 6)"
    for i in 0 1 2; do
        PORT["$name/$i"]=${ports[i]}
        PORT["$name/s$i"]=${ports[i + 3]}
    done
    sentinel_spawn "$name/0"
    for i in 1 2; do sentinel_spawn "$name/$i" --replicaof 127.0.0.1 "${PORT[$name/0]}"; done
    for i in 0 1 2; do sentinel_answers "$name/$i"; done
    for i in 1 2; do until_true "$name/$i has no link" linked "$name/$i"; done
    for i in 0 1 2; do sentinel_watch "$name/s$i" "$i"; done
    for i in 0 1 2; do
        sentinel_answers "$name/s$i"
        # A busy machine is no reason to stand back for half a minute; an old master shall be turned at once.
        at "$name/s$i" SENTINEL DEBUG tilt-trigger 60000 tilt-period 100 publish-period 200 info-period 500 >/dev/null
        until_true "$name/s$i does not know all" sentinel_ready "$name/s$i"
    done
}
sentinel_answers() {
    until_true "$1 does not answer" answers "$1"
    kill -0 "${PID[$1]}" 2>/dev/null || { cat "$1/out" "$1/log" >&2 && die "$1 ended"; }
}
sentinel_ready() { at "$1" SENTINEL CKQUORUM mymaster 2>/dev/null | grep -q '^OK 3 ' && sentinel_knows "$1"; }
sentinel_knows() {
    # As they said themselves, not as its file had it
    at "$1" SENTINEL REPLICAS mymaster | grep -A 1 master-link-status | grep -c '^ok$' | grep -q 2
}
# sentinel_uri NAME; sentinel_master NAME: the index of the one that two sentinels name and that says so itself, or nothing
sentinel_uri() { echo "sentinel://127.0.0.1:${PORT[$1/s0]},127.0.0.1:${PORT[$1/s1]},127.0.0.1:${PORT[$1/s2]}/mymaster"; }
sentinel_master() {
    local i n port
    for i in 0 1 2; do
        n=0
        for port in s0 s1 s2; do
            [ "$(at "$1/$port" SENTINEL GET-MASTER-ADDR-BY-NAME mymaster 2>/dev/null | tail -n 1)" != "${PORT[$1/$i]}" ] || n=$((n + 1))
        done
        [ $n -ge 2 ] || continue
        case $(timeout 2 redis-cli -s "$1/$i/s" ROLE 2>/dev/null) in master*) echo "$i" && return ;; esac
    done
}
# sentinel_failover NAME [kill|stop]: without it by order; returns when another one is the master, and all others that live
# follow it. With begin as the third word it returns at once.
sentinel_failover() {
    local old
    old=$(sentinel_master "$1")
    case ${2:-} in
    kill) server_end "$1/$old" KILL ;;
    stop) kill -STOP "${PID[$1/$old]}" ;;
    '') until_true "$1: the sentinels do not begin" sentinel_order "$1" ;;
    esac
    [ "${3:-}" = begin ] || until_true "$1: no new master" sentinel_done "$1" "$old" "${2:-}"
}
sentinel_order() { [ "$(at "$1/s0" SENTINEL FAILOVER mymaster 2>/dev/null)" = OK ]; }
sentinel_done() { # NAME OLD HOW
    local now i
    now=$(sentinel_master "$1")
    [ -n "$now" ] && [ "$now" != "$2" ] || return 1
    # None of them is about to name another one.
    for i in s0 s1 s2; do sentinel_calm "$1/$i" "${PORT[$1/$now]}" || return 1; done
    for i in 0 1 2; do
        [ $i = "$now" ] || { [ -n "$3" ] && [ $i = "$2" ]; } || sentinel_follows "$1/$i" "${PORT[$1/$now]}" || return 1
    done
}
sentinel_calm() {
    at "$1" SENTINEL MASTER mymaster | paste - - | awk -v port="$2" '$1 == "port" { a = $2 } $1 == "flags" { b = $2 }
        END { exit !(a == port && b == "master") }'
}
sentinel_follows() { [ "$(field "$1" master_port)" = "$2" ] && linked "$1"; }
# sentinel_load_begin NAME [--rate N], sentinel_load_end NAME: as those of a cluster; it follows the master
declare -A SENTINEL_LOAD
sentinel_load_begin() {
    rm -f "$1/stop-load"
    : >"$1/load"
    python3 "$SENTINEL_PY" sentinel-load "${PORT[$1/s0]},${PORT[$1/s1]},${PORT[$1/s2]}" "$1/stop-load" "${@:2}" \
        >"$1/load" 2>&1 &
    SENTINEL_LOAD[$1]=$! PID["load-$1"]=$!
    until_true "nothing is written to $1" grep -q begun "$1/load"
}
sentinel_load_end() {
    touch "$1/stop-load"
    wait "${SENTINEL_LOAD[$1]}" || { cat "$1/load" >&2 && die "the load of $1 broke off"; }
    unset 'PID[load-'"$1"']'
    cat "$1/load" >&2
}
# sentinel_stop NAME
sentinel_stop() {
    local i
    for i in s0 s1 s2 0 1 2; do [ -z "${PID[$1/$i]:-}" ] || server_end "$1/$i" KILL; done
    rm -rf "${1:?}"
}
