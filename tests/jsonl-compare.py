#!/usr/bin/env python3
"""Compare JSON Lines with what is expected, line by line as parsed JSON, in order.

usage: jsonl-compare.py EXPECTED.jsonl [GOT.jsonl]        (GOT: standard input when it is not given)

Exit 0 and "0 differences" when all agree; 1 with one line per difference otherwise. Numbers agree when they are
equal as integers or as doubles; members of an object stand in any order, but none may stand twice.
"""
import itertools, json, sys

def no_twins(pairs):
    names = [k for k, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("a member stands twice in an object")
    return dict(pairs)

def lines(f):
    for n, text in enumerate(f, 1):
        try:
            yield json.loads(text, object_pairs_hook=no_twins)
        except ValueError as e:
            yield ("no JSON", n, str(e))

def where(a, b, path="$"):
    """The first place where they differ, as words; None when they agree."""
    if isinstance(a, bool) or isinstance(b, bool) or type(a) is not type(b):
        numbers = isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool) and not isinstance(b, bool)
        return None if (numbers and a == b) or (type(a) is type(b) and a == b) else f"{path}: expected {a!r:.200}, got {b!r:.200}"
    if isinstance(a, dict):
        for k in [*a, *(k for k in b if k not in a)]:
            if k not in a or k not in b:
                return f"{path}.{k}: {'missing' if k not in b else 'not expected'}"
            d = where(a[k], b[k], f"{path}.{k}")
            if d:
                return d
        return None
    if isinstance(a, list):
        if len(a) != len(b):
            return f"{path}: expected {len(a)} elements, got {len(b)}"
        for i, (x, y) in enumerate(zip(a, b)):
            d = where(x, y, f"{path}[{i}]")
            if d:
                return d
        return None
    return None if a == b else f"{path}: expected {a!r:.200}, got {b!r:.200}"

def main():
    expected = open(sys.argv[1], encoding="utf-8")
    got = open(sys.argv[2], encoding="utf-8") if len(sys.argv) > 2 else sys.stdin
    differences, end = 0, object()
    for n, (a, b) in enumerate(itertools.zip_longest(lines(expected), lines(got), fillvalue=end), 1):
        d = "missing" if b is end else "not expected" if a is end else where(a, b)
        if d:
            differences += 1
            print(f"line {n}: {d}")
    print(f"{differences} differences")
    return 1 if differences else 0

if __name__ == "__main__":
    sys.exit(main())
