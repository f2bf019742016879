# What every release wrote, the second reader reads: the golden repositories give the bytes that they gave then.
# shellcheck source=tests/cli/backupd/second/_second.sh
. "$TESTS/cli/backupd/second/_second.sh"
n=0
for golden in "$DATA"/golden/*/expect/streams; do
    golden=${golden%/expect/streams}
    reads 0 "$golden/repo" "$golden/keys/sheet"
    while read -r id cat want _; do
        [ "$cat" != 24 ] || continue # given up
        grep -q "^stream $id .* sha256 $want\$" told || die "$golden: $id: other bytes"
        n=$((n + 1))
    done <"$golden/expect/streams"
done
[ "$n" != 0 ] || die 'no golden repository'
