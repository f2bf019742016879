#!/usr/bin/env python3
"""Run `rdbtool check --json` on every file of tests/data/bad/EXPECT and compare.

usage: bad-compare.py RDBTOOL DATA/bad        Prints a line per difference, then how many files agree.

One finding must have the offset, the key and a reason that the expectation names; others may stand beside it.
"""
import base64, concurrent.futures, json, os, re, subprocess, sys

def key_text(f):
    k = f.get("key")
    return base64.b64decode(k["base64"]).decode("latin1") if isinstance(k, dict) else k

def agrees(f, offset, key, reason):
    return ((offset == "-" or f["offset"] == int(offset)) and (key == "-" or key_text(f) == key)
            and re.search(reason, f["kind"] + ": " + f["reason"], re.I) is not None)

def one(rdbtool, folder, line):
    name, status, offset, key, reason, options = line.rstrip("\n").split("\t")
    args = [] if options == "-" else options.split()
    p = subprocess.run([rdbtool, "check", "--json", *args, os.path.join(folder, name)], capture_output=True, timeout=120)
    if p.returncode != int(status):
        return f"{name}: exit status {p.returncode}, expected {status}: {p.stdout[:300]!r} {p.stderr[-300:]!r}"
    got = json.loads(p.stdout)
    if status == "3" and not any(agrees(f, offset, key, reason) for f in got["findings"]):
        return f"{name}: expected offset {offset}, key {key}, /{reason}/; got {json.dumps(got['findings'][:5])}"
    if got["ok"] is not False or (status != "3" and not got.get("error")):
        return f"{name}: reported as ok, or without a word: {got}"
    return None

def main():
    rdbtool, folder = sys.argv[1:]
    with open(os.path.join(folder, "EXPECT"), encoding="ascii") as f:
        todo = [line for line in f if line.strip() and not line.startswith("#")]
    listed = {line.split("\t")[0] for line in todo}
    differences = [f"{n}: not in EXPECT" for n in sorted(os.listdir(folder)) if n not in listed and n != "EXPECT"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        differences += [d for d in pool.map(lambda line: one(rdbtool, folder, line), todo) if d]
    print("".join(d + "\n" for d in differences), end="")
    print(f"{len(todo)} files, {len(differences)} differences")
    return 1 if differences or len(todo) < 60 else 0

if __name__ == "__main__":
    sys.exit(main())
