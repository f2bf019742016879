#!/usr/bin/env bash
# What this is: runs the case scripts of a folder: run-cli.sh tests/cli [CASE.sh...]. tests/README.md tells their form.
# Rests on: bash, diff, timeout; $B (build folder), whose bin/ holds the programs.
# Does not: build. The last line is "N passed, N failed"; the status is 1 when one failed.
set -euo pipefail
shopt -s nullglob globstar

TESTS=$(cd "$(dirname "$0")" && pwd)
B=$(cd "${B:-$TESTS/../build}" && pwd)
DATA=${DATA:-$TESTS/data}
RDBTOOL=${RDBTOOL:-$B/bin/rdbtool}
BACKUPD=${BACKUPD:-$B/bin/backupd}
export TESTS B DATA RDBTOOL BACKUPD SAN="${SAN:-}" LC_ALL=C TZ=UTC
# What a user has set shall decide nothing here.
for name in ${!RESPITE_*}; do
    case $name in RESPITE_TEST_*) ;; *) unset "$name" ;; esac
done

# Does text match the pattern, line by line? In a pattern line '*' stands for anything, all else for itself;
# a line '...' stands for any number of lines.
matches() { # pattern-file text-file
    awk -v text="$2" '
        function fits(s, p,    n, part, i, at) {
            n = split(p, part, "*")
            if (n <= 1) return s == p
            if (substr(s, 1, length(part[1])) != part[1]) return 0
            s = substr(s, length(part[1]) + 1)
            for (i = 2; i < n; i++) {
                if (part[i] == "") continue
                if (!(at = index(s, part[i]))) return 0
                s = substr(s, at + length(part[i]))
            }
            return length(s) >= length(part[n]) && substr(s, length(s) - length(part[n]) + 1) == part[n]
        }
        { want[++w] = $0 }
        END {
            while ((getline line < text) > 0) got[++g] = line
            for (i = j = 1; ; ) {
                if (i <= w && want[i] == "...") { mark = ++i; back = j; continue }
                if (j > g) { exit !(i > w) }
                if (i <= w && fits(got[j], want[i])) { i++; j++; continue }
                if (!mark) exit 1
                i = mark; j = ++back
            }
        }' "$1"
}

# One case in a scratch folder of its own: prints nothing, or what differs. Status 77: skipped, with the reason.
one_case() {
    local case=$1 base=${1%.sh} dir rc=0 expected=0 bad=0 stream limit
    limit=$(sed -n '1,10s/^# *TIMEOUT: *\([0-9]*\).*/\1/p' "$case")
    dir=$(mktemp -d "${TMPDIR:-/tmp}/respite-case.XXXXXX")
    mkdir "$dir/work"
    (
        cd "$dir/work"
        HOME=$dir/work TMPDIR=$dir/work RESPITE_STATE=$dir/state exec timeout --kill-after 10 \
            "${limit:-${RESPITE_TEST_TIMEOUT:-300}}" bash -eu "$case" >"$dir/stdout" 2>"$dir/stderr" </dev/null
    ) || rc=$?
    if [ -e "$base.exit" ]; then expected=$(<"$base.exit"); fi
    if [ "$rc" = 77 ] && [ "$expected" != 77 ]; then
        head -n 3 "$dir/stderr"
        rm -rf "$dir"
        return 77
    fi
    if [ "$rc" != "$expected" ]; then
        echo "    exit status $rc, expected $expected$([ "$rc" = 124 ] && echo ' (time is over)')"
        bad=1
    fi
    for stream in stdout stderr; do
        if [ -e "$base.$stream" ]; then
            cmp -s "$base.$stream" "$dir/$stream" && continue
            diff -u --label expected --label "$stream" "$base.$stream" "$dir/$stream" | head -n 40 | sed 's/^/    /' || :
            bad=1
        fi
        if [ -e "$base.$stream.glob" ] && ! matches "$base.$stream.glob" "$dir/$stream"; then
            echo "    $stream does not match $(basename "$base").$stream.glob:"
            diff -u --label pattern --label "$stream" "$base.$stream.glob" "$dir/$stream" | head -n 40 | sed 's/^/    /' || :
            bad=1
        fi
    done
    if [ "$bad" = 1 ] && [ ! -e "$base.stderr" ] && [ -s "$dir/stderr" ]; then
        echo '    stderr:'
        tail -n 20 "$dir/stderr" | sed 's/^/    /'
    fi
    chmod -R u+rwx "$dir" 2>/dev/null || :
    rm -rf "$dir"
    return "$bad"
}

if [ "${1:-}" = --one ]; then
    rc=0 began=${EPOCHREALTIME/./}
    one_case "$2" >"$3" 2>&1 || rc=$?
    echo "$(((${EPOCHREALTIME/./} - began) / 100000)) $2" >"$3.took"
    echo "$rc" >"$3.rc"
    exit 0
fi

folder=$(cd "${1:?folder of cases}" && pwd)
shift
cases=()
if [ $# != 0 ]; then
    for c in "$@"; do cases+=("$(cd "$(dirname "$c")" && pwd)/$(basename "$c")"); done
else
    cases=("$folder"/**/*.sh)
fi
out=$(mktemp -d "${TMPDIR:-/tmp}/respite-run.XXXXXX")
trap 'rm -rf "$out"' EXIT

# What several cases source begins with an underscore and is no case. Those marked as long begin first, so that none of
# them is the one that all the others wait for.
long=() todo=()
for c in "${cases[@]}"; do
    case ${c##*/} in _*) continue ;; esac
    head=$(sed -n '1,10p' "$c")
    if [ -n "$SAN" ] && grep -q '^# UNSANITIZED$' <<<"$head"; then continue; fi
    if [ -n "$SAN" ] && [ -n "${RESPITE_TEST_SHORT:-}" ] && grep -q '^# LONG$' <<<"$head"; then continue; fi
    if grep -q '^# LONG$' <<<"$head"; then long+=("$c"); else todo+=("$c"); fi
done
todo=(${long[@]+"${long[@]}"} ${todo[@]+"${todo[@]}"})
for i in "${!todo[@]}"; do
    printf '%s\0%s\0' "${todo[i]}" "$out/$i"
done | xargs -0 -r -n 2 -P "${JOBS:-$(nproc)}" "$0" --one

# How long each took, in tenths of a second, for who looks for the slowest: $RESPITE_TEST_TOOK is a file.
if [ -n "${RESPITE_TEST_TOOK:-}" ] && [ ${#todo[@]} != 0 ]; then
    cat "$out"/*.took 2>/dev/null | sort -nr >"$RESPITE_TEST_TOOK" || :
fi

passed=0 failed=0
for i in "${!todo[@]}"; do
    name=${todo[i]#"${TESTS%/tests}"/}
    case $(cat "$out/$i.rc" 2>/dev/null || echo none) in
    0) passed=$((passed + 1)) ;;
    77)
        case ${RESPITE_TEST_REQUIRE:-} in
        debian12 | all)
            echo "FAIL $name: a required part is missing: $(cat "$out/$i")"
            failed=$((failed + 1))
            ;;
        *) echo "SKIP $name: $(cat "$out/$i")" ;;
        esac
        ;;
    *)
        echo "FAIL $name"
        cat "$out/$i" 2>/dev/null || :
        failed=$((failed + 1))
        ;;
    esac
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
