# Filters choose the same lines as a look at all of them does.
f=$DATA/redis-8.6.3/everything.rdb
"$RDBTOOL" export --bytes latin1 "$f" >all.jsonl
try() { # a condition in Python on k, then options
    local condition=$1
    shift
    "$RDBTOOL" export --bytes latin1 "$f" "$@" >got.jsonl
    python3 - "$condition" <<'END' || { echo "$*" && exit 1; }
import json, re, sys
def crc16(s):
    c = 0
    for b in s:
        c ^= b << 8
        for _ in range(8):
            c = (c << 1 ^ 0x1021 if c & 0x8000 else c << 1) & 0xffff
    return c
def slot(s):
    a = s.find(b"{")
    b = s.find(b"}", a + 1) if a >= 0 else -1
    return crc16(s[a + 1:b] if b > a + 1 else s) % 16384
want = []
for line in open("all.jsonl", encoding="utf-8"):
    k = json.loads(line)
    name, ttl = k["key"], k.get("expire_at_ms")
    if eval(sys.argv[1]):
        want.append(line)
got = open("got.jsonl", encoding="utf-8").readlines()
assert got == want and 0 < len(want) < 253, (len(got), len(want))
END
}
try 'name.startswith("l:")' --key 'l:*'
try 'name.startswith(("l:", "h:"))' -k 'l:*' -k 'h:*'
try 'not name.startswith(("l:", "h:"))' --not-key 'l:*' --not-key 'h:*'
try 're.search("[0-9]{2}$", name)' --key-regex '[0-9]{2}$'
try 'not re.search("[0-9]{2}$", name)' --not-key-regex '[0-9]{2}$'
try 'k["type"] in ("zset", "stream")' --type zset,stream
try 'k["type"] in ("zset", "stream")' -t zset -t stream
try 'k["db"] in (0, 3) or 9 <= k["db"] <= 11' --db 0,3 -n 9~11
try 'ttl is None' --ttl none
try 'ttl is not None' --ttl any
try 'ttl is not None and ttl < 4200000000000' --ttl expired --now 4200000000000
try 'slot(name.encode("latin1")) < 5000' --slot 0-4999
try 'slot(name.encode("latin1")) in (slot(b"l:sizes"),)' --slot "$(python3 -c '
import binascii
print(binascii.crc_hqx(b"l:sizes", 0) % 16384)')"
try 'name.startswith("l:") and k["db"] == 0 and "q" not in name' --key 'l:*' --db 0 --not-key '*q*'
"$RDBTOOL" export "$f" --limit 5 >got.jsonl
[ "$("$RDBTOOL" export "$f" | head -n 5 | cmp - got.jsonl && wc -l <got.jsonl)" = 5 ]
[ "$("$RDBTOOL" export "$f" --type hash --limit 2 | wc -l)" = 2 ]
