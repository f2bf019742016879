#!/usr/bin/env bash
# What this is: the options of each program = the options of its man page, long names and letters.
# Rests on: PROGRAM __options, man/PROGRAM.1 or .8.
# Does not: compare the words that explain them.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
for program in rdbtool aoftool backupd; do
    [ -x "$B/bin/$program" ] || continue
    page=man/$program.1
    [ -e "$page" ] || page=man/$program.8
    if [ ! -e "$page" ]; then
        echo "$program has no man page" && failed=1
        continue
    fi
    "$B/bin/$program" __options | awk -F '\t' '{ print "--" $1 ($2 != "-" && $2 != "" ? " -" $2 : "") }' |
        sort -u >"$tmp/program"
    sed -n '/^\.It .*Fl Fl /p' "$page" | awk '{
        long = letter = ""
        for (i = 2; i <= NF; i++) {
            if ($i == "Fl" && $(i + 1) == "Fl") { long = $(i + 2); i += 2 }
            else if ($i == "Fl" && length($(i + 1)) == 1) letter = " -" $(i + 1)
        }
        if (long != "help" && long != "version") print "--" long letter
    }' | sort -u >"$tmp/page"
    grep -vE -- '^--(help|version)( |$)' "$tmp/program" >"$tmp/program2" || :
    if ! diff -u --label "$program __options" --label "$page" "$tmp/program2" "$tmp/page"; then failed=1; fi
done
exit $failed
