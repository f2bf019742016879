#!/usr/bin/env python3
"""What this is: is a target what its source was, but for exactly the losses that were named? _losses.py SOURCE TARGET DRY-RUN
Rests on: Python alone; oracle-dump.py, two dumps by it, the JSON of `restore --dry-run`.
Does not: know what a version can hold: what is lost is seen in the dumps, what is named is read in the JSON.

Each kind must be named with as many keys as lost something of the kind, and the names it gives must be among these. Prints
the kinds with their counts. Status 1: lost and not named, named and not lost, or different in another way.
"""
import base64
import importlib.util
import json
import os
import re
import sys

sys.dont_write_bytecode = True
here = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("oracle", os.path.join(here, "..", "live", "oracle-dump.py"))
oracle = importlib.util.module_from_spec(spec)
spec.loader.exec_module(oracle)

# What a difference between two keys is, by the words of the comparison.
KINDS = ((r" expiry of field ", "field-ttl"),
         (r" (entries_added|max_deleted_entry_id|entries_read): ", "stream-counters"),
         (r" (seen_time|active_time): ", "consumer-times"),
         (r" pending [0-9]+-[0-9]+: only in A$| pending ids: ", "stream-nack"),
         (r" (idmp|iids|pids)[a-z-]*: ", "stream-idmp"))
GONE = {"stream": "stream", "array": "array"}
PLAIN = ("string", "list", "set", "zset", "hash")


def kind_gone(key):
    return GONE.get(key["type"]) or ("other" if key["type"] in PLAIN else "module")


def kind_of(line):
    for pattern, kind in KINDS:
        if re.search(pattern, line):
            return kind
    return None


def unknown_there(a, b):
    """Kinds that the comparison passes over: a member that only one version knows, ids of producers, which age."""
    if a["type"] != "stream" or b["type"] != "stream":
        return
    if a["value"].get("iids-tracked") and not b["value"].get("iids-tracked"):
        yield "stream-idmp"
    groups = {g["name"]: {c["name"]: c for c in g["consumers"]} for g in b["value"]["groups"]}
    for g in a["value"]["groups"]:
        for c in g["consumers"]:
            if "active_time" in c and "active_time" not in groups.get(g["name"], {}).get(c["name"], {"active_time": 0}):
                yield "consumer-times"


def lost(a, b, cluster):
    """kind -> set of (db, name); and what is no loss of any kind. cluster: the target has one database."""
    found, other = {}, []

    def add(kind, db, name):
        found.setdefault(kind, set()).add((db, name))

    compare = oracle.Compare(a, b, False)
    theirs = {f["name"]: f for f in b.get("functions") or []}
    for f in a.get("functions") or []:
        if f["name"] not in theirs:
            add("function", 0, f["name"].encode())
        else:
            other += compare.library("function library %s" % f["name"], f, theirs.pop(f["name"]))
    other += ["function library %s: only in the target" % name for name in theirs if name not in
              {f["name"] for f in a.get("functions") or []}]
    for db in sorted(a["dbs"].keys() | b["dbs"].keys(), key=int):
        x, y = ({e["key"]: e for e in o["dbs"].get(db, []) if e["type"] != "none"} for o in (a, b))
        other += ["db%s %s: only in the target" % (db, oracle.name(k)) for k in y.keys() - x.keys()]
        for k, e in x.items():
            name = base64.b64decode(k)
            if k not in y:
                add("database" if cluster and db != "0" else kind_gone(e), int(db), name)
                continue
            for line in compare.key("db%s %s" % (db, oracle.name(k)), e, y[k]):
                kind = kind_of(line)
                if kind:
                    add(kind, int(db), name)
                else:
                    other.append(line)
            for kind in unknown_there(e, y[k]):
                add(kind, int(db), name)
    return found, other


def main(source, target, dry):
    with open(dry, encoding="utf-8") as f:
        plan = json.load(f)
    named = {row["kind"]: row for row in plan["plan"]["losses"]}
    found, bad = lost(oracle.load(source), oracle.load(target), plan["server"].startswith("cluster://"))
    for kind in sorted(named.keys() | found.keys()):
        n, keys = named.get(kind, {}).get("count", 0), found.get(kind, set())
        if n != len(keys):
            bad.append("%s: named %d times, lost %d times: %s" % (kind, n, len(keys), sorted(keys)[:5]))
        names = {(db, k.decode("latin-1")[:64]) for db, k in keys}
        for row in named.get(kind, {}).get("names", []):
            if (row["db"], row["name"]) not in names:
                bad.append("%s: %r of db %d is named, and lost nothing" % (kind, row["name"], row["db"]))
    for line in bad[:30]:
        print(line, file=sys.stderr)
    print(", ".join("%s %d" % (kind, len(keys)) for kind, keys in sorted(found.items())) or "no loss")
    return 1 if bad else 0


sys.exit(main(*sys.argv[1:]))
