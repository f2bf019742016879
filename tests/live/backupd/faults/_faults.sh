# What this is: a repository with one sound snapshot, and what must hold after each fault: the exit status, the words, nothing
#   published, nothing in the way of the next run.
# Rests on: tests/live/_redis.sh, tests/fault.
# Does not: decide which faults there are.
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"

has_port() { [ -s port ] || ! kill -0 "${PID[fault]}" 2>/dev/null; }
# background PROGRAM...: of tests/fault; its port in ./port
background() {
    rm -f port
    python3 "$TESTS/fault/$1" --port-file port "${@:2}" 2>background.err &
    PID[fault]=$!
    until_true "$1 does not start" has_port
    [ -s port ] || { cat background.err >&2 && die "$1 ended"; }
}
background_end() {
    kill -KILL "${PID[fault]}" 2>/dev/null || :
    wait "${PID[fault]}" 2>/dev/null || :
    unset "PID[fault]"
}
shown() { "$BACKUPD" list --all --json 2>/dev/null | python3 -c 'import json, sys
d = json.load(sys.stdin)
print([s["id"] for s in d["snapshots"]], d.get("troubles"))'; }
records_n() { find repo -path '*/log/*' -type f | wc -l; }
# fails STATUSES WORDS COMMAND...: one of these statuses (with commas), the words said, the list as before, no record made
fails() {
    local want=$1 words=$2 rc=0 before records
    shift 2
    before=$(shown)
    records=$(records_n)
    "$@" >out 2>err || rc=$?
    [[ ,$want, == *,$rc,* ]] || { cat out err >&2 && die "exit status $rc, expected $want: $words"; }
    says "$words"
    never 'stored '
    [ "$(shown)" = "$before" ] || die "the list is another one: $words"
    [ "$(records_n)" = "$records" ] || die 'a record was made'
}
