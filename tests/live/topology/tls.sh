# A cluster that speaks TLS alone and asks for certificates: looked at, captured from its replicas and restored into; whoever
# forgets the authority, his certificate or the s of clusters:// is told which.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
# shellcheck source=tests/live/topology/_tls.sh
. "$TESTS/live/topology/_tls.sh"
CLUSTER_LISTEN=--tls-port
CLUSTER_OPTIONS=("${TLS_SERVER[@]}" --tls-cluster yes)
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_start t 2 1
one=127.0.0.1:${PORT[t/0]}
for i in $(seq 200); do echo "SET key:$i value:$i"; done |
    redis-cli -c --tls --cacert ca.pem --cert bk.pem --key bk.key -p "${PORT[t/0]}" >/dev/null
[ "$(cluster_keys t)" = 200 ]
cluster_settled t
ends 0 "$BACKUPD" check "clusters://$one" "${TLS_CLIENT[@]}"
says 'TLS, with a client certificate'
says "would be captured: rediss://127.0.0.1:${PORT[t/2]}"
never 'redis://'
take "clusters://$one" "${TLS_CLIENT[@]}"
[ "$(json '[s["place"] for s in d["shards"]]')" = \
    "['rediss://127.0.0.1:${PORT[t/2]}', 'rediss://127.0.0.1:${PORT[t/3]}']" ] || { cat out >&2 && die 'others were captured'; }
take -c -h localhost -p "${PORT[t/0]}" --tls "${TLS_CLIENT[@]}" --source again
# What is asked for is said.
ends 21 "$BACKUPD" backup "clusters://$one"
says '--cacert'
ends 21 "$BACKUPD" backup "clusters://$one" --cacert ca.pem
says 'client certificate'
ends 21 "$BACKUPD" backup "cluster://$one" --patience 0s
says 'is it a port for TLS?'
ends 2 "$BACKUPD" backup "cluster://$one" "${TLS_CLIENT[@]}"
says clusters
# And back.
ends 26 "$BACKUPD" restore latest --source again --to "clusters://$one" "${TLS_CLIENT[@]}"
says '200 keys are there already'
cluster_each t FLUSHALL >/dev/null
ends 0 "$BACKUPD" restore latest --source again --to "clusters://$one" "${TLS_CLIENT[@]}"
says equal
[ "$(cluster_keys t)" = 200 ]
