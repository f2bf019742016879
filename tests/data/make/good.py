#!/usr/bin/env python3
"""Writes ../hand/NAME.rdb, the sound files that no released server writes, and beside each the expected output of
`rdbtool export --format jsonl --bytes base64` (NAME.jsonl) and, where it differs, with --with-meta
(NAME.meta.jsonl). The expectations come from the model below, never from the tool. Deterministic."""
import base64
import json
import os
import sys

sys.dont_write_bytecode = True
from rdbgen import *  # noqa: E402,F403

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "hand")
MS = 4102444800000  # 2100-01-01


def text(x):
    while isinstance(x, (S, Prev, BackLen)):
        x = x.x
    if isinstance(x, I):
        x = x.n
    return str(x).encode() if isinstance(x, int) else bytes(x)


def b64(x):
    return base64.b64encode(text(x)).decode()


def sid(i):
    return "%d-%d" % i


def score(x):
    return "inf" if x == float("inf") else "-inf" if x == float("-inf") else x


HASHES = {4: "hashtable", 9: "zipmap", 13: "ziplist", 16: "listpack", 24: "hashtable_ttl", 25: "listpack_ttl",
          29: "template", 30: "template", 31: "template", 32: "template"}


class Doc(Rdb):
    def __init__(self, name, ver=11, dialect=REDIS, crc="ok"):
        super().__init__(ver, dialect)
        self.name, self.crc, self.lines, self.meta, self.at = name, crc, [], [], 0
        self.wrap = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0]:
            return
        self.end(self.crc)
        data = bytes(self.data)
        with open(os.path.join(OUT, self.name + ".rdb"), "wb") as f:
            f.write(self.wrap(data) if self.wrap else data)
        self.write(".jsonl", self.lines)
        if self.meta != self.lines:
            self.write(".meta.jsonl", self.meta)

    def write(self, end, lines):
        with open(os.path.join(OUT, self.name + end), "w") as f:
            f.writelines(json.dumps(x, separators=(",", ":")) + "\n" for x in lines)

    # what stands between keys
    def db(self, n, resize=None):
        self.at = n.n if isinstance(n, L) else n
        return super().db(n, resize)

    def aux(self, key, value):
        self.meta.append({"aux": {text(key).decode(): text(value).decode()}})
        return super().aux(key, value)

    def function(self, code, name=None):
        super().function(code)
        self.meta.append({"function": {"name": name, "engine": "lua", "code": b64(code)}})

    def function_pre_ga(self, name, engine, desc, code):
        self.put(b"\xf6", st(name), st(engine), ln(0) if desc is None else B(ln(1), st(desc)), st(code))
        self.meta.append({"function": {"name": name.decode(), "engine": engine.decode(), "code": b64(code)}})

    def slot_import(self, job, ranges):
        super().slot_import(job, ranges)
        self.meta.append({"slot_import": {"job": job.decode(), "ranges": [list(r) for r in ranges]}})

    def update(self, *args):
        self.put(b"\xf2*%d\r\n" % len(args), *[b"$%d\r\n%s\r\n" % (len(a), a) for a in args])
        self.meta.append({"update": [b64(a) for a in args]})

    def module_aux(self, name, version, when, *xs):
        raw = B(ln(module_id(name, version)), ln(2), ln(when), items(*xs))
        self.put(b"\xf7", raw)
        self.meta.append({"module_aux": {"module": name, "version": version, "when": when,
                                         "raw": base64.b64encode(bytes(raw)).decode()}})

    # keys
    def rec(self, kind, key, stored, vtype, encoding, value, fields_ms=None, **opt):
        super().key(kind, key, stored, **opt)
        line = {"db": self.at, "key": b64(key), "type": vtype, "encoding": encoding, "rdb_type": kind}
        if opt.get("ms") is not None:
            line["expire_at_ms"] = opt["ms"]
        if opt.get("s") is not None:
            line["expire_at_ms"] = opt["s"] * 1000
        for name, member in (("idle", "idle_s"), ("freq", "freq")):
            if opt.get(name) is not None:
                line[member] = opt[name]
        if opt.get("meta"):
            line["key_meta"] = base64.b64encode(bytes(opt["meta"])).decode()
        line["value"] = value
        if fields_ms:
            line["field_expire_at_ms"] = {b64(f): t for f, t in fields_ms.items()}
        self.lines.append(line)
        self.meta.append(line)

    def string(self, key, value, **opt):
        enc = "raw"
        if isinstance(value, S):
            enc = {"raw": "raw", "lzf": "lzf"}.get(value.enc, "int")
        self.rec(0, key, st(value), "string", enc, b64(value), **opt)

    def list(self, kind, key, stored, elems, **opt):
        enc = {1: "linkedlist", 10: "ziplist", 14: "quicklist", 18: "quicklist2"}[kind]
        self.rec(kind, key, stored, "list", enc, [b64(e) for e in elems], **opt)

    def set(self, kind, key, stored, elems, **opt):
        self.rec(kind, key, stored, "set", {2: "hashtable", 11: "intset", 20: "listpack"}[kind],
                 [b64(e) for e in elems], **opt)

    def zset(self, kind, key, stored, elems, **opt):
        self.rec(kind, key, stored, "zset", {3: "skiplist", 5: "skiplist", 12: "ziplist", 17: "listpack"}[kind],
                 [[b64(m), score(s)] for m, s in elems], **opt)

    def hash(self, kind, key, stored, elems, encoding=None, **opt):
        self.rec(kind, key, stored, "hash", encoding or HASHES[kind], {b64(f): b64(v) for f, v in elems}, **opt)

    def module(self, key, name, version, *xs, **opt):
        raw = B(ln(module_id(name, version)), items(*xs))
        self.rec(7, key, raw, "module", "module",
                 {"module": name, "version": version, "raw": base64.b64encode(bytes(raw)).decode()}, **opt)

    def stream(self, kind, key, nodes, last, first=(0, 0), maxdel=(0, 0), added=0, groups=(), idmp=None, **opt):
        live = [e for _, _, es in nodes for e in es if not (len(e) > 2 and e[2].get("deleted"))]
        stored = stream(kind, [snode(*n) for n in nodes], len(live), last, first, maxdel, added, groups, idmp)
        v = {"length": len(live), "last_id": sid(last)}
        if kind >= 2:
            v.update(first_id=sid(first), max_deleted_id=sid(maxdel), entries_added=added)
        v["entries"] = [[sid(e[0]), [b64(x) for p in e[1] for x in p]] for e in live]
        v["groups"] = []
        for g in groups:
            j = {"name": b64(g["name"]), "last_id": sid(g["last"])}
            if kind >= 2 and g.get("read", -1) != -1:
                j["entries_read"] = g["read"]
            own = {i: b64(c["name"]) for c in g["consumers"] for i in c["pel"]}
            j["pending"] = [[sid(i), own.get(i), t, n] for i, t, n in g["pel"]]
            j["consumers"] = []
            for c in g["consumers"]:
                k = {"name": b64(c["name"]), "seen_ms": c["seen"]}
                if kind >= 3:
                    k["active_ms"] = c.get("active", c["seen"])
                k["pending"] = [sid(i) for i in c["pel"]]
                j["consumers"].append(k)
            v["groups"].append(j)
        if kind >= 4:
            m = idmp or {}
            v["idmp"] = {"duration_s": m.get("duration", 100), "max_entries": m.get("max", 100),
                         "producers": [{"id": b64(p), "entries": [[b64(i), sid(x)] for i, x in es]}
                                       for p, es in m.get("producers", ())],
                         "iids_added": m.get("added", 0), "iids_duplicates": m.get("dups", 0)}
        self.rec((15, 19, 21, 26, 27)[kind - 1], key, stored, "stream", "stream%d" % kind, v, **opt)


def flat(pairs_):
    return [x for p in pairs_ for x in p]


# ---- frames ----------------------------------------------------------------------------------------

def frames():
    for ver in range(1, 16):
        with Doc("empty-%02d" % ver, ver):
            pass
    for ver in (80, 81):
        with Doc("empty-valkey-%d" % ver, ver, VALKEY):
            pass
    with Doc("rdb1-plain", 1) as d:
        d.db(0)
        d.string(b"s", b"hello")
        d.string(b"n", S(b"-129", "int"), s=2147483647)
        d.string(b"z", S(b"abcabcabcabcabcabcabcabcabcabc", "lzf"))
        d.list(1, b"l", seq([b"a", S(b"12", "int"), b""]), [b"a", b"12", b""])
        d.set(2, b"st", seq([b"x", S(b"12", "int")]), [b"x", b"12"])
        d.zset(3, b"zs", zset1([(b"a", b"1.5"), (b"b", b"-3")]), [(b"a", 1.5), (b"b", -3)])
        d.hash(4, b"h", pairs([(b"f", b"v"), (S(b"1", "int"), S(b"65536", "int"))]), [(b"f", b"v"), (b"1", b"65536")])
        d.db(9)
        d.string(b"s", b"again", s=-1)
    with Doc("rdb2-compact", 2) as d:
        d.db(0)
        d.hash(9, b"zm", st(zipmap([(b"f", b"v"), (b"g", b"")])), [(b"f", b"v"), (b"g", b"")])
        els = [b"a", 5, 0, 12, -1, 300, 70000, 1 << 40, b"b" * 70]
        els2 = [I(e, 0xC0 if -32768 <= e < 32768 else 0xD0 if e < 1 << 31 else 0xE0) if isinstance(e, int) else e
                for e in els]
        d.list(10, b"zl", st(zl(els2)), els)
        d.set(11, b"is", st(intset([-5, 1, 2, 300])), [-5, 1, 2, 300])
        z = [(b"m", I(-1, 0xC0)), (b"a", I(2, 0xC0)), (b"b", I(2, 0xC0)), (b"c", b"2.5")]
        d.zset(12, b"zz", st(zl(flat(z))), [(b"m", -1), (b"a", 2), (b"b", 2), (b"c", 2.5)])
    with Doc("rdb3-expire-ms", 3) as d:
        d.db(0)
        d.string(b"ms", b"v", ms=MS + 123)
        d.string(b"s", b"v", s=2000000000)
    with Doc("rdb4-hash-ziplist", 4) as d:
        d.db(0)
        d.hash(13, b"h", st(zl([b"f", b"v", b"n", I(77, 0xC0)])), [(b"f", b"v"), (b"n", b"77")])
    with Doc("rdb5-crc", 5) as d:
        d.db(0)
        d.string(b"k", b"v")
    with Doc("rdb5-crc-zero", 5, crc="zero") as d:
        d.db(0)
        d.string(b"k", b"v")
    with Doc("rdb11-crc-zero", 11, crc="zero") as d:
        d.aux(b"redis-ver", b"7.2.4")
        d.db(0, (1, 0))
        d.string(b"k", b"v")


def strings():
    with Doc("strings", 9) as d:
        d.db(0)
        for i, n in enumerate((0, 12, -1, 127, -128, 128, -129, 32767, -32768, 32768, 2147483647, -2147483648)):
            d.string(b"int%d" % i, S(b"%d" % n, "int"))
        d.string(b"wide-int", S(b"5", "int32"))
        d.string(b"nearly-int", b"007")
        d.string(b"big-int", b"9223372036854775807")
        d.string(b"empty", b"")
        d.string(b"binary", bytes(range(256)))
        d.string(b"b63", b"q" * 63)
        d.string(b"b64", b"r" * 64)
        d.string(b"b16383", (b"0123456789abcdef" * 1024)[:16383])
        d.string(b"b16384", b"fedcba9876543210" * 1024)
        d.string(b"lzf", S(b"the same words " * 40, "lzf"))
        d.string(b"lzf-run", S(b"\0" * 3000, "lzf"))
        d.string(b"lzf-literal", S(b"abcdef", "lzf", comp=lzf_lit(b"abcdef")))
        far = bytes((i * 7 + i // 256) & 255 for i in range(8192))
        comp = b"".join(lzf_lit(far[i:i + 32]) for i in range(0, 8192, 32)) + lzf_ref(264, 8192) + lzf_ref(3, 1)
        out = far + far[:264]
        d.string(b"lzf-far", S(out + out[-1:] * 3, "lzf", comp=comp))
    with Doc("keys", 9) as d:
        d.db(0)
        d.string(b"", b"empty key")
        d.string(S(b"42", "int"), b"int8 key")
        d.string(S(b"-30000", "int"), b"int16 key")
        d.string(S(b"2000000000", "int"), b"int32 key")
        d.string(S(b"key:" * 30, "lzf"), b"lzf key")
        d.string(b"\xff\xfe\x00\x80", b"not UTF-8")
        d.string(b"\xed\xa0\x80", b"a lone surrogate")
        d.string(b"\xc0\xaf", b"overlong")
        d.string("Žluť 漢字 \U0001f600".encode(), b"UTF-8")
        d.string(b"a\nb\t\"\\\x7f\x01/</script>", b"to be escaped")
        d.string(b"k" * 300, b"long key")
    with Doc("lengths-nonminimal", 9) as d:
        d.put(b"\xfe", ln(L(0, 14)), b"\xfb", ln(L(6, 32)), ln(L(0, 64)))
        d.string(S(b"a", "raw", 14), b"key of 14 bits")
        d.string(S(b"b", "raw", 32), S(b"32 bits", "raw", 32))
        d.string(S(b"c", "raw", 64), S(b"64 bits", "raw", 64))
        d.list(1, b"list", B(ln(L(2, 64)), st(S(b"x", "raw", 32)), st(S(b"", "raw", 64))), [b"x", b""])
        d.string(b"lzf", S(b"abababababababababababababababab", "lzf"), idle=5)
        blob = lp([b"f", 1])
        d.hash(16, b"h", st(S(blob, "raw", 32)), [(b"f", 1)])
        d.put(b"\xfe", ln(L(3, 32)))
        d.at = 3
        d.string(b"z", b"v")


def opcodes():
    with Doc("expiry", 9) as d:
        d.db(0)
        d.string(b"none", b"v")
        d.string(b"seconds", b"v", s=2000000000)
        d.string(b"seconds-negative", b"v", s=-2147483648)
        d.string(b"seconds-zero", b"v", s=0)
        d.string(b"ms", b"v", ms=MS + 1)
        d.string(b"ms-negative", b"v", ms=-1)
        d.string(b"ms-zero", b"v", ms=0)
        d.string(b"ms-past", b"v", ms=1)
        d.string(b"ms-max", b"v", ms=(1 << 63) - 1)
        d.string(b"idle", b"v", idle=0)
        d.string(b"idle-big", b"v", idle=1 << 33)
        d.string(b"freq-0", b"v", freq=0)
        d.string(b"freq-255", b"v", freq=255)
        d.string(b"expire-idle", b"v", ms=MS, idle=70)
        d.string(b"expire-freq", b"v", ms=MS, freq=7)
        d.string(b"none-again", b"v")
    with Doc("opcodes-odd-order", 9) as d:
        d.string(b"before any SELECTDB", b"db 0")
        d.aux(b"redis-ver", b"6.2.16")
        d.db(5, (1, 1))
        d.put(b"\xf8", ln(3))
        d.rec(0, b"idle before expire", st(b"v"), "string", "raw", b64(b"v"), ms=MS)
        d.lines[-1]["idle_s"] = 3
        d.put(b"\xf9\x09")
        d.rec(0, b"freq before seconds", st(b"v"), "string", "raw", b64(b"v"), s=2000000000)
        d.lines[-1]["freq"] = 9
        d.aux(b"unknown-field", b"whatever")
        d.db(2)
        d.put(b"\xfb\x00\x00\xfb\x05\x01")
        d.string(b"k", b"db 2")
        d.db(5)
        d.string(b"k", b"db 5 again")
        d.db(5)
        d.aux(b"ctime", S(b"1700000000", "int"))
        d.db(0)
        d.string(b"k", b"db 0 again")
        d.db(7)
    with Doc("multidb", 9) as d:
        for n in (0, 1, 15, 63, 64, 16383, 16384, 4294967295):
            d.db(n, (2, 1))
            d.string(b"same", b"db %d" % n)
            d.string(b"own%d" % n, b"v", ms=MS)
    with Doc("aux", 11) as d:
        d.aux(b"redis-ver", b"7.2.6")
        d.aux(b"redis-bits", S(b"64", "int"))
        d.aux(b"ctime", S(b"1700000000", "int"))
        d.aux(b"used-mem", S(b"1000000", "int"))
        d.aux(b"repl-stream-db", S(b"0", "int"))
        d.aux(b"repl-id", b"0123456789abcdef0123456789abcdef01234567")
        d.aux(b"repl-offset", S(b"12345", "int"))
        d.aux(b"aof-base", S(b"1", "int"))
        d.aux(b"lua", b"return 1")
        d.aux(S(b"7", "int"), b"a number as name")
        d.aux(b"long", S(b"compressed " * 20, "lzf"))
        d.aux(b"%note", b"logged")
        d.aux(b"empty", b"")
        d.db(0)
        d.string(b"k", b"v")
    with Doc("aux-valkey-cluster", 80, VALKEY) as d:
        d.aux(b"valkey-ver", b"9.1.0")
        node = b"0123456789abcdef0123456789abcdef0123456"
        d.aux(b"cluster-slot-states", b"5<" + node + b"a,77>" + node + b"b")
        d.slot_import(b"e" * 40, [(0, 100), (16383, 16383)])
        d.db(0, (2, 0))
        d.aux(b"slot-info", b"12182,1,0,0")
        d.string(b"foo", b"bar")
        d.put(b"\xf4", ln(5061), ln(1), ln(0))
        d.string(b"bar", b"foo")
    with Doc("slot-info", 12) as d:
        d.aux(b"redis-ver", b"7.4.0")
        d.aux(b"cluster-asm-task", b"")
        d.db(0, (2, 0))
        d.slot_info(5061, 1, 0)
        d.string(b"bar", b"foo")
        d.slot_info(12182, 1, 1)
        d.string(b"foo", b"bar", ms=MS)
        d.slot_info(16383, 0, 0)
    with Doc("functions", 10) as d:
        d.aux(b"redis-ver", b"7.0.15")
        d.function(b"#!lua name=one\nredis.register_function('f', function() return 1 end)\n", "one")
        d.function(S(b"#!lua name=two\n" + b"-- a comment line\n" * 20, "lzf"), "two")
        d.db(0)
        d.string(b"k", b"v")
    with Doc("function-pre-ga", 10) as d:
        d.aux(b"redis-ver", b"6.9.240")
        d.function_pre_ga(b"plain", b"LUA", None, b"return 1")
        d.function_pre_ga(b"told", b"LUA", b"what it does", b"return 2")
        d.db(0)
        d.string(b"k", b"v")
    with Doc("valkey81-update", 81, VALKEY) as d:
        d.aux(b"valkey-ver", b"9.2.0")
        d.db(0)
        d.string(b"k", b"v")
        d.update(b"SET", b"k", b"a\r\nb")
        d.update(b"DEL", b"")
        d.string(b"k2", b"v")
        d.update(b"FLUSHALL")


# ---- aggregates ------------------------------------------------------------------------------------

def lists():
    with Doc("lists", 10) as d:
        d.db(0)
        d.list(1, b"plain", seq([b"a", b"", S(b"-7", "int"), S(b"xyz" * 30, "lzf"), b"a"]),
               [b"a", b"", -7, b"xyz" * 30, b"a"])
        d.list(10, b"ziplist", st(zl([b"x", 1, b""])), [b"x", 1, b""])
        d.list(10, b"ziplist-lzf", st(S(zl([b"word" * 10] * 9), "lzf")), [b"word" * 10] * 9)
        d.list(14, b"quicklist", quicklist([zl([b"a", 2]), S(zl([b"bb" * 30] * 4), "lzf"), zl([]), zl([3])]),
               [b"a", 2] + [b"bb" * 30] * 4 + [3])
        d.list(18, b"quicklist2", quicklist2([(2, lp([b"a", 2])), (1, b"plain node"), (1, S(b"77", "int")),
                                              (2, lp([])), (2, S(lp([b"cc" * 30] * 4), "lzf")), (1, S(b"p" * 500,
                                                      "lzf"))]),
               [b"a", 2, b"plain node", 77] + [b"cc" * 30] * 4 + [b"p" * 500])
        d.list(18, b"empty-element", quicklist2([(2, lp([b""]))]), [b""])
    ints = [0, 12, 13, -1, 127, -128, 128, 32767, -32768, 32768, 8388607, -8388608, 8388608,
            2147483647, -2147483648, 2147483648, (1 << 63) - 1, -(1 << 63)]
    with Doc("ziplist-edges", 9) as d:
        d.db(0)
        d.list(10, b"ints", st(zl(ints)), ints)
        wide = [I(1, 0xFE), I(1, 0xC0), I(1, 0xF0), I(1, 0xD0), I(1, 0xE0)]
        d.list(10, b"ints-wide", st(zl(wide)), [1] * 5)
        els = [b"", b"a" * 63, b"b" * 64, b"c" * 249, b"d" * 250, b"e" * 251, b"f" * 252, b"g" * 300, 5, b"h" * 16384,
               b"last"]
        d.list(10, b"lengths", st(zl(els)), els)
        d.list(10, b"wide-prevlen", st(zl([b"a", Prev(b"b", wide=True), Prev(7, wide=True), b"c"])), [b"a", b"b", 7,
                b"c"])
        d.list(10, b"wide-prevlen-first", st(zl([Prev(b"a", wide=True), b"b"])), [b"a", b"b"])
        d.list(10, b"count-unknown", st(zl([b"a", b"b", 3], count=65535)), [b"a", b"b", 3])
        d.list(10, b"string-length-forms", st(zl([Raw(b"\0\x40\x01a"), Raw(b"\x04\x80\0\0\0\x01b"),
                                                  Raw(b"\x07\xbf\0\0\0\x01c")])), [b"a", b"b", b"c"])
        d.list(10, b"digits-as-string", st(zl([b"123", b"0"])), [b"123", b"0"])
    lens = [b"", b"a" * 63, b"b" * 64, b"c" * 125, b"d" * 126, b"e" * 127, b"f" * 4095, b"g" * 4096]
    with Doc("listpack-edges", 10) as d:
        d.db(0)
        nums = ints + [-4096, 4095, 4096, -4097]
        d.list(18, b"ints", quicklist2([(2, lp(nums))]), nums)
        wide = [I(1, 0xC0), I(1, 0xF1), I(-1, 0xF2), I(1, 0xF3), I(-1, 0xF4)]
        d.list(18, b"ints-wide", quicklist2([(2, lp(wide))]), [1, 1, -1, 1, -1])
        d.list(18, b"lengths", quicklist2([(2, lp(lens))]), lens)
        d.list(18, b"count-unknown", quicklist2([(2, lp([b"a", 2, b"c"], count=65535))]), [b"a", 2, b"c"])
        d.hash(16, b"hash-count-unknown", st(lp([b"f", 1, b"g", 2], count=65535)), [(b"f", 1), (b"g", 2)])
        forms = [Raw(b"\xe0\x01a\x03"), Raw(b"\xf0\x01\0\0\0b\x06"), b"5", b"-1"]
        d.list(18, b"string-length-forms", quicklist2([(2, lp(forms))]), [b"a", b"b", b"5", b"-1"])
    big = (b"0123456789abcde\n" * 1024)[:16378]
    for name, new in (("old", False), ("new", True)):
        with Doc("listpack-16383-" + name, 10) as d:
            d.db(0)
            d.list(18, b"middle", quicklist2([(2, lp([b"a", big, b"z"], new=new))]), [b"a", big, b"z"])
            d.list(18, b"last", quicklist2([(2, S(lp([1, big], new=new), "lzf"))]), [1, big])
            d.hash(16, b"hash", st(S(lp([b"f", big, b"g", big[:-1], b"h", big + b"!"], new=new), "lzf")),
                   [(b"f", big), (b"g", big[:-1]), (b"h", big + b"!")])
    with Doc("counts-65535", 10) as d:
        d.db(0)
        for n in (65534, 65535, 65540):
            els = [b""] * (n - 1) + [b"end"]
            d.list(18, b"listpack-%d" % n, quicklist2([(2, S(lp(els), "lzf"))]), els)
        els = [b""] * 65535 + [b"end"]
        d.list(10, b"ziplist-65536", st(S(zl(els), "lzf")), els)


def sets():
    with Doc("sets", 11) as d:
        d.db(0)
        d.set(2, b"plain", seq([b"b", b"a", S(b"10", "int"), b""]), [b"b", b"a", 10, b""])
        d.set(11, b"w2", st(intset([-32768, -1, 0, 5, 32767])), [-32768, -1, 0, 5, 32767])
        d.set(11, b"w4", st(intset([-2147483648, 7, 2147483647])), [-2147483648, 7, 2147483647])
        d.set(11, b"w8", st(intset([-(1 << 63), 0, (1 << 63) - 1])), [-(1 << 63), 0, (1 << 63) - 1])
        d.set(11, b"w8-not-minimal", st(intset([1, 2], width=8)), [1, 2])
        d.set(11, b"lzf", st(S(intset(list(range(1000, 1100))), "lzf")), list(range(1000, 1100)))
        d.set(20, b"listpack", st(lp([b"z", 5, b"", b"a"])), [b"z", 5, b"", b"a"])


def zsets():
    special = [float("-inf"), -1.7976931348623157e308, -4503599627370497.5, -1.0, -5e-324, 0.0, 5e-324,
               2.2250738585072014e-308, 0.1, 0.30000000000000004, 1.0, 3.141592653589793, 9007199254740992.0,
               1e21, 1.7976931348623157e308, float("inf")]

    def txt(x):
        return repr(x).encode() if abs(x) != float("inf") else b"inf" if x > 0 else b"-inf"

    named = [(b"m%02d" % i, s) for i, s in enumerate(special)]
    with Doc("zset-scores", 10) as d:
        d.db(0)
        ascii_ = [(m, 254 if s == float("inf") else 255 if s == float("-inf") else b"%.17g" % s) for m, s in named]
        d.zset(3, b"ascii", zset1(ascii_), named)
        d.zset(3, b"ascii-forms", zset1([(b"a", b"1e3"), (b"b", b"-0"), (b"c", b"+5"), (b"d", b"0.50"), (b"e",
                b"1E-2")]),
               [(b"a", 1000), (b"b", 0), (b"c", 5), (b"d", 0.5), (b"e", 0.01)])
        d.zset(5, b"binary", zset2(named[::-1]), named[::-1])
        d.zset(5, b"binary-any-order", zset2([(b"a", 1.0), (S(b"2", "int"), 3.0), (b"c", -0.0)]),
               [(b"a", 1), (2, 3), (b"c", 0)])
        d.zset(12, b"ziplist", st(zl(flat([(m, txt(s)) for m, s in named]))), named)
        d.zset(17, b"listpack", st(lp(flat([(m, txt(s)) for m, s in named]))), named)
        ties = [(b"", 1), (b"a", 1), (b"aa", 1), (b"b", 1), (b"\xff", 1), (b"A", 2), (b"10", 2.5), (7, 3)]
        order = [(m, s if isinstance(s, int) else txt(s)) for m, s in ties]
        d.zset(17, b"ties", st(lp(flat(order))), ties)
        d.zset(12, b"ties-ziplist", st(zl(flat(order))), ties)
        safe = [(b"a", -9007199254740992), (b"b", 0), (b"c", 9007199254740992)]
        d.zset(17, b"integers", st(lp(flat(safe))), safe)


def hashes():
    with Doc("hashes", 10) as d:
        d.db(0)
        fv = [(b"f", b"v"), (b"", b"empty field"), (b"g", b""), (b"n", 12)]
        d.hash(4, b"plain", pairs([(b"f", b"v"), (b"", b"empty field"), (b"g", b""), (b"n", S(b"12", "int"))]), fv)
        d.hash(4, b"plain-lzf", pairs([(S(b"f" * 60, "lzf"), S(b"v" * 60, "lzf"))]), [(b"f" * 60, b"v" * 60)])
        d.hash(13, b"ziplist", st(zl(flat(fv))), fv)
        d.hash(16, b"listpack", st(lp(flat(fv))), fv)
        d.hash(16, b"listpack-lzf", st(S(lp(flat([(b"field%d" % i, b"v" * 40) for i in range(20)])), "lzf")),
               [(b"field%d" % i, b"v" * 40) for i in range(20)])
    with Doc("zipmap-edges", 2) as d:
        d.db(0)
        long_ = b"L" * 254
        d.hash(9, b"free", st(zipmap([(b"f", b"v", 3), (b"g", b"", 1), (b"h", b"x" * 10, 255)])),
               [(b"f", b"v"), (b"g", b""), (b"h", b"x" * 10)])
        d.hash(9, b"long-field", st(zipmap([(long_, b"v"), (b"g", b"w")])), [(long_, b"v"), (b"g", b"w")])
        d.hash(9, b"long-value", st(zipmap([(b"f", b"y" * 253), (b"g", b"z" * 254), (b"h", b"a" * 255), (b"i",
                b"b" * 70000, 7)])),
               [(b"f", b"y" * 253), (b"g", b"z" * 254), (b"h", b"a" * 255), (b"i", b"b" * 70000)])
        d.hash(9, b"empty-field", st(zipmap([(b"", b"v")])), [(b"", b"v")])
        for n in (253, 254, 255, 300):
            fv = [(b"%d" % i, b"%d" % (i * i)) for i in range(n)]
            d.hash(9, b"count-%d" % n, st(zipmap(fv)), fv)
        d.hash(9, b"count-unknown", st(zipmap([(b"f", b"v")], count=254)), [(b"f", b"v")])
        d.hash(9, b"lzf", st(S(zipmap([(b"field%d" % i, b"v" * 30) for i in range(9)]), "lzf")),
               [(b"field%d" % i, b"v" * 30) for i in range(9)])
    with Doc("hash-ttl", 12) as d:
        d.db(0)
        d.hash(24, b"meta", hash_meta(MS, [(1, b"a", b"1"), (0, b"b", b"2"), (1001, b"c", b"3")]),
               [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")], fields_ms={b"a": MS, b"c": MS + 1000})
        d.hash(24, b"meta-none", hash_meta(0, [(0, b"a", b"1")]), [(b"a", b"1")])
        d.hash(24, b"meta-max", hash_meta((1 << 48) - 2, [(2, b"a", b"1")]), [(b"a", b"1")],
               fields_ms={b"a": (1 << 48) - 1})
        d.hash(25, b"ex", B(i64(MS), st(lp([b"a", b"1", MS, b"b", b"2", MS + 5, b"c", b"3", 0]))),
               [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")], fields_ms={b"a": MS, b"b": MS + 5})
        d.hash(25, b"ex-stale-minimum", B(i64(MS), st(lp([b"a", b"1", 0]))), [(b"a", b"1")])
        d.hash(25, b"ex-equal", B(i64(7), st(lp([b"b", 1, 7, b"a", 2, 7, b"c", 3, (1 << 48) - 1]))),
               [(b"b", 1), (b"a", 2), (b"c", 3)], fields_ms={b"b": 7, b"a": 7, b"c": (1 << 48) - 1})
        d.hash(25, b"ex-lzf", B(i64(MS), st(S(lp(flat([(b"field%d" % i, b"v" * 30, MS + i) for i in range(9)])),
                                              "lzf"))),
               [(b"field%d" % i, b"v" * 30) for i in range(9)], fields_ms={b"field%d" % i: MS + i for i in range(9)})
    with Doc("hash-ttl-pre-ga", 12) as d:
        d.aux(b"redis-ver", b"7.3.240")
        d.db(0)
        d.hash(22, b"meta", hash_meta_pre([(MS, b"a", b"1"), (0, b"b", b"2")]), [(b"a", b"1"), (b"b", b"2")],
               encoding="hashtable_ttl", fields_ms={b"a": MS})
        d.hash(23, b"ex", st(lp([b"a", 1, MS, b"b", 2, 0])), [(b"a", 1), (b"b", 2)],
               encoding="listpack_ttl", fields_ms={b"a": MS})
    with Doc("valkey80-hash2", 80, VALKEY) as d:
        d.aux(b"valkey-ver", b"9.0.0")
        d.db(0, (3, 1))
        d.hash(22, b"some", hash2([(b"a", b"1", MS), (b"b", S(b"2", "int"), -1), (b"c", b"", 0)]),
               [(b"a", b"1"), (b"b", b"2"), (b"c", b"")], encoding="hashtable_ttl", fields_ms={b"a": MS, b"c": 0})
        d.hash(22, b"none", hash2([(b"f", b"v", -1)]), [(b"f", b"v")], encoding="hashtable_ttl", ms=MS)
        d.hash(22, b"far", hash2([(b"f", b"v", (1 << 63) - 1)]), [(b"f", b"v")], encoding="hashtable_ttl",
               fields_ms={b"f": (1 << 63) - 1})
    with Doc("valkey81-path-hash", 81, VALKEY) as d:
        d.aux(b"valkey-ver", b"9.2.0")
        d.db(0)
        for key, paths in ((b"one", [(b"a.b", [(b"f", b"v")])]),
                           (b"two", [(b"", [(b"f", b"v"), (b"g", b"")]), (b"x", [(b"f", S(b"12", "int"))])])):
            d.rec(23, key, path_hash(paths), "hash", "path_hash",
                  {b64(p): {b64(f): b64(v) for f, v in fv} for p, fv in paths})


def templates():
    with Doc("templates", 15) as d:
        d.aux(b"redis-ver", b"8.10.0")
        d.template(0, [b"age", b"name"])
        d.template(1, [b"f", b"aa", b"ab"])
        d.template(1 << 62, [b""])
        d.template(7, [b"never used"])
        d.db(0)
        d.hash(30, b"lp-ref", st(lp([0, 41, b"Ann"])), [(b"age", 41), (b"name", b"Ann")])
        d.hash(30, b"lp-ref-lzf", st(S(lp([1, b"x" * 50, b"y" * 50, b""]), "lzf")),
               [(b"f", b"x" * 50), (b"aa", b"y" * 50), (b"ab", b"")])
        d.hash(30, b"lp-ref-big-id", st(lp([1 << 62, b"v"])), [(b"", b"v")])
        d.hash(32, b"array-ref", B(ln(1), st(b"1"), st(S(b"2", "int")), st(b"3")), [(b"f", b"1"), (b"aa", b"2"), (b"ab",
                b"3")])
        d.hash(29, b"lp", B(ln(0), st(lp([b"field1", b"field2"])), st(lp([0, 1, 2]))), [(b"field1", 1), (b"field2", 2)])
        d.hash(29, b"lp-fields-plain", B(ln(1), ln(2), st(b"field1"), st(b"field2"), st(lp([99, 1, b"two"]))),
               [(b"field1", 1), (b"field2", b"two")])
        d.hash(31, b"array", B(ln(1), ln(2), st(b"field1"), st(b"field2"), st(S(b"1", "int")), st(S(b"2", "int"))),
               [(b"field1", 1), (b"field2", 2)], ms=MS)
        d.hash(31, b"array-fields-lp", B(ln(0), st(lp([b"b", b"aa"])), st(b"x"), st(b"y")), [(b"b", b"x"), (b"aa",
                b"y")])


def arrays():
    with Doc("arrays", 14) as d:
        d.db(0)

        def arr(key, elems, insert=None, **opt):
            d.rec(28, key, array(elems, insert), "array", "array",
                  [[i, b64(b"%.17g" % v if t == 2 else v)] for i, t, v in elems], **opt)

        arr(b"all-tags", [(0, 0, b"text"), (1, 1, -5), (2, 2, 1.5), (3, 3, b"small"), (4, 0, S(b"z" * 80, "lzf")),
                          (5, 0, S(b"7", "int")), (6, 3, b""), (7, 1, -(1 << 63)), (8, 1, (1 << 63) - 1), (9, 2, -0.25),
                          (10, 2, 1e100), (11, 3, b"1234567")], insert=12)
        arr(b"sparse", [(5, 0, b"a"), (1000, 0, b"b"), (1 << 40, 1, 1), ((1 << 64) - 2, 1, 2)])
        arr(b"any-order", [(9, 1, 1), (3, 1, 2)], insert=0, ms=MS)


def modules():
    with Doc("modules", 9) as d:
        d.module_aux("MBbloom--", 4, 1, (2, 1), (5, b"aux"))
        d.db(0)
        d.module(b"all-items", "MBbloom--", 4, (1, -5), (1, 5), (1, -(1 << 63)), (2, (1 << 64) - 1), (2, 0), (3, 1.5),
                 (4, -2.25), (5, b"text"), (5, S(b"12", "int")), (5, S(b"q" * 100, "lzf")), (5, b""))
        d.module(b"no-items", "ReJSON-RL", 3)
        d.module(b"version-1023", "a0-_Z9zAb", 1023, (2, 7), ms=MS, idle=9)
        d.string(b"after", b"v")
        d.module_aux("TSDB-TYPE", 5, 2, (1, -1), (4, 0.5))
    with Doc("key-meta", 13) as d:
        d.aux(b"redis-ver", b"8.6.0")
        d.db(0)
        one = key_meta((meta_spec("abcd", 1, 1), (2, 5), (5, b"note")))
        d.string(b"one-class", b"v", meta=one)
        seven = key_meta(*[(meta_spec("A%d_-" % i, i, i & 1), (1, -i), (4, i / 2)) for i in range(7)])
        d.hash(16, b"seven-classes", st(lp([b"f", 1])), [(b"f", 1)], ms=MS, freq=3, meta=seven)
        d.string(b"no-items", b"v", meta=key_meta((meta_spec("none", 31, 7),)))
        d.string(b"without", b"v")
        d.stream(4, b"stream", [], (0, 0), meta=one)


# ---- streams ---------------------------------------------------------------------------------------

def streams():
    node1 = ((1000, 0), [b"f", b"g"],
             [((1000, 0), [(b"f", b"a"), (b"g", 1)]), ((1000, 5), [(b"f", b"gone"), (b"g", 2)], {"deleted": True}),
              ((1001, 0), [(b"other", b"x")]), ((1002, 3), [(b"f", 70000), (b"g", b"")])])
    node2 = ((2000, 9), [b"f"], [((2000, 9), [(b"f", b"first")], {"deleted": True}), ((2001, 2), [(b"f", -1)]),
                                 ((2001, 3), [(b"f", 1), (b"f", 2)]), ((5000, (1 << 64) - 1), [(b"", b"")])])
    last = (5000, (1 << 64) - 1)
    group = {"name": b"g1", "last": (1002, 3), "read": 4,
             "pel": [((1000, 0), 1700000000000, 1), ((1000, 5), 1700000000001, 300), ((1002, 3), -1, 0)],
             "consumers": [{"name": b"alice", "seen": 1700000000002, "active": 1700000000001, "pel": [(1000, 0), (1002,
                     3)]},
                           {"name": b"bob", "seen": 1700000000003, "active": -1, "pel": []},
                           {"name": b"\xff\x00", "seen": 1700000000004, "pel": [(1000, 5)]}]}
    idle = {"name": b"", "last": (0, 0), "pel": [], "consumers": []}
    ahead = {"name": S(b"12", "int"), "last": (9999, 0), "read": (1 << 63) - 1, "pel": [], "consumers": []}
    for kind, ver in ((1, 9), (2, 10), (3, 11), (4, 13), (5, 14)):
        with Doc("stream%d" % kind, ver) as d:
            d.db(0)
            d.stream(kind, b"empty", [], (0, 0))
            d.stream(kind, b"emptied", [], (77, 1), (0, 0), (77, 1), 9, [idle])
            d.stream(kind, b"full", [node1, node2], last, (1000, 0), (2000, 9), 8, [group, idle, ahead], ms=MS)
            d.stream(kind, b"after", [((5, 5), [b"k"], [((5, 5), [(b"k", b"v" * 100)]), ((6, 0), [(b"k", b"w")])])], (6,
                    0),
                     (5, 5), (0, 0), 2)
    with Doc("stream4-idmp", 13) as d:
        d.db(0)
        one = [((1, 0), [b"k"], [((1, 0), [(b"k", b"v")]), ((2, 0), [(b"k", b"w")])])]
        d.stream(4, b"producers", one, (2, 0), (1, 0), (0, 0), 2,
                 idmp={"duration": 86400, "max": 10000, "added": 3, "dups": 1 << 40, "producers": [
                     (b"p1", [(b"i1", (1, 0)), (S(b"17", "int"), (2, 0))]), (b"\xff\xfe", [(b"\x00\x80", (1, 0))]),
                     (b"none", [])]})
        d.stream(4, b"least", [], (0, 0), idmp={"duration": 1, "max": 1})
    with Doc("stream5-nack", 14) as d:
        d.db(0)
        free = dict(group, consumers=[{"name": b"alice", "seen": 5, "active": 5, "pel": [(1002, 3)]}],
                    nacked=[(1000, 5), (1000, 0)])
        alone = {"name": b"alone", "last": (1000, 0), "read": 1, "pel": [((1000, 0), 5, 1)], "consumers": [],
                 "nacked": [(1000, 0)]}
        d.stream(5, b"nack", [node1, node2], last, (1000, 0), (2000, 9), 8, [free, alone],
                 idmp={"duration": 60, "max": 5, "added": 1, "producers": [(b"p", [(b"i", (1000, 0))])]})


# ---- the envelope ----------------------------------------------------------------------------------

def envelopes():
    def fill(d):
        d.aux(b"valkey-ver", b"9.2.0")
        d.db(0)
        d.string(b"k", b"v")
        d.hash(22, b"h", hash2([(b"f", b"v", MS)]), [(b"f", b"v")], encoding="hashtable_ttl", fields_ms={b"f": MS})
        d.list(18, b"l", quicklist2([(2, lp([b"a" * 60, 2])), (1, b"b" * 3000)]), [b"a" * 60, 2, b"b" * 3000])

    for name, block, checks, crc in (("vcs-lz4", 65536, True, "ok"), ("vcs-lz4-no-checksums", 65536, False, "zero"),
                                     ("vcs-lz4-small-blocks", 100, True, "ok")):
        with Doc(name, 81, VALKEY, crc) as d:
            fill(d)
            d.wrap = lambda data, b=block, c=checks: vcs(lz4_frame(data, b, c))
    with Doc("lz4-file", 9) as d:
        d.db(0)
        d.string(b"k", b"v")
        d.wrap = lambda data: lz4_frame(data)


def main():
    os.makedirs(OUT, exist_ok=True)
    for f in os.listdir(OUT):
        if f.endswith((".rdb", ".jsonl")):
            os.unlink(os.path.join(OUT, f))
    for part in (frames, strings, opcodes, lists, sets, zsets, hashes, templates, arrays, modules, streams, envelopes):
        part()


main()
