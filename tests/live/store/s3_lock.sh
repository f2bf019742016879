# What this is: object lock on Ceph: every object of a repository is locked, those put in parts, too; what a thief with
#   all rights deletes and overwrites is listed, verified and restored from the oldest versions; a bucket without is refused.
# Rests on: _ceph.sh, python3.
# Does not: wait until a lock is over.
# TIMEOUT: 120
. "$TESTS/live/store/_ceph.sh"
die() { echo "$*" >&2 && exit 1; }
# ends STATUS VERB...: output in out and err
ends() {
    local want=$1 rc=0
    "$BACKUPD" "${@:2}" >out 2>err || rc=$?
    [ "$rc" = "$want" ] || { cat out err >&2 && die "exit status $rc, expected $want: ${*:2}"; }
}
ceph_start
export AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET
url="s3://locked/repo?endpoint=${GATE_HTTP[main]}"
ends 0 init --repo "$url" --create-bucket --lock governance:1d --recovery-out sheet
python3 - <<'PY'
import os
with open('large.rdb', 'wb') as f:
    f.write(b'REDIS0009\xfe\x00')
    for i in range(11 * 16):
        f.write(b'\x00\x06%06d\x80\x00\x01\x00\x00' % i + os.urandom(65536))
    f.write(b'\xff' + bytes(8))
PY
ends 0 backup --repo "$url" --lock governance:1d --part-size 5M --from large.rdb

# Each of them, and at least one that came in parts (its ETag says so).
names() { s3 GET "/locked?list-type=2&prefix=repo/" 2>/dev/null | grep -o '<Key>[^<]*' | sed 's/<Key>//'; }
names >objects
[ "$(wc -l <objects)" -ge 4 ] || { cat objects >&2 && die 'too few objects'; }
parts=0
while IFS= read -r name; do
    s3 HEAD "/locked/$name" >fields 2>code
    grep -q '^x-amz-object-lock-mode: GOVERNANCE' fields || { cat fields code >&2 && die "$name is not locked"; }
    until=$(sed -n 's/^x-amz-object-lock-retain-until-date: //p' fields)
    [ "$(date -d "$until" +%s)" -gt $(($(date +%s) + 86000)) ] || die "$name is locked until $until"
    ! grep -q '^etag: "[0-9a-f]*-[0-9]*"' fields || parts=$((parts + 1))
    grep '^x-amz-version-id: ' fields | sed "s|^[^:]*: |$name |" >>versions
done <objects
[ "$parts" -ge 1 ] || die 'none was put in parts'

# A thief with all rights: no version goes; deleting makes a marker, overwriting a new version.
read -r name version <versions
! s3 DELETE "/locked/$name?versionId=$version" >answer 2>code || die 'a locked version was deleted'
grep -q '^403 ' code || { cat code >&2 && die 'not refused'; }
i=0
while IFS= read -r name; do
    if [ $((i++ % 2)) = 0 ]; then s3 DELETE "/locked/$name" >answer 2>code
    else s3 PUT "/locked/$name" -d garbage >answer 2>code; fi
done <objects
! s3 HEAD "/locked/$(head -n 1 objects)" >answer 2>code || die 'it was not deleted'
rm -rf "$RESPITE_STATE"
rc=0
"$BACKUPD" verify --repo "$url" --identity sheet >out 2>err || rc=$?
[ "$rc" != 0 ] || die 'what was stolen verifies'
rm -rf "$RESPITE_STATE"
ends 0 list --repo "$url" --oldest-versions --identity sheet
grep -q . out || die 'an empty list'
ends 0 verify --repo "$url" --oldest-versions --identity sheet --read-data
ends 0 restore latest --repo "$url" --oldest-versions --identity sheet --to again.rdb
cmp "$TMPDIR/large.rdb" again.rdb || { ls -l large.rdb again.rdb >&2 && die 'restored otherwise'; }

# A bucket without it.
s3 PUT /plain >answer 2>code
ends 2 init --repo "s3://plain/repo?endpoint=${GATE_HTTP[main]}" --lock governance:1d --recovery-out sheet.plain
grep -q 'object lock is set when a bucket is made' err || { cat err >&2 && die 'unclear words'; }
s3 GET '/plain?list-type=2' >answer 2>code
! grep -q '<Key>' answer || die 'something was put all the same'
