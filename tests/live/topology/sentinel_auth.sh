# Sentinels that speak TLS alone and have a password of their own (requirepass), before servers with another one: each goes
# where it belongs, by option, environment and configuration; one that is missing or wrong is said, with where it comes from.
# shellcheck source=tests/live/cluster/_sentinel.sh
. "$TESTS/live/cluster/_sentinel.sh"
# shellcheck source=tests/live/topology/_tls.sh
. "$TESTS/live/topology/_tls.sh"
SENTINEL_LISTEN=tls-port
SENTINEL_OPTIONS=("${TLS_SERVER[@]}" --requirepass dpw --masterauth dpw)
SENTINEL_CONF=('port 0' 'tls-replication yes' 'tls-auth-clients yes' "tls-cert-file $PWD/node.pem" "tls-key-file $PWD/node.key"
    "tls-ca-cert-file $PWD/ca.pem" 'sentinel auth-pass mymaster dpw' 'requirepass spw' 'sentinel sentinel-pass spw')
at() {
    local pass=dpw
    case $1 in */s?) pass=spw ;; esac
    REDISCLI_AUTH=$pass redis-cli -s "$1/s" "${@:2}"
}
make_repo
export RESPITE_IDENTITY=$PWD/sheet
sentinel_start s
U=$(sentinel_uri s)
U=sentinels${U#sentinel}
at s/0 SET of-mymaster 1 >/dev/null
check() { "$BACKUPD" check "$U" "${TLS_CLIENT[@]}" "$@"; }
ends 21 check
says --sentinel-pass-file
ends 21 env RESPITE_SENTINEL_AUTH=wrong "$BACKUPD" check "$U" "${TLS_CLIENT[@]}"
says 'RESPITE_SENTINEL_AUTH or --sentinel-pass-file'
never REDISCLI_AUTH
export RESPITE_SENTINEL_AUTH=spw
ends 21 check
says 'no master: '
says REDISCLI_AUTH
export REDISCLI_AUTH=dpw
ends 0 check
says '3 of 3 sentinels answered'
says "mymaster is rediss://127.0.0.1:${PORT[s/0]}"
take "$U" "${TLS_CLIENT[@]}" --source-role master
[ "$(json 'd["keys"]')" = 1 ]
# By the configuration.
unset RESPITE_SENTINEL_AUTH REDISCLI_AUTH
echo spw >spw && echo dpw >dpw && chmod 600 spw dpw
printf '[source m]\nuri = %s\npass-file = %s/dpw\nsentinel-pass-file = %s/spw\ncacert = %s/ca.pem\ncert = %s/bk.pem\ntls-key = %s/bk.key\n' \
    "$U" "$PWD" "$PWD" "$PWD" "$PWD" "$PWD" >conf
ends 0 "$BACKUPD" backup m --config conf
says 'of m: '
# Restored to whom they name; other names and other kinds of servers are not taken for it.
live=("${TLS_CLIENT[@]}" --pass-file dpw)
ends 0 "$BACKUPD" restore latest --source mymaster --to "$U" "${live[@]}" --sentinel-pass-file spw --existing replace
says equal
ends 26 "$BACKUPD" restore latest --to "${U%mymaster}yours" "${live[@]}" --sentinel-pass-file spw
says "they have 'mymaster'"
ends 26 "$BACKUPD" restore latest --to "rediss://127.0.0.1:${PORT[s/s0]}" "${TLS_CLIENT[@]}" --pass-file spw
says sentinel://
never --on-loss
ends 2 "$BACKUPD" backup "rediss://127.0.0.1:${PORT[s/s0]}" "${TLS_CLIENT[@]}" --pass-file spw
says sentinel://
never 'back up once more'
ends 21 "$BACKUPD" check "sentinels://127.0.0.1:${PORT[s/0]}/mymaster" "${live[@]}" --sentinel-pass-file spw
says 'is it a sentinel?'
ends 21 "$BACKUPD" check "clusters://127.0.0.1:${PORT[s/0]}" "${live[@]}"
says 'not in cluster mode'
