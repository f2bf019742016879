# What this is: the checkpoint of a live restore, written, written over and removed, with the power cut before each operation,
#   killed there, or met by a fault: it is absent, the old or the new one, whole; and what has returned stays.
# Rests on: _power.sh; objects.c.
# Does not: restore anything (tests/live).
# shellcheck source=tests/power/_power.sh
. "$TESTS/power/_power.sh"
objects=("$POWER/objects" checkpoint)

# The file is one of the words; else the case ends.
is() { # FILE WORD...
    local file=$1 word
    shift
    word=$("${objects[@]}" "$file") || word=damaged
    case " $* " in *" $word "*) ;; *) echo "$where: $word, not one of $*" && exit 1 ;; esac
}

mkdir real before
watched real log "${objects[@]}" real/file 5 6 0 7 0
complete log before real
"$REBUILD" list log >marks
n=$(operations log)
for i in $(seq 0 "$n"); do
    for seed in 0 1 2 3 4 5; do
        where="cut before $i, seed $seed"
        cut log before tree "$i" $seed
        # what had returned last, and what was under way
        mapfile -t may < <(awk -v i="$i" '
            function word(n) { return n ? n : "absent" }
            BEGIN { last = "absent" }
            $2 == "mark" && $1 <= i { last = word($4); next }
            $2 == "mark" { print word($4); exit }
            END { print last }' marks)
        is tree/file "${may[@]}"
    done
done

for i in $(seq 0 $((n - 1))); do
    rm -rf real && mkdir real
    rc=0
    where="kill before $i"
    KILL=$i watched real /dev/null "${objects[@]}" real/file 5 6 0 7 0 2>said || rc=$?
    [ "$rc" = 137 ] || { echo "$where: status $rc" && exit 1; }
    is real/file absent 5 6 7
    for fault in "$i EIO" "$i ENOSPC ever" "$i EROFS ever"; do
        rm -rf real && mkdir real
        rc=0
        where="fault $fault"
        FAIL=$fault watched real /dev/null "${objects[@]}" real/file 5 6 0 7 0 2>said || rc=$?
        [ "$rc" = 0 ] || { [ "$rc" = 1 ] && [ -s said ]; } || { echo "$where: status $rc" && exit 1; }
        is real/file absent 5 6 7
        watched real /dev/null "${objects[@]}" real/file 8
        is real/file 8
    done
done
echo "$n operations"
