# The database, the first match, the conditions, what is not there.
# shellcheck disable=SC2015
fail() { echo "line $1" && exit 1; }
printf 'REDIS0009\xfe\x00\x00\x01k\x01a\x00\x01k\x01b\xfe\x03\x00\x01k\x01c\xfc\x01\x00\x00\x00\x00\x00\x00\x00\x02\x01k\x01\x01m\xff\0\0\0\0\0\0\0\0' >f.rdb
get() { rc=0 && "$RDBTOOL" get f.rdb "$@" >out 2>err || rc=$?; }
get k && [ $rc = 0 ] && [ "$(od -An -c out | tr -d ' ')" = a ] && [ ! -s err ] || fail $LINENO
get k --db 3 && [ "$(cat out)" = c ] || fail $LINENO
get k -n 3 --type set && [ "$(cat out)" = '["m"]' ] && [ "$(wc -l <out)" = 1 ] || fail $LINENO
get k -n 3 --ttl any && [ "$(cat out)" = '["m"]' ] || fail $LINENO
get k --db 0~3 --ttl expired --now 5 --bytes base64 && [ "$(cat out)" = '["bQ=="]' ] || fail $LINENO
get --key-base64 aw && [ "$(cat out)" = a ] || fail $LINENO
get --key-base64 aw== --tmpdir . && [ "$(cat out)" = a ] || fail $LINENO
for args in 'x' 'k --db 1' 'k --type list' 'K' 'kk' '--key-base64 AA=='; do
    # shellcheck disable=SC2086
    get $args
    [ $rc = 4 ] && [ ! -s out ] && grep -q 'no such key in db' err || { echo "get $args: $rc" && cat err && exit 1; }
done
get '' && [ $rc = 4 ] || fail $LINENO
rc=0
"$RDBTOOL" get "$DATA/bad/crc-wrong.rdb" nothing 2>err || rc=$?
[ $rc = 24 ] && grep -q 'wrong checksum' err || fail $LINENO
# Found before the fault: that is all that was asked. Not found before it: malformed.
[ "$("$RDBTOOL" get "$DATA/bad/cut-in-list.rdb" before)" = v ]
rc=0
"$RDBTOOL" get "$DATA/bad/cut-in-list.rdb" nothing 2>err || rc=$?
[ $rc = 23 ] && grep -q '(offset 31)$' err || fail $LINENO
# The value itself is at fault: the offset is that of the file.
rc=0
"$RDBTOOL" get "$DATA/bad/listpack-back-length.rdb" bad >out 2>err || rc=$?
[ $rc = 23 ] && [ "$(sed -n 's/.*(offset \([0-9]*\)).*/\1/p' err)" = "$(awk -F '\t' '$1 == "listpack-back-length.rdb" { print $3 }' "$DATA/bad/EXPECT")" ] ||
    { cat err && exit 1; }
