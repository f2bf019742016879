# What this is: two hosts that write the same source, one that writes another, a reader and a keeper that expires and
#   prunes all the time, in one repository: together SECONDS. Afterwards all that lives is whole, and nobody was refused.
# Rests on: BACKUPD, DATA, python3; a state directory for each of them.
# Does not: use a server.
die() { echo "line ${BASH_LINENO[0]}: $*" >&2 && exit 1; }
export RESPITE_REPO=file:$PWD/repo
as() { RESPITE_STATE=$PWD/state.$1 "$BACKUPD" "${@:2}"; } # as WHO VERB...
DUMPS=("$DATA"/redis-7.2.6/{cluster,expiry,functions,multidb}.rdb)

set_up() {
    local root who
    as first init --recovery-out sheet --name first --no-keep >init.out
    root=$(sed -n 's/^root *//p' init.out)
    for who in second other keeper reader; do
        as $who init --root "$root" --name $who >init.out 2>&1
        sed -n 's/^this host *//p' init.out >$who.pub
    done
    as first key add "$(<second.pub)" --name second --role write:web --identity sheet >/dev/null
    as first key add "$(<other.pub)" --name other --role write:cache --identity sheet >/dev/null
    as first key add "$(<keeper.pub)" --name keeper --role keep --identity sheet >/dev/null
    as first key add "$(<reader.pub)" --name reader --role read --identity sheet >/dev/null
    : >stored
    store_one first web "${DUMPS[0]}" # so that there is something to keep
    store_one other cache "${DUMPS[0]}"
}

# store_one WHO SOURCE FILE: a backup, its id and sum added to ./stored; its messages in WHO.err
store_one() {
    local out
    out=$(as "$1" backup --source "$2" --from "$3" --json 2>"$1.err") || return
    python3 -c 'import json, sys; print(json.loads(sys.argv[1])["snapshot"], sys.argv[2])' \
        "$out" "$(sha256sum <"$3" | cut -d ' ' -f 1)" >>stored
}

# Each writes its own log; a line that begins with BAD is what must not be.
writer() { # who source
    local n=0 rc
    while [ ! -e stop ]; do
        rc=0
        store_one "$1" "$2" "${DUMPS[n % 4]}" || rc=$?
        [ $rc = 0 ] || { echo "BAD backup by $1: $rc" && cat "$1.err"; }
        n=$((n + 1))
    done
    echo "$1: $n backups"
}

# What is shown is what was stored; what is pruned while it is read is no longer shown.
reader() {
    local n=0 rc id known
    while [ ! -e stop ]; do
        as reader list --all --json >list.json 2>reader.err || { echo "BAD list: $?" && cat reader.err; }
        id=$(python3 -c 'import json, random
rows = json.load(open("list.json"))["snapshots"]
print(random.choice(rows)["id"] if rows else "")')
        [ -n "$id" ] || { echo 'BAD: nothing is there' && sleep 0.1 && continue; }
        rc=0
        rm -f back.rdb
        as reader restore "$id" --to back.rdb >/dev/null 2>reader.err || rc=$?
        if [ $rc = 0 ]; then
            known=$(sha256sum <back.rdb | cut -d ' ' -f 1)
            grep -q "$known" dumps.sums || echo "BAD: $id gave bytes that nobody stored"
        elif as reader list --all --json 2>/dev/null | grep -q "$id"; then
            echo "BAD restore of $id: $rc" && cat reader.err
        fi
        n=$((n + 1))
    done
    echo "reader: $n restored"
}

keeper() {
    local rc old n=0
    while [ ! -e stop ]; do
        rc=0
        as keeper expire --keep-last 3 --min-age 0s >expire.out 2>expire.err || rc=$?
        [ $rc = 0 ] || [ $rc = 3 ] || { echo "BAD expire: $rc" && cat expire.err; }
        # By hand what the rules leave because so many came today: all but the last three of each source.
        as keeper list --all --json >keep.json 2>/dev/null || { echo "BAD list by the keeper: $?"; }
        old=$(python3 -c 'import collections, json
s = collections.defaultdict(list)
for row in json.load(open("keep.json"))["snapshots"]: s[row["source"]].append(row["id"])
print(" ".join(id for ids in s.values() for id in ids[:-3]))')
        rc=0
        # shellcheck disable=SC2086
        [ -z "$old" ] || as keeper expire $old >expire.out 2>expire.err || rc=$?
        [ $rc = 0 ] || grep -q 'last good' expire.err || { echo "BAD expire by hand: $rc" && cat expire.err; }
        rc=0
        as keeper prune --quarantine 0s --json >prune.out 2>prune.err || rc=$?
        [ $rc = 0 ] || { echo "BAD prune: $rc" && cat prune.err; }
        [ $rc != 0 ] || n=$((n + $(python3 -c 'import json; print(json.load(open("prune.out"))["snapshots"])')))
    done
    echo "keeper: $n pruned"
}

together() {
    local job bad=0
    set_up
    for job in "${DUMPS[@]}"; do sha256sum <"$job" | cut -d ' ' -f 1; done >dumps.sums
    writer first web >first.log 2>&1 &
    writer second web >second.log 2>&1 &
    writer other cache >other.log 2>&1 &
    reader >reader.log 2>&1 &
    keeper >keeper.log 2>&1 &
    sleep "$1"
    touch stop
    wait
    grep -h '^[a-z]*: [0-9]' ./*.log >&2
    if grep -h -A 4 BAD ./*.log >&2; then bad=1; fi
    for job in first second other reader keeper; do
        n=$(sed -n "s/^$job: \([0-9]*\) .*/\1/p" $job.log)
        [ "${n:-0}" -gt 0 ] || { echo "$job did nothing" >&2 && bad=1; }
    done
    [ $bad = 0 ] || die 'they were in each other'\''s way'
    as reader verify --read-data >verify.out 2>verify.err || { cat verify.out verify.err >&2 && die 'not sound'; }
    as keeper prune --quarantine 0s --json >prune.out
    as reader verify --read-stored >/dev/null
    # Every snapshot that lives is one that a writer was told of, with the bytes that it stored.
    as reader list --all --json >list.json
    python3 -c 'import json
for row in json.load(open("list.json"))["snapshots"]: print(row["id"])' | while read -r id; do
        known=$(sed -n "s/^$id //p" stored)
        [ -n "$known" ] || die "$id: nobody stored it"
        [ "$(as reader cat "$id" 2>/dev/null | sha256sum | cut -d ' ' -f 1)" = "$known" ] ||
            die "$id: other bytes"
    done
}
