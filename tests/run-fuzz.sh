#!/usr/bin/env bash
# What this is: runs every libFuzzer program: run-fuzz.sh BUILD-FOLDER SECONDS. The log is BUILD-FOLDER/fuzz.log.
# Rests on: the programs in BUILD-FOLDER/fuzz, seeds in tests/fuzz/corpus.
# Does not: add to the seeds; what is new lies in BUILD-FOLDER/corpus, inputs that failed in BUILD-FOLDER/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:?build folder} seconds=${2:?seconds}
log=$build/fuzz.log
export ASAN_OPTIONS="${ASAN_OPTIONS:-allocator_may_return_null=1:detect_leaks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

one() {
    local program=$1 name=${1##*/fuzz_} rc=0 options=()
    mkdir -p "$build/corpus/$name"
    if [ -d "tests/fuzz/corpus/$name" ]; then options+=("tests/fuzz/corpus/$name"); fi
    if [ -e "tests/fuzz/$name.dict" ]; then options+=("-dict=tests/fuzz/$name.dict"); fi
    "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$build/fuzz/$name-" "$build/corpus/$name" "${options[@]}" >"$build/fuzz/$name.log" 2>&1 || rc=$?
    echo "$rc" >"$build/fuzz/$name.rc"
}
if [ "${3:-}" = --one ]; then
    one "$4"
    exit 0
fi

shopt -s nullglob
sources=(tests/fuzz/fuzz_*.c)
for s in "${sources[@]}"; do
    s=${s##*/}
    printf '%s\0' "$build/fuzz/${s%.c}"
done | xargs -0 -r -n 1 -P "${JOBS:-$(nproc)}" "$0" "$build" "$seconds" --one

: >"$log"
failed=0
for s in "${sources[@]}"; do
    s=${s##*/fuzz_}
    name=${s%.c}
    rc=$(cat "$build/fuzz/$name.rc")
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz/$name.log")
    verdict=ok
    if [ "$rc" != 0 ]; then
        verdict="FAILED ($rc)" failed=$((failed + 1))
        tail -n 60 "$build/fuzz/$name.log" >&2
    fi
    printf '%-16s %6s s %12s runs  %s\n' "$name" "$seconds" "${runs:--}" "$verdict" | tee -a "$log"
done
for s in "${sources[@]}"; do
    s=${s##*/fuzz_}
    printf '\n== %s\n' "${s%.c}"
    tail -n 25 "$build/fuzz/${s%.c}.log"
done >>"$log"
echo "${#sources[@]} targets, $failed failed"
[ "$failed" = 0 ]
