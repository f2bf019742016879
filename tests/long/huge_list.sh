# TIMEOUT: 1800
# A list of millions of elements, more than 2 GiB of it, by pipe: memory stays, and no element is lost.
n=${HUGE_ITEMS:-2200000}
most=$((64 * 1024)) # KiB
[ -z "$SAN" ] || most=$((1024 * 1024))
dump() {
    python3 -c '
import struct, sys
n, w = int(sys.argv[1]), sys.stdout.buffer
w.write(b"REDIS0009\xfe\x00\x01\x04huge\x80" + struct.pack(">I", n))
for i in range(0, n, 100):
    w.write(b"".join(b"\x43\xe8" + b"%01000d" % k for k in range(i, min(i + 100, n))))
w.write(b"\x00\x05small\x02ok\xff" + bytes(8))' "$n"
}
set -o pipefail
dump | /usr/bin/time -o rss -f %M "$RDBTOOL" check - >report
[ "$(tail -n 1 rss)" -le "$most" ] || { echo "check: $(tail -n 1 rss) KiB of memory" && exit 1; }
dump | /usr/bin/time -o rss -f %M "$RDBTOOL" export --key huge - | tr ',' '\n' | grep -c '"0[0-9]*"' >count
[ "$(tail -n 1 rss)" -le "$most" ] || { echo "export: $(tail -n 1 rss) KiB of memory" && exit 1; }
[ "$(cat count)" = "$n" ] || { echo "export: $(cat count) elements of $n" && exit 1; }
