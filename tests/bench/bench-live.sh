#!/usr/bin/env bash
# What this is: times backupd with live servers: capture beside `redis-cli --rdb`, restore beside `redis-cli --pipe`.
# Rests on: backupd, rdbtool, gen and run1 (built by make bench), redis-server, redis-cli, python3, awk.
# Does not: build anything, or fail because of a time. It fails when a command does, or when data differs.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
BACKUPD=${BACKUPD:-$here/../../build/bin/backupd}
RDBTOOL=${RDBTOOL:-$here/../../build/bin/rdbtool}
GEN=${GEN:-$here/../../build/bench/gen}
RUN1=${RUN1:-$here/../../build/bench/run1}
SCRATCH=${SCRATCH:-${TMPDIR:-/var/tmp}/respite-bench}
SCALE=${SCALE:-1}
RUNS=${RUNS:-3}
SHAPES=${SHAPES:-strings mix tiny}
CAPTURES=${CAPTURES:-strings mix}

die() {
    echo "bench-live.sh: $*" >&2
    exit 2
}
for program in "$BACKUPD" "$RDBTOOL" "$GEN" "$RUN1"; do
    [ -x "$program" ] || die "$program: no such program; build it, or name it by a variable"
done
for program in redis-server redis-cli python3; do
    command -v "$program" >/dev/null || die "$program: not found; make deps installs it"
done
mkdir -p "$SCRATCH"
work=$(mktemp -d "$SCRATCH/live.XXXXXX")
server=
stop() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || :
    wait 2>/dev/null || :
    server=
}
trap 'stop; rm -rf "$work"' EXIT
export RESPITE_STATE=$work/state
unset RESPITE_REPO RESPITE_IDENTITY RESPITE_CONFIG REDISCLI_AUTH

median() { # of its arguments
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
        END { printf "%.3f\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
divide() {
    awk -v a="$1" -v b="$2" 'BEGIN { if (b <= 0) b = 0.001; printf "%.3f\n", a / b }'
}
verdict() { # value relation goal
    awk -v v="$1" -v r="$2" -v g="$3" 'BEGIN { print (r == ">=" ? v + 0 >= g + 0 : v + 0 <= g + 0) ? "ok" : "missed" }'
}
once() { # sets wall and kib
    local line
    line=$("$RUN1" "$@") || die "$*: failed"
    read -r wall _ _ kib <<<"$line"
}
row() {
    printf '%-8s %-40s %8s %8s %7s %7s %8s %8s  %s\n' "$@"
}
file_of() {
    if [ "$SCALE" = 1 ]; then echo "$SCRATCH/$1.rdb"; else echo "$SCRATCH/$1-$SCALE.rdb"; fi
}
cli() { redis-cli -s "$work/s" "$@"; }

# A server on a unix socket; with a file it loads that.
start() {
    stop
    rm -rf "$work/data"
    mkdir "$work/data"
    [ -z "${1:-}" ] || cp --reflink=auto "$1" "$work/data/dump.rdb"
    redis-server --port 0 --unixsocket "$work/s" --dir "$work/data" --save '' --appendonly no --daemonize no \
        --repl-diskless-sync-delay 0 --rdbcompression yes --loglevel warning --logfile "$work/server.log" &
    server=$!
    until [ "$(cli PING 2>/dev/null || :)" = PONG ]; do
        kill -0 "$server" 2>/dev/null || die "the server died: $(tail -n 3 "$work/server.log")"
        sleep 0.2
    done
}
settle() {
    sync
    sleep 1
}
fresh() {
    rm -rf "$work/repo" "$work/state" "$work/seed"
    "$BACKUPD" init --repo "file:$work/repo" --recovery-out "$work/seed" >/dev/null 2>&1 || die "init failed"
}

# capture SHAPE LABEL GOAL OPTIONS...: seconds of ours / seconds of redis-cli --rdb
capture() {
    local shape=$1 label=$2 goal=$3 i rss=0
    local -a ours=() theirs=() ratios=()
    shift 3
    for ((i = 0; i < RUNS; i++)); do
        rm -f "$work/theirs.rdb"
        settle
        once redis-cli -s "$work/s" --rdb "$work/theirs.rdb"
        theirs+=("$wall")
        rm -f "$work/theirs.rdb"
        fresh
        settle
        once "$BACKUPD" backup "unix://$work/s" --repo "file:$work/repo" --source bench "$@"
        ours+=("$wall")
        ratios+=("$(divide "$wall" "${theirs[i]}")")
        [ "$kib" -le "$rss" ] || rss=$kib
    done
    ratio=$(median "${ratios[@]}")
    row "$shape" "$label" "$(median "${ours[@]}")" "$(median "${theirs[@]}")" "$ratio" "<=$goal" \
        "$(divide "$rss" 1024)" "$(divide "$(divide "$(stat -c %s "$(file_of "$shape")")" 1000000)" "$(median "${ours[@]}")")" \
        "$(verdict "$ratio" "<=" "$goal")"
}

# restore SHAPE COMMANDS LABEL GOAL OPTIONS...: seconds of redis-cli --pipe of that file / seconds of ours, each into an
# empty server
restore() {
    local shape=$1 commands=$2 label=$3 goal=$4 i rss=0 keys
    local -a ours=() theirs=() ratios=()
    shift 4
    for ((i = 0; i < RUNS; i++)); do
        start
        once --pipe "$commands" redis-cli -s "$work/s" --pipe
        theirs+=("$wall")
        keys=$(cli DBSIZE)
        start
        once "$BACKUPD" restore latest --repo "file:$work/repo" --identity "$work/seed" --to "unix://$work/s" "$@"
        ours+=("$wall")
        [ "$(cli DBSIZE)" = "$keys" ] || die "$label: $(cli DBSIZE) keys, not $keys"
        ratios+=("$(divide "${theirs[i]}" "$wall")")
        [ "$kib" -le "$rss" ] || rss=$kib
    done
    ratio=$(median "${ratios[@]}")
    row "$shape" "$label" "$(median "${ours[@]}")" "$(median "${theirs[@]}")" "$ratio" ">=$goal" \
        "$(divide "$rss" 1024)" "$(divide "$(divide "$(stat -c %s "$(file_of "$shape")")" 1000000)" "$(median "${ours[@]}")")" \
        "$(verdict "$ratio" ">=" "$goal")"
}

for shape in $SHAPES $CAPTURES; do
    case $shape in strings | mix | tiny) ;; *) die "no shape '$shape'" ;; esac
    file=$(file_of "$shape")
    if [ -e "$file" ] && [ ! "$GEN" -nt "$file" ]; then continue; fi
    "$GEN" "$shape" "$file.part" --scale "$SCALE"
    mv "$file.part" "$file"
done

echo "scale $SCALE, $RUNS pairs, $(nproc) cores, $(redis-server --version | cut -d ' ' -f 1-3)"
echo "beside: redis-cli --rdb FILE        redis-cli --pipe of commands made before; ours includes reading and checking the snapshot"
row shape command seconds other ratio goal RSS-MiB MB/s ""
for shape in $CAPTURES; do
    start "$(file_of "$shape")"
    capture "$shape" "capture (full check, dd1)" 1.1
    capture "$shape" "capture quick, no digest" 1.1 --check quick --no-digest
done
for shape in $SHAPES; do
    goal=1.1
    [ "$shape" != mix ] || goal=1.5
    fresh
    "$BACKUPD" backup --repo "file:$work/repo" --source bench --from "$(file_of "$shape")" >/dev/null
    "$RDBTOOL" export --format resp "$(file_of "$shape")" -o "$work/several" --force
    "$here/one_by_one.py" <"$work/several" >"$work/single"
    restore "$shape" "$work/single" "restore; beside: a SET a key" "$goal" --no-compare
    restore "$shape" "$work/several" "restore; beside: 64 keys an MSET" "$goal" --no-compare
    restore "$shape" "$work/single" "restore and compare; beside: a SET a key" "$goal"
    rm -f "$work/single" "$work/several"
done
