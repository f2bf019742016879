# dd1: of the file, the same by info and by check, for text and JSON, by any number of threads; of equal data equal.
# shellcheck disable=SC2015
fail() { echo "line $1" && exit 1; }
f=$DATA/redis-8.6.3/everything.rdb
"$RDBTOOL" info --digest --json --now 1800000000000 "$f" >a.json
"$RDBTOOL" info --digest --json --now 1800000000000 --threads 1 "$f" | cmp - a.json
"$RDBTOOL" check --digest --json "$f" >b.json
"$RDBTOOL" info --digest "$f" >c
"$RDBTOOL" check --digest "$f" >d
python3 - <<'END'
import json
a, b = (json.load(open(n)) for n in ("a.json", "b.json"))
c, d = (open(n).read() for n in "cd")
for x in ("with_expiries", "without_expiries"):
    s = a["dd1"][x]
    assert len(s) == 36 and s.startswith("dd1:") and s == b["dd1"][x] and s in c and s in d, (x, a["dd1"], b["dd1"])
assert a["dd1"]["whole"] and a["dd1"]["with_expiries"] != a["dd1"]["without_expiries"]
total = sum(int(x["with_expiries"][4:], 16) for x in a["dd1"]["dbs"]) % 2**128
assert "dd1:%032x" % total == a["dd1"]["with_expiries"]
END
# A part of the data has another one, and says so.
"$RDBTOOL" info --digest --json --db 0 "$f" >e.json
"$RDBTOOL" info --digest --json --type stream "$f" >g.json
python3 - <<'END'
import json
a, e, g = (json.load(open(n))["dd1"] for n in ("a.json", "e.json", "g.json"))
assert not e["whole"] and e["with_expiries"] == a["dbs"][0]["with_expiries"] and not g["whole"]
assert g["with_expiries"] not in (a["with_expiries"], e["with_expiries"])
END
# A malformed value: no silence.
rc=0
"$RDBTOOL" info --digest "$DATA/bad/listpack-back-length.rdb" >out 2>err || rc=$?
[ $rc = 23 ] && grep -q 'dd1 is not that of the dataset' err || fail $LINENO
