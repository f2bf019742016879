#!/usr/bin/env bash
# What this is: times rdbtool beside redis-check-rdb on generated files and prints a table of ratios.
# Rests on: rdbtool, gen and run1 (built by make bench), redis-check-rdb, awk.
# Does not: build anything, or fail because of a time. It fails when a command does.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
RDBTOOL=${RDBTOOL:-$here/../../build/bin/rdbtool}
GEN=${GEN:-$here/../../build/bench/gen}
RUN1=${RUN1:-$here/../../build/bench/run1}
CHECK_RDB=${CHECK_RDB:-redis-check-rdb}
SCRATCH=${SCRATCH:-${TMPDIR:-/var/tmp}/respite-bench}
SCALE=${SCALE:-1}
RUNS=${RUNS:-5}
SHAPES=${SHAPES:-strings mix tiny}

usage() {
    cat <<'END'
usage: bench.sh [--runs N] [--scale X] [--shapes "strings mix tiny"] [--scratch DIR]
                [--rdbtool PATH] [--gen PATH] [--run1 PATH] [--check-rdb PATH]
Each is also a variable: RUNS SCALE SHAPES SCRATCH RDBTOOL GEN RUN1 CHECK_RDB.
END
}

die() {
    echo "bench.sh: $*" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --runs | --scale | --shapes | --scratch | --rdbtool | --gen | --run1 | --check-rdb)
        [ $# -ge 2 ] || die "$1 needs a value"
        ;;
    *) usage >&2 && exit 2 ;;
    esac
    case $1 in
    --runs) RUNS=$2 ;;
    --scale) SCALE=$2 ;;
    --shapes) SHAPES=$2 ;;
    --scratch) SCRATCH=$2 ;;
    --rdbtool) RDBTOOL=$2 ;;
    --gen) GEN=$2 ;;
    --run1) RUN1=$2 ;;
    --check-rdb) CHECK_RDB=$2 ;;
    esac
    shift 2
done

[[ $RUNS =~ ^[1-9][0-9]*$ ]] || die "--runs wants a whole number, not '$RUNS'"
[[ $SCALE =~ ^[0-9]*\.?[0-9]+$ ]] || die "--scale wants a number, not '$SCALE'"
for program in "$RDBTOOL" "$GEN" "$RUN1"; do
    [ -x "$program" ] || die "$program: no such program; build it, or name it by an option"
done
command -v "$CHECK_RDB" >/dev/null || die "$CHECK_RDB: not found; it comes with Redis"
mkdir -p "$SCRATCH"

failures=0

# Runs a command once; sets wall (seconds), kib and status.
once() {
    local line
    status=0
    line=$("$RUN1" "$@") || status=$?
    [ "$status" -eq 0 ] || failures=$((failures + 1))
    read -r wall _ _ kib <<<"${line:-0 0 0 0}"
}

median() { # of its arguments
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
        END { printf "%.3f\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

divide() { # a by b; a time below the clock's step counts as one step
    awk -v a="$1" -v b="$2" 'BEGIN { if (b <= 0) b = 0.001; printf "%.3f\n", a / b }'
}

file_of() {
    if [ "$SCALE" = 1 ]; then echo "$SCRATCH/$1.rdb"; else echo "$SCRATCH/$1-$SCALE.rdb"; fi
}

row() {
    printf '%-8s %-24s %8s %8s %7s %7s %8s %6s %7s %6s  %s\n' "$@"
}

# measure SHAPE LABEL RATIO_GOAL RATE_GOAL RSS_GOAL COMMAND...: the word FILE stands for the input.
# The label "info" also runs check --quick within each pair, for their ratio.
measure() {
    local shape=$1 label=$2 ratio_goal=$3 rate_goal=$4 rss_goal=$5 file bytes i note=ok
    local -a ours=() theirs=() ratios=() to_quick=() by_path by_pipe
    shift 5
    file=$(file_of "$shape")
    bytes=$(stat -c %s "$file")
    by_path=("${@/#FILE/$file}")
    by_pipe=("${@/#FILE/-}")
    for ((i = 0; i < RUNS; i++)); do
        once "$CHECK_RDB" "$file"
        [ "$status" -eq 0 ] || die "$CHECK_RDB $file: exit status $status"
        theirs+=("$wall")
        once "$RDBTOOL" "${by_path[@]}"
        [ "$status" -eq 0 ] || note="exit status $status"
        ours+=("$wall")
        ratios+=("$(divide "${theirs[i]}" "$wall")")
        [ "$label" = info ] || continue
        once "$RDBTOOL" check --quick "$file"
        [ "$status" -eq 0 ] || note="check --quick: exit status $status"
        to_quick+=("$(divide "${ours[i]}" "$wall")")
    done
    once --pipe "$file" "$RDBTOOL" "${by_pipe[@]}"
    [ "$status" -eq 0 ] || note="by pipe: exit status $status"
    report
}

# Prints the row of measure(), whose variables it sees.
report() {
    local seconds other ratio rate rss failed=$note
    seconds=$(median "${ours[@]}")
    other=$(median "${theirs[@]}")
    ratio=$(median "${ratios[@]}")
    rate=$(divide "$(divide "$bytes" 1000000)" "$seconds")
    rss=$(divide "$kib" 1024)
    if [ "$note" = ok ]; then
        note=$(awk -v r="$ratio" -v rg="${ratio_goal#>=}" -v m="$rate" -v mg="${rate_goal#>=}" \
            -v k="$rss" -v kg="${rss_goal#<=}" 'BEGIN {
                if (rg != "-" && r + 0 < rg + 0) s = s " ratio"
                if (mg != "-" && m + 0 < mg + 0) s = s " rate"
                if (kg != "-" && k + 0 > kg + 0) s = s " memory"
                print s == "" ? "ok" : "missed:" s }')
    fi
    row "$shape" "$label" "$seconds" "$other" "$(printf %.1f "$ratio")" \
        "$ratio_goal" "$(printf %.0f "$rate")" "$rate_goal" "$(printf %.1f "$rss")" "$rss_goal" "$note"
    [ "$label" = info ] || return 0
    ratio=$(median "${to_quick[@]}")
    note=$failed
    [ "$note" != ok ] || note=$(awk -v r="$ratio" 'BEGIN { print r <= 1.5 ? "ok" : "missed: ratio" }')
    row "$shape" "info / check --quick" - - "$(printf %.2f "$ratio")" "<=1.5" - - - - "$note"
}

for shape in $SHAPES; do
    case $shape in strings | mix | tiny) ;; *) die "no shape '$shape'" ;; esac
    file=$(file_of "$shape")
    if [ -e "$file" ] && [ ! "$GEN" -nt "$file" ]; then continue; fi
    "$GEN" "$shape" "$file.part" --scale "$SCALE"
    mv "$file.part" "$file"
done

echo "scale $SCALE, $RUNS pairs, $(nproc) cores, $("$CHECK_RDB" --version 2>/dev/null || true)"
row shape command seconds other ratio goal MB/s goal RSS-MiB goal ""
for shape in $SHAPES; do
    cat "$(file_of "$shape")" >/dev/null # into the page cache
    measure "$shape" "check --quick" ">=8" - "<=64" check --quick FILE
    measure "$shape" "check" ">=4" - "<=128" check FILE
    measure "$shape" "check --no-duplicates" ">=4" - "<=64" check --no-duplicates FILE
    measure "$shape" info - - "<=64" info FILE
    case $shape in
    strings) measure "$shape" "export --format jsonl" - ">=500" "<=64" export --format jsonl FILE ;;
    mix) measure "$shape" "export --format jsonl" - ">=300" "<=64" export --format jsonl FILE ;;
    esac
done

if [ "$failures" -gt 0 ]; then
    echo "bench.sh: $failures commands failed" >&2
    exit 1
fi
