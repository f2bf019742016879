# A value that comes in parts: a string and a list of some megabytes, from a file and from a pipe.
# shellcheck disable=SC2002,SC2015
python3 - <<'END'
import json, struct
items = ["%0100d" % i for i in range(40000)]
text = b"0123456789abcdef" * (5 << 16)
with open("big.rdb", "wb") as w:
    w.write(b"REDIS0009\xfe\x00\x01\x04list\x80" + struct.pack(">I", len(items)))
    w.write(b"".join(b"\x40\x64" + i.encode() for i in items))
    w.write(b"\x00\x03str\x80" + struct.pack(">I", len(text)) + text + b"\xff" + bytes(8))
open("text", "wb").write(text)
open("list.json", "w").write(json.dumps(items, separators=(",", ":")) + "\n")
END
for threads in 1 2; do
    "$RDBTOOL" get big.rdb str --threads $threads | cmp - text
    "$RDBTOOL" get big.rdb list --threads $threads | cmp - list.json
    cat big.rdb | "$RDBTOOL" get - str --threads $threads | cmp - text
    cat big.rdb | "$RDBTOOL" get - list --threads $threads | cmp - list.json
done
head -c 3000000 big.rdb >cut.rdb
rc=0
"$RDBTOOL" get cut.rdb list >out 2>err || rc=$?
[ $rc = 23 ] && grep -q '(offset 3000000)' err || { cat err && exit 1; }
