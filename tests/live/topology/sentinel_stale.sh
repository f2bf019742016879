# A sentinel that was cut off while the others changed the master names the old one, alone or asked first: what is captured is
# the new master, also while the old one still says that it is one.
# shellcheck source=tests/live/cluster/_sentinel.sh
. "$TESTS/live/cluster/_sentinel.sh"
sentinel_start s
port() { json "d['sentinel']['port']"; }
# shellcheck disable=SC2153 # PORT is set in what is sourced
stale="127.0.0.1:${PORT[s/s0]}" fresh="127.0.0.1:${PORT[s/s1]}"
# The first sentinel stops; the others see the master hang, and make another one.
kill -STOP "${PID[s/s0]}"
kill -STOP "${PID[s/0]}"
promoted() {
    local port
    port=$(at s/s1 SENTINEL GET-MASTER-ADDR-BY-NAME mymaster | tail -n 1)
    [ "$port" != "${PORT[s/0]}" ] && { [ "$(at s/1 ROLE | head -n 1)" = master ] || [ "$(at s/2 ROLE | head -n 1)" = master ]; }
}
until_true 'no other master' promoted
new=$(at s/s1 SENTINEL GET-MASTER-ADDR-BY-NAME mymaster | tail -n 1)
# Both hang: they are passed over, in bounded time.
ends 0 "$BACKUPD" check "sentinel://$stale,$fresh/mymaster" --idle-timeout 1s --json
[ "$(port)" = "$new" ]
# The old master wakes up, and knows nothing; then the sentinel that names it.
kill -CONT "${PID[s/0]}"
ends 0 "$BACKUPD" check "sentinel://$stale,$fresh/mymaster" --idle-timeout 1s --json
[ "$(port)" = "$new" ]
kill -CONT "${PID[s/s0]}"
ends 0 "$BACKUPD" check "sentinel://$stale,$fresh/mymaster" --json
[ "$(port)" = "$new" ]
ends 0 "$BACKUPD" check "sentinel://$fresh,$stale/mymaster" --json
[ "$(port)" = "$new" ]
