# What this is: what the power-cut cases share; source it. README.md tells how the harness is used.
# Rests on: $B/tests/power/ (shim.so, rebuild and the small programs); run-cli.sh.
# Does not: run under a sanitizer, which wants to be loaded before the shim.
[ -z "$SAN" ] || { echo 'the power-cut harness does not run under a sanitizer' >&2 && exit 77; }
POWER=$B/tests/power
REBUILD=$POWER/rebuild
for part in shim.so rebuild publish objects; do
    [ -e "$POWER/$part" ] || { echo "$POWER/$part was not built" >&2 && exit 1; }
done

# watched ROOT LOG COMMAND...: logs (appends) what COMMAND changes below ROOT. KILL=N and FAIL='N ERRNO [ever]' as in shim.c.
watched() {
    local root=$1 log=$2
    shift 2
    env ${KILL:+RESPITE_POWER_KILL="$KILL"} ${FAIL:+RESPITE_POWER_FAIL="$FAIL"} RESPITE_POWER_ROOT="$root" \
        RESPITE_POWER_LOG="$log" LD_PRELOAD="$POWER/shim.so" "$@"
}

# The number behind that of the last operation.
operations() { # LOG
    "$REBUILD" list "$1" | awk '{ n = $1 + ($2 != "mark") } END { print n + 0 }'
}

# A fresh tree, as a cut before operation N leaves it.
cut() { # LOG BEFORE OUT N|end SEED
    rm -rf "$3"
    "$REBUILD" build "$@"
}

modes() {
    find . -printf '%m %U %G %P\n' | sort
}

# The log tells of all that the run did: its last tree is the real one.
complete() { # LOG BEFORE REAL
    cut "$1" "$2" complete end 1
    diff -r "$3" complete || { echo 'the log does not tell of all changes' >&2 && exit 1; }
    diff <(cd "$3" && modes) <(cd complete && modes) || { echo 'a mode or an owner is not in the log' >&2 && exit 1; }
    rm -rf complete
}
