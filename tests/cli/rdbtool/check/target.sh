# --to-target: what a server could not hold, beside the check; as text, as JSON, of damaged files.
# Rests on: tests/data.
# Does not: look at each kind (tests/unit/export/test_resp_losses.c).
everything=$DATA/redis-8.6.3/everything.rdb
try() { # status, words on stdout or stderr, arguments
    local rc=0 status=$1 words=$2
    shift 2
    "$RDBTOOL" check "$@" >out 2>&1 || rc=$?
    if [ $rc != "$status" ] || ! grep -q -e "$words" out; then echo "$*: exit status $rc" && cat out && exit 1; fi
}
try 0 'everything.rdb: redis:8.6 would lose nothing$' --to-target redis:8.6 "$everything"
grep -q 'everything.rdb: ok: ' out
try 3 'redis:7.0 would lose expiries of hash fields (field-ttl, 7): hx:' --to-target redis:7.0 "$everything"
grep -q 'everything.rdb: ok: ' out
try 3 'redis:6.2 would lose functions (function, 2): #!lua name=' --to-target redis:6.2 "$everything"
try 3 'redis:4.0 would lose streams (stream, 12): .* and 4 more$' --to-target redis:4.0 "$everything"
# What a newer Redis wrote of vector sets.
try 3 'redis:8.4 would lose values of modules (module, 4): v:' --to-target redis:8.4 --type module "$everything"
# The filters choose; whoever chooses keys wants no functions.
try 0 'redis:4.0 would lose nothing$' --to-target redis:4.0 --type string "$everything"
# One thread or several, from a pipe, with the digest.
try 3 'field-ttl, 7' --to-target redis:7.0 --threads 1 --digest "$everything"
"$RDBTOOL" check --to-target redis:7.0 --threads 4 - <"$everything" >piped || [ $? = 3 ]
grep -q 'redis:7.0 would lose expiries of hash fields (field-ttl, 7)' piped
try 3 '"target":{"server":"redis:7.0","complete":true,"losses":\[{"kind":"module",.*{"kind":"field-ttl","what":"expiries of hash fields","count":7,"convertible":true},' \
    --json --to-target redis:7.0 "$everything"
# Damage: as far as it goes.
head -c 3000 "$everything" >cut.rdb
try 3 'truncated' --to-target redis:7.0 cut.rdb
grep -q 'cut.rdb: redis:7.0 would lose' out
try 2 'not a target such as' --to-target seven "$everything"
try 2 'needs the values, which --quick leaves alone' --quick --to-target redis:7.0 "$everything"
