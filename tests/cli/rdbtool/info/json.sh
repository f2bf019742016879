# The report for scripts agrees with what export says of the same file.
for f in redis-8.6.3/everything valkey-9.1.2/everything hand/aux hand/modules hand/functions hand/templates redis-7.2.6/expired; do
    "$RDBTOOL" info --json --now 1800000000000 --top 5 "$DATA/$f.rdb" >info.json
    "$RDBTOOL" export --with-meta --bytes latin1 "$DATA/$f.rdb" >all.jsonl
    python3 - info.json all.jsonl "$f" <<'END'
import collections, json, os, sys
d = json.load(open(sys.argv[1], encoding="utf-8"))
lines = [json.loads(l) for l in open(sys.argv[2], encoding="utf-8")]
keys = [l for l in lines if "key" in l]
assert d["checksum"] == "ok" and d["complete"] and not d["trailing_bytes"] and not d["filtered"], d
assert d["keys"] == len(keys) == sum(x["keys"] for x in d["dbs"]) == sum(x["keys"] for x in d["encodings"]), d["keys"]
assert d["bytes"] == sum(x["bytes"] for x in d["dbs"]) == sum(x["bytes"] for x in d["encodings"])
assert d["bytes"] < d["rdb_bytes"] == d["file_bytes"]
got = {(x["type"], x["encoding"], x["rdb_type"]): x["keys"] for x in d["encodings"]}
assert got == collections.Counter((k["type"], k["encoding"], k["rdb_type"]) for k in keys), got
ttl = [k for k in keys if "expire_at_ms" in k]
assert d["expiries"] == len(ttl) and d["expired"] == sum(k["expire_at_ms"] < 1800000000000 for k in ttl)
later = [k["expire_at_ms"] for k in ttl if k["expire_at_ms"] >= 1800000000000]
assert d.get("next_expiry_ms") == (min(later) if later else None)
for x in d["dbs"]:
    of = [k for k in keys if k["db"] == x["db"]]
    assert x["keys"] == len(of) and x["expiries"] == sum("expire_at_ms" in k for k in of), x
assert d["aux_seen"] == len(d["aux"]) == sum("aux" in l for l in lines)
assert d["functions_seen"] == len(d["functions"]) == sum("function" in l for l in lines)
assert [(f["name"], f["bytes"]) for f in d["functions"]] == [
    (l["function"]["name"], len(l["function"]["code"])) for l in lines if "function" in l]
assert d["module_aux_seen"] == sum("module_aux" in l for l in lines)
big = [x["bytes"] for x in d["largest"]]
assert big == sorted(big, reverse=True) and len(big) == min(5, len(keys)) and sum(big) <= d["bytes"], big
if "hand" not in sys.argv[3]:
    assert d["server"]["version"] == sys.argv[3].split("/")[0].split("-", 1)[1], d["server"]
    assert d["server"]["name"] == sys.argv[3].split("-")[0]
END
done
