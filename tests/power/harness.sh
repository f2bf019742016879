# What this is: the harness proves itself: a right publication survives every cut, kill and fault; each wrong way is caught.
# Rests on: _power.sh; publish.c.
# Does not: look at respite.
# shellcheck source=tests/power/_power.sh
. "$TESTS/power/_power.sh"

# Wrong: a file that is neither absent nor whole, or absent though its publication had returned.
wrong() { # TREE RETURNED
    if [ -e "$1/folder/file" ]; then
        [ "$(tr -d x <"$1/folder/file" | wc -c) $(wc -c <"$1/folder/file")" != '0 5000' ]
    else
        [ "$2" = 1 ]
    fi
}

for way in rename unnamed in-place no-file-fsync no-folder-fsync no-parent-fsync; do
    rm -rf real before log
    mkdir real
    echo other >real/other
    cp -a real before
    watched real log "$POWER/publish" $way real
    complete log before real
    n=$(operations log) at=$("$REBUILD" list log | awk '$2 == "mark" { print $1 }') caught=0
    for i in $(seq 0 "$n"); do
        for seed in 0 1 2 3 4 5 6 7; do
            cut log before tree "$i" $seed
            cmp tree/other real/other
            ! wrong tree $((i >= at)) || caught=$((caught + 1))
        done
    done
    case $way in
    rename | unnamed) [ $caught = 0 ] || { echo "$way: $caught trees are wrong" && exit 1; } ;;
    *) [ $caught != 0 ] || { echo "$way: not caught" && exit 1; } ;;
    esac
    echo "$way: $((caught > 0))"
done

for way in rename unnamed; do
    for i in $(seq 0 $((n - 1))); do
        rm -rf real && mkdir real
        rc=0
        KILL=$i watched real /dev/null "$POWER/publish" $way real 2>/dev/null || rc=$?
        [ "$rc" = 137 ] || { echo "kill $i: status $rc" && exit 1; }
        ! wrong real 0 || { echo "kill $i: half a file" && exit 1; }
        for fault in "$i EIO" "$i ENOSPC ever" "$i EROFS ever"; do
            rm -rf real && mkdir real
            rc=0
            FAIL=$fault watched real /dev/null "$POWER/publish" $way real 2>/dev/null || rc=$?
            [ "$rc" = 1 ] || { echo "fail $fault: status $rc" && exit 1; }
            ! wrong real 0 || { echo "fail $fault: half a file" && exit 1; }
        done
    done
done
