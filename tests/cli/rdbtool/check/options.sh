# Each option does what it says, and the closing line tells of it.
# shellcheck disable=SC2015
fail() { echo "line $1" && exit 1; }
last() { tail -n 1 out; }
check() { rc=0 && "$RDBTOOL" check "$@" >out 2>err || rc=$?; }
f=$DATA/hand/keys.rdb
check "$f" && [ $rc = 0 ] && [[ $(last) == *': ok: 11 keys, checksum ok, duplicates: none' ]] || fail $LINENO
check --quick "$f" && [ $rc = 0 ] && [[ $(last) == *'duplicates: not looked for (--quick), values: not looked at (--quick)' ]] || fail $LINENO
check -q "$DATA/bad/listpack-back-length.rdb" && [ $rc = 0 ] || fail $LINENO
check "$DATA/bad/listpack-back-length.rdb" && [ $rc = 3 ] || fail $LINENO
check --quick "$DATA/bad/crc-wrong.rdb" && [ $rc = 3 ] && grep -q ': checksum: ' out || fail $LINENO
check --no-duplicates "$f" && [ $rc = 0 ] && [[ $(last) == *'duplicates: not looked for (--no-duplicates)' ]] || fail $LINENO
check "$DATA/bad/duplicate-key.rdb" && [ $rc = 3 ] && [[ $(last) == *': 1 finding: '*', duplicates: 1' ]] || fail $LINENO
check --no-duplicates "$DATA/bad/duplicate-key.rdb" && [ $rc = 0 ] || fail $LINENO
check "$DATA/bad/crc-zero-required.rdb" && [ $rc = 0 ] && [[ $(last) == *', not protected by a checksum, '* ]] || fail $LINENO
check --require-checksum "$DATA/bad/crc-zero-required.rdb" && [ $rc = 3 ] && grep -q ': unprotected: ' out || fail $LINENO
check --require-checksum "$f" && [ $rc = 0 ] || fail $LINENO
check --limit 3 "$f" && [ $rc = 0 ] && [[ $(last) == *'values: of 3 keys, as the filters let them pass' ]] || fail $LINENO
check --key 42 "$f" && [[ $(last) == *'values: of 1 keys, as the filters let them pass' ]] || fail $LINENO
check --type set "$DATA/bad/listpack-back-length.rdb" && [ $rc = 0 ] || fail $LINENO
check --tmpdir . --threads 2 --no-progress "$f" && [ $rc = 0 ] || fail $LINENO
check --digest "$f" && [[ $(last) == *', dd1:'*'(without expiries dd1:'*')' ]] || fail $LINENO
# More findings than are printed.
python3 - >many.rdb <<'END'
import sys
w = sys.stdout.buffer
w.write(b"REDIS0009\xfe\x00")
for i in range(40):
    w.write(b"\x02\x04k%03d\x02\x01a\x01a" % i)
w.write(b"\xff" + bytes(8))
END
check many.rdb && [ $rc = 3 ] && [ "$(wc -l <out)" = 41 ] && [[ $(last) == 'many.rdb: 40 findings: 40 keys'* ]] || fail $LINENO
check --max-findings 5 many.rdb && [ $rc = 3 ] && [ "$(wc -l <out)" = 6 ] && [[ $(last) == 'many.rdb: 40 findings: (5 printed) 40 keys'* ]] || fail $LINENO
check --max-findings 0 many.rdb && [ $rc = 3 ] && [ "$(wc -l <out)" = 1 ] || fail $LINENO
grep -q ': ' out
