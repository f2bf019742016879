# An AOF that begins with a dump: the dump is judged, and what follows is named for what it is.
cp "$DATA/redis-7.0.15-debian/onekey.rdb" appendonly.aof
chmod u+w appendonly.aof
n=$(wc -c <appendonly.aof)
# shellcheck disable=SC2016 # the dollars are RESP's
printf '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n' >>appendonly.aof
rc=0
"$RDBTOOL" check appendonly.aof >out || rc=$?
[ $rc = 3 ]
grep -q "offset $n: trailing: commands follow behind the end of the dump: this is an AOF that begins with a dump" out
printf x >extra
cat "$DATA/redis-7.0.15-debian/onekey.rdb" extra >other.rdb
"$RDBTOOL" check other.rdb >out || rc=$?
grep -q "offset $n: trailing: bytes follow" out
