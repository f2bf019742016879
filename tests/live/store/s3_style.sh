# What this is: both styles of S3 addresses over TLS, the bucket in the path and in the host's name; what a certificate for
#   another bucket's name is worth; style=virtual with a port.
# Rests on: _ceph.sh, openssl; *.localhost leads to loopback.
# Does not: look at AWS's own names (the unit tests do).
# TIMEOUT: 120
. "$TESTS/live/store/_ceph.sh"
die() { echo "$*" >&2 && exit 1; }
ends() {
    local want=$1 rc=0
    "${@:2}" >out 2>err </dev/null || rc=$?
    [ "$rc" = "$want" ] || { cat out err >&2 && die "exit status $rc, expected $want: ${*:2}"; }
}
# certificate NAME SAN...: $CEPH/NAME.pem of those names
certificate() {
    local names
    names=$(printf ',DNS:%s' "${@:2}")
    openssl x509 -req -in "$CEPH/host.csr" -CA "$CEPH/ca.pem" -CAkey "$CEPH/ca.key" -CAcreateserial -days 30 \
        -extfile <(echo "subjectAltName=${names#,}") -out "$CEPH/$1.pem" 2>"$CEPH/log/openssl.out" || die 'no certificate'
}
ceph_start
getent hosts bucket-one.localhost >found || curl -s -o found "http://bucket-one.localhost:${GATE_HTTP[main]##*:}/" ||
    { echo 'names below localhost lead nowhere' >&2 && exit 77; }
certificate one bucket-one.localhost localhost
GATE_CERT=$CEPH/one.pem gate one
export AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET RESPITE_REPO_CACERT=$S3_CA
host="s3://bucket-one/repo?endpoint=${GATE_HTTPS[one]}&style=virtual"
path="s3://bucket-one/repo?endpoint=${GATE_HTTPS[one]}&style=path"
ends 0 "$BACKUPD" init --repo "$host" --create-bucket --recovery-out sheet
ends 0 "$BACKUPD" backup --repo "$host" --from "$DATA/packed/cluster.rdb"
# It is one and the same bucket.
ends 0 "$BACKUPD" verify --repo "$path" --read-data --identity sheet
ends 0 "$BACKUPD" backup --repo "$path" --identity sheet --from "$DATA/packed/cluster.rdb"
ends 0 "$BACKUPD" list --repo "$host" --identity sheet --json
[ "$(grep -o '"id"' out | wc -l)" = 2 ] || { cat out >&2 && die 'not both snapshots'; }
s3 GET '/bucket-one?list-type=2&prefix=repo/log/' 2>code | grep -q '<Key>repo/log/' || { cat code >&2 && die 'not there'; }
# The certificate names this bucket alone: another one's host is not the one we meant; by the path it is.
rc=0
"$BACKUPD" init --repo "s3://bucket-two/repo?endpoint=${GATE_HTTPS[one]}&style=virtual" --create-bucket --recovery-out two \
    >out 2>err || rc=$?
[ "$rc" != 0 ] || die 'a certificate of another name was taken'
grep -qi 'certificate' err || { cat err >&2 && die 'unclear words'; }
grep -q 'bucket-two\.localhost' err || { cat err >&2 && die 'no word of the host'; }
! s3 HEAD /bucket-two >answer 2>code || die 'the bucket was made all the same'
ends 0 "$BACKUPD" init --repo "s3://bucket-two/repo?endpoint=${GATE_HTTPS[one]}" --create-bucket --recovery-out two
s3 HEAD /bucket-two >answer 2>code || { cat code >&2 && die 'no bucket'; }
