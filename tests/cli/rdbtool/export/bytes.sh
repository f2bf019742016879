# Every mode is valid JSON of the same data; one array is the same as its lines.
for f in "$DATA"/hand/keys.rdb "$DATA"/redis-8.6.3/everything.rdb "$DATA"/valkey-9.1.2/everything.rdb; do
    for mode in utf8 latin1 base64; do
        "$RDBTOOL" export --bytes $mode "$f" >$mode.jsonl
        "$RDBTOOL" export --bytes $mode --format json "$f" >$mode.json
        "$RDBTOOL" json --bytes $mode "$f" | cmp - $mode.json
        "$RDBTOOL" json --format jsonl --bytes $mode "$f" | cmp - $mode.jsonl
    done
    "$RDBTOOL" export "$f" | cmp - utf8.jsonl
    python3 - <<'END'
import base64, json
def lines(mode):
    got = [json.loads(l) for l in open(mode + ".jsonl", encoding="utf-8")]
    assert got == json.load(open(mode + ".json", encoding="utf-8")), mode
    return got
utf8, latin1, b64 = lines("utf8"), lines("latin1"), lines("base64")
assert len(utf8) == len(latin1) == len(b64) > 0
for u, l, b in zip(utf8, latin1, b64):
    raw = base64.b64decode(b["key"])
    assert l["key"].encode("latin1") == raw
    k = u["key"]
    assert (base64.b64decode(k["base64"]) if isinstance(k, dict) else k.encode()) == raw
    if u["type"] == "string":
        v = base64.b64decode(b["value"])
        assert l["value"].encode("latin1") == v
        w = u["value"]
        assert (base64.b64decode(w["base64"]) if isinstance(w, dict) else w.encode()) == v
    if u["type"] in ("list", "set"):
        assert [x.encode("latin1") for x in l["value"]] == [base64.b64decode(x) for x in b["value"]]
END
done
