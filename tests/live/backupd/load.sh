# A snapshot into a running server: plan, policies for what exists and expires, filters, databases; compared at the end.
# shellcheck source=tests/live/_server.sh
. "$TESTS/live/_server.sh"
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
export RESPITE_IDENTITY=$PWD/sheet
server_start --repl-diskless-sync-delay 0
for i in {1..20}; do echo "SET key:$i value:$i EX 100000"; done | cli >/dev/null
cli HSET hash a 1 b 2 >/dev/null
cli -n 3 RPUSH list a b c >/dev/null
"$BACKUPD" backup -s "$SOCKET" --source live >/dev/null
into() { "$BACKUPD" restore latest --to "unix://$SOCKET" "$@"; }
cli FLUSHALL >/dev/null
status 0 into --dry-run
has out 'would restore' '22 keys, 20 with an expiry' 'the server holds 0 keys'
[ "$(cli DBSIZE)" = 0 ]
status 0 into
has out 'restored 22 keys' 'compared: equal, dd1:'
sed -n 's/.*equal, dd1:\([0-9a-f]*\) dd1:\([0-9a-f]*\)$/\1 \2/p' out | { read -r a b && [ -n "$a" ] && [ "$a" = "$b" ]; }
[ "$(cli GET key:7)" = value:7 ]
[ "$(cli -n 3 LLEN list)" = 3 ]
# What exists.
cli SET key:1 other >/dev/null
cli DEL key:2 >/dev/null
status 26 into
has err '--existing'
[ "$(cli EXISTS key:2)" = 0 ]
status 0 into --existing skip
has out 'skipped'
[ "$(cli MGET key:1 key:2 | tr '\n' ' ')" = 'other value:2 ' ]
status 0 into --existing replace --json
[ "$(json out 'd["equal"], d["compared"], d["dd1_expected"] == d["dd1_found"]')" = '(True, True, True)' ]
[ "$(cli GET key:1)" = value:1 ]
# Filters, databases, expiries; --ttl says both.
cli FLUSHALL >/dev/null
status 0 into --key 'key:1*' --db 0 --db-map 0:5,3:6 --ttl any --ttl persist
[ "$(cli DBSIZE) $(cli -n 5 DBSIZE) $(cli -n 5 TTL key:1) $(cli -n 6 DBSIZE)" = '0 11 -1 0' ]
status 0 into --no-compare --type list --rate-ops 100000 --rate-bytes 1G
if grep -q compared out; then exit 1; fi
[ "$(cli -n 3 DBSIZE)" = 1 ]
# Functions: a library of the same name is what exists; one that has a function of ours is in the way.
cli FLUSHALL >/dev/null
library() { printf '#!lua name=%s\nredis.register_function("%s", function() return 1 end)' "$@"; }
cli FUNCTION LOAD "$(library ours f)" >/dev/null
"$BACKUPD" backup -s "$SOCKET" >/dev/null
status 26 into
has err 'the function library "ours" is there already'
status 0 into --existing skip --json
[ "$(json out 'd["functions"]')" = 0 ]
cli FUNCTION FLUSH >/dev/null
cli FUNCTION LOAD "$(library theirs f)" >/dev/null
for existing in fail skip replace; do
    status 26 into --existing $existing
    has err 'the function library "ours" clashes' 'f already exists'
done
cli FUNCTION FLUSH >/dev/null
status 0 into --existing skip --json
[ "$(json out 'd["functions"]')" = 1 ]
# A user who may not write: 26, and what is missing is named.
cli ACL SETUSER reader on '>s3cret' +info +role '~*' >/dev/null
status 26 env REDISCLI_AUTH=s3cret "$BACKUPD" restore latest -s "$SOCKET" --user reader --existing replace
has err 'ACL SETUSER reader'
if grep -qF s3cret out err; then exit 1; fi
