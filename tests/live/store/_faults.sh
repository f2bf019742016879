# What this is: what cases of single faults share: a repository with one snapshot, which every fault leaves as it is; source it
#   with the kind of store.
# Rests on: _matrix.sh.
# Does not: hold a fault.
. "$TESTS/live/store/_matrix.sh" "$1"
RETRIES=0
faults_start() {
    matrix_start
    whole "$A_CLEAN"
    mapfile -t BEFORE <ids
    stored a >before
}
# backup_at URL OPTIONS...: what most faults meet
backup_at() { "$BACKUPD" backup --repo "$1" --source s --from "$SMALL" --root "$PUB" --retries "$RETRIES" "${@:2}"; }
# said_well NAME ERE: it was said, in words, and once
said_well() {
    says "$2"
    sed "s|^|$1: |" said >>words
}
# same: the snapshots of before and no other, all whole
same() {
    whole "$A_CLEAN" "${BEFORE[@]}"
    [ "$(wc -l <ids)" = ${#BEFORE[@]} ] || wrong 'something was published'
}
# untouched: the storage holds what it held, to the last file
untouched() {
    stored a | diff - before >changed || wrong "changed: $(cat changed)"
}
# met: the fault that is planned has happened, if one is; a request that was not answered is told when its client has gone
met() {
    local i
    for ((i = 0; i < 200; i++)); do
        [ "$PLANNED" != none ] && ! reached || return 0
        sleep 0.02
    done
    wrong 'the fault was not met'
}
# fails NAME STATUS ERE COMMAND...: nothing gets as far as a snapshot
fails() {
    where=$1 RETRIES=0
    ends "$2" "${@:4}"
    said_well "$1" "$3"
    met
    heal
    same
}
# passes NAME COMMAND...: trying again heals it
passes() {
    where=$1 RETRIES=1
    ends 0 "${@:2}"
    met
    heal
    whole "$A_CLEAN" "${BEFORE[@]}" ${LAST:+"$LAST"}
    mapfile -t BEFORE <ids
}
