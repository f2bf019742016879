# What this is: what the cases about backupd share: a repository and a state directory below real/, the run that is cut,
#   and the judgement of what is left. Source it after _power.sh.
# Rests on: _power.sh; $B/bin/backupd; POWER_SEEDS (which seeds; default "0 3"), POWER_FAULTS (which faults).
# Does not: hold a case.
BACKUPD=$B/bin/backupd
SEEDS=${POWER_SEEDS:-0 3}
FAULTS=${POWER_FAULTS:-EIO,ENOSPC ever} # between commas
DUMPS=("$DATA"/redis-7.2.6/{cluster,expiry,multidb,streams,lru,lfu}.rdb)
NEXT=$DATA/redis-7.2.6/functions.rdb
export RESPITE_STATE=$PWD/real/state RESPITE_REPO=file:$PWD/real/repo

# What went wrong, and where in the matrix.
where=preparation
wrong() {
    echo "$where: $*" >&2
    [ ! -s said ] || sed 's/^/    /' said >&2
    exit 1
}
# A command that must succeed.
well() {
    local rc=0
    "$@" >out 2>said || rc=$?
    [ "$rc" = 0 ] || wrong "status $rc of $*"
}
# Without waiting for the disk.
calm() { watched "$PWD" '' "$@"; }
backup() { # DUMP: its id is the answer
    well calm "$BACKUPD" backup --threads 1 --source s --chunk 4096 --from "$1"
    sed -n 's/^stored \([0-9a-f]*\) .*/\1/p' out
}

# prepared N: a repository with the first N of DUMPS; known has a line "ID DUMP" for each. The tree is kept in before/.
prepared() {
    local i
    mkdir real
    well calm "$BACKUPD" init --recovery-out sheet --name host
    for ((i = 0; i < $1; i++)); do echo "$(backup "${DUMPS[i]}") ${DUMPS[i]}"; done >known
    # shellcheck disable=SC2094
    [ "$(awk 'NF == 2' known | wc -l)" = "$1" ] || wrong 'the snapshots are not known by their ids'
    cp -a real before
}
again() {
    rm -rf real
    cp -a before real
}

# Every snapshot that list shows comes back byte for byte. The dump of one that is not in known is $1.
whole() {
    local id dump
    well calm "$BACKUPD" list --all --json
    grep -o '"id": *"[0-9a-f]*"' out | grep -o '[0-9a-f]\{32\}' >ids || :
    while read -r id; do
        dump=$(awk -v id="$id" 'index(id, $1) == 1 { print $2 }' known)
        well calm "$BACKUPD" restore "$id" --threads 1 --identity sheet --force --to restored
        cmp -s restored "${dump:-$1}" || wrong "$id came back with other bytes than ${dump:-$1}"
    done <ids
}
shown() { # ID
    grep -q "^$1" ids || wrong "snapshot $1 is lost"
}

# sound NEW MUST...: list, verify, restores, a new backup and prune succeed; the snapshots MUST are there before and after;
# what died is gone in the end. NEW is the dump of the run that was cut.
sound() {
    local new=$1 id last kind
    shift
    whole "$new"
    for id; do shown "$id"; done
    well calm "$BACKUPD" verify --read-stored
    last=$(backup "$NEXT")
    cp known known.kept
    echo "$last $NEXT" >>known
    well calm "$BACKUPD" prune --quarantine 0s --debris-age 0s
    whole "$new"
    for id in "$@" "$last"; do shown "$id"; done
    mv known.kept known
    well calm "$BACKUPD" verify
    # every epoch is one of a snapshot that is shown, and nothing is left of uploads
    for kind in data keys manifests; do
        [ "$(find real/repo/$kind -mindepth 1 -maxdepth 1 | wc -l)" = "$(wc -l <ids)" ] ||
            wrong "prune left debris in $kind"
    done
    find real/repo -name '*.part' >parts
    [ ! -s parts ] || wrong "$(cat parts)"
}

# cuts RETURNED NEW ID... -- COMMAND...: runs COMMAND once, then cuts the power before each operation. RETURNED is an awk
# pattern for the line of "rebuild list" behind whose next fsync of a folder the run's commit is there for good ("": none).
cuts() {
    local returned=$1 new=$2 must=() n i seed at all
    shift 2
    while [ "$1" != -- ]; do
        must+=("$1")
        shift
    done
    shift
    where='the run'
    again
    rm -f log
    well watched real log "$@"
    complete log before real
    "$REBUILD" list log >marks
    cp out ran
    n=$(operations log)
    at=$n
    if [ -n "$returned" ]; then
        at=$(awk -v word="$returned" '$2 == "link" && $0 ~ word { seen = 1 } seen && $2 == "sync" && /\/$/ { print $1 + 1; exit }' marks)
        all=$(sed -n 's/^stored \([0-9a-f]*\) .*/\1/p' ran)
        if [ -z "$at" ] || [ -z "$all" ]; then wrong 'no commit in the log'; fi
    fi
    for ((i = 0; i <= n; i++)); do
        for seed in $SEEDS; do
            where="cut before $(sed -n "$((i + 1))p" marks), seed $seed"
            cut log before real "$i" "$seed"
            if [ -n "$returned" ] && [ "$i" -ge "$at" ]; then sound "$new" "${must[@]}" "$all"; else sound "$new" "${must[@]}"; fi
        done
    done
    echo "$n operations" >&2
    [ "$n" -gt 5 ] || wrong "only $n operations"
}

# faults NEW ID... -- COMMAND...: kills COMMAND before each operation, and lets each fail.
faults() {
    local new=$1 must=() n i rc fault faults all
    IFS=, read -r -a faults <<<"$FAULTS"
    shift
    while [ "$1" != -- ]; do
        must+=("$1")
        shift
    done
    shift
    again
    rm -f log
    well watched real log "$@"
    "$REBUILD" list log >marks
    n=$(operations log)
    for ((i = 0; i < n; i++)); do
        where="kill before $(sed -n "$((i + 1))p" marks)"
        again
        rc=0
        KILL=$i watched real /dev/null "$@" >out 2>said || rc=$?
        [ "$rc" = 137 ] || wrong "status $rc"
        sound "$new" "${must[@]}"
        for fault in "${faults[@]}"; do
            where="$fault at $(sed -n "$((i + 1))p" marks)"
            again
            rc=0
            FAIL="$i $fault" watched real /dev/null "$@" >out 2>said || rc=$?
            all=$(sed -n 's/^stored \([0-9a-f]*\) .*/\1/p' out)
            case $rc in
            0) [ -n "$all" ] || all= ;;
            11 | 22 | 25) [ -s said ] || wrong "status $rc without a word" ;;
            *) wrong "status $rc" ;;
            esac
            sound "$new" "${must[@]}" ${all:+"$all"}
        done
    done
}
