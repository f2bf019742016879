# What this is: the matrix of requests: what backup, expire, prune and copy leave when one of their requests is lost, or its
#   answer, alone or with everything behind it; source it with the kind of store, then matrix_start.
# Rests on: _line.sh, DATA.
# Does not: choose the requests (the cases do).
#
# After each fault a client that has seen nothing before finds every snapshot whole, those that were reported and perhaps one
# that was not; the same command again succeeds; and prune leaves nothing of what died.
. "$TESTS/live/store/_line.sh" "$1"
SMALL=$DATA/redis-7.2.6/streams.rdb
declare -A COUNT=()
matrix_start() {
    line_start
    A=$(place "$LINE_URL" a) A_CLEAN=$(place "$CLEAN_URL" a)
    B=$(place "$LINE_URL" b) B_CLEAN=$(place "$CLEAN_URL" b)
    export RESPITE_STATE=$PWD/state
    ends 0 "$BACKUPD" init --repo "$A" --recovery-out sheet --name host
    PUB=$(sed -n 's/^root *//p' out)
    ends 0 "$BACKUPD" init --repo "$B" --mirror-of "$A"
    dump_of 11 large.rdb
    ends 0 "$BACKUPD" backup --repo "$A" --source s --from "$SMALL"
    : >words
    : >gone
}
clean() {
    rm -rf judge
    "$BACKUPD" "$@" --state judge --identity sheet
}
# whole URL ID...: every snapshot there is whole, and these are among them; ids has all of them
whole() {
    local id
    ends 0 clean list --repo "$1" --all --json
    grep -o '"id": *"[0-9a-f]*"' out | grep -o '[0-9a-f]\{32\}' >ids || :
    for id in "${@:2}"; do grep -q "^$id" ids || wrong "snapshot $id is lost"; done
    ends 0 clean verify --repo "$1" --read-data
}
# tidy NAME: after prune every epoch is one of a snapshot in ids, and nothing is left of uploads
tidy() {
    local kind
    stored "$1" >names
    ! grep -e part -e '^data$' names >parts || wrong "prune left $(cat parts)"
    for kind in data keys manifests; do
        sed -n "s|^$kind/\([0-9a-f]*\).*|\1|p" names | sort -u >epochs
        [ "$(wc -l <epochs)" = "$(wc -l <ids)" ] || wrong "prune left debris in $kind: $(cat epochs)"
    done
}
# broken COMMAND...: with the fault of the round. A fault that passes is healed by trying again; else it is 22 with words, but
# when all was done.
broken() {
    local want='0 22' retries=0
    plan "$FAULT" "$N" "$MODE" "${REGEX[@]}"
    [ "$MODE" != once ] || want=0 retries=2
    ends "$want" "$@" --retries $retries
    HIT=0
    ! reached || HIT=1
    [ "$RC" = 0 ] || [ -s said ] || wrong 'not a word'
    [ "$HIT" = 1 ] || [ "$RC" = 0 ] || wrong 'status 22 without a fault'
    [ "$MODE" = once ] || [ "$RC" = 0 ] || sed "s|^|$where: |" said >>words
    COUNT[$VERB]=$((${COUNT[$VERB]:-0} + HIT))
    heal
}
id_of() { sed -n 's/^stored \([0-9a-f]*\) .*/\1/p' out; }

backup_cell() { # SOURCE DUMP
    local before new
    whole "$A_CLEAN"
    mapfile -t before <ids
    broken "$BACKUPD" backup --repo "$A" --source "$1" --from "$2" --part-size 5M
    new=$(id_of)
    [ "$RC" != 0 ] || [ -n "$new" ] || wrong 'no id'
    whole "$A_CLEAN" "${before[@]}" ${new:+"$new"}
    [ "$(wc -l <ids)" -le $((${#before[@]} + 1)) ] || wrong 'two snapshots of one run'
    ends 0 "$BACKUPD" backup --repo "$A" --source "$1" --from "$2" --part-size 5M
    LAST=$(id_of)
}
# victims URL [MOST]: up to MOST (3) snapshots that are not the newest of their source
victims() {
    local source
    VICTIMS=()
    for source in s l; do
        ends '0 4' clean list --repo "$1" --all --json --source "$source"
        mapfile -t -O ${#VICTIMS[@]} VICTIMS < <(grep -o '"id": *"[0-9a-f]*"' out | grep -o '[0-9a-f]\{32\}' | sed '$d')
    done
    VICTIMS=("${VICTIMS[@]:0:${2:-3}}")
}
# What earlier rounds left goes, or each verb would have more requests than in the round before, without an end.
thin() {
    local url
    for url in "$A" "$B"; do
        victims "$url" 1000
        [ ${#VICTIMS[@]} = 0 ] || ends 0 "$BACKUPD" expire --repo "$url" "${VICTIMS[@]}"
        [ "$url" = "$A" ] || printf '%s\n' "${VICTIMS[@]}" | sed '/^$/d' >>gone
        next_second
        ends 0 "$BACKUPD" prune --repo "$url" --quarantine 0s --debris-age 0s
        next_second
        ends 0 "$BACKUPD" prune --repo "$url" --quarantine 0s --debris-age 0s # folders that the one before has emptied
    done
}
expire_cell() {
    local before id
    ends 0 "$BACKUPD" backup --repo "$A" --source s --from "$SMALL"
    whole "$A_CLEAN"
    victims "$A_CLEAN"
    mapfile -t before < <(printf '%s\n' "${VICTIMS[@]}" | grep -vxFf - ids)
    broken "$BACKUPD" expire --repo "$A" "${VICTIMS[@]}"
    whole "$A_CLEAN" "${before[@]}"
    # what was retired then cannot be again
    ends '0 4' "$BACKUPD" expire --repo "$A" "${VICTIMS[@]}"
    for id in "${VICTIMS[@]}"; do
        [ "$RC" = 0 ] || ! grep -q "$id" ids || ends 0 "$BACKUPD" expire --repo "$A" "$id"
    done
    whole "$A_CLEAN" "${before[@]}"
    [ "$(wc -l <ids)" = ${#before[@]} ] || wrong 'they are not retired'
}
# What happened in this second is not yet older than 0s by the clock of a server that tells whole ones.
next_second() {
    local now=$EPOCHSECONDS
    while [ "$EPOCHSECONDS" = "$now" ]; do sleep 0.02; done
}
prune_cell() {
    local before
    whole "$A_CLEAN"
    mapfile -t before <ids
    next_second
    broken "$BACKUPD" prune --repo "$A" --quarantine 0s --debris-age 0s
    whole "$A_CLEAN" "${before[@]}"
    pruned "$A" "$A_CLEAN" a
}
pruned() { # URL CLEAN-URL NAME
    next_second
    ends 0 "$BACKUPD" prune --repo "$1" --quarantine 0s --debris-age 0s
    whole "$2"
    tidy "$3"
}
copy_cell() {
    local all before
    whole "$B_CLEAN"
    mapfile -t before <ids
    whole "$A_CLEAN"
    # what B has retired is not brought back
    mapfile -t all < <(grep -vxFf gone ids)
    broken "$BACKUPD" copy --from "$A" --to "$B"
    whole "$B_CLEAN" "${before[@]}"
    ends 0 "$BACKUPD" copy --from "$A" --to "$B"
    whole "$B_CLEAN" "${before[@]}" "${all[@]}"
    victims "$B_CLEAN"
    [ ${#VICTIMS[@]} = 0 ] || ends 0 "$BACKUPD" expire --repo "$B" "${VICTIMS[@]}"
    printf '%s\n' "${VICTIMS[@]}" | sed '/^$/d' >>gone
    pruned "$B" "$B_CLEAN" b
}
# cell VERB N FAULT MODE [REGEX]: VERB is backup, large (a backup in parts), expire, prune or copy
cell() {
    VERB=$1 N=$2 FAULT=$3 MODE=$4 REGEX=("${@:5}")
    where="$1: $3 at request $2 ${5:+of $5 }($4)"
    case $1 in
    backup) backup_cell s "$SMALL" ;;
    large) backup_cell l large.rdb ;;
    *) "$1_cell" ;;
    esac
}
# hits VERB N FAULT MODE [REGEX]: the same, and there is such a request
hits() {
    cell "$@"
    [ "$HIT" = 1 ] || wrong 'there is no such request'
}
# alive VERB: some of its requests are still to come
alive() { [[ " ${VERBS[*]} " == *" $1 "* ]]; }
# ready VERB: what it needs to be at work at all, when no cell before it has brought that about
ready() {
    local all
    case $1 in
    prune)
        ! alive expire || return 0
        ends 0 "$BACKUPD" backup --repo "$A" --source s --from "$SMALL"
        victims "$A_CLEAN"
        ends 0 "$BACKUPD" expire --repo "$A" "${VICTIMS[@]}"
        ;;
    copy) alive backup || ends 0 "$BACKUPD" backup --repo "$A" --source s --from "$SMALL" ;;
    esac
}
# every STEP: each STEPth request of each verb, until a verb has no such request
every() {
    local n fault verb verbs hits
    VERBS=(backup large expire prune copy)
    for ((n = 1; ${#VERBS[@]}; n += $1)); do
        verbs=("${VERBS[@]}") hits=
        thin
        for fault in 'lost once' 'lost dead' 'reply once' 'reply dead'; do
            for verb in "${verbs[@]}"; do
                ready "$verb"
                # shellcheck disable=SC2086
                cell "$verb" "$n" $fault
                [ "$HIT" = 0 ] || hits="$hits $verb"
            done
        done
       
        VERBS=()
        for verb in "${verbs[@]}"; do [[ " $hits " != *" $verb "* ]] || VERBS+=("$verb"); done
    done
    for verb in backup large expire prune copy; do
        echo "$verb: ${COUNT[$verb]} faults" >&2
        [ "${COUNT[$verb]}" -ge 4 ] || wrong "$verb: only ${COUNT[$verb]}"
    done
}
