# Records that come in parts: counted once, with the bytes of all parts, at their offset.
python3 - >big.rdb <<'END'
import struct, sys
w = sys.stdout.buffer
w.write(b"REDIS0009\xfe\x02")
w.write(b"\xfc" + struct.pack("<q", 4102444800000) + b"\x01\x04list\x80" + struct.pack(">I", 30000))
for i in range(30000):
    w.write(b"\x40\x64" + b"%0100d" % i)
w.write(b"\x00\x05small\x02ok\x00\x03str\x80" + struct.pack(">I", 3 << 20) + b"x" * (3 << 20))
w.write(b"\xff" + bytes(8))
END
"$RDBTOOL" info --json --now 1800000000000 --top 2 big.rdb >big.json
"$RDBTOOL" info --json --now 1800000000000 --top 2 --threads 1 big.rdb | cmp - big.json
python3 - <<'END'
import json
d = json.load(open("big.json"))
a, b = d["largest"]
assert a["key"] == "str" and a["bytes"] == 1 + 4 + 5 + (3 << 20), a
assert b["key"] == "list" and b["bytes"] == 9 + 1 + 5 + 5 + 30000 * 102 and b["offset"] == 11, b
assert a["offset"] == 11 + b["bytes"] + 1 + 6 + 3, a
assert d["keys"] == 3 and d["expiries"] == 1 and d["dbs"] == [
    {"db": 2, "keys": 3, "expiries": 1, "expired": 0, "bytes": a["bytes"] + b["bytes"] + 10}], d
END
for range in 1MB~ 3000000~3100000 0~100; do
    "$RDBTOOL" info --size $range big.rdb | sed -n 's/^keys  *\([0-9]*\),.*/\1/p'
done >counts
[ "$(paste -sd ' ' counts)" = '2 1 1' ]
