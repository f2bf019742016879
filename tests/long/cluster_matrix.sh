# Every server of five generations as source and as target, alone and as a cluster (of two shards or of three, by turns): what
#   is restored live is what the source held but for exactly the losses that --dry-run names, by the oracle; and without a
#   policy those that would be losses stop it before anything is written. Of some, from one to the other shape, too.
# Rests on: tests/live/cluster/_cluster.sh, _losses.py, _servers.sh (the network). The servers stay in $B-servers.
# Does not: assume which version a suite has today: it is asked.
# TIMEOUT: 1800
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
# What can be kept in part is; the rest is left out.
POLICY=drop,field-ttl=convert,stream-counters=convert,stream-idmp=convert,stream-nack=convert,key-meta=convert
ENGINES=() missing='' SHAPE=''
declare -A VERSION SNAPSHOT

engine() { # NAME SUITES PACKAGE
    local dir=$B-servers/${2//,/-}-$3 rc=0
    bash "$TESTS/long/_servers.sh" "$2" "$dir" "$3" >servers.out 2>&1 || rc=$?
    [ $rc != 77 ] || { cat servers.out >&2 && missing="$missing $1" && return; }
    [ $rc = 0 ] || { cat servers.out >&2 && die "$1: not unpacked"; }
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$dir/run" "$3" >"engine-$1"
    chmod +x "engine-$1"
    ENGINES+=("$1")
}
# remember NAME...: ids of producers for a day, where they are known
remember() {
    local i
    for i; do at "$i" CONFIG SET stream-idmp-duration 86400 >/dev/null 2>&1 || :; done
}
# What fill.py does not know of: a server says no, or takes it
extras() { # PORT
    local c=(redis-cli -c -p "$1")
    "${c[@]}" XADD producers IDMP web one '*' n 1 || :
    "${c[@]}" XADD producers IDMP web two '*' n 2 || :
    "${c[@]}" ARSET array 5 five || :
} >/dev/null 2>&1
clear_all() { # NAME...: of servers
    local i
    for i; do
        at "$i" FLUSHALL >/dev/null
        at "$i" FUNCTION FLUSH >/dev/null
    done
}
count() { # NAME...: of servers
    local i
    for i; do at "$i" INFO keyspace; done | tr -d '\r' | awk -F '[=,]' '/^db/ { n += $2 } END { print n + 0 }'
}

# restores ARGUMENTS...: with losses or without
restores() {
    local rc=0
    "$BACKUPD" restore "$@" >out 2>err || rc=$?
    case $rc in 0 | 3) return 0 ;; esac
    echo "exit status $rc: $(<err)" >&2
    return 1
}
complain() {
    echo "$*" >&2
    return 1
}
# one_pair SNAPSHOT DUMP URI NODES...: what dumps the target is in ORACLE
one_pair() {
    local id=$1 dump=$2 uri=$3 fatal rc=0
    shift 3
    clear_all "$@"
    restores "$id" --to "$uri" --dry-run --json --on-loss "$POLICY" || return 1
    [ "$(count "$@")" = 0 ] || complain 'a dry run wrote' || return 1
    cp out dry.json
    fatal=$(json 'sum(x["count"] for x in d["plan"]["losses"] if x["kind"] not in ("consumer-times", "eviction"))')
    if [ "$fatal" != 0 ]; then
        "$BACKUPD" restore "$id" --to "$uri" >out 2>err || rc=$?
        [ $rc = 26 ] || complain "exit status $rc where a loss was named: $(<err)" || return 1
        [ "$(count "$@")" = 0 ] || complain 'refused, and written' || return 1
    fi
    restores "$id" --to "$uri" --json --on-loss "$POLICY" || return 1
    "${ORACLE[@]}" >target.json || return 1
    python3 "$TESTS/long/_losses.py" "$dump" target.json dry.json >losses || return 1
    [ "$(json 'd["compared"] and d["equal"]')" = True ] || complain "not equal: $(<out)"
}
# pair KIND SOURCE TARGET URI NODES...: KIND is alone or cluster; SHAPE is that of the target when it is another
pair() {
    local name="$1 ${VERSION[$2]} to ${SHAPE:+$SHAPE }${VERSION[$3]}"
    : >losses
    if one_pair "${SNAPSHOT[$1-$2]}" "$1-$2.json" "${@:4}"; then
        echo "$name: $(<losses)" >&2
    else
        echo "$name: BAD $(<losses)" >&2
        bad=$((bad + 1))
    fi
}

printf '#!/bin/sh\nexec redis-server "$@"\n' >engine-redis70
chmod +x engine-redis70
ENGINES+=(redis70)
engine redis80 trixie redis-server
engine redis86 sid,experimental redis-server
engine valkey81 trixie valkey-server
engine valkey91 sid valkey-server

n=0
for e in "${ENGINES[@]}"; do
    ENGINE=("$PWD/engine-$e")
    cluster_begin "c$e" $((2 + n % 2)) 0
    n=$((n + 1))
    server "$e"
    VERSION[$e]=$(field "$e" valkey_version)
    VERSION[$e]="${e%%[0-9]*} ${VERSION[$e]:-$(field "$e" redis_version)}"
    fill "$e"
    remember "$e"
    extras "${PORT[$e]}"
    server_oracle "$e" >"alone-$e.json"
    take "$(uri "$e")" --source "$e"
    SNAPSHOT[alone-$e]=$ID
done
for e in "${ENGINES[@]}"; do
    cluster_ready "c$e"
    nodes=()
    for i in $(cluster_live "c$e"); do nodes+=("c$e/$i"); done
    cluster_fill "c$e"
    remember "${nodes[@]}"
    extras "${PORT[c$e/0]}"
    cluster_oracle "c$e" >"cluster-$e.json"
    take "$(cluster_uri "c$e")" --source "c$e"
    SNAPSHOT[cluster-$e]=$ID
done
bad=0
for source in "${ENGINES[@]}"; do
    for target in "${ENGINES[@]}"; do
        ORACLE=(server_oracle "$target")
        pair alone "$source" "$target" "$(uri "$target")" "$target"
        ORACLE=(cluster_oracle "c$target")
        nodes=()
        for i in $(cluster_primaries "c$target"); do nodes+=("c$target/$i"); done
        pair cluster "$source" "$target" "$(cluster_uri "c$target")" "${nodes[@]}"
    done
done
for two in redis70:valkey91 valkey81:redis80 redis86:redis70; do
    source=${two%:*} target=${two#*:}
    [[ " ${ENGINES[*]} " == *" $source "* && " ${ENGINES[*]} " == *" $target "* ]] || continue
    SHAPE=cluster ORACLE=(cluster_oracle "c$target")
    nodes=()
    for i in $(cluster_primaries "c$target"); do nodes+=("c$target/$i"); done
    pair alone "$source" "$target" "$(cluster_uri "c$target")" "${nodes[@]}"
    SHAPE=alone ORACLE=(server_oracle "$target")
    pair cluster "$source" "$target" "$(uri "$target")" "$target"
done
[ $bad = 0 ] || die "$bad pairs are not as they were named"
[ -z "$missing" ] || { echo "these suites cannot be had:$missing" >&2 && exit 77; }
