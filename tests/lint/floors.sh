#!/usr/bin/env bash
# What this is: checks every #include against the floors table.
# Rests on: tests/lint/floors, awk.
# Does not: follow an include; the rule holds for each file by itself.
set -euo pipefail
shopt -s nullglob globstar

awk '
    function bad(why) { print FILENAME ":" FNR ": " why; failed = 1 }
    FILENAME == "tests/lint/floors" {
        if ($1 == "wall") for (i = 3; i <= NF; i++) wall[$2, $i] = 1
        else if ($1 != "" && $1 !~ /^#/) floor[$1] = $2
        next
    }
    FNR == 1 {
        n = split(FILENAME, part, "/")
        area = part[1]                                  # lib, cli, rdbtool, ...
        folder = area == "lib" ? part[2] : part[1]
        public = area == "lib" && part[2] == "include"
        stable = public && n == 4
        if (area == "lib" && !public && !(folder in floor)) bad("folder lib/" folder " is not in tests/lint/floors")
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, q, "\"")
        if (!index(q[2], "/")) { bad("\"" q[2] "\": write the folder before it"); next }
        to = q[2]; sub(/\/.*/, "", to)
        if (public) bad("a public header includes only <respite/...>: \"" q[2] "\"")
        else if (area == "lib") {
            if (!(to in floor)) bad("\"" q[2] "\" is no folder of lib/")
            else if (to != folder && floor[to] >= floor[folder])
                bad(folder " (floor " floor[folder] ") includes " to " (floor " floor[to] ")")
            if ((folder, to) in wall) bad(folder " never includes " to)
        } else if (to != "cli" && to != folder) bad(folder " includes \"" q[2] "\": only <respite/...>, cli/ and itself")
    }
    stable && /^[ \t]*#[ \t]*include[ \t]*<respite\/sys\// { bad("a stable header includes one of respite/sys") }
    END { exit failed }
' tests/lint/floors lib/**/*.[ch] cli/*.[ch] rdbtool/*.[ch] aoftool/*.[ch] backupd/*.[ch]
