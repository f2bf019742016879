#!/usr/bin/env bash
# What this is: times backupd with a cluster of three shards: all of them captured at once beside each alone, a restore into
#   three shards beside one into one.
# Rests on: backupd, gen and run1 (built by make bench), tests/live/cluster/_cluster.sh, awk.
# Does not: build anything, or fail because of a time. It fails when a command does, or when data differs.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
export BACKUPD=${BACKUPD:-$here/../../build/bin/backupd}
GEN=${GEN:-$here/../../build/bench/gen}
RUN1=${RUN1:-$here/../../build/bench/run1}
SCRATCH=${SCRATCH:-${TMPDIR:-/var/tmp}/respite-bench}
SCALE=${SCALE:-1}
RUNS=${RUNS:-3}
SHAPES=${SHAPES:-strings mix}

for program in "$BACKUPD" "$GEN" "$RUN1"; do
    [ -x "$program" ] || { echo "bench-cluster.sh: $program: no such program; build it, or name it by a variable" >&2 && exit 2; }
done
mkdir -p "$SCRATCH"
work=$(mktemp -d "$SCRATCH/cluster.XXXXXX")
cd "$work"
export TESTS=$here/.. DATA=$here/../data RESPITE_STATE=$work/state
unset RESPITE_REPO RESPITE_IDENTITY RESPITE_CONFIG REDISCLI_AUTH
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
trap 'children_stop; rm -rf "$work"' EXIT

median() { # of its arguments
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
        END { printf "%.3f\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
# calc EXPRESSION: of awk
calc() { awk "BEGIN { printf \"%.3f\\n\", $1 }"; }
row() { printf '%-8s %-42s %8s %8s %8s %7s %8s  %s\n' "$@"; }
verdict() { awk -v v="$1" -v g="$2" 'BEGIN { print(v + 0 >= g + 0 ? "ok" : "missed") }'; }
file_of() {
    if [ "$SCALE" = 1 ]; then echo "$SCRATCH/$1.rdb"; else echo "$SCRATCH/$1-$SCALE.rdb"; fi
}
settle() {
    sync
    sleep 1
}
at_rest() { at "c/$1" INFO persistence | grep -q '^rdb_bgsave_in_progress:0'; }
# Processor seconds of the servers and of the children that they have waited for: those that saved a dataset have most of them
cpu_of_servers() {
    local i
    for i in 0 1 2; do until_true "c/$i does not wait for its child" at_rest "$i"; done
    for i in 0 1 2; do cat "/proc/${PID[c/$i]}/stat"; done | awk -v hz="$(getconf CLK_TCK)" '
        { sub(/.*\) /, ""); n += $12 + $13 + $14 + $15 } END { printf "%.2f\n", n / hz }'
}
# once COMMAND...: sets wall, kib, and cpu: ours and the servers'
once() {
    local line before user sys
    before=$(cpu_of_servers)
    line=$("$RUN1" "$@") || die "$*: failed"
    read -r wall user sys kib <<<"$line"
    cpu=$(calc "$user + $sys + $(cpu_of_servers) - $before")
}
fresh() {
    rm -rf repo state seed
    "$BACKUPD" init --repo "file:$work/repo" --recovery-out seed >/dev/null 2>&1 || die 'init failed'
}
# The bound of a machine: what three captures alone cost of all its processors, if these were never idle.
capture() {
    local shape=$1 i k rate bound bytes=0
    local -a size=() parallel=() sums=() bounds=() ratios=() walls=()
    for i in 0 1 2; do
        at "c/$i" SAVE >/dev/null
        size[i]=$(stat -c %s "c/$i/dump.rdb")
        rm -f "c/$i/dump.rdb"
        bytes=$((bytes + size[i]))
    done
    for ((k = 0; k < RUNS; k++)); do
        local sum=0 spent=0
        for i in 0 1 2; do
            fresh
            settle
            once "$BACKUPD" backup "unix://$work/c/$i/s" --repo "file:$work/repo" --source "bench$i" --one-node
            sum=$(calc "$sum + ${size[i]} / $wall / 1e6")
            spent=$(calc "$spent + $cpu")
        done
        fresh
        settle
        once "$BACKUPD" backup "$(cluster_uri c)" --repo "file:$work/repo" --source bench
        walls+=("$wall")
        rate=$(calc "$bytes / $wall / 1e6")
        bound=$(calc "$bytes / ($spent / $(nproc)) / 1e6")
        parallel+=("$rate") sums+=("$sum") bounds+=("$bound")
        ratios+=("$(calc "$rate / ($sum < $bound ? $sum : $bound)")")
    done
    row "$shape" 'capture: 3 at once; sum of each alone' "$(median "${walls[@]}")" "$(median "${parallel[@]}")" \
        "$(median "${sums[@]}")" '' "$(calc "$kib / 1024")" ''
    row "$shape" "        at most, by $(nproc) processors" '' "$(median "${parallel[@]}")" "$(median "${bounds[@]}")" '' '' ''
    row "$shape" '        of the smaller of the two' '' "$(median "${ratios[@]}")" '' '>=0.9' '' \
        "$(verdict "$(median "${ratios[@]}")" 0.9)"
}

# into URI COMMAND...: a restore of all of it; COMMAND says how many keys are there
into() {
    local uri=$1
    shift
    settle
    once "$BACKUPD" restore latest --repo "file:$work/repo" --identity seed --to "$uri" --no-compare
    [ "$("$@")" = "$KEYS" ] || die "$("$@") keys at $uri, not $KEYS"
}
empty() { # CLUSTER
    local i
    for i in $(cluster_live "$1"); do at "$1/$i" FLUSHALL >/dev/null; done
}
# Beside one shard of a cluster, which keeps the same books, and beside a server that is no cluster: that one takes many keys
# with one command, and has no slots to keep.
restore() {
    local shape=$1 k ratio rss=0
    local -a three=() one=() alone=() ratios=() others=()
    KEYS=$(cluster_keys c)
    cluster_start o 1 0
    server alone --loglevel warning
    for ((k = 0; k < RUNS; k++)); do
        empty c
        into "$(cluster_uri c)" cluster_keys c
        three+=("$wall")
        [ "$kib" -le "$rss" ] || rss=$kib
        empty o
        into "$(cluster_uri o)" cluster_keys o
        one+=("$wall")
        empty o
        at alone FLUSHALL >/dev/null
        into "unix://$work/alone/s" at alone DBSIZE
        alone+=("$wall")
        at alone FLUSHALL >/dev/null
        ratios+=("$(calc "${one[k]} / ${three[k]}")")
        others+=("$(calc "${alone[k]} / ${three[k]}")")
    done
    cluster_stop o
    server_end alone KILL
    rm -rf alone
    ratio=$(median "${ratios[@]}")
    row "$shape" 'restore: 3 shards; one shard' "$(median "${three[@]}")" "$ratio" "$(median "${one[@]}")" '>=1.3' \
        "$(calc "$rss / 1024")" "$(verdict "$ratio" 1.3)"
    row "$shape" '                  a server that is no cluster' '' "$(median "${others[@]}")" "$(median "${alone[@]}")" '' '' ''
}

echo "scale $SCALE, $RUNS runs, $(nproc) processors, $(redis-server --version | cut -d ' ' -f 1-3)"
row shape what seconds ours other goal RSS-MiB ''
echo 'captures: ours and other are MB/s, and their ratio; restores: ours is the ratio, other seconds'
for shape in $SHAPES; do
    file=$(file_of "$shape")
    if [ ! -e "$file" ] || [ "$GEN" -nt "$file" ]; then
        "$GEN" "$shape" "$file.part" --scale "$SCALE"
        mv "$file.part" "$file"
    fi
    cluster_start c 3 0
    fresh
    "$BACKUPD" backup --repo "file:$work/repo" --source bench --from "$file" >/dev/null
    "$BACKUPD" restore latest --repo "file:$work/repo" --identity seed --to "$(cluster_uri c)" --no-compare >/dev/null
    capture "$shape"
    restore "$shape"
    cluster_stop c
done
