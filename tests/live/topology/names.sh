# Nodes that are known by names, by nothing but the port, and by IPv6 addresses: looked at, captured, restored into. A name that
# this host cannot find is said.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
round() { # URI: all that is there goes out and in again
    ends 0 "$BACKUPD" check "$1"
    take "$1" --source "$2"
    [ "$(json 'd["keys"]')" = 100 ]
    cluster_each c FLUSHALL >/dev/null
    ends 0 "$BACKUPD" restore latest --source "$2" --to "$1"
    says equal
    [ "$(cluster_keys c)" = 100 ]
}
begin() {
    cluster_start c 2 1
    for i in $(seq 100); do echo "SET key:$i value:$i"; done | redis-cli -c -h "$CLUSTER_HOST" -p "${PORT[c/0]}" >/dev/null
    cluster_settled c
}
CLUSTER_OPTIONS=(--cluster-announce-hostname localhost --cluster-preferred-endpoint-type hostname)
begin
round "cluster://127.0.0.1:${PORT[c/0]}" names
ends 0 "$BACKUPD" check "cluster://localhost:${PORT[c/1]}" -4
says "redis://localhost:${PORT[c/0]}, redis"
# The same, when they go by what stands nowhere.
for i in 0 1 2 3; do at c/$i CONFIG SET cluster-preferred-endpoint-type unknown-endpoint >/dev/null; done
round "cluster://localhost:${PORT[c/0]}" nothing
for i in 0 1 2 3; do
    at c/$i CONFIG SET cluster-preferred-endpoint-type hostname cluster-announce-hostname no-such.host.invalid >/dev/null
done
heard() { at c/0 CLUSTER NODES | grep -c no-such.host.invalid | grep -q 4; }
until_true 'the names are not heard of' heard
ends 21 "$BACKUPD" backup "cluster://127.0.0.1:${PORT[c/0]}" --patience 0s
says no-such.host.invalid
says 'no such host'
for i in 0 1 2 3; do at c/$i CONFIG SET cluster-announce-hostname localhost >/dev/null; done
again() { at c/0 CLUSTER NODES | grep -c ,localhost | grep -q 4; }
until_true 'the names are not heard of again' again
ends 0 "$BACKUPD" backup "cluster://127.0.0.1:${PORT[c/0]}" --method scan --source scanned-by-a-longer-name
says 'captured 2 shards, not of one moment'
ends 0 "$BACKUPD" list
awk 'NR == 1 { n = index($0, "FLAGS") } NR > 1 && substr($0, n - 2, 3) !~ /^  [^ ]$/ { exit 1 }' out || { cat out >&2 && die 'no columns'; }
ends 2 "$BACKUPD" backup "redis://127.0.0.1:${PORT[c/0]},127.0.0.1:${PORT[c/1]}"
says cluster://
cluster_stop c

python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null || exit 0
CLUSTER_OPTIONS=()
CLUSTER_HOST=::1
begin
round "cluster://[::1]:${PORT[c/0]}" six
says "cluster://[::1]:${PORT[c/0]}"
ends 2 "$BACKUPD" backup "cluster://::1:${PORT[c/0]}"
says brackets
