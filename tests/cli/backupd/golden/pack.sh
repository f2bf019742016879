# A pack file that a release wrote is opened for ever: by unpack, and as it stands by the verbs that read a dump.
# shellcheck source=tests/cli/backupd/golden/_golden.sh
. "$TESTS/cli/backupd/golden/_golden.sh"
n=0
for golden in $(releases); do
    [ -e "$golden/cluster.rspack" ] || continue
    clone "$golden"
    ends 0 "$RDBTOOL" unpack "$golden/cluster.rspack" --identity keys/ops -o - --force
    [ "$(sum out)" = "$(<"$golden/cluster.rspack.sha256")" ] || die 'other bytes'
    mv out dump.rdb
    ends 0 "$RDBTOOL" check --quick "$golden/cluster.rspack" --identity keys/ops
    ends 0 "$RDBTOOL" export "$golden/cluster.rspack" --identity keys/ops
    mv out packed.jsonl
    ends 0 "$RDBTOOL" export dump.rdb
    cmp out packed.jsonl
    ends 12 "$RDBTOOL" unpack "$golden/cluster.rspack" --identity keys/spare -o none
    [ ! -e none ] || die 'something was written'
    n=$((n + 1))
done
[ "$n" != 0 ] || die 'no golden pack file'
