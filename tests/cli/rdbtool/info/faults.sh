# Malformed input: what was seen so far, then the fault, 23. A wrong checksum: the whole report, 24. Bytes behind: 3.
# shellcheck disable=SC2015
fail() { echo "line $1" && exit 1; }
try() { # status, file, words on stdout, words on stderr
    rc=0
    "$RDBTOOL" info "$DATA/bad/$2" >out 2>err || rc=$?
    [ $rc = "$1" ] && grep -q "$3" out && grep -q "$4" err || { echo "$2: exit status $rc" && cat out err && exit 1; }
}
try 23 cut-in-list.rdb '^keys  *1, 10 B$' '(offset 31)$'
try 23 cut-in-list.rdb '^The file could be read no further than offset ' 'data ends here'
try 23 opcode-241.rdb '^keys ' 'unknown opcode 241'
try 24 crc-wrong.rdb '^checksum  *wrong$' 'wrong checksum: the file says '
try 3 glued.rdb '^keys  *2, ' 'bytes follow behind the end of the dump (offset 39)'
rc=0
"$RDBTOOL" info "$DATA/bad/not-rdb-text.rdb" >out 2>err || rc=$?
[ $rc = 23 ] && [ ! -s out ] && grep -q 'not an RDB file' err || fail $LINENO
rc=0
"$RDBTOOL" info --json "$DATA/bad/cut-in-list.rdb" 2>err >out.json || rc=$?
[ $rc = 23 ]
python3 -c '
import json
d = json.load(open("out.json"))
assert d["keys"] == 1 and not d["complete"] and "(offset 31)" in d["error"] and "checksum" not in d, d'
