# Captures while a benchmark writes all the time, from memory and from disk: each snapshot is whole and of one moment.
# Rests on: tests/live/_redis.sh, redis-benchmark.
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
command -v redis-benchmark >/dev/null || { echo 'redis-benchmark is not installed' >&2 && exit 77; }
make_repo
server one
fill one
# Two counters that every transaction raises together: a snapshot of one moment has them equal.
cat >pairs.py <<'PAIRS'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rb")
while True:
    s.sendall(b"MULTI\r\nINCR pair:a\r\nSELECT 9\r\nINCR pair:b\r\nSELECT 0\r\nEXEC\r\n" * 20)
    for _ in range(20 * 11):
        if not f.readline():
            sys.exit()
PAIRS
python3 pairs.py one/s &
PID[pairs]=$!
redis-benchmark -s one/s -l -c 8 -n 100000 -r 20000 -d 300 -t set,lpush,sadd,hset,zadd,incr -q >/dev/null 2>&1 &
PID[benchmark]=$!
busy() { [ "$(at one GET pair:a)" != '' ] && [ "$(at one DBSIZE)" -gt 1000 ]; }
until_true 'nobody writes' busy
for how in yes no yes no; do
    at one CONFIG SET repl-diskless-sync $how >/dev/null
    take "$(uri one)"
    kill -0 "${PID[pairs]}" || die 'the writer ended'
    ends 0 "$BACKUPD" get "$ID" pair:a --db 0 --identity sheet
    a=$(cat out)
    ends 0 "$BACKUPD" get "$ID" pair:b --db 9 --identity sheet
    [ -n "$a" ]
    [ "$a" = "$(cat out)" ] || die "of two moments: $a and $(cat out)"
done
whole_again
