# What this is: single faults of an S3 storage, Ceph's: wrong keys and places, certificates, clocks, refusals, a server that is
#   slow, busy, stuck, or answers nonsense: the right status, words that help, nothing half-published, no secret told.
# Rests on: _faults.sh, radosgw, curl.
# Does not: look at every request (matrix_ceph.sh).
# TIMEOUT: 300
# LONG
. "$TESTS/live/store/_faults.sh" ceph
faults_start
at=${A#*\?}

# Who asks, and where.
keys() { AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 "${@:3}"; }
SECRETS+=(NotThisOneAtAll GUESTSECRET)
fails 'wrong secret' 22 'SignatureDoesNotMatch.*secret' keys "$S3_ACCESS" NotThisOneAtAll backup_at "$A"
fails 'wrong key' 22 'InvalidAccessKeyId' keys NOBODY "$S3_SECRET" backup_at "$A"
fails 'wrong bucket' 10 'NoSuchBucket|bucket' backup_at "s3://bucket-none/a?$at"
fails 'no such host' 22 'no such host|resolve' backup_at 's3://bucket-one/a?endpoint=http://nowhere.invalid'
fails 'nobody listens' 22 'refused' backup_at "s3://bucket-one/a?endpoint=http://127.0.0.1:1"
untouched

# Whom we meant.
secure="s3://bucket-one/a?endpoint=${GATE_HTTPS[main]}"
fails 'unknown CA' 22 'certificate' backup_at "$secure"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=other -keyout other.key \
    -out other.pem 2>/dev/null
fails 'wrong CA' 22 'certificate' backup_at "$secure" --repo-cacert other.pem
openssl x509 -req -in "$CEPH/host.csr" -CA "$CEPH/ca.pem" -CAkey "$CEPH/ca.key" -days 2 -out other.pem \
    -extfile <(echo subjectAltName=DNS:other.example) 2>/dev/null
GATE_CERT=$PWD/other.pem gate other
fails 'wrong name' 22 'certificate.*(localhost|name)' backup_at "s3://bucket-one/a?endpoint=${GATE_HTTPS[other]}" \
    --repo-cacert "$S3_CA"
ceph_expired
GATE_CERT=$CEPH/expired.pem gate late
fails 'expired certificate' 22 'expired' backup_at "s3://bucket-one/a?endpoint=${GATE_HTTPS[late]}" --repo-cacert "$S3_CA"
fails 'no TLS there' 22 'TLS' backup_at "s3://bucket-one/a?endpoint=https://${S3_ENDPOINT#http://}" --repo-cacert "$S3_CA"
untouched

# Our clock: it is corrected by the server's.
where='clock skew'
ends 0 "$BACKUPD" list --repo "$A" --now "@$((EPOCHSECONDS - 3600))"
ends 0 "$BACKUPD" list --repo "$A" --now "@$((EPOCHSECONDS + 3600))"
plan status:403,RequestTimeTooSkewed 1 always .
fails 'clocks never agree' 22 'RequestTimeTooSkewed.*clock' backup_at "$A"

# Refusals.
for n in 403 404 500 503; do
    plan "status:$n" 1 always 'PUT .*/data/'
    fails "$n" 22 "$n" backup_at "$A"
done
plan status:412 1 always 'PUT .*/data/'
fails '412, and not by us' 26 '412.*exists already' backup_at "$A"
plan status:403 1 always 'PUT .*/log/'
fails '403 of the record' 22 'AccessDenied.*policy' backup_at "$A"
# What cannot be had is not what is damaged.
for what in roles/0 log/ data/; do
    plan status:500 1 always "GET .*/a/$what"
    fails "500 of $what" 22 'InternalError' "$BACKUPD" verify --read-stored --repo "$A" --retries 0
    plan short 1 always "GET .*/a/$what"
    fails "short $what" 22 'ended too early' "$BACKUPD" verify --read-stored --repo "$A" --retries 0
done
for n in 500 503; do
    plan "status:$n" 1 once 'PUT .*/log/'
    passes "$n once" backup_at "$A"
    plan "after:$n" 1 once 'PUT .*/log/'
    passes "$n once, carried out" backup_at "$A"
done
s3_user guest GUESTKEY GUESTSECRET
s3_policy bucket-one guest s3:ListBucket s3:GetObject
fails 'may not write' 22 'AccessDenied.*key policy' keys GUESTKEY GUESTSECRET backup_at "$A"

# Lines and answers.
plan reset 1 once 'GET .*/roles/0'
passes 'reset once' backup_at "$A"
plan short 1 once 'GET .*/roles/0'
passes 'short once' backup_at "$A"
plan reset 1 always 'PUT .*/data/'
fails 'reset of a put' 22 'broke|reset|closed' backup_at "$A"
plan stall 1 always 'PUT .*/data/'
fails 'no answer' 22 'no byte moved' backup_at "$A" --repo-stall-timeout 500ms
plan stall 1 once 'PUT .*/data/'
passes 'no answer once' backup_at "$A" --repo-stall-timeout 1s
plan slow 1 always /data/
passes 'slow' backup_at "$A" --repo-stall-timeout 2s
plan date 1 always .
passes 'a server whose Date is late' backup_at "$A"
large() { "$BACKUPD" backup --repo "$A" --source l --from large.rdb --part-size 5M --retries "$RETRIES"; }
plan error200 1 always 'POST .*uploadId'
fails '200 with an error inside' 22 'InternalError' large
plan late200 1 once 'POST .*uploadId'
passes 'the same, carried out' large

# A server that is full of requests, and one whose disk stands still.
gate busy --rgw_max_concurrent_requests=1
busy="s3://bucket-one/a?endpoint=${GATE_HTTP[busy]}"
ceph_halt
# it has the one place there is, unless our own look was there first
hang() {
    S3_ENDPOINT=${GATE_HTTP[busy]} s3 GET /bucket-one/a/sheet >hanging 2>&1 &
    hanging=$!
}
taken() {
    [ "$(curl -s --noproxy '*' -o answer -w '%{http_code}' "${GATE_HTTP[busy]}/")" != 503 ] || return 0
    kill -0 "$hanging" 2>/dev/null || hang
    return 1
}
hang
where='no place'
ceph_wait 'the second gate is not busy' taken
ends 22 backup_at "$busy"
said_well '503 SlowDown' 'SlowDown'
ends 22 backup_at "$A_CLEAN" --repo-stall-timeout 700ms
said_well 'the OSD stands still' 'no byte moved'
ceph_go
wait "$hanging" || :
same
where='pruning what is left'
pruned "$A" "$A_CLEAN" a
cat words >&2
