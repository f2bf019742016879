#!/usr/bin/env bash
# What this is: runs the checks of this folder, all or those named: run.sh [floors headers ...].
# Rests on: $B (build folder, built), $CC, $WARN, $PKG_CFLAGS from the Makefile.
# Does not: change a file.
set -euo pipefail
cd "$(dirname "$0")/../.."
B=$(cd "${B:-build}" && pwd)
export B CC="${CC:-gcc}" WARN="${WARN:--Wall -Wextra}" PKG_CFLAGS="${PKG_CFLAGS:-}" LC_ALL=C JOBS="${JOBS:-$(nproc)}"

checks=("$@")
[ $# != 0 ] || checks=(floors headers symbols options status shape man security shell format clang cppcheck tidy)
failed=0
for c in "${checks[@]}"; do
    began=$EPOCHREALTIME verdict=ok
    "tests/lint/$c.sh" || verdict=FAILED failed=$((failed + 1))
    awk -v c="$c" -v v="$verdict" -v a="$began" -v b="$EPOCHREALTIME" \
        'BEGIN { printf "lint %-9s %-6s %6.1f s\n", c, v, b - a }'
done
echo "lint: $((${#checks[@]} - failed)) ok, $failed failed"
[ "$failed" = 0 ]
