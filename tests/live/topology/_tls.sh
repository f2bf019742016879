# What this is: an authority and certificates for servers on loopback and for a client that they ask for one; source it.
# Rests on: openssl. Leaves ca.pem, node.pem and node.key, bk.pem and bk.key; TLS_SERVER are a server's options, TLS_CLIENT ours.
# Does not: start a server.
command -v openssl >/dev/null || { echo 'openssl is not installed' >&2 && exit 77; }
tls_issue() { # NAME EXTENSION
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$1.pem" -extfile <(echo "$2") 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem 2>/dev/null
tls_issue node 'subjectAltName=DNS:localhost,IP:127.0.0.1'
tls_issue bk 'extendedKeyUsage=clientAuth'
TLS_SERVER=(--port 0 --tls-replication yes --tls-auth-clients yes --tls-cert-file "$PWD/node.pem"
    --tls-key-file "$PWD/node.key" --tls-ca-cert-file "$PWD/ca.pem")
TLS_CLIENT=(--cacert ca.pem --cert bk.pem --tls-key bk.key)
export TLS_SERVER TLS_CLIENT
