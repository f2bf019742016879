#!/usr/bin/env python3
"""What this is: fills a server with every type and shape that its version has.
Rests on: Python alone.
Does not: clear the server first; say anything when all went well.

usage: fill.py unix:/path|HOST:PORT [--dbs N] [--mb N] [--seed N] [--no-functions]

--dbs: how many databases get a share (default 16). --mb: besides, so many MB of strings that do not compress.
What a server does not know (field expiries, functions, vector sets) is left out without a word; any other error is one.
"""
import argparse
import random
import socket
import sys
import time


class Conn:
    def __init__(self, where):
        if where.startswith("unix:"):
            self.s = socket.socket(socket.AF_UNIX)
            self.s.connect(where[5:])
        else:
            host, _, port = where.rpartition(":")
            self.s = socket.create_connection((host, int(port)))
        self.f = self.s.makefile("rb", 1 << 16)
        self.queue, self.asked = [], []

    def put(self, *words, maybe=False):
        """Queues a command. maybe: the server may not know it."""
        parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.queue.append(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        self.asked.append((parts, maybe))
        if len(self.queue) >= 500:
            self.flush()

    def read(self):
        line = self.f.readline()
        if not line.endswith(b"\r\n"):
            sys.exit("fill.py: the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind in b"+:":
            return rest
        if kind == b"-":
            return Exception(rest.decode("utf-8", "replace"))
        n = int(rest)
        if kind == b"$":
            return None if n < 0 else self.f.read(n + 2)[:-2]
        return None if n < 0 else [self.read() for _ in range(n)]

    def flush(self):
        out, asked = b"".join(self.queue), self.asked
        self.queue, self.asked, replies = [], [], []
        if out:
            self.s.sendall(out)
        for parts, maybe in asked:
            reply = self.read()
            if isinstance(reply, Exception) and not (maybe and "unknown" in str(reply).lower()):
                sys.exit("fill.py: %s: %s" % (b" ".join(parts)[:80], reply))
            replies.append(reply)
        return replies

    def ask(self, *words, maybe=False):
        self.flush()
        self.put(*words, maybe=maybe)
        return self.flush()[0]


def strings(c, r, far):
    c.put("SET", "empty", "")
    c.put("SET", "", "an empty name")
    c.put("SET", b"binary\x00\xff\r\n name", bytes(range(256)))
    c.put("SET", "n" * 70000, "a long name")
    for i, v in enumerate((0, 1, -1, 127, -128, 32767, -32769, 2**31 - 1, -2**31, 2**63 - 1, -2**63, "00", "1e5")):
        c.put("SET", "int:%d" % i, v)
    c.put("SET", "folds", "abcd" * 5000)
    c.put("SET", "dense", r.randbytes(20000))
    c.put("SET", "large", r.randbytes(3 << 20))
    c.put("SETBIT", "bits", 100000, 1)
    for i in range(300):
        c.put("SET", "s:%d" % i, "value %d " % i * (i % 50))
        if i % 3 == 0:
            c.put("PEXPIREAT", "s:%d" % i, far + i * 1001)
    c.put("PFADD", "hll:sparse", *["e%d" % i for i in range(50)])
    for k in range(20):
        c.put("PFADD", "hll:dense", *["e%d" % (i + k * 1000) for i in range(1000)])


def collections(c, r, far):
    for n in (1, 3, 600):
        c.put("RPUSH", "list:%d" % n, *["item %d %s" % (i, "x" * (i % 90)) for i in range(n)])
        c.put("SADD", "set:ints:%d" % n, *[r.randrange(-2**62, 2**62) for _ in range(n)])
        c.put("SADD", "set:words:%d" % n, *["w%d" % i for i in range(n)])
        c.put("ZADD", "zset:%d" % n, *[x for i in range(n) for x in (i / 7, "m%d" % i)])
        c.put("HSET", "hash:%d" % n, *[x for i in range(n) for x in ("f%d" % i, i * 3)])
    c.put("RPUSH", "list:plain", "small", r.randbytes(100000), "after", "")
    c.put("RPUSH", "list:long", *[i for i in range(20000)])
    c.put("ZADD", "zset:ends", "-inf", "low", "inf", "high", "0.1", "tenth", "-0.0", "nought", "1e300", "huge")
    c.put("HSET", "hash:wide", "f", "v" * 100, b"\x00bin", r.randbytes(200))
    c.put("GEOADD", "geo", 13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")
    for i, name in enumerate(("list:3", "set:words:600", "zset:600", "hash:600")):
        c.put("PEXPIREAT", name, far + i)


def streams(c, far):
    for i in range(1, 400):
        c.put("XADD", "stream", "1700000000%03d-%d" % (i, i % 3), "n", i, "text", "t" * (i % 40))
    c.put("XADD", "stream", "1700000001000-0", "other", "fields", "than", "before")
    for i in (5, 50, 51, 52):
        c.put("XDEL", "stream", "1700000000%03d-%d" % (i, i % 3))
    c.put("XGROUP", "CREATE", "stream", "behind", "0")
    c.put("XGROUP", "CREATE", "stream", "end", "$")
    c.put("XGROUP", "CREATE", "stream", "unread", "1700000000100-1")
    c.put("XREADGROUP", "GROUP", "behind", "ann", "COUNT", "90", "STREAMS", "stream", ">")
    c.put("XREADGROUP", "GROUP", "behind", "bob", "COUNT", "7", "STREAMS", "stream", ">")
    c.put("XACK", "stream", "behind", "1700000000001-1", "1700000000002-2")
    c.put("XCLAIM", "stream", "behind", "eve", "0", "1700000000003-0", "TIME", "1700000000500", "RETRYCOUNT", "9")
    c.put("XDEL", "stream", "1700000000004-1")  # pending, and gone
    c.put("XGROUP", "CREATECONSUMER", "stream", "end", "idle", maybe=True)
    c.put("XGROUP", "CREATE", "stream:empty", "g", "$", "MKSTREAM")
    c.put("XADD", "stream:short", "MAXLEN", "1", "5-1", "a", "b")
    c.put("XADD", "stream:short", "MAXLEN", "1", "6-1", "a", "b")
    c.put("XSETID", "stream:short", "7-9")
    c.put("PEXPIREAT", "stream:short", far)


def newer(c, r, far, functions):
    if functions:
        code = "#!lua name=filled\nredis.register_function{function_name='%s', callback=function() return 7 end, %s}\n"
        c.put("FUNCTION", "LOAD", code % ("seven", "flags={'no-writes'}"), maybe=True)
    if not isinstance(c.ask("HPEXPIREAT", "none", far, "FIELDS", 1, "f", maybe=True), Exception):
        for n in (5, 700):
            c.put("HSET", "fields:%d" % n, *[x for i in range(n) for x in ("f%d" % i, "v%d" % i)])
            for i in range(0, n, 2):
                c.put("HPEXPIREAT", "fields:%d" % n, far + i * 77, "FIELDS", 1, "f%d" % i)
    if not isinstance(c.ask("VADD", "vectors", "VALUES", 3, 1.5, 2.5, -3, "one", "NOQUANT", maybe=True), Exception):
        for i in range(30):
            c.put("VADD", "vectors", "VALUES", 3, r.random(), r.random(), i, "v%d" % i, "NOQUANT")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("where")
    p.add_argument("--dbs", type=int, default=16)
    p.add_argument("--mb", type=int, default=0)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--no-functions", action="store_true")
    a = p.parse_args()
    c, r = Conn(a.where), random.Random(a.seed)
    far = (int(time.time()) + 10 * 86400) * 1000 + 123
    strings(c, r, far)
    collections(c, r, far)
    streams(c, far)
    newer(c, r, far, not a.no_functions)
    for db in range(1, a.dbs):
        c.put("SELECT", db)
        c.put("SET", "db", db)
        c.put("RPUSH", "list", db, "of", "db")
        c.put("SET", "soon", "gone", "PXAT" if db % 2 else "PX", far if db % 2 else 10**9, maybe=True)
    c.put("SELECT", 0)
    for i in range(a.mb * 16):
        c.put("SET", "mb:%d" % i, r.randbytes(65536))
        if i % 16 == 15:
            c.flush()
    c.flush()


if __name__ == "__main__":
    main()
