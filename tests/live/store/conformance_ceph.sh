# What this is: the conformance suite on Ceph's S3: plain, over TLS, in a bucket with versions, below a prefix; with
#   credentials that may not delete.
# Rests on: _ceph.sh, backupd probe.
# Does not: look at other services.
# TIMEOUT: 600
# LONG
. "$TESTS/live/store/_ceph.sh"
. "$TESTS/live/store/_conformance.sh"
ceph_start
export AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET
s3 PUT /bucket-one >/dev/null
s3 PUT /bucket-two >/dev/null
s3 PUT '/bucket-two?versioning' -d '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' >/dev/null
conform "s3://bucket-one/a/b?endpoint=${GATE_HTTP[main]}" 'note versions
note lock
note rights'
conform "s3://bucket-one?endpoint=${GATE_HTTPS[main]}" 'note versions
note lock
note rights' --repo-cacert "$S3_CA" --part-size 5M
# "create only" is a note here: radosgw 16 writes a version as an object of its own and asks the condition of that one, which
# is new each time: in a bucket with versions If-None-Match never fails (in a plain or a suspended one it does, with 412).
# The second put hides the first, which stays below as the older version; the driver notices this and looks before it puts.
conform "s3://bucket-two?endpoint=${GATE_HTTP[main]}" 'note create only
note lock
note rights' --part-size 5M
s3_user maker MAKERKEY MAKERSECRET
s3_policy bucket-two maker s3:ListBucket s3:ListBucketMultipartUploads s3:GetObject s3:PutObject s3:AbortMultipartUpload \
    s3:ListMultipartUploadParts s3:GetBucketVersioning s3:GetBucketObjectLockConfiguration
export AWS_ACCESS_KEY_ID=MAKERKEY AWS_SECRET_ACCESS_KEY=MAKERSECRET
conform "s3://bucket-two/maker?endpoint=${GATE_HTTP[main]}" 'note delete
note clean
note create only
note lock
note rights' --part-size 5M
