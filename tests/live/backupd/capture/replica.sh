# Which server is taken: a healthy replica of the one that was named, a replica of a replica as it is, the master when that is
#   asked for; and what is said when there is none.
# Rests on: tests/live/_redis.sh.
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
make_repo
place() { json 'd["captured"]["place"]'; }
server top
fill top
take "$(uri top)"
[ "$(json 'd["captured"]["why"]')" = 'the server itself: it names no replica' ]
ends 21 "$BACKUPD" backup "$(uri top)" --source-role replica --patience 0s
says 'no replica'
server mid --replicaof 127.0.0.1 "${PORT[top]}"
until_true 'mid has no link' linked mid
server low --replicaof 127.0.0.1 "${PORT[mid]}"
until_true 'low has no link' linked low
online() { field top slave0 | grep -q 'state=online.*lag=[01]$'; }
until_true 'top does not see mid' online
take "$(uri top)"
[ "$(place)" = "$(uri mid)" ] || die "$(cat out)"
[[ $(json 'd["captured"]["why"]') == "a replica of $(uri top), lag "* ]]
same_as top
take "$(uri top)" --source-role master
[ "$(place)" = "$(uri top)" ]
take "$(uri top)" --source-role replica
[ "$(place)" = "$(uri mid)" ]
# A replica of a replica.
take "$(uri low)"
[ "$(place)" = "$(uri low)" ]
[ "$(json 'd["captured"]["why"]')" = 'the server itself: a replica' ]
same_as top
take "$(uri low)" --source-role replica
[ "$(place)" = "$(uri low)" ]
take "$(uri low)" --source-role master
[ "$(place)" = "$(uri top)" ]
# Its own link is down: such a server refuses replicas, and somebody else is taken.
server_end mid KILL
low_down() { ! linked low; }
until_true 'low still has a link' low_down
ends 21 "$BACKUPD" backup "$(uri low)" --patience 0s
says "$(uri low)"
ends 21 "$BACKUPD" backup "$(uri low)" --source-role replica --patience 0s
says 'no healthy replica'
# It comes back while we are patient.
"$BACKUPD" backup "$(uri low)" --patience 60s --json -v >late.out 2>late.err &
late=$!
waits() { [ -s late.err ]; }
until_true 'nothing is said of waiting' waits
at low REPLICAOF 127.0.0.1 "${PORT[top]}" >/dev/null
wait $late || { cat late.out late.err >&2 && die 'it did not wait'; }
