# What this is: the harness proves itself: a right publication survives every cut, kill and fault; each wrong way is caught.
# Rests on: _power.sh; publish.c.
# Does not: look at respite.
# shellcheck source=tests/power/_power.sh
. "$TESTS/power/_power.sh"
owner=$(id -u)
[ "$owner" != 0 ] || owner=65534

holds() { # FILE BYTE
    [ -f "$1" ] && [ "$(tr -d "$2" <"$1" | wc -c) $(wc -c <"$1")" = '0 5000' ]
}

# Wrong: a file that is neither absent nor whole, or absent though its publication had returned.
wrong() { # TREE RETURNED
    if [ -e "$1/folder/file" ]; then ! holds "$1/folder/file" x; else [ "$2" = 1 ]; fi
}

# Wrong: neither the old nor the new one; the old one lost; the new one with another mode or owner; the old one though it
# had returned.
wrong_over() { # TREE RETURNED
    local file=$1/folder/file
    if holds "$file" o; then [ "$2" = 1 ]; else
        ! holds "$file" x || ! holds "$1/folder/aside/file" o || [ "$(stat -c '%a %u' "$file")" != "640 $owner" ]
    fi
}

start() { # WAY: what is there before it
    rm -rf real
    mkdir real
    echo other >real/other
    case $1 in over-*)
        mkdir real/folder
        head -c 5000 /dev/zero | tr '\0' o >real/folder/file
        ;;
    esac
}

for way in rename no-replace unnamed in-place no-file-fsync no-folder-fsync no-parent-fsync \
    over-all over-late-owner over-new-first over-no-fsync over-no-parent-fsync; do
    rm -rf before log
    start $way
    cp -a real before
    watched real log "$POWER/publish" $way real
    complete log before real
    n=$(operations log) at=$("$REBUILD" list log | awk '$2 == "mark" { print $1 }') caught=0 judge=wrong
    case $way in over-*) judge=wrong_over ;; esac
    for i in $(seq 0 "$n"); do
        for seed in 0 1 2 3 4 5 6 7; do
            cut log before tree "$i" $seed
            cmp tree/other real/other
            ! $judge tree $((i >= at)) || caught=$((caught + 1))
        done
    done
    case $way in
    rename | no-replace | unnamed | over-all) [ $caught = 0 ] || { echo "$way: $caught trees are wrong" && exit 1; } ;;
    *) [ $caught != 0 ] || { echo "$way: not caught" && exit 1; } ;;
    esac
    echo "$way: $((caught > 0))"
done

for way in rename unnamed over-all; do
    start $way
    rm -f log
    watched real log "$POWER/publish" $way real
    n=$(operations log) judge=wrong
    case $way in over-*) judge=wrong_over ;; esac
    for i in $(seq 0 $((n - 1))); do
        start $way
        rc=0
        KILL=$i watched real /dev/null "$POWER/publish" $way real 2>/dev/null || rc=$?
        [ "$rc" = 137 ] || { echo "kill $i: status $rc" && exit 1; }
        ! $judge real 0 || { echo "kill $i: half a file" && exit 1; }
        for fault in "$i EIO" "$i ENOSPC ever" "$i EROFS ever"; do
            start $way
            rc=0
            FAIL=$fault watched real /dev/null "$POWER/publish" $way real 2>/dev/null || rc=$?
            [ "$rc" = 1 ] || { echo "fail $fault: status $rc" && exit 1; }
            ! $judge real 0 || { echo "fail $fault: half a file" && exit 1; }
        done
    done
done
