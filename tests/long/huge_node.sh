# TIMEOUT: 1800
# One element of most of a GiB inside a list's node, as servers up to 7.2 store it (a ziplist, and a listpack), by pipe:
# the node is never held whole.
n=${HUGE_BYTES:-1000000000}
most=$((64 * 1024)) # KiB
[ -z "$SAN" ] || most=$((1024 * 1024))
dump() { # ziplist or listpack
    python3 -c '
import struct, sys
kind, n, w = sys.argv[1], int(sys.argv[2]), sys.stdout.buffer
if kind == "ziplist":
    first, big = b"\x00\x04head", b"\x06\x80" + struct.pack(">I", n)
    last, end = b"\xfe" + struct.pack("<I", len(big) + n) + b"\x04tail", b"\xff"
    before = 10 + len(first) + len(big) + n
    total = before + len(last) + 1
    head = struct.pack("<IIH", total, before, 3)
    w.write(b"REDIS0009\x0e\x01l\x01")
else:
    size = 5 + n
    back = bytes([size >> 28]) + bytes(size >> s & 127 | 128 for s in (21, 14, 7, 0))
    first, big = b"\x84head\x05", b"\xf0" + struct.pack("<I", n)
    last, end = back + b"\x84tail\x05", b"\xff"
    total = 6 + len(first) + len(big) + n + len(last) + 1
    head = struct.pack("<IH", total, 3)
    w.write(b"REDIS0010\x12\x01l\x01\x02")
w.write(b"\x80" + struct.pack(">I", total) + head + first + big)
for i in range(0, n, 1000):
    w.write(b"x" * min(1000, n - i))
w.write(last + end + b"\xff" + bytes(8))' "$1" "$n"
}
set -o pipefail
for kind in ziplist listpack; do
    dump $kind | /usr/bin/time -o rss -f %M "$RDBTOOL" check - >report
    [ "$(tail -n 1 rss)" -le "$most" ] || { echo "$kind: check: $(tail -n 1 rss) KiB of memory" && exit 1; }
    dump $kind | /usr/bin/time -o rss -f %M "$RDBTOOL" export - >out
    [ "$(tail -n 1 rss)" -le "$most" ] || { echo "$kind: export: $(tail -n 1 rss) KiB of memory" && exit 1; }
    tr -d x <out | grep -q '"value":\["head","","tail"\]}$' || { echo "$kind: $(tr -d x <out | tail -c 60)" && exit 1; }
    [ "$(tr -cd x <out | wc -c)" -eq "$n" ] || { echo "$kind: $(tr -cd x <out | wc -c) bytes of $n" && exit 1; }
done
rm -f out
