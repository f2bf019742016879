#!/usr/bin/env bash
# What this is: runs the parts of make check and adds them up: run.sh unit stage torture attack power api fuzz cli live long.
# Rests on: what make built under $B; tests/run-cli.sh for the parts that are scripts.
# Does not: build. The last line is "N passed, N failed"; the status is 1 when one failed.
set -euo pipefail
cd "$(dirname "$0")/.."

B=$(cd "${B:-build}" && pwd)
jobs=${JOBS:-$(nproc)}
limit=${RESPITE_TEST_TIMEOUT:-600}
logs=$B/log
export B LC_ALL=C TZ=UTC
export DATA=$PWD/tests/data
# A sanitizer's verdict has a status of its own, so that no test takes it for an expected failure.
export ASAN_OPTIONS="${ASAN_OPTIONS:-exitcode=99:detect_leaks=1:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export TSAN_OPTIONS="${TSAN_OPTIONS:-exitcode=99}"

# One test program: its output in LOG, its status in LOG.rc.
if [ "${1:-}" = --one ]; then
    program=$2 log=$3
    shift 3
    TMPDIR=$(mktemp -d)
    export TMPDIR
    trap 'rm -rf "$TMPDIR"' EXIT
    rc=0
    timeout --kill-after 10 "$limit" "$program" "$@" >"$log" 2>&1 </dev/null || rc=$?
    echo "$rc" >"$log.rc"
    exit 0
fi

# Adds one program's log to passed and failed. libcheck says how many tests it ran; other programs count as one.
count_program() {
    local name=$1 log=$2 rc ran=0 bad=0 n f e
    rc=$(cat "$log.rc")
    while read -r n f e; do
        ran=$((ran + n)) bad=$((bad + f + e))
    done < <(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' "$log")
    if [ "$ran" = 0 ]; then
        ran=1
        [ "$rc" = 0 ] || bad=1
    elif [ "$rc" != 0 ] && [ "$bad" = 0 ]; then
        ran=$((ran + 1)) bad=1 # died behind its own count
    fi
    passed=$((passed + ran - bad)) failed=$((failed + bad))
    if [ "$bad" != 0 ] || [ "$rc" != 0 ]; then
        echo "FAIL $name (status $rc$([ "$rc" = 124 ] && echo ", no end within $limit s"))"
        tail -n 60 "$log" | sed 's/^/    /'
    fi
}

programs() { # part, sources...
    local part=$1 s p
    shift
    mkdir -p "$logs"
    for s in "$@"; do
        p=$B/${s%.c*}
        printf '%s\0%s\0' "$p" "$logs/${s//\//_}.log"
        if [ "$part" = fuzz ]; then
            s=${s##*/fuzz_}
            printf '%s\0' "tests/fuzz/corpus/${s%.c}"
        fi
    done | xargs -0 -r -n "$([ "$part" = fuzz ] && echo 3 || echo 2)" -P "$jobs" "$0" --one
    for s in "$@"; do
        count_program "${s%.c*}" "$logs/${s//\//_}.log"
    done
}

scripts() { # folder
    local out n f
    [ -d "tests/$1" ] || return 0
    out=$logs/$1.out
    # Cases with servers of their own wait more than they compute.
    JOBS=$((jobs + $([ "$1" = live ] && echo 2 || echo 0))) RESPITE_TEST_TOOK=$logs/$1.took tests/run-cli.sh "tests/$1" >"$out" 2>&1 || :
    sed '$d' "$out"
    read -r n _ f _ < <(tail -n 1 "$out") || :
    if ! [[ $(tail -n 1 "$out") =~ ^[0-9]+\ passed,\ [0-9]+\ failed$ ]]; then
        tail -n 1 "$out"
        n=0 f=1
    fi
    passed=$((passed + n)) failed=$((failed + f))
}

mkdir -p "$logs"
shopt -s nullglob
all_passed=0 all_failed=0
for part in "$@"; do
    passed=0 failed=0 began=$EPOCHREALTIME
    case $part in
    unit) programs unit tests/unit/*/test_*.c ;;
    stage | torture | attack) programs "$part" "tests/$part"/test_*.c ;;
    api) programs api tests/api/*.c tests/api/*.cc ;;
    fuzz) programs fuzz tests/fuzz/fuzz_*.c ;;
    cli | live | long | power) scripts "$part" ;;
    *) echo "run.sh: no part '$part'" >&2 && exit 2 ;;
    esac
    awk -v part="$part" -v p="$passed" -v f="$failed" -v a="$began" -v b="$EPOCHREALTIME" \
        'BEGIN { printf "%-8s %5d passed %4d failed %8.1f s\n", part, p, f, b - a }'
    all_passed=$((all_passed + passed)) all_failed=$((all_failed + failed))
done
[ $((all_passed + all_failed)) != 0 ] || all_failed=1 # nothing ran: that is no success
echo "$all_passed passed, $all_failed failed"
[ "$all_failed" = 0 ]
