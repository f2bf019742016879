# A capture over TLS and mutual TLS. A server's certificate that nobody vouches for, another name in it, and a client without
#   the certificate that the server asks for end in 21 with words that say which of them it is.
# Rests on: tests/live/_redis.sh, openssl.
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
command -v openssl >/dev/null || { echo 'openssl is not installed' >&2 && exit 77; }
make_repo
authority() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" \
        -out "$1.pem" 2>/dev/null
}
issue() { # NAME EXTENSION
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" \
        -extfile <(echo "$2") 2>/dev/null
}
authority ca
authority stranger
issue web 'subjectAltName=DNS:redis.test,IP:127.0.0.1'
issue bk 'extendedKeyUsage=clientAuth'
tls_server() { # NAME AUTH
    local port
    port=$(free_port)
    server "$1" --tls-port "$port" --tls-cert-file "$PWD/web.pem" --tls-key-file "$PWD/web.key" \
        --tls-ca-cert-file "$PWD/ca.pem" --tls-auth-clients "$2"
    TLS=rediss://127.0.0.1:$port
}
tls_server one no
fill one --mb 4
take "$TLS" --cacert ca.pem
[ "$(json 'd["captured"]["place"]')" = "$TLS" ]
same_as one
at one CONFIG SET repl-diskless-sync no >/dev/null
take "$TLS" --cacert ca.pem --sni redis.test
same_as one
take "$TLS" --insecure
ends 21 "$BACKUPD" backup "$TLS" --cacert stranger.pem
says "$TLS"
says certificate
ends 21 "$BACKUPD" backup "$TLS" --cacert ca.pem --sni other.test
says other.test
# TLS spoken to a port that has none, and the other way round.
# shellcheck disable=SC2153 # PORT is set in what is sourced
ends 21 "$BACKUPD" backup "rediss://127.0.0.1:${PORT[one]}" --cacert ca.pem --patience 0s
ends 21 "$BACKUPD" backup "redis://${TLS#*//}" --patience 0s
server_end one

tls_server mutual yes
fill mutual
take "$TLS" --cacert ca.pem --cert bk.pem --key bk.key
same_as mutual
ends 21 "$BACKUPD" backup "$TLS" --cacert ca.pem
# Whether the server's alert or its reset comes first is chance.
says 'client certificate'
[ "$("$BACKUPD" list --all --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["snapshots"]))')" = 4 ]
