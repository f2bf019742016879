#!/usr/bin/env bash
# What this is: clang-tidy over the library and the programs.
# Rests on: clang-tidy, .clang-tidy.
# Does not: look at tests.
#
# TIDY_NODES bounds how many states the analyzer follows in a function; without it clang's own bound holds (225000).
set -euo pipefail
shopt -s nullglob
files=(lib/*/*.c cli/*.c rdbtool/*.c aoftool/*.c backupd/*.c)
# Its count of suppressed warnings goes to stderr: kept back unless it failed.
one() {
    local said
    # shellcheck disable=SC2086 # a list of words
    said=$(clang-tidy --quiet "$1" -- -std=c11 -D_GNU_SOURCE -I. -Ilib -Ilib/include $PKG_CFLAGS \
        ${TIDY_NODES:+-Xclang -analyzer-config -Xclang max-nodes=$TIDY_NODES} 2>&1) && return
    printf '%s\n' "$said" | grep -vE '^[0-9]+ warnings? (generated|treated)'
    return 1
}
if [ $# = 1 ]; then
    one "$1"
    exit
fi
# The largest first: none of them shall be the last one at work.
find "${files[@]}" -printf '%s %p\n' | sort -k 1,1nr -k 2 | cut -d ' ' -f 2 | tr '\n' '\0' |
    xargs -0 -n 1 -P "${JOBS:-2}" "$0"
