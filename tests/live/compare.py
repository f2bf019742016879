#!/usr/bin/env python3
"""What this is: compares an export (--bytes base64) with what a live server answers: compare.py SOCKET FILE.
Rests on: Python's standard library. Does not: use anything of respite."""
import base64
import json
import socket
import sys


class Server:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def __call__(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self.reply()

    def reply(self):
        line = self.file.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        return rest


def text(s):
    return base64.b64decode(s)


def pairs(flat):
    return dict(zip(flat[0::2], flat[1::2]))


def expected(server, key, kind):
    if kind == b"string":
        return server("GET", key)
    if kind == b"list":
        return server("LRANGE", key, 0, -1)
    if kind == b"set":
        return sorted(server("SMEMBERS", key))
    if kind == b"hash":
        return pairs(server("HGETALL", key))
    if kind == b"zset":
        return {m: float(s) for m, s in pairs(server("ZRANGE", key, 0, -1, "WITHSCORES")).items()}
    info = pairs(server("XINFO", "STREAM", key, "FULL", "COUNT", 0))
    groups = []
    for group in map(pairs, info[b"groups"]):
        consumers = {c[b"name"]: [p[0] for p in c[b"pending"]] for c in map(pairs, group[b"consumers"])}
        groups.append((group[b"name"], group[b"last-delivered-id"], [tuple(p) for p in group[b"pending"]], consumers))
    return info[b"length"], info[b"last-generated-id"], [(e[0], e[1]) for e in server("XRANGE", key, "-", "+")], groups


def exported(kind, value):
    if kind == b"string":
        return text(value)
    if kind == b"list":
        return [text(v) for v in value]
    if kind == b"set":
        return sorted(text(v) for v in value)
    if kind == b"hash":
        return {text(f): text(v) for f, v in (value.items() if isinstance(value, dict) else value)}
    if kind == b"zset":
        return {text(m): float(s) for m, s in value}
    groups = []
    for group in value["groups"]:
        consumers = {text(c["name"]): [i.encode() for i in c["pending"]] for c in group["consumers"]}
        pending = [(p[0].encode(), text(p[1]), p[2], p[3]) for p in group["pending"]]
        groups.append((text(group["name"]), group["last_id"].encode(), pending, consumers))
    entries = [(e[0].encode(), [text(x) for x in e[1]]) for e in value["entries"]]
    return value["length"], value["last_id"].encode(), entries, groups


def main():
    server = Server(sys.argv[1])
    seen, differences = set(), 0
    with open(sys.argv[2], encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            key = text(record["key"])
            server("SELECT", record["db"])
            kind = server("TYPE", key)
            want, got = expected(server, key, kind), exported(kind, record["value"])
            due = server("PEXPIRETIME", key)
            seen.add((record["db"], key))
            if kind.decode() != record["type"] or want != got or due != record.get("expire_at_ms", -1):
                differences += 1
                print("differs:", record["db"], key, kind, record["type"], repr(want)[:300], repr(got)[:300])
    total = 0
    for db in range(2):
        server("SELECT", db)
        total += server("DBSIZE")
    if total != len(seen):
        differences += 1
        print("the server has %d keys, the export %d" % (total, len(seen)))
    print("%d differences in %d keys" % (differences, total))
    return 1 if differences else 0


sys.exit(main())
