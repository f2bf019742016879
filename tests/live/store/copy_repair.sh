# verify --repair-from: what was damaged by hand in a bucket of Ceph, cut, and removed, comes back from a directory, and from
# nowhere else.
# Rests on: _ceph.sh.
. "$TESTS/live/store/_ceph.sh"
. "$TESTS/cli/backupd/_repo.sh"
ceph_start
s3 PUT /bucket-one >/dev/null
export AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET
export RESPITE_REPO=$STORE_URL
B=file:$PWD/mirror
ends 0 "$BACKUPD" init --recovery-out sheet --name host
ends 0 "$BACKUPD" init --repo "$B" --mirror-of "$RESPITE_REPO"
for day in 17 18 19; do ends 0 "$BACKUPD" backup --from "$DUMP" --now "2026-11-${day}T00:00:00Z"; done
ends 0 "$BACKUPD" copy --to "$B"
says 'copied 3'
mapfile -t data < <(cd mirror && find data -type f | sort)
manifest=$(cd mirror && find manifests -type f | sort | head -n 1)
python3 - "mirror/${data[0]}" changed <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[2], "wb").write(data)
END
s3 PUT "/bucket-one/repo/${data[0]}" -f changed >/dev/null
head -c 200 changed >shorter
s3 PUT "/bucket-one/repo/${data[1]}" -f shorter >/dev/null
s3 DELETE "/bucket-one/repo/$manifest" >/dev/null
ends 24 "$BACKUPD" verify --read-stored
says "${data[0]}"
ends 0 "$BACKUPD" verify --repair-from "$B" --json
[ "$(json 'd["sound"], d["repair"]["damaged"], d["repair"]["repaired"], d["repair"]["objects"]')" = '(True, 3, 3, 6)' ]
[ "$(json 'sorted(o["name"] for o in d["repair"]["objects_damaged"])')" = \
    "$(python3 -c 'import sys; print(sorted(sys.argv[1:]))' "${data[0]}" "${data[1]}" "$manifest")" ]
s3 GET "/bucket-one/repo/${data[0]}" >back
cmp back "mirror/${data[0]}"
ends 0 "$BACKUPD" verify --read-data --identity sheet
# The other way round: a copy, asked for it, replaces what is damaged in the bucket.
s3 PUT "/bucket-one/repo/${data[2]}" -f changed >/dev/null
ends 0 "$BACKUPD" copy --from "$B" --to "$RESPITE_REPO" --verify --json
[ "$(json 'd["there"], d["failed"], d["objects"]')" = '(3, 0, 1)' ]
ends 0 "$BACKUPD" verify --read-stored
