# What a target cannot hold: every action, the report, the file of it, usage.
# Rests on: tests/data of Redis 8.6, whose hashes have expiring fields and whose streams remember producers.
# Does not: look at each kind (tests/unit/export/test_resp_losses.c).
everything=$DATA/redis-8.6.3/everything.rdb
try() { # status, words on stderr, arguments
    local rc=0 status=$1 words=$2
    shift 2
    "$RDBTOOL" "$@" >stdout 2>err || rc=$?
    if [ $rc != "$status" ] || ! grep -q -e "$words" err; then echo "$*: exit status $rc" && cat err && exit 1; fi
}
try 2 'no such kind; there are module, field-ttl' resp --on-loss ttl=drop "$everything"
try 2 'nothing to convert it to' resp --on-loss array=convert "$everything"
try 2 'KIND=ACTION' resp --on-loss keep "$everything"
try 2 'needs --format resp' export --on-loss drop "$everything"
try 2 'needs --format resp' export --losses-to report "$everything"
try 2 'give one of them' resp --drop-losses --on-loss drop "$everything"
[ ! -e report ]

# The first stops it, and is told.
try 23 'key "hx:.*cannot be carried whole to redis 7.2: expiries of hash fields' \
    resp --to-target redis:7.2 --restore --not-key 'v:*' "$everything" -o out --losses-to report
[ ! -e out ]
grep -q -e '--on-loss says what' err
[ "$(wc -l <report)" = 1 ]
grep -q '"kind":"field-ttl","action":"fail"}$' report

# Vector sets: those that a newer Redis wrote no older one reads.
try 23 'cannot be carried whole to redis 8.0.2: values of modules (vectorset, written by redis 8.6.3, which is newer)' \
    resp --to-target redis:8.0.2 --restore --type module "$everything"
try 3 'left out: values of modules (module, [0-9]*): v:.*; redis 8.6, newer than the target, wrote them' \
    resp --to-target redis:8.0.2 --restore --type module --on-loss drop "$everything"
[ ! -s stdout ]
"$RDBTOOL" resp --to-target redis:8.6.0 --restore --type module "$everything" >stdout
grep -q 'v:fp32' stdout

# A report that is there is somebody's.
try 26 'report: is there already; --force replaces it' resp --to-target redis:7.2 "$everything" --losses-to report
try 3 'left out: expiries of hash fields (field-ttl, 7): hx:' \
    resp --to-target redis:7.2 --restore --on-loss drop "$everything" --losses-to report --force
if grep -q 'hx:small' stdout; then exit 1; fi
grep -q '^{"db":0,"key":"hx:small","kind":"field-ttl","action":"drop"}$' report
grep -q '^{"db":0,"key":"x:idmp","kind":"stream-idmp","action":"drop"}$' report
[ "$(grep -c '"kind":"field-ttl"' report)" = 7 ]
try 3 'kept, but without expiries of hash fields (field-ttl, 7): hx:' \
    resp --to-target redis:7.2 --restore --not-key 'v:*' --on-loss convert "$everything" -o out
grep -q 'hx:small' out
if grep -q HPEXPIREAT out; then exit 1; fi
try 3 'left out: streams. memory of their producers (stream-idmp, 1): x:idmp' \
    resp --to-target redis:7.2 --restore --not-key 'v:*' --on-loss convert,stream-idmp=drop "$everything"
if grep -q 'x:idmp' stdout; then exit 1; fi

# When and how often something was used is no data: told, and status 0.
try 0 'kept, but without times of streams. consumers (consumer-times, 2)' \
    resp --to-target valkey:9.0 --restore --type stream --not-key x:idmp "$everything"
try 3 'left out: times of streams. consumers' \
    resp --to-target valkey:9.0 --restore --type stream --not-key x:idmp --on-loss consumer-times=drop "$everything"
try 23 'times of streams. consumers' \
    resp --to-target valkey:9.0 --restore --type stream --not-key x:idmp --on-loss consumer-times=fail "$everything"

# Functions have names, not keys; nobody can write the report there.
try 3 'left out: functions' resp --to-target redis:6.2 --drop-losses "$DATA/redis-7.0.15-debian/functions.rdb" --losses-to names
grep -q '^{"name":"#!lua name=.*","kind":"function","action":"drop"}$' names
try 26 'cannot be made' resp "$everything" --losses-to no/such/folder
try 26 'report of what is lost stopped\|cannot be written' resp --to-target redis:6.2 --on-loss drop,convert "$everything" --losses-to /dev/full --force

# Nothing lost: the report is empty, the status 0.
"$RDBTOOL" resp --to-target redis:8.6 --restore "$everything" --losses-to none >/dev/null
[ -e none ] && [ ! -s none ]
