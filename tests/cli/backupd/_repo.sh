# What this is: what cases of backupd source: a repository, a dump, and a few words for what is expected.
# Rests on: BACKUPD, DATA, RESPITE_STATE, python3.
# Does not: decide anything by itself.
DUMP=$DATA/packed/cluster.rdb
die() { echo "line ${BASH_LINENO[0]}/${BASH_LINENO[1]:-}: $*" >&2 && exit 1; }
# ends STATUS COMMAND...: runs it, output in out and err
ends() {
    local want=$1 rc=0
    shift
    "$@" >out 2>err || rc=$?
    [ "$rc" = "$want" ] || { cat out err >&2 && die "exit status $rc, expected $want: $*"; }
}
# says TEXT: it stands in out or err
says() { grep -qF -- "$1" out err || { cat out err >&2 && die "not said: $1"; }; }
never() { if grep -qF -- "$1" out err; then cat out err >&2 && die "said: $1"; fi; }
# json EXPRESSION: of d, the JSON in out
json() { python3 -c 'import json, sys; d = json.load(open("out")); print(eval(sys.argv[1]))' "$1"; }
# make_repo: a repository in ./repo, its sheet in ./sheet
make_repo() {
    export RESPITE_REPO=file:$PWD/repo
    ends 0 "$BACKUPD" init --recovery-out sheet --name host
    PUB=$(sed -n 's/^root *//p' out)
}
# store TIME [SOURCE]: a snapshot of that time; its id in ID
store() {
    ends 0 "$BACKUPD" backup --from "$DUMP" --source "${2:-default}" --now "$1" --json
    ends 0 "$BACKUPD" list --all --json
    ID=$(json "max((s['time_ms'], s.get('id', '')) for s in d['snapshots'])[1]")
}
