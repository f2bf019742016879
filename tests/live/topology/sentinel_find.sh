# The master that Sentinel has for a name: by any of its sentinels that answers, before a failover, during it and after it; a
# name that nobody knows, and a server that is no sentinel, are said so.
# shellcheck source=tests/live/cluster/_sentinel.sh
. "$TESTS/live/cluster/_sentinel.sh"
sentinel_start s
port() { json "d['sentinel']['port']"; }
ends 0 "$BACKUPD" check "$(sentinel_uri s)" --json
[ "$(port)" = "${PORT[s/0]}" ]
[ "$(json "(d['sentinel']['answered'], d['sentinel']['sentinels'], d['sentinel']['quorum'], d['sentinel']['replicas'])")" = '(3, 3, 2, 2)' ]
# One that answers is enough; the first two are nobody's.
ends 0 "$BACKUPD" check "sentinel://127.0.0.1:1,[::1]:1,127.0.0.1:${PORT[s/s2]}/mymaster" --json
[ "$(port)" = "${PORT[s/0]}" ]
ends 0 env RESPITE_URI="sentinel://localhost:${PORT[s/s1]}/mymaster" "$BACKUPD" check --json -4
[ "$(port)" = "${PORT[s/0]}" ]
ends 21 "$BACKUPD" check "sentinel://127.0.0.1:${PORT[s/s0]},127.0.0.1:${PORT[s/s1]}/yours"
says "they have 'mymaster'"
ends 21 "$BACKUPD" check "sentinel://127.0.0.1:${PORT[s/0]}/mymaster"
says 'it is no sentinel'
ends 21 "$BACKUPD" check sentinel://127.0.0.1:1/mymaster --patience 60s
says 'no sentinel answers'
# A Sentinel that is taken for a server says how it is named.
ends 3 "$BACKUPD" check "redis://127.0.0.1:${PORT[s/s0]}"
says sentinel://
# The master dies: now there is none; with patience the new one is found.
sentinel_failover s kill begin
ends 3 "$BACKUPD" check "$(sentinel_uri s)"
says 'a backup would fail now'
ends 0 "$BACKUPD" check "$(sentinel_uri s)" --patience 60s --json
[ "$(port)" != "${PORT[s/0]}" ]
case $(at s/1 ROLE | head -n 1) in
master) [ "$(port)" = "${PORT[s/1]}" ] ;;
*) [ "$(port)" = "${PORT[s/2]}" ] ;;
esac
