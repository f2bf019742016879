# What this is: what the cases of the golden repositories source: each release's copied as a clone would have it (new
#   times, no memory), and a few words for what it must answer.
# Rests on: BACKUPD, DATA, RESPITE_STATE, python3.
# Does not: change what lies under tests/data.
die() { echo "line ${BASH_LINENO[0]}/${BASH_LINENO[1]:-}: $*" >&2 && exit 1; }
# ends STATUS COMMAND...: runs it, output in out and err
ends() {
    local want=$1 rc=0
    shift
    "$@" >out 2>err || rc=$?
    [ "$rc" = "$want" ] || { cat out err >&2 && die "exit status $rc, expected $want: $*"; }
}
# releases: their folders
releases() { printf '%s\n' "$DATA"/golden/*/expect/list.json | sed 's|/expect/list.json$||'; }
# clone RELEASE: its repository in ./repo, its keys in ./keys
clone() {
    chmod -R u+rwX repo keys 2>/dev/null || :
    rm -rf repo keys state "$RESPITE_STATE"
    cp -r "$1/repo" "$1/keys" .
    chmod -R u+rw,go= keys
    export RESPITE_REPO=file:$PWD/repo
}
# sum FILE
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }
# agrees FILE: everything that FILE says stands in out, too; later versions may say more
agrees() {
    python3 - "$1" out <<'END' || { cat err >&2 && die "not as $1 says"; }
import json, sys

def agree(want, got, path):
    if isinstance(want, dict):
        for k in want:
            if not isinstance(got, dict) or k not in got:
                sys.exit(f"{path}.{k}: not there")
            agree(want[k], got[k], f"{path}.{k}")
    elif isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            sys.exit(f"{path}: expected {len(want)} of them: {got}")
        for i, w in enumerate(want):
            agree(w, got[i], f"{path}[{i}]")
    elif want != got:
        sys.exit(f"{path}: expected {want!r}, got {got!r}")

agree(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])), "")
END
}
# faults: what the last command's JSON calls wrong
faults() { python3 -c 'import json; print([t for t in json.load(open("out"))["troubles"] if t["status"] != "note"])'; }
# streams RELEASE [options]: every living snapshot gives the bytes that it gave then
streams() {
    local golden=$1 id cat want
    shift
    while read -r id cat want _; do
        [ "$cat" != 24 ] || continue # given up: read.sh
        ends "$cat" "$BACKUPD" cat "$id" "$@"
        [ "$(sum out)" = "$want" ] || die "$id: other bytes"
    done <"$golden/expect/streams"
}
