# What this is: Swift's S3 side: the conformance suite with what is known of it (no condition, no locks), and backup,
#   verify, restore, prune, a wrong region, a wrong secret.
# Rests on: live/store/_swift.sh, live/store/_conformance.sh.
# Does not: use Swift's own protocol.
# TIMEOUT: 900
. "$TESTS/live/store/_swift.sh"
. "$TESTS/live/store/_conformance.sh"
die() { echo "$*" >&2 && exit 1; }
ends() {
    local want=$1 rc=0
    "${@:2}" >out 2>err </dev/null || rc=$?
    [ "$rc" = "$want" ] || { cat out err >&2 && die "exit status $rc, expected $want: ${*:2}"; }
}
swift_start
export AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET
python3 "$TESTS/live/store/_s3.py" PUT /bucket-probe >answer 2>code || { cat code >&2 && exit 1; }
# It answers 501 to If-None-Match: we look before. It has neither versions switched on nor locks.
conform "s3://bucket-probe/a?endpoint=$S3_ENDPOINT" 'note create only
note versions
note lock
note rights' --part-size 5M
python3 - <<'PY'
import os
with open('large.rdb', 'wb') as f:
    f.write(b'REDIS0009\xfe\x00')
    for i in range(40 * 16):
        f.write(b'\x00\x06%06d\x80\x00\x01\x00\x00' % i + os.urandom(65536))
    f.write(b'\xff' + bytes(8))
PY
ends 0 "$BACKUPD" init --repo "$STORE_URL" --create-bucket --recovery-out sheet
ends 0 "$BACKUPD" backup --repo "$STORE_URL" --source s --from "$DATA/packed/cluster.rdb"
ends 0 "$BACKUPD" backup --repo "$STORE_URL" --source s --from large.rdb --part-size 5M
ends 0 "$BACKUPD" verify --repo "$STORE_URL" --read-data --identity sheet
ends 0 "$BACKUPD" restore latest --repo "$STORE_URL" --identity sheet --to again.rdb
cmp large.rdb again.rdb || die 'restored otherwise'
ends 0 "$BACKUPD" list --repo "$STORE_URL" --identity sheet --json
first=$(sed -n 's/.*"id": "\([0-9a-f]*\)".*/\1/p' out | head -n 1)
ends 0 "$BACKUPD" expire --repo "$STORE_URL" --identity sheet "$first"
ends 0 "$BACKUPD" prune --repo "$STORE_URL" --identity sheet --quarantine 0s --debris-age 0s
ends 0 "$BACKUPD" verify --repo "$STORE_URL" --read-data --identity sheet
ends 0 "$BACKUPD" list --repo "$STORE_URL" --identity sheet --json
[ "$(grep -o '"id"' out | wc -l)" = 1 ] || { cat out >&2 && die 'not one snapshot'; }
# It takes no signature for another region, and says which is its own; nor one of another secret.
! "$BACKUPD" list --repo "$STORE_URL&region=elsewhere" --identity sheet >out 2>err || die 'another region was taken'
grep -q 'us-east-1' err || { cat err >&2 && die 'its region is not said'; }
! AWS_SECRET_ACCESS_KEY=other "$BACKUPD" list --repo "$STORE_URL" --identity sheet >out 2>err || die 'another secret was taken'
grep -q 'SignatureDoesNotMatch' err || { cat err >&2 && die 'unclear words'; }
