# Servers of other generations, of other Debian suites: each is captured over TLS where it has that, from memory and from disk,
#   with every type it knows (expiries of hash fields among them), and one of the same version that loads the snapshot is equal.
# Rests on: tests/live/_redis.sh, tests/long/_servers.sh (the network), openssl. The servers stay in $B-servers.
# Does not: assume which version a suite has today: it is asked.
# TIMEOUT: 900
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
make_repo
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext 'subjectAltName=IP:127.0.0.1' -keyout web.key -out web.pem 2>/dev/null

one_engine() { # SUITES PACKAGE
    local name=${1//,/-}-$2 dir=$B-servers/${1//,/-}-$2 rc=0 port place version rdb tls=()
    bash "$TESTS/long/_servers.sh" "$1" "$dir" "$2" >servers.out 2>&1 || rc=$?
    [ $rc != 77 ] || { cat servers.out >&2 && missing="$missing $name" && return; }
    [ $rc = 0 ] || { cat servers.out >&2 && die "$name: not unpacked"; }
    ENGINE=("$dir/run" "$2")
    port=$(free_port)
    if has_tls; then
        server one --tls-port "$port" --tls-cert-file "$PWD/web.pem" --tls-key-file "$PWD/web.key" \
            --tls-ca-cert-file "$PWD/web.pem" --tls-auth-clients no
        place=rediss://127.0.0.1:$port tls=(--cacert web.pem)
    else
        server one
        place=$(uri one)
    fi
    version=$(field one valkey_version)
    version=${version:-$(field one redis_version)}
    fill one
    for how in yes no; do
        at one CONFIG SET repl-diskless-sync $how >/dev/null
        take "$place" "${tls[@]}" --source "$name"
        same_as one
    done
    rdb=$("$BACKUPD" cat "$ID" --identity sheet | head -c 9)
    echo "$2 $version: $rdb, ${place%%:*}, $(fields) expiries of fields" | tee -a seen
    [[ $2 != valkey-server || ${version%%.*} -lt 9 ]] || [ "$(fields)" -gt 0 ] || die 'no field has an expiry'
    server_end one
    rm -rf one
}
# Was it built in?
has_tls() {
    local rc=0
    server try
    at try CONFIG GET tls-port | grep -q tls-port || rc=1
    server_end try
    return $rc
}
fields() { at one HPEXPIRETIME fields:700 FIELDS 3 f0 f2 f4 2>/dev/null | grep -c '[0-9]\{13\}' || :; }

missing=
one_engine trixie redis-server
one_engine sid,experimental redis-server
one_engine trixie valkey-server
one_engine sid valkey-server
ends 0 "$BACKUPD" verify --identity sheet --read-data
cat seen >&2
[ -z "$missing" ] || { echo "these suites cannot be had:$missing" >&2 && exit 77; }
