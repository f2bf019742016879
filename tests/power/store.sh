# What this is: the file: store with the power cut before each of its operations; and killed there, or met by a fault, run
#   again, then cut.
# Rests on: _power.sh; objects.c.
# Does not: look at the repository.
# shellcheck source=tests/power/_power.sh
. "$TESTS/power/_power.sh"

judge() { # N SEED
    "$POWER/objects" judge "$PWD/tree" "$1" <marks || { echo "cut before $1, seed $2" && exit 1; }
}

mkdir real before
watched real log "$POWER/objects" run "$PWD/real"
complete log before real
"$REBUILD" list log >marks
n=$(operations log)
for i in $(seq 0 "$n"); do
    for seed in 0 1 2 3 4 5; do
        cut log before tree "$i" $seed
        judge "$i" $seed
    done
done

# A killed run leaves what it did in the memory of the machine: the next one builds on it, then the power is cut.
for i in $(seq 0 $((n - 1))); do
    rm -rf real log && mkdir real
    rc=0
    KILL=$i watched real log "$POWER/objects" run "$PWD/real" 2>/dev/null || rc=$?
    [ "$rc" = 137 ] || { echo "kill $i: status $rc" && exit 1; }
    watched real log "$POWER/objects" run "$PWD/real"
    "$REBUILD" list log >marks
    for seed in 0 1 2 3; do
        cut log before tree end $seed
        judge end $seed
    done
    find real -name '.*.part' | sed 's/^/left: /'
done

# The disk fails, is full, or turns read-only: what was told to be there is there, and the next run goes through.
for i in $(seq 0 $((n - 1))); do
    for fault in "$i EIO" "$i ENOSPC" "$i ENOSPC ever" "$i EROFS ever"; do
        rm -rf real log && mkdir real
        rc=0
        FAIL=$fault watched real log "$POWER/objects" run "$PWD/real" 2>/dev/null || rc=$?
        [ "$rc" = 0 ] || [ "$rc" = 1 ] || { echo "fault $fault: status $rc" && exit 1; }
        "$REBUILD" list log >marks
        "$POWER/objects" judge "$PWD/real" end <marks || { echo "fault $fault" && exit 1; }
        watched real "" "$POWER/objects" run "$PWD/real" || { echo "after fault $fault" && exit 1; }
        find real -name '.*.part' | sed 's/^/left: /'
    done
done
echo "$n operations"
