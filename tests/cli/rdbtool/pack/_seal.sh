# What this is: what cases around sealed files source: two identities, a dump, and a few words for what is expected.
# Rests on: RDBTOOL, BACKUPD, DATA of tests/run-cli.sh.
# Does not: decide anything by itself.
# shellcheck shell=bash disable=SC2034
DUMP=$DATA/redis-8.6.3/everything.rdb
die() { echo "line ${BASH_LINENO[0]}/${BASH_LINENO[1]:-}: $*" >&2 && exit 1; }
# ends STATUS COMMAND...: runs it, output in out and err
ends() {
    local want=$1 rc=0
    shift
    "$@" >out 2>err || rc=$?
    [ "$rc" = "$want" ] || { cat err >&2 && die "exit status $rc, expected $want: $*"; }
}
# says TEXT...: each stands in err; never TEXT: it does not
says() { for text; do grep -qF -- "$text" err || { cat err >&2 && die "not said: $text"; }; done; }
never() { if grep -qF -- "$1" err; then cat err >&2 && die "said: $1"; fi; }
# clean: no leftovers of a file that did not come to be
clean() { [ -z "$(find . -name '.*.part')" ] || die 'something is left'; }
# spoil FILE OFFSET: turns one bit about
spoil() {
    python3 -c 'import sys
f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); c = f.read(1)[0]; f.seek(int(sys.argv[2])); f.write(bytes([c ^ 1]))' "$@"
}
ONE=$("$BACKUPD" key new --out one --name one)
TWO=$("$BACKUPD" key new --out two --name two)
