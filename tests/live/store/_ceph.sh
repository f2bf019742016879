# What this is: a private Ceph (mon, OSD in memory, radosgw) for a case, in ./ceph; source it, then ceph_start.
# Rests on: radosgw, ceph-mon, ceph-osd, ceph-common, openssl, curl, python3.
# Does not: listen anywhere but on loopback, need root, or outlive the case.
for tool in radosgw ceph-mon ceph-osd ceph radosgw-admin monmaptool openssl curl python3; do
    command -v $tool >/dev/null || { echo "$tool is not installed" >&2 && exit 77; }
done
CEPH=$PWD/ceph
declare -A CEPH_PID=() GATE_HTTP=() GATE_HTTPS=()
ceph_stop() {
    local name
    for name in "${!CEPH_PID[@]}"; do kill -KILL "${CEPH_PID[$name]}" 2>/dev/null || :; done
    CEPH_PID=()
    ! declare -F children_stop >/dev/null || children_stop
    wait 2>/dev/null || :
}
trap ceph_stop EXIT

# ceph_ports N: so many free ones
ceph_ports() {
    python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(('127.0.0.1', 0))
print(*[s.getsockname()[1] for s in held])
PY
}
# ceph_wait MESSAGE COMMAND...: tries it for thirty seconds
ceph_wait() {
    local i
    for ((i = 0; i < 600; i++)); do
        ! "${@:2}" || return 0
        sleep 0.05
    done
    echo "$1" >&2
    tail -n 20 "$CEPH"/log/*.out >&2
    exit 1
}

# A CA of its own, and a certificate of this host that it signed: $CEPH/ca.pem, cert.pem, key.pem
ceph_certificates() {
    local new=(openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    "${new[@]}" -x509 -days 30 -subj '/CN=the case' -addext basicConstraints=critical,CA:TRUE \
        -keyout "$CEPH/ca.key" -out "$CEPH/ca.pem" 2>/dev/null
    "${new[@]}" -subj /CN=localhost -keyout "$CEPH/key.pem" -out "$CEPH/host.csr" 2>/dev/null
    openssl x509 -req -in "$CEPH/host.csr" -CA "$CEPH/ca.pem" -CAkey "$CEPH/ca.key" -CAcreateserial -days 30 \
        -extfile <(echo 'subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1') -out "$CEPH/cert.pem" 2>/dev/null
}
# ceph_expired: $CEPH/expired.pem, whose time was over yesterday
ceph_expired() {
    mkdir -p "$CEPH/signed"
    : >"$CEPH/signed/index"
    echo 01 >"$CEPH/signed/serial"
    cat >"$CEPH/signed/conf" <<C
[ca]
default_ca = own
[own]
database = $CEPH/signed/index
serial = $CEPH/signed/serial
new_certs_dir = $CEPH/signed
default_md = sha256
policy = any
[any]
commonName = supplied
[host]
subjectAltName = DNS:localhost, IP:127.0.0.1
C
    openssl ca -batch -notext -config "$CEPH/signed/conf" -extensions host -cert "$CEPH/ca.pem" \
        -keyfile "$CEPH/ca.key" -startdate 20200101000000Z -enddate 20200102000000Z -in "$CEPH/host.csr" \
        -out "$CEPH/expired.pem" 2>"$CEPH/log/openssl.out"
}

# radosgw takes ms_mon_client_mode as secure whatever the authentication is, and then waits for ever: crc says otherwise.
# Without short paxos intervals each change of a map takes a second.
ceph_conf() {
    local id=$1 mon=$2 low=$3
    cat >"$CEPH/ceph.conf" <<C
[global]
fsid = $id
mon host = [v2:127.0.0.1:$mon/0]
ms bind msgr1 = false
auth cluster required = none
auth service required = none
auth client required = none
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind port min = $low
ms bind port max = $((low + 200))
run dir = $CEPH/run
admin socket =
pid file =
log file = $CEPH/log/\$name.log
log to stderr = false
err to stderr = true
keyring = $CEPH/keyring
crash dir = $CEPH/log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
paxos propose interval = 0.02
paxos min wait = 0.01
osd op queue = wpq
mon osd adjust heartbeat grace = false
mon data avail warn = 1
mon data avail crit = 1
[mon.a]
mon data = $CEPH/mon
[osd.0]
osd data = $CEPH/osd
osd objectstore = memstore
memstore device bytes = ${CEPH_BYTES:-2147483648}
[client.rgw]
rgw data = $CEPH/rgw
rgw rados pool pg num min = 4
rgw enable usage log = false
rgw enable ops log = false
rgw thread pool size = 32
rgw dynamic resharding = false
rgw run sync thread = false
rgw sts key = abcdefghijklmnop
rgw dns name = localhost
ms mon client mode = crc
ms mon service mode = crc
ms mon cluster mode = crc
${CEPH_GC:+rgw gc obj min wait = 2
rgw gc processor period = 2
rgw gc processor max time = 2}
C
}
ceph_spawn() {
    "${@:2}" >"$CEPH/log/$1.out" 2>&1 &
    CEPH_PID[$1]=$!
}
osd_up() {
    case $(timeout 5 ceph osd stat 2>/dev/null) in *'1 up'*) return 0 ;; esac
    return 1
}
gate_answers() { curl -s --noproxy '*' -o "$CEPH/log/answer" "${GATE_HTTP[$1]}/"; }
# gate NAME [OPTIONS...]: one more radosgw on the same cluster, at ${GATE_HTTP[NAME]} and ${GATE_HTTPS[NAME]}; among OPTIONS
# --rgw_max_concurrent_requests=2 makes it answer 503 SlowDown, --rgw_s3_auth_use_sts=true knows session tokens (and answers
# wrong keys with AccessDenied). GATE_CERT: another certificate.
gate() {
    local name=$1 try plain tls
    for try in 1 2 3; do
        read -r plain tls <<<"$(ceph_ports 2)"
        # shellcheck disable=SC2034 # the case asks for it
        GATE_HTTP[$name]=http://127.0.0.1:$plain GATE_HTTPS[$name]=https://localhost:$tls
        ceph_spawn "gate-$name" radosgw -n client.rgw -f "${@:2}" --rgw_frontends="beast tcp_nodelay=1 endpoint=127.0.0.1:$plain \
ssl_endpoint=127.0.0.1:$tls ssl_certificate=${GATE_CERT:-$CEPH/cert.pem} ssl_private_key=$CEPH/key.pem"
        for _ in $(seq 600); do
            ! gate_answers "$name" || return 0
            kill -0 "${CEPH_PID[gate-$name]}" 2>/dev/null || break
            sleep 0.05
        done
    done
    tail -n 20 "$CEPH/log/gate-$name.out" >&2
    echo "radosgw does not answer (try $try)" >&2
    exit 1
}
# s3_user NAME ACCESS SECRET
s3_user() {
    radosgw-admin -n client.rgw user create --uid="$1" --display-name="$1" --access-key="$2" --secret-key="$3" \
        >"$CEPH/user-$1.json" 2>"$CEPH/log/user-$1.out" || { cat "$CEPH/log/user-$1.out" >&2 && exit 1; }
}
# s3 METHOD /BUCKET[/KEY][?QUERY] [-H NAME:VALUE] [-d TEXT | -f FILE]: signed by python
s3() { python3 "$TESTS/live/store/_s3.py" "$@"; }
# s3_policy BUCKET NAME ACTIONS...: NAME may do just these in the bucket (as s3:PutObject)
s3_policy() {
    local actions
    actions=$(printf '"%s",' "${@:3}")
    s3 PUT "/$1?policy" -d "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\":
        {\"AWS\": [\"arn:aws:iam:::user/$2\"]}, \"Action\": [${actions%,}],
        \"Resource\": [\"arn:aws:s3:::$1\", \"arn:aws:s3:::$1/*\"]}]}"
}
# The OSD stands still: requests hang. ceph_go heals it.
ceph_halt() { kill -STOP "${CEPH_PID[osd]}"; }
ceph_go() { kill -CONT "${CEPH_PID[osd]}"; }

# ceph_start: leaves GATE_HTTP[main], GATE_HTTPS[main], S3_CA, and for one user S3_ENDPOINT, S3_ACCESS, S3_SECRET and
# STORE_URL, a bucket that is not there yet.
ceph_start() {
    local id osd mon low
    mkdir -p "$CEPH"/{mon,osd,run,log,rgw}
    id=$(</proc/sys/kernel/random/uuid) osd=$(</proc/sys/kernel/random/uuid)
    read -r mon low <<<"$(ceph_ports 2)"
    [ "$low" -lt 65000 ] || low=20000
    ceph_conf "$id" "$mon" "$low"
    ceph_certificates
    export CEPH_CONF=$CEPH/ceph.conf CEPH_ARGS="-c $CEPH/ceph.conf"
    monmaptool --create --fsid "$id" --addv a "[v2:127.0.0.1:$mon]" "$CEPH/monmap" >/dev/null
    ceph-mon -i a --mkfs --monmap "$CEPH/monmap" >"$CEPH/log/mon-mkfs.out" 2>&1
    ceph_spawn mon ceph-mon -i a -f
    # Without the same id for mkfs the OSD never gets up.
    timeout 30 ceph osd new "$osd" 0 >"$CEPH/log/osd-new.out" 2>&1 || { cat "$CEPH"/log/*.out >&2 && exit 1; }
    ceph-osd -i 0 --mkfs --osd-uuid "$osd" >"$CEPH/log/osd-mkfs.out" 2>&1
    ceph_spawn osd ceph-osd -i 0 -f
    ceph_wait 'the OSD does not get up' osd_up
    gate main
    s3_user writer ACCESSKEY SECRETSECRET
    export S3_CA=$CEPH/ca.pem S3_ACCESS=ACCESSKEY S3_SECRET=SECRETSECRET S3_ENDPOINT=${GATE_HTTP[main]}
    # shellcheck disable=SC2034 # what the case asks for
    STORE_URL="s3://bucket-one/repo?endpoint=${GATE_HTTP[main]}"
}
