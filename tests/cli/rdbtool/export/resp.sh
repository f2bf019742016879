# --format resp: the commands; targets; what cannot be carried; usage.
# shellcheck disable=SC2015,SC2016
f=$DATA/redis-7.0.15-debian/functions.rdb
one=$DATA/redis-7.0.15-debian/onekey.rdb
printf '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n' >want
for how in 'export --format resp' 'export -f protocol' resp protocol 'json -f resp'; do
    # shellcheck disable=SC2086
    "$RDBTOOL" $how "$one" | cmp - want
done
"$RDBTOOL" resp "$one" -o out
cmp out want
"$RDBTOOL" protocol --format jsonl "$one" | grep -q '^{"db":0,"key":"k"'
try() { # status, words on stderr, arguments
    local rc=0 status=$1 words=$2
    shift 2
    "$RDBTOOL" "$@" >stdout 2>err || rc=$?
    [ $rc = "$status" ] && { [ -z "$words" ] || grep -q -- "$words" err; } || { echo "$*: exit status $rc" && cat err && exit 1; }
}
try 2 'not a target such as' resp --to-target redis "$one"
try 2 'is too old; the oldest is 2.6' resp --target redis:2.4 "$one"
try 2 '--to-target needs --format resp' export --to-target redis:7.0 "$one"
try 2 '--to-target may be given only once\|--target may be given only once' resp --to-target redis:7.0 --target redis:7.0 "$one"
try 2 '--restore needs --format resp' json --restore "$one"
try 2 '--drop-losses needs --format resp' export --drop-losses "$one"
try 2 '--with-meta is for JSON' resp --with-meta "$one"
# Functions came with 7.0.
try 23 'functions cannot be carried to redis 6.2' resp --target redis:6.2 "$f" -o lost
grep -q -- '--on-loss' err
[ ! -e lost ]
try 3 'left out: functions (function, 2): #!lua name=' resp --target redis:6.2 --drop-losses "$f" -o kept
[ -s kept ]
if grep -q FUNCTION kept; then exit 1; fi
try 0 '' resp --target redis:7.0 "$f"
grep -q FUNCTION stdout
# Whoever chooses keys wants these alone.
try 0 '' resp --target redis:6.2 "$f" --key 'no such key'
[ ! -s stdout ]
# A module's value travels as it is stored, or not at all.
m=$DATA/redis-6.2.16/module.rdb
try 23 'values of modules' resp "$m" --type module
try 0 '' resp "$m" --type module --restore
[ "$(grep -c RESTORE stdout)" -gt 0 ]
# One thread or several: the same bytes.
everything=$DATA/redis-8.6.3/everything.rdb
"$RDBTOOL" resp "$everything" --restore --threads 1 --drop-losses >one 2>/dev/null || [ $? = 3 ]
"$RDBTOOL" resp "$everything" --restore --threads 4 --drop-losses >four 2>/dev/null || [ $? = 3 ]
cmp one four
# What stands before a fault is written.
head -c 3000 "$everything" >cut.rdb
try 23 '' resp cut.rdb --drop-losses
[ -s stdout ]
