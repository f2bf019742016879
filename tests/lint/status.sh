#!/usr/bin/env bash
# What this is: statuses of status.h = names in librespite(3); exit statuses of cli/exit.h = respite-exit-status(7).
# Rests on: the X-macro list, ".It Dv RSP_X" of the page, ".It N" of the table.
# Does not: compare the sentences.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

sed -n 's/^ *X(\(RSP_[A-Z]*\), .*/\1/p' lib/include/respite/status.h | sort -u >"$tmp/header"
{ grep -oE '\bRSP_(OK|END|AGAIN|E[A-Z]+)\b' man/librespite.3 || :; } | sort -u >"$tmp/page"
diff -u --label status.h --label librespite.3 "$tmp/header" "$tmp/page" || failed=1

sed -n 's/^ *EXIT_[A-Z_]* = \([0-9]*\)[,/ ].*/\1/p;s/^ *EXIT_[A-Z_]* = \([0-9]*\)$/\1/p' cli/exit.h |
    awk '$1 < 128' | sort -n >"$tmp/codes"
sed -n 's/^\.It \(Sy \|Li \|Cm \|Er \)\{0,1\}\([0-9][0-9]*\)\([^0-9+].*\)\{0,1\}$/\2/p' man/respite-exit-status.7 |
    awk '$1 < 128' | sort -n >"$tmp/table"
diff -u --label cli/exit.h --label respite-exit-status.7 "$tmp/codes" "$tmp/table" || failed=1
exit $failed
