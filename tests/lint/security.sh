#!/usr/bin/env bash
# What this is: every test that respite-security(7) names is there.
# Rests on: awk.
# Does not: judge whether a test shows what the sentence before it says.
set -euo pipefail
bad=0
while IFS=$'\t' read -r file name; do
    if [ ! -e "tests/$file" ]; then
        echo "man/respite-security.7 names tests/$file, which is not there"
        bad=1
    elif [ -n "$name" ] && ! grep -qF -- "${name%\*}" "tests/$file"; then
        echo "man/respite-security.7 names $name in tests/$file, which has none"
        bad=1
    fi
done < <(awk '
    /^\.Pq / { line = line substr($0, 5) }
    cont { line = line $0 }
    /^\.Pq / || cont {
        cont = sub(/\\$/, " ", line)
        if (cont) next
        n = split(line, part, /[;,:] */)
        file = ""
        for (i = 1; i <= n; i++) {
            gsub(/^ +| +$/, "", part[i])
            if (part[i] ~ /^(attack|unit|cli|fuzz|live|power)\//) { file = part[i]; print file "\t" }
            else if (file != "" && part[i] ~ /^[a-z_0-9*]+$/) print file "\t" part[i]
        }
        line = ""
    }' man/respite-security.7)
exit $bad
