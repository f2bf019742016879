# -o: the file appears whole or not at all, and replaces another one only with --force.
# shellcheck disable=SC2015
f=$DATA/redis-8.6.3/everything.rdb
"$RDBTOOL" export "$f" >plain
"$RDBTOOL" export "$f" -o out.jsonl
cmp out.jsonl plain
"$RDBTOOL" export "$f" -o - | cmp - plain
try() { # status, words on stderr, arguments
    local rc=0 status=$1 words=$2
    shift 2
    "$RDBTOOL" export "$@" >stdout 2>err || rc=$?
    [ $rc = "$status" ] && [ ! -s stdout ] && grep -q -- "$words" err || { echo "$*: exit status $rc" && cat err && exit 1; }
    [ -z "$(find . -name '.*.part')" ] || { echo "$*: something is left" && exit 1; }
}
echo kept >old
try 26 'exists already; --force replaces it' "$f" -o old
[ "$(cat old)" = kept ]
"$RDBTOOL" export "$f" -o old --force
cmp old plain
try 26 'cannot open the directory' "$f" -o nowhere/out
try 23 'not written' "$DATA/bad/cut-in-list.rdb" -o bad.jsonl
[ ! -e bad.jsonl ]
try 24 'not written; --accept-bad-checksum keeps it' "$DATA/bad/crc-wrong.rdb" -o bad.jsonl
[ ! -e bad.jsonl ]
try 24 'wrong checksum' "$DATA/bad/crc-wrong.rdb" -o bad.jsonl --accept-bad-checksum
[ "$(wc -l <bad.jsonl)" = 2 ]
echo kept >old
try 23 'not written' "$DATA/bad/cut-in-list.rdb" -o old --force
[ "$(cat old)" = kept ]
