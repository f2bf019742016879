# What this is: the conformance suite on one storage, for the cases conformance_*.sh; source it.
# Rests on: backupd probe.
# Does not: start a server.
#
# conform URL EXPECTED OPTIONS...: every row of `backupd probe` is OK, but for those of EXPECTED, lines of "VERDICT WHAT"
# in the order of the rows; and nothing of it is left. How many pages are tried depends on the time it takes: no difference.
conform() {
    local url=$1 expected=$2 code=0
    "$BACKUPD" probe --repo "$url" "${@:3}" >probe.out 2>probe.err || code=$?
    sed -n 's/^\(OK\|note\|WARN\|FAILED\)  *\([a-z ]*[a-z]\)  .*/\1 \2/p' probe.out | grep -v -e '^OK ' -e '^note pages$' >rows || :
    printf '%s' "$expected" | grep -v '^$' >expected || :
    if [ "$code" != 0 ] || ! grep -q '^OK *put ' probe.out || ! diff -u expected rows >&2; then
        echo "exit status $code of probe on $url" >&2
        cat probe.out probe.err >&2
        exit 1
    fi
}
