#!/usr/bin/env bash
# What this is: compiles every public header alone, as C and C++, by gcc and clang.
# Rests on: gcc, g++, clang.
# Does not: need anything built.
set -euo pipefail
shopt -s nullglob

one() {
    local name=${1#lib/include/} c
    for c in 'gcc -x c -std=c11 -Wshadow -Wstrict-prototypes' 'g++ -x c++ -std=c++11' \
        'clang -x c -std=c11 -Wshadow -Wstrict-prototypes' 'clang++ -x c++ -std=c++11'; do
        # shellcheck disable=SC2086 # a command and its words; included twice, which the guard has to bear
        printf '#include <%s>\n#include <%s>\nextern int after;\n' "$name" "$name" |
            $c -Wall -Wextra -pedantic -Werror -fsyntax-only -Ilib/include - || {
            echo "$1: does not compile alone: $c"
            return 1
        }
    done
}
if [ $# = 1 ]; then
    one "$1"
    exit
fi
printf '%s\0' lib/include/respite/*.h lib/include/respite/*/*.h | xargs -0 -n 1 -P "${JOBS:-2}" "$0"
