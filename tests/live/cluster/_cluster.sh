# What this is: private clusters on loopback for the cases, each node a server of _redis.sh named NAME/INDEX; source it.
# Rests on: tests/live/_redis.sh (so a node answers to `at NAME/INDEX COMMAND...`, and ends with the case); _cluster.py.
# Does not: use redis-cli --cluster: a cluster is there in the two seconds that a primary waits before it takes writes.
#
# cluster_start NAME PRIMARIES REPLICAS_EACH [SERVER...]  nodes NAME/0... : primaries first, then the replicas of 0, of 1, ...
# cluster_begin, cluster_ready NAME                        the two halves of it: begin several, then wait for each
#     CLUSTER_OPTIONS: further options of each node; CLUSTER_TIMEOUT: --cluster-node-timeout; CLUSTER_LISTEN: the option that
#     its port is for (--tls-port, with --port 0 among the options); CLUSTER_HOST: where it listens and how it is met
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
CLUSTER_PY=$TESTS/live/cluster/_cluster.py
CLUSTER_OPTIONS=()
CLUSTER_TIMEOUT=2000
CLUSTER_LISTEN=--port
CLUSTER_HOST=127.0.0.1
declare -A CLUSTER_N CLUSTER_PRIMARIES CLUSTER_LOAD CLUSTER_ENGINE

cluster_spawn() { # NAME/INDEX PORT
    mkdir -p "$1"
    local engine
    PORT[$1]=$2
    read -r -a engine <<<"${CLUSTER_ENGINE[${1%/*}]}"
    # A node that is started again has its nodes.conf.
    "${engine[@]}" "$CLUSTER_LISTEN" "$2" --bind "$CLUSTER_HOST" --unixsocket s --dir "$PWD/$1" --save '' --appendonly no --daemonize no \
        --logfile log --cluster-enabled yes --cluster-config-file nodes.conf --cluster-node-timeout "$CLUSTER_TIMEOUT" \
        --cluster-allow-replica-migration no --repl-diskless-sync-delay 0 --repl-ping-replica-period 1 \
        --enable-debug-command yes ${CLUSTER_OPTIONS[@]+"${CLUSTER_OPTIONS[@]}"} >"$1/out" 2>&1 &
    PID[$1]=$!
}
cluster_begin() {
    local name=$1 primaries=$2 each=$3 n i j try ports
    shift 3
    n=$((primaries + primaries * each))
    CLUSTER_N[$name]=$n CLUSTER_PRIMARIES[$name]=$primaries CLUSTER_ENGINE[$name]=${*:-${ENGINE[*]}}
    read -r -a ports <<<"$(python3 "$CLUSTER_PY" free $n)"
    for ((i = 0; i < n; i++)); do cluster_spawn "$name/$i" "${ports[i]}"; done
    for ((i = 0; i < n; i++)); do
        for try in 1 2 3; do
            until_true "$name/$i does not answer" answers "$name/$i"
            ! kill -0 "${PID[$name/$i]}" 2>/dev/null || break
            # Somebody had the port after all.
            grep -q 'already in use' "$name/$i/log" || { cat "$name/$i/out" "$name/$i/log" >&2 && die "$name/$i ended (try $try)"; }
            rm -rf "${name:?}/$i"
            cluster_spawn "$name/$i" "$(python3 "$CLUSTER_PY" free 1)"
        done
    done
    # Slots and epochs before they meet: then nobody has to agree about anything.
    for ((i = 0; i < n; i++)); do
        at "$name/$i" CLUSTER SET-CONFIG-EPOCH $((i + 1)) >/dev/null
        [ $i -ge "$primaries" ] || at "$name/$i" CLUSTER ADDSLOTSRANGE $((16384 * i / primaries)) \
            $((16384 * (i + 1) / primaries - 1)) >/dev/null
    done
    for ((i = 0; i < n; i++)); do
        for ((j = i + 1; j < n; j++)); do echo "CLUSTER MEET $CLUSTER_HOST ${PORT[$name/$j]}"; done | at "$name/$i" >/dev/null
    done
}
cluster_ready() {
    local name=$1 i id primary
    for ((i = CLUSTER_PRIMARIES[$name]; i < CLUSTER_N[$name]; i++)); do
        primary=$(((i - CLUSTER_PRIMARIES[$name]) * CLUSTER_PRIMARIES[$name] / (CLUSTER_N[$name] - CLUSTER_PRIMARIES[$name])))
        id=$(at "$name/$primary" CLUSTER MYID)
        until_true "$name/$i does not know $name/$primary" cluster_follows "$name/$i" "$id"
    done
    for ((i = 0; i < CLUSTER_N[$name]; i++)); do until_true "$name/$i is not ready" cluster_sees_all "$name" "$i"; done
}
cluster_follows() { [ "$(at "$1" CLUSTER REPLICATE "$2" 2>/dev/null)" = OK ]; }
# All nodes, none of them a stranger or failing, all slots; and of a replica its link.
cluster_sees_all() {
    local state nodes
    state=$(at "$1/$2" CLUSTER INFO | tr -d '\r')
    case $state in *cluster_state:ok*cluster_slots_ok:16384*) ;; *) return 1 ;; esac
    nodes=$(at "$1/$2" CLUSTER NODES)
    [ "$(grep -c ' connected' <<<"$nodes")" = "${CLUSTER_N[$1]}" ] || return 1
    [ "$(grep -c 'slave' <<<"$nodes")" = $((CLUSTER_N[$1] - CLUSTER_PRIMARIES[$1])) ] || return 1
    ! grep -q -e handshake -e fail -e noaddr <<<"$nodes" || return 1
    ! grep -q 'myself,slave' <<<"$nodes" || [ "$(field "$1/$2" master_link_status)" = up ]
}
cluster_start() {
    cluster_begin "$@"
    cluster_ready "$1"
}

# cluster_live NAME: the indexes of the nodes that run
cluster_live() {
    local i pid
    for ((i = 0; i < CLUSTER_N[$1]; i++)); do
        pid=${PID[$1/$i]:-}
        [ -z "$pid" ] || case $(ps -o stat= -p "$pid" || :) in '' | *[TZ]*) ;; *) echo $i ;; esac
    done
}
# cluster_ports NAME: of these, with commas
cluster_ports() {
    local i out=
    for i in $(cluster_live "$1"); do out=$out,${PORT[$1/$i]}; done
    echo "${out#,}"
}
# cluster_uri NAME: all seeds
cluster_uri() {
    local i out=
    for i in $(cluster_live "$1"); do out=$out,127.0.0.1:${PORT[$1/$i]}; done
    echo "cluster://${out#,}"
}
# cluster_primaries NAME: the indexes of those that have slots, as they see it themselves
cluster_primaries() {
    local i
    for i in $(cluster_live "$1"); do
        # ID ADDRESS FLAGS PRIMARY PING PONG EPOCH LINK SLOTS...
        at "$1/$i" CLUSTER NODES | awk -v i="$i" '$3 ~ /myself,master/ && NF > 8 { print i }'
    done
}
# cluster_replicas_of NAME INDEX
cluster_replicas_of() {
    local id i
    id=$(at "$1/$2" CLUSTER MYID)
    for i in $(cluster_live "$1"); do
        at "$1/$i" CLUSTER NODES | awk -v i="$i" -v id="$id" '$3 ~ /myself,slave/ && $4 == id { print i }'
    done
}
# cluster_owner NAME KEY|SLOT: the index of its primary; digits alone are a slot
cluster_owner() {
    local slot=$2 i
    case $slot in *[!0-9]*) slot=$(python3 "$CLUSTER_PY" slot "$2") ;; esac
    for i in $(cluster_live "$1"); do
        at "$1/$i" CLUSTER NODES | awk -v i="$i" -v slot="$slot" '$3 ~ /myself,master/ {
            for (f = 9; f <= NF; f++) if (split($f, r, "-") && slot >= r[1] + 0 && slot <= (r[2] == "" ? r[1] : r[2]) + 0) print i }'
    done
}
# cluster_cli NAME COMMAND...: redis-cli -c
cluster_cli() {
    local ports
    ports=$(cluster_ports "$1")
    redis-cli -c -p "${ports%%,*}" "${@:2}"
}
# cluster_each NAME COMMAND...: of every primary; the replies one after the other
cluster_each() {
    local i
    for i in $(cluster_primaries "$1"); do at "$1/$i" "${@:2}"; done
}
# cluster_keys NAME: how many there are
cluster_keys() { cluster_each "$1" DBSIZE | awk '{ n += $1 } END { print n + 0 }'; }

# cluster_fill NAME [--mb N] [--no-functions]
cluster_fill() { python3 "$CLUSTER_PY" fill "$(cluster_ports "$1")" "${@:2}"; }
# cluster_load_begin NAME [--rate COMMANDS-A-SECOND] [--lasting]: writes until cluster_load_end; pairs {pair:N}:a and :b are
# always equal; with --lasting nothing expires
cluster_load_begin() {
    rm -f "$1/stop-load"
    : >"$1/load"
    python3 "$CLUSTER_PY" load "$(cluster_ports "$1")" "$1/stop-load" "${@:2}" >"$1/load" 2>&1 &
    CLUSTER_LOAD[$1]=$!
    PID["load-$1"]=$!
    until_true "nothing is written to $1" grep -q begun "$1/load"
}
cluster_load_end() {
    touch "$1/stop-load"
    wait "${CLUSTER_LOAD[$1]}" || { cat "$1/load" >&2 && die "the load of $1 broke off"; }
    unset 'PID[load-'"$1"']'
    cat "$1/load" >&2
}
# cluster_settled NAME: what the primaries wrote has reached their replicas
cluster_settled() {
    local i j
    for i in $(cluster_primaries "$1"); do
        for j in $(cluster_replicas_of "$1" "$i"); do until_true "$1/$j is behind" cluster_level "$1/$i" "$1/$j"; done
    done
}
# cluster_resync NAME: all replicas are sent everything anew. Of a group, a replica that was sent commands has other times and
# counters than its primary (it is sent XCLAIM, XGROUP SETID): whoever compares streams with the primaries calls this first.
cluster_resync() {
    local i j
    for i in $(cluster_primaries "$1"); do
        at "$1/$i" DEBUG CHANGE-REPL-ID >/dev/null
        at "$1/$i" CLIENT KILL TYPE replica >/dev/null
        for j in $(cluster_replicas_of "$1" "$i"); do until_true "$1/$j does not follow $1/$i" cluster_has_id "$1/$i" "$1/$j"; done
    done
    cluster_settled "$1"
}
cluster_has_id() { [ "$(field "$1" master_replid)" = "$(field "$2" master_replid)" ] && linked "$2"; }
cluster_level() { [ "$(field "$1" master_repl_offset)" = "$(field "$2" slave_repl_offset)" ]; }

# cluster_tag SLOT: a hash tag of it
cluster_tag() { python3 "$CLUSTER_PY" tag "$1"; }
# cluster_move_begin NAME SLOT TO: to the primary TO; half of the slot's keys are there already
cluster_move_begin() { python3 "$CLUSTER_PY" move "$(cluster_ports "$1")" "$2" "${PORT[$1/$3]}" begin >&2; }
cluster_move_end() { python3 "$CLUSTER_PY" move "$(cluster_ports "$1")" "$2" "${PORT[$1/$3]}" end >&2; }
# cluster_kill NAME INDEX [SIGNAL]: KILL; after STOP, cluster_revive does CONT. A child that saves goes with it: it would hold
# the connections open.
cluster_kill() {
    # shellcheck disable=SC2046
    kill "-${3:-KILL}" "${PID[$1/$2]}" $(ps -o pid= --ppid "${PID[$1/$2]}")
    case ${3:-KILL} in STOP) return ;; esac
    wait "${PID[$1/$2]}" 2>/dev/null || :
    unset "PID[$1/$2]"
}
# cluster_revive NAME INDEX: started again with its nodes.conf (and without its data), or continued
cluster_revive() {
    if [ -n "${PID[$1/$2]:-}" ]; then
        # shellcheck disable=SC2046
        kill -CONT "${PID[$1/$2]}" $(ps -o pid= --ppid "${PID[$1/$2]}")
    else
        rm -f "$1/$2/s"
        cluster_spawn "$1/$2" "${PORT[$1/$2]}"
        until_true "$1/$2 does not answer" answers "$1/$2"
    fi
}
# cluster_wait_failover NAME: all that live say ok, and their primaries have all slots; cluster_failover NAME REPLICA: by hand
cluster_wait_failover() { until_true "$1 is not whole again" cluster_whole "$1"; }
cluster_whole() {
    local i slots=0
    for i in $(cluster_live "$1"); do
        at "$1/$i" CLUSTER INFO | grep -q cluster_state:ok || return 1
        slots=$((slots + $(at "$1/$i" CLUSTER NODES | awk '$3 ~ /myself,master/ { for (f = 9; f <= NF; f++)
            if ($f !~ /^\[/) { k = split($f, r, "-"); n += k == 2 ? r[2] - r[1] + 1 : 1 } } END { print n + 0 }')))
    done
    [ $slots = 16384 ]
}
cluster_failover() {
    at "$1/$2" CLUSTER FAILOVER >/dev/null
    until_true "$1/$2 does not become a primary" cluster_is_primary "$1" "$2"
    cluster_wait_failover "$1"
}
cluster_is_primary() { [[ " $(cluster_primaries "$1" | tr '\n' ' ')" == *" $2 "* ]]; }

# cluster_oracle NAME > FILE: what all primaries hold, as of one server; fails when a key is where it must not be
cluster_oracle() { python3 "$CLUSTER_PY" oracle "$(cluster_ports "$1")" || die "$1 contradicts itself"; }
# server_oracle SERVER > FILE
server_oracle() { python3 "$TESTS/live/oracle-dump.py" "unix:$1/s"; }
# oracles_equal FILE FILE
oracles_equal() {
    python3 "$TESTS/live/oracle-dump.py" --compare "$1" "$2" >differences || { head -n 30 differences >&2 && die "$1 and $2 differ"; }
}
# cluster_stop NAME
cluster_stop() {
    local i
    for ((i = 0; i < CLUSTER_N[$1]; i++)); do
        [ -z "${PID[$1/$i]:-}" ] || kill -KILL "${PID[$1/$i]}" 2>/dev/null || :
        wait "${PID[$1/$i]:-}" 2>/dev/null || :
        unset "PID[$1/$i]"
    done
    rm -rf "${1:?}"
}
