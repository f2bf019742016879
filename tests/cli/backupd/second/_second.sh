# What this is: what the cases of the second reader source: tests/second/respite_reader.py beside backupd.
# Rests on: _repo.sh, python3, zstd.
# Does not: decide anything by itself.
# shellcheck source=tests/cli/backupd/_repo.sh
. "$TESTS/cli/backupd/_repo.sh"
READER=$TESTS/second/respite_reader.py
# reads STATUS ARGUMENTS: runs the reader, output in told
reads() {
    local want=$1 rc=0
    shift
    python3 "$READER" "$@" >told 2>err || rc=$?
    [ "$rc" = "$want" ] || { cat told err >&2 && die "the second reader ends with $rc, expected $want: $*"; }
}
# sum FILE
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }
# streams: SHA-256 of every stream that the reader found, sorted
streams() { sed -n 's/^stream .* sha256 //p' told | sort; }
