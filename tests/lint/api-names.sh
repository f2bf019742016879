#!/usr/bin/env bash
# What this is: prints the names that public headers declare with RSP_API, sorted.
# Rests on: the form of a declaration: RSP_API ... rsp_name(...); or RSP_API extern ... rsp_name;
# Does not: read the version script or the library.
set -euo pipefail
export LC_ALL=C
cat lib/include/respite/*.h lib/include/respite/*/*.h | awk '
    { text = text $0 "\n" }
    END {
        out = ""
        while ((i = index(text, "/*")) > 0) { # without comments
            out = out substr(text, 1, i - 1) " "
            text = substr(text, i + 2)
            if (!(i = index(text, "*/"))) break
            text = substr(text, i + 2)
        }
        out = out text
        gsub(/\n[ \t]*#[ \t]*define[^\n]*/, "\n", out)
        n = split(out, decl, ";")
        for (k = 1; k <= n; k++) {
            if (!(i = match(decl[k], /RSP_API[ \t\n]/))) continue
            d = substr(decl[k], i)
            if (match(d, /rsp_[a-z0-9_]+[ \t\n]*\(/) || match(d, /rsp_[a-z0-9_]+(\[[^]]*\])*[ \t\n]*$/)) {
                name = substr(d, RSTART, RLENGTH)
                sub(/[^a-z0-9_].*/, "", name)
                print name
            }
        }
    }' | sort -u
