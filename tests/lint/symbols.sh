#!/usr/bin/env bash
# What this is: exported symbols of the shared object = RSP_API of the headers = the version script.
# Rests on: api-names.sh, nm, $B/lib/librespite.so.
# Does not: compare signatures.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

tests/lint/api-names.sh >"$tmp/headers"
sed -n '/global:/,/local:/s/^ *\([a-z][a-z0-9_*]*\);.*/\1/p' lib/librespite.map | sort >"$tmp/map"
nm -D --defined-only "$B/lib/librespite.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$tmp/so"

same() { # what, file, file
    diff -u --label "$2" --label "$3" "$tmp/$2" "$tmp/$3" >"$tmp/diff" && return
    echo "$1:"
    grep '^[-+]' "$tmp/diff"
    failed=1
}
same 'lib/librespite.map differs from the headers (make map)' headers map
same 'the shared object exports other names than the headers' headers so
bad=$(grep -v '^rsp_' "$tmp/so" || :)
[ -z "$bad" ] || { echo "exported without rsp_: $bad" && failed=1; }

# The static library: nothing global but the same names, once it is joined (JOIN of the Makefile).
if grep -q '^JOIN := 1' Makefile; then
    nm -g --defined-only "$B/lib/librespite.a" | awk 'NF == 3 { print $3 }' | sort >"$tmp/archive"
    same 'librespite.a has other global names than the headers' headers archive
fi
exit $failed
