# Malformed input: everything before the fault is written, the offset is told, 23. Wrong checksum: all of it, 24.
# shellcheck disable=SC2015
try() { # status, lines, words on stderr, file
    local rc=0
    "$RDBTOOL" export "$DATA/bad/$4" >out 2>err || rc=$?
    [ $rc = "$1" ] && [ "$(wc -l <out)" = "$2" ] && grep -q -- "$3" err || { echo "$4: exit status $rc" && cat out err && exit 1; }
    python3 "$TESTS/jsonl-compare.py" out out >/dev/null
}
try 23 1 '(offset 31)' cut-in-list.rdb
try 23 1 'unknown opcode 241.*(offset 21)' opcode-241.rdb
try 23 0 'not an RDB file' not-rdb-text.rdb
try 23 0 'version 16 is not supported' version-redis-16.rdb
try 24 2 'wrong checksum' crc-wrong.rdb
try 3 2 'warning: .*they are not exported' glued.rdb
for f in "$DATA"/bad/*.rdb; do
    rc=0
    timeout 20 "$RDBTOOL" export --bytes base64 "$f" >out 2>err || rc=$?
    case $rc in
    0) [ ! -s err ] ;; # what only check finds
    3 | 23 | 24 | 25) [ -s err ] ;;
    *) echo "$f: exit status $rc" && cat err && exit 1 ;;
    esac
    # No line is half written that claims to be whole.
    python3 - out <<'END' || { echo "$f" && cat out err && exit 1; }
import json, sys
text = open(sys.argv[1], encoding="utf-8").read()
for line in text.split("\n")[:-1]:
    json.loads(line)
END
done
