#!/usr/bin/env bash
# What this is: a source file opens by saying what it is, has at most 600 lines (about 500 is meant), and its
#   functions about 60; nothing of the strcpy family, sprintf or alloca is called anywhere.
# Rests on: a function's braces standing in the first column.
# Does not: fail because of a long function; it only names it.
set -euo pipefail
shopt -s nullglob globstar
files=(lib/**/*.[ch] cli/*.[ch] rdbtool/*.[ch] aoftool/*.[ch] backupd/*.[ch] tests/**/*.[ch])
failed=0
for f in "${files[@]}"; do
    head -n 1 "$f" | grep -q '^/\* What this is: ' || { echo "$f: does not open with \"What this is\"" && failed=1; }
    n=$(wc -l <"$f")
    [ "$n" -le 600 ] || { echo "$f: $n lines" && failed=1; }
    case $f in
    lib/include/*) ;;
    *.h)
        guard=$(sed -n 's/^#ifndef \([A-Z0-9_]*_H\)$/\1/p' "$f" | head -n 1)
        [ -n "$guard" ] || { echo "$f: no include guard" && failed=1; }
        ;;
    esac
done
if grep -nE '\b(strn?cpy|strn?cat|v?sprintf|gets|alloca)[[:space:]]*\(' "${files[@]}"; then
    echo 'the calls above do not bound what they write: use snprintf or memcpy' && failed=1
fi
awk 'FNR == 1 { start = 0 }
    /^\{$/ { start = FNR }
    /^\}/ { if (start && FNR - start > 61) printf "warning: %s:%d: function of %d lines\n", FILENAME, start, FNR - start - 1; start = 0 }
' "${files[@]}"
exit $failed
