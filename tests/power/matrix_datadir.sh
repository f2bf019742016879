# What this is: backupd restore into a server's data directory with the power cut before each operation, killed there, or met
#   by a fault: a server would load the old or the new, whole; no old file is lost; the next run ends it.
# Rests on: _matrix.sh; tar (one word for a tree: names, bytes, modes, owners).
# Does not: start a server (tests/live/backupd/datadir.sh).
# TIMEOUT: 900
# LONG
# shellcheck source=tests/power/_power.sh
. "$TESTS/power/_power.sh"
# shellcheck source=tests/power/_matrix.sh
. "$TESTS/power/_matrix.sh"
export RESPITE_STATE=$PWD/state RESPITE_REPO=file:$PWD/repo RESPITE_IDENTITY=$PWD/sheet
OLD=${DUMPS[1]} NEW=${DUMPS[2]}
mkdir real
well calm "$BACKUPD" init --recovery-out sheet --name host
backup "$NEW" >/dev/null
run=("$BACKUPD" restore latest --server-config conf --server-version redis:7.2.6 --force --threads 1)

# What is there before it; but for off-only, more is beside what is loaded and goes aside.
lay() { # FORM
    local aof=real/appendonlydir
    rm -rf before
    mkdir before real 2>/dev/null || :
    rm -rf real/* real/.[!.]*
    case $1 in
    multi | off)
        mkdir $aof
        cp "$OLD" $aof/appendonly.aof.4.base.rdb
        printf '*1\r\n%s4\r\nPING\r\n' '$' >$aof/appendonly.aof.7.incr.aof
        printf 'file appendonly.aof.%s type %s\n' '4.base.rdb seq 4' b '7.incr.aof seq 7' i >$aof/appendonly.aof.manifest
        chmod 750 $aof
        chmod 640 $aof/*
        ;;
    esac
    case $1 in
    multi | off | off-only | fresh)
        cp "${DUMPS[0]}" real/dump.rdb
        chmod 660 real/dump.rdb
        ;;
    esac
    echo other >real/other
    [ "$(id -u)" != 0 ] || chown -R 65534:65534 real
    rm -rf before
    cp -a real before
    find before -type f -exec cksum {} + >files
}

# What would be loaded, in one word.
word() { # FOLDER
    if [ -e "$1/$name" ]; then tar --format=gnu --sort=name --mtime=@0 -cf - -C "$1" "$name" | cksum; else echo none; fi
}

# Whole, and no old file lost. MUST: it is the new one. $gap: this may be, too.
judge() { # MUST
    local is sum there
    is=$(word real)
    [ "$is" = "$new" ] || [ "$1$is" = "0${gap:-}" ] || [ "$1$is" = "0$old" ] ||
        wrong "what would be loaded is neither old nor new, or not new: $(find real)"
    there=$'\n'$(find real -type f ! -path '*/.respite-*' -exec cksum {} +)
    while read -r sum; do
        [[ $there == *$'\n'"${sum% before/*} "* ]] || wrong "${sum#* * } is lost: $(find real)"
    done <files
}

# The next run ends it.
ends() { # MUST
    judge "$1"
    well calm "${run[@]}"
    judge 1
    compgen -G 'real/.*respite-*' >left && wrong "left: $(cat left)"
    return 0
}

matrix() { # FORM NAME; of the last $last operations (default: all)
    local name=$2 old new first i n rc seed fault faults mark
    where="$1: the run"
    printf 'dir %s/real\nport 0\nappendonly %s\n' "$PWD" "$([ "$2" = dump.rdb ] && echo no || echo yes)" >conf
    lay "$1"
    rm -f log
    well watched real log "${run[@]}"
    complete log before real
    mapfile -t mark < <("$REBUILD" list log && echo end)
    n=$(operations log)
    # the new one is what it should be
    case $name in
    dump.rdb) cmp real/dump.rdb "$NEW" ;;
    *)
        cmp "real/$name/appendonly.aof.1.base.rdb" "$NEW"
        [ "$(cat "real/$name/"*.manifest)" = 'file appendonly.aof.1.base.rdb seq 1 type b' ] || wrong 'another manifest'
        [ "$(find "real/$name" -type f | wc -l)" = 2 ] || wrong "$(find real)"
        ;;
    esac
    old=$(word before) new=$(word real)
    [ "$old" != "$new" ] || wrong 'old and new are the same'
    judge 1
    first=$((${last:-n} < n ? n - ${last:-n} : 0))
    for ((i = first; i <= n; i++)); do
        for seed in $SEEDS $([ "$i" -lt $((n - 8)) ] || echo 2); do # more where names change
            where="$1: cut before ${mark[i]}, seed $seed"
            cut log before real "$i" "$seed"
            ends $((i == n))
        done
    done
    # shellcheck disable=SC2153 # FAULTS is set in what is sourced
    IFS=, read -r -a faults <<<"$FAULTS"
    for ((i = first; i < n; i++)); do
        where="$1: kill before ${mark[i]}"
        again
        rc=0
        KILL=$i watched real /dev/null "${run[@]}" >out 2>said || rc=$?
        [ "$rc" = 137 ] || wrong "status $rc"
        ends 0
        for fault in "${faults[@]}"; do
            where="$1: $fault at ${mark[i]}"
            again
            rc=0
            FAIL="$i $fault" watched real /dev/null "${run[@]}" >out 2>said || rc=$?
            case $rc in
            0) ;;
            22 | 25 | 26) [ -s said ] || wrong "status $rc without a word" ;;
            *) wrong "status $rc" ;;
            esac
            ends $((rc == 0))
        done
    done
    echo "$1: $n operations" >&2
    [ "$n" -gt 10 ] || wrong "only $n operations"
}

well "$B/bin/rdbtool" check "$OLD"
well "$B/bin/rdbtool" check "$NEW"
matrix multi appendonlydir
# What differs from the one before.
last=12 matrix fresh appendonlydir
last=6 matrix nothing appendonlydir
matrix off dump.rdb
# Where two names cannot be exchanged in one step: a file is replaced in one, a folder is away for a moment.
export RESPITE_POWER_PLAIN=1
last=14 matrix off-only dump.rdb
gap=none last=10 matrix multi appendonlydir
