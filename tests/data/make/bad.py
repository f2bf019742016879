#!/usr/bin/env python3
"""Writes ../bad/NAME.rdb, files with one fault each, and ../bad/EXPECT (see ../README.md). Every file has the right
CRC64 over its faulty bytes unless the checksum is the fault. Deterministic."""
import os
import struct
import sys

sys.dont_write_bytecode = True
from rdbgen import *  # noqa: E402,F403

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bad")
MS = 4102444800000
LINES = []

TWICE = "duplicate|twice|again|already"
ORDER = "order|ascend|sorted"
EMPTY = "empty|no elements|zero|counts no|no |without"
TRUNC = "truncat|end of|ends|short|early"
NUMBER = "number|score|NaN"
BACK = "back-?len"


def case(name, data, reason, key="-", at=None, status=3, flags="-"):
    """at None: the mark "@" of data; "size": the end of the file; "-": not said."""
    raw = bytes(data)
    if at is None:
        at = data.marks["@"]
    if at == "size":
        at = len(raw)
    with open(os.path.join(OUT, name + ".rdb"), "wb") as f:
        f.write(raw)
    LINES.append("\t".join((name + ".rdb", str(status), str(at), key, reason, flags)))


def begin(ver=11, dialect=REDIS):
    return Rdb(ver, dialect).db(0).key(0, b"before", st(b"v"))


def finish(f, crc="ok"):
    return f.key(0, b"after", st(b"v")).end(crc)


def value(name, kind, stored, reason, ver=11, dialect=REDIS, pre=None, at=None, **opt):
    """One key "bad" with this value between two sound keys."""
    f = begin(ver, dialect)
    if pre:
        pre(f)
    f.key(kind, b"bad", B(B().mark("value"), stored), **opt)
    if at == "value":
        at = f.marks["value"]
    elif isinstance(at, str) and at not in ("-", "size"):
        at = f.marks[at]
    case(name, finish(f), reason, "bad", at)


def blob(data, lzf_=False):
    """A blob's string; kept raw, so that marks inside become file offsets."""
    return B(AT, st(S(data, "lzf"))) if lzf_ else st(data)


def poke(data, off, new, mark=True):
    """data with bytes replaced, marked there."""
    b = B(data)
    b.data[off:off + len(new)] = new
    if mark:
        b.marks["@"] = off
    return b


# ---- frame -----------------------------------------------------------------------------------------

def frame():
    for name, ver, dialect in (("version-redis-00", 0, REDIS), ("version-redis-16", 16, REDIS),
                               ("version-redis-99", 99, REDIS), ("version-redis-80", 80, REDIS),
                               ("version-redis-9999", 9999, REDIS), ("version-valkey-11", 11, VALKEY),
                               ("version-valkey-79", 79, VALKEY), ("version-valkey-82", 82, VALKEY)):
        case(name, finish(Rdb(ver, dialect).db(0)), "version", at=0)
    case("not-rdb-text", b"This is not a dump at all.\n" * 4, ".", at="-", status=23)
    case("cut-nothing", b"", TRUNC + "|empty", at=0)
    case("not-rdb-lowercase", b"redis0009" + bytes(finish(Rdb(9).db(0)))[9:], ".", at="-", status=23)

    whole = finish(begin(9))
    case("trailing-byte", B(whole, AT, b"\0"), "trailing|behind|after|follow")
    case("trailing-text", B(whole, AT, b"*1\r\n$4\r\nPING\r\n"), "trailing|behind|after|follow")
    case("glued", B(whole, AT, Rdb(9).db(0).key(0, b"second", st(b"v")).end()),
         "trailing|behind|after|follow|glued|another")
    case("trailing-rdb4", B(finish(begin(4)), AT, b"\0\0\0\0\0\0\0\0"), "trailing|behind|after|follow")
    f = finish(begin(9), "wrong")
    case("crc-wrong", f, "checksum|crc", at=f.marks["crc"])
    f = finish(begin(5), "wrong")
    case("crc-wrong-rdb5", f, "checksum|crc", at=f.marks["crc"])
    f = finish(begin(9))
    f.data[f.data.index(b"before")] ^= 0x20
    case("crc-flipped-data", f, "checksum|crc", at=f.marks["crc"])
    f = finish(begin(9), "zero")
    case("crc-zero-required", f, "checksum|crc|protect", at=f.marks["crc"], flags="--require-checksum")
    f = finish(begin(4))
    case("crc-none-required", f, "checksum|crc|protect", at="-", flags="--require-checksum")

    def cut(name, n, key="-", f=whole):
        case("cut-" + name, bytes(f)[:n], TRUNC, key, "size")

    data = bytes(whole)
    cut("magic", 5)
    cut("header-only", 9)
    cut("in-selectdb", 10)
    cut("type-byte", 12)
    cut("in-key", 15)
    cut("before-value", data.index(b"before") + 6, "before")
    cut("before-eof", len(data) - 9)
    cut("before-crc", len(data) - 8)
    cut("in-crc", len(data) - 1)
    cut("rdb4-before-eof", len(finish(begin(4))) - 1, f=finish(begin(4)))
    for name, kind, stored, less in (
            ("string", 0, st(b"x" * 100), 10), ("string-int", 0, st(S(b"70000", "int")), 1),
            ("string-lzf", 0, st(S(b"x" * 100, "lzf")), 2), ("list", 1, seq([b"a", b"b", b"c"]), 2),
            ("listpack", 16, st(lp([b"f", b"v", b"g", b"w"])), 3), ("quicklist2", 18, quicklist2([(2, lp([1]))] * 2),
                                                                    12),
            ("zset-score", 5, zset2([(b"a", 1.0), (b"b", 2.0)]), 3),
            ("module", 7, B(ln(module_id("MBbloom--", 4)), items((2, 5), (5, b"text"))), 1),
            ("hash-ttl", 24, hash_meta(MS, [(1, b"f", b"v")]), 2),
            ("stream-listpack", 21, good_stream(), 70), ("stream-pel", 21, good_stream(groups=[GROUP]), 20)):
        f = begin(12).key(kind, b"bad", stored)
        assert less < len(stored)
        cut("in-" + name, len(f) - less, "bad", f)
    f = begin(9).put(b"\xfc", i64(MS))
    cut("in-expiry", len(f) - 3, f=f)
    cut("after-expiry", len(f), f=f)
    f = begin(9).put(b"\xfa", st(b"redis-ver"), st(b"7.2.4"))
    cut("in-aux", len(f) - 2, f=f)

    def after(name, extra, reason, ver=11, dialect=REDIS):
        case(name, finish(begin(ver, dialect).put(extra)), reason)

    unknown = "unknown|unsupported|opcode|type"
    after("opcode-241", B(AT, b"\xf1\x00"), unknown)
    after("opcode-128", B(AT, b"\x80\x00"), unknown)
    after("opcode-enterprise-101", B(AT, b"\x65\x01k\x01v"), unknown)
    for kind, ver, dialect in ((8, 11, REDIS), (33, 15, REDIS), (34, 15, REDIS), (100, 15, REDIS),
                               (24, 80, VALKEY), (28, 81, VALKEY), (6, 8, REDIS)):
        after("type-%d-%s-%d" % (kind, dialect.lower(), ver), B(AT, bytes([kind]), b"\x01k\x01v"),
              unknown + "|module", ver, dialect)

    number = "length|number|integer|encod|string"
    after("length-special-in-selectdb", B(b"\xfe", AT, b"\xc0"), number)
    after("length-special-in-resizedb", B(b"\xfb\x05", AT, b"\xc1"), number)
    case("length-10000010", finish(begin(9).key(0, b"bad", B(AT, b"\x82\x00\x00\x00\x01v"))), number, "bad")
    after("length-10000001-in-resizedb", B(b"\xfb\x05", AT, b"\x83\0\0\0\x01"), number)
    case("length-10111111", finish(begin(9).key(1, b"bad", B(AT, b"\xbf\x00\x00\x00\x01\x01v"))), number, "bad")
    case("list-count-special", finish(begin(9).key(1, b"bad", B(AT, b"\xc2\x01v"))), number, "bad")


def strings():
    string = "string|encod|unknown|kind"
    lzf_ = "lzf|compress|inflat|refer|length|out"
    for kind in (0xC4, 0xD0, 0xFF):
        value("string-kind-%02x" % kind, 0, B(AT, bytes([kind]), b"\x01v"), string)
    for name, comp, ulen in (
            ("reference-before-start", lzf_lit(b"abc") + lzf_ref(5, 10), 8), ("reference-first", lzf_ref(5, 1), 5),
            ("too-little-out", lzf_lit(b"abcdef"), 7), ("too-much-out", lzf_lit(b"abcdef"), 5),
            ("literal-past-end", b"\x0aabc", 11), ("cut-in-reference", lzf_lit(b"abc") + b"\xe0", 12),
            ("no-input", b"", 5), ("no-output", lzf_lit(b"a"), 0), ("bomb", lzf_lit(b"a") + lzf_ref(264, 1), 1 << 40)):
        value("lzf-" + name, 0, B(AT, st(S(b"", "lzf", comp=comp, ulen=ulen))), lzf_ + "|bomb|plausible|limit|large")
    value("lzf-in-list", 1, B(ln(3), st(b"a"), AT, st(S(b"", "lzf", comp=lzf_lit(b"abc") + lzf_ref(5, 10), ulen=8)),
                              st(b"c")),
          lzf_)
    value("lzf-listpack", 16, B(AT, st(S(b"", "lzf", comp=lzf_ref(9, 9), ulen=9))), lzf_)
    f = begin(9).put(b"\x00", AT, st(S(b"", "lzf", comp=lzf_ref(9, 9), ulen=9)), st(b"v"))
    case("lzf-in-key", finish(f), lzf_)
    for name, kind, stored in (
            ("string-u64", 0, B(ln(1 << 60), b"x")), ("string-u64-max", 0, B(ln((1 << 64) - 1), b"x")),
            ("string-u32", 0, B(ln((1 << 32) - 1), b"x")), ("string-over-end", 0, B(ln(1000), b"x")),
            ("lzf-clen", 0, B(b"\xc3", ln(1 << 40), ln(1 << 45), b"x")),
            ("list", 1, B(ln(1 << 62), st(b"a"))), ("set", 2, B(ln((1 << 64) - 1), st(b"a"))),
            ("zset", 5, B(ln(1 << 61), st(b"a"), f64(1.0))), ("hash", 4, B(ln(1 << 63), st(b"f"), st(b"v"))),
            ("hash-ttl", 24, B(i64(MS), ln(1 << 60), ln(1), st(b"f"), st(b"v"))),
            ("quicklist2", 18, B(ln(1 << 60), ln(2), st(lp([1])))),
            ("stream-nodes", 21, B(ln(1 << 60), st(rid((1, 0))))),
            ("stream-pel", 21, B(ln(0), ln(0), pair((0, 0)), pair((0, 0)), pair((0, 0)), ln(0), ln(1), st(b"g"),
                                 pair((0, 0)), ln(0), ln(1 << 59), rid((1, 0))))):
        f = begin(12).key(kind, b"bad", stored).end()
        case("bomb-" + name, f, ".", "bad", "-")


# ---- plain types -----------------------------------------------------------------------------------

def plain():
    value("set-duplicate", 2, seq([b"a", b"b", M(b"a")]), TWICE)
    value("set-duplicate-int-form", 2, seq([b"12", b"b", M(S(b"12", "int"))]), TWICE)
    value("set-duplicate-lzf-form", 2, seq([b"x" * 50, M(S(b"x" * 50, "lzf"))]), TWICE)
    value("zset1-duplicate", 3, zset1([(b"a", b"1"), (b"b", b"2"), (M(b"a"), b"3")]), TWICE)
    value("zset2-duplicate", 5, zset2([(b"a", 1.0), (b"b", 2.0), (M(b"a"), 3.0)]), TWICE)
    value("hash-duplicate", 4, pairs([(b"f", b"1"), (b"g", b"2"), (M(b"f"), b"3")]), TWICE)
    value("hash-meta-duplicate", 24, B(i64(MS), ln(2), ln(1), st(b"f"), st(b"v"), AT, ln(0), st(b"f"), st(b"w")), TWICE,
          12)
    value("hash-meta-pre-ga-duplicate", 22, B(ln(2), ln(MS), st(b"f"), st(b"v"), AT, ln(0), st(b"f"), st(b"w")), TWICE,
          12)
    value("hash2-duplicate", 22, hash2([(b"f", b"1", -1), (M(b"f"), b"2", MS)]), TWICE, 80, VALKEY)
    value("path-hash-duplicate-field", 23, B(ln(1), st(b"p"), ln(2), st(b"f"), st(b"v"), AT, st(b"f"), st(b"w")),
          TWICE, 81, VALKEY)
    value("path-hash-duplicate-path", 23, B(ln(2), st(b"p"), ln(1), st(b"f"), st(b"v"), AT, st(b"p"), ln(1), st(b"f"),
                                            st(b"w")),
          TWICE, 81, VALKEY)
    value("path-hash-no-fields", 23, B(ln(1), st(b"p"), AT, ln(0)), EMPTY, 81, VALKEY)
    value("zset1-nan", 3, zset1([(b"a", b"1"), (b"b", M(253))]), NUMBER)
    value("zset1-nan-text", 3, zset1([(b"a", M(b"nan"))]), NUMBER)
    value("zset1-garbage", 3, zset1([(b"a", M(b"1.5x"))]), NUMBER)
    value("zset2-nan", 5, zset2([(b"a", 1.0), (b"b", M(struct.pack("<Q", 0x7FF8000000000000)))]), NUMBER)
    value("zset2-nan-signalling", 5, zset2([(b"a", M(struct.pack("<Q", 0xFFF0000000000001)))]), NUMBER)
    value("zset-listpack-nan", 17, st(lp([b"a", 1, b"b", M(b"nan")])), NUMBER)
    value("zset-ziplist-nan", 12, st(zl([b"a", 1, b"b", M(b"-nan")])), NUMBER, 9)
    value("zset-listpack-garbage", 17, st(lp([b"a", M(b"one")])), NUMBER)
    value("zset-listpack-score-empty", 17, st(lp([b"a", M(b"")])), NUMBER)
    for name, kind in (("list", 1), ("set", 2), ("zset1", 3), ("zset2", 5), ("hash", 4), ("quicklist", 14),
                       ("quicklist2", 18)):
        value("empty-" + name, kind, ln(0), EMPTY, at="value")
    value("empty-hash2", 22, ln(0), EMPTY, 80, VALKEY, at="value")
    value("empty-hash-listpack", 16, st(lp([])), EMPTY, at="value")
    value("empty-zset-listpack", 17, st(lp([])), EMPTY, at="value")
    value("empty-set-listpack", 20, st(lp([])), EMPTY, at="value")
    value("empty-list-ziplist", 10, st(zl([])), EMPTY, 6, at="value")
    value("empty-hash-ziplist", 13, st(zl([])), EMPTY, 6, at="value")
    value("empty-hash-zipmap", 9, st(zipmap([])), EMPTY, 2, at="value")
    value("empty-quicklist2-nodes", 18, quicklist2([(2, lp([])), (2, lp([]))]), EMPTY, at="value")
    value("hash-meta-ttl-overflow", 24, hash_meta(MS, [(M(1 << 48), b"f", b"v")]), "ttl|expir|overflow|range|large", 12)
    value("hash-meta-ttl-wraps", 24, hash_meta(MS, [(M((1 << 64) - 1), b"f", b"v")]), "ttl|expir|overflow|range|large",
          12)
    value("hash-meta-minimum-large", 24, hash_meta(M((1 << 48) + 1), [(0, b"f", b"v")]), "ttl|expir|minim|range|large",
          12)
    value("hash2-expire-minus-2", 22, hash2([(b"f", b"v", MS), (b"g", b"w", M(-2))]), "ttl|expir|negative|range", 80,
          VALKEY)
    value("quicklist2-container-3", 18, quicklist2([(2, lp([1])), (M(3), lp([2]))]), "container|node")
    value("quicklist2-container-0", 18, quicklist2([(M(0), b"plain")]), "container|node")
    value("quicklist2-plain-empty", 18, quicklist2([(1, b"x"), (1, M(b""))]), "empty|plain|zero")

    def dup(name, first, second, between=b"", **opt):
        f = Rdb(11).db(0).key(0, b"before", st(b"v")).key(0, first, st(b"1"))
        f.put(between).key(2, second, seq([b"m"]), **opt)
        case("duplicate-key" + name, finish(f), TWICE, bytes(first).decode(), f.records[2][0])

    dup("", b"twin", b"twin")
    dup("-expiry", b"twin", b"twin", ms=MS, idle=4)
    dup("-int-form", b"42", S(b"42", "int"))
    dup("-lzf-form", b"y" * 40, S(b"y" * 40, "lzf"))
    dup("-db-again", b"twin", b"twin", b"\xfe\x03\x00\x04twin\x01v\xfe\x00")


# ---- compact blobs ---------------------------------------------------------------------------------

def listpacks():
    good = lp([b"f", b"v", b"g", 5])

    def hash_(name, b, reason, **opt):
        value("listpack-" + name, 16, blob(b), reason, **opt)

    hash_("total-large", poke(good, 0, struct.pack("<I", len(good) + 1)), "length|total|size")
    hash_("total-small", poke(good, 0, struct.pack("<I", len(good) - 1)), "length|total|size")
    hash_("no-end", poke(good, len(good) - 1, b"\xfe"), "last|end|FF|0xff")
    hash_("back-length", lp([b"f", BackLen(b"v", B(AT, b"\x03"))]), BACK)
    hash_("back-length-int", lp([b"f", BackLen(5, B(AT, b"\x02"))]), BACK)
    hash_("back-length-wide", lp([b"f", BackLen(b"v" * 200, B(AT, b"\x01\xcb"))]), BACK)
    hash_("back-length-16383", lp([b"f", BackLen(b"v" * 16378, B(AT, b"\x01\xff\xff"))]), BACK)
    hash_("count-high", poke(good, 4, b"\x05\x00"), "count|fewer")
    hash_("count-low", lp([b"f", b"v", M(b"g"), 5], count=2), "count|more")
    for enc in (0xF5, 0xFE):
        hash_("encoding-%02x" % enc, lp([b"f", M(Raw(bytes([enc]) + b"\x01"))]), "encod")
    hash_("end-inside", lp([b"f", b"v", M(Raw(b"\xff\x01")), b"w"]), "end|FF")
    hash_("string-past-end", lp([b"f", M(Raw(b"\xbfxx\x03"))]), "past|end|bound|length")
    hash_("string32-past-end", lp([b"f", M(Raw(b"\xf0\xff\xff\xff\xffxx\x07"))]), "past|end|bound|length")
    hash_("int-past-end", lp([b"f", M(Raw(b"\xf4\x01"))]), "past|end|bound|length")
    value("listpack-short", 16, st(B(AT, b"\x06\0\0\0\0\0")), "short|listpack|length")
    value("listpack-as-int", 16, B(AT, st(S(b"5", "int"))), "short|listpack|length")
    hash_("odd", lp([b"f", b"v", M(b"g")]), "odd|value|pair|even|multiple|partner")
    hash_("duplicate", lp([b"f", b"v", b"g", b"w", M(b"f"), b"x"]), TWICE)
    hash_("duplicate-int-text", lp([b"1", b"v", M(1), b"w"]), TWICE)
    value("listpack-lzf-back-length", 16, blob(lp([b"f" * 60, BackLen(b"f" * 60, b"\x01")]), True), BACK)
    value("listpack-lzf-duplicate", 16, blob(lp([b"f" * 60, b"v", b"f" * 60, b"w"]), True), TWICE)
    value("set-listpack-duplicate", 20, blob(lp([b"a", 1, b"b", M(b"a")])), TWICE)
    value("zset-listpack-duplicate", 17, blob(lp([b"a", 1, b"b", 2, M(b"a"), 3])), TWICE)
    value("zset-listpack-order", 17, blob(lp([b"a", 1, b"b", 3, M(b"c"), 2])), ORDER)
    value("zset-listpack-order-tie", 17, blob(lp([b"b", 1, M(b"a"), 1])), ORDER)
    value("zset-listpack-order-prefix", 17, blob(lp([b"ab", 1, M(b"a"), 1])), ORDER)
    value("zset-listpack-odd", 17, blob(lp([b"a", 1, M(b"b")])), "odd|score|pair|even|multiple|partner")
    value("quicklist2-node-count", 18, quicklist2([(2, lp([1, 2])), (2, lp([1, M(2)], count=1)), (2, lp([3]))]),
          "count|more")

    def ex(name, els, reason, **opt):
        value("hash-ex-" + name, 25, B(i64(MS), blob(lp(els))), reason, 12, **opt)

    ex("ttl-text", [b"a", 1, M(b"soon")], "ttl|expir|integer")
    ex("ttl-large", [b"a", 1, M(1 << 48)], "ttl|expir|range|large")
    ex("ttl-negative", [b"a", 1, M(-1)], "ttl|expir|range|negative")
    ex("ttl-order", [b"a", 1, MS + 5, b"b", 2, M(MS)], ORDER)
    ex("ttl-zero-first", [b"a", 1, 0, b"b", 2, M(MS)], ORDER)
    ex("not-triples", [b"a", 1, MS, M(b"b"), 2], "triple|multiple|ttl|three|odd")
    ex("duplicate", [b"a", 1, MS, M(b"a"), 2, 0], TWICE)
    value("hash-ex-pre-ga-ttl-order", 23, blob(lp([b"a", 1, MS + 5, b"b", 2, M(MS)])), ORDER, 12)


def old_blobs():
    good = zl([b"f", b"v", b"g", 5])

    def hash_(name, b, reason, **opt):
        value("ziplist-" + name, 13, blob(b), reason, 9, **opt)

    hash_("bytes", poke(good, 0, struct.pack("<I", len(good) + 1)), "length|total|size")
    hash_("no-end", poke(good, len(good) - 1, b"\xfe"), "last|end|FF|0xff")
    hash_("tail", poke(good, 4, struct.pack("<I", 10)), "tail")
    hash_("tail-outside", poke(good, 4, struct.pack("<I", 1 << 31)), "tail")
    hash_("prevlen", zl([b"f", b"v", M(Prev(b"g", 2)), b"w"]), "prev|before")
    hash_("prevlen-first", zl([M(Prev(b"f", 1)), b"v"]), "prev|before")
    hash_("prevlen-wide", zl([b"f", M(Prev(b"v", 300))]), "prev|before")
    hash_("count-high", poke(good, 8, b"\x06\x00"), "count|fewer")
    hash_("count-low", zl([b"f", b"v", M(b"g"), b"w"], count=2), "count|more")
    hash_("encoding", zl([b"f", Raw(B(b"\x03", AT, b"\xc1\x00"))]), "encod")
    hash_("string-past-end", zl([b"f", M(Raw(b"\x03\x3fxx"))]), "past|end|bound|length")
    hash_("end-inside", zl([b"f", b"v", M(Raw(b"\xff\x01x")), b"w"]), "end|FF")
    hash_("odd", zl([b"f", b"v", M(b"g")]), "odd|value|pair|even|multiple|partner")
    hash_("duplicate", zl([b"f", b"v", M(b"f"), b"w"]), TWICE)
    value("ziplist-short", 10, st(B(AT, b"\x0a\0\0\0\x0a\0\0\0\0\0")), "short|ziplist|length", 6)
    value("zset-ziplist-order", 12, blob(zl([b"a", 5, M(b"b"), 3])), ORDER, 9)
    value("zset-ziplist-duplicate", 12, blob(zl([b"a", 1, M(b"a"), 2])), TWICE, 9)
    value("quicklist-node-prevlen", 14, quicklist([zl([b"a"]), zl([b"b", M(Prev(b"c", 9))])]), "prev|before", 9)
    value("ziplist-lzf-prevlen", 10, blob(zl([b"a" * 60, Prev(b"a" * 60, 9)]), True), "prev|before", 6)

    value("intset-order", 11, blob(intset([1, 5, M(3), 9])), ORDER)
    value("intset-duplicate", 11, blob(intset([1, 5, M(5), 9])), ORDER + "|" + TWICE)
    value("intset-order-lzf", 11, blob(intset([7] * 20), True), ORDER + "|" + TWICE)
    value("intset-signed-order", 11, blob(intset([1, M(-1)])), ORDER)
    value("intset-width", 11, blob(B(AT, intset([1, 2], enc=3))), "width|encod")
    ok = intset([1, 2, 3])
    value("intset-count-high", 11, blob(poke(ok, 4, b"\x04")), "count|length|size")
    value("intset-count-low", 11, blob(poke(ok, 4, b"\x02")), "count|length|size")
    value("intset-count-huge", 11, blob(poke(ok, 4, b"\xff\xff\xff\xff")), "count|length|size")
    value("intset-count-wraps", 11, blob(poke(intset([1, 2, 3], 8), 4, b"\x03\x00\x00\x20")), "count|length|size")
    value("intset-count-zero", 11, blob(poke(intset([]), 4, b"\0")), "count|empty|no ")
    value("intset-short", 11, st(B(AT, b"\x02\0\0\0")), "short|intset|length")

    def zm(name, b, reason, **opt):
        value("zipmap-" + name, 9, blob(b), reason, 2, **opt)

    zm("count-high", B(AT, zipmap([(b"f", b"v"), (b"g", b"w")], count=3)), "count|fewer")
    zm("count-low", zipmap([(b"f", b"v"), M((b"g", b"w"))], count=1), "count|more")
    good = zipmap([(b"f", b"v")])
    zm("no-end", poke(good, len(good) - 1, b"\xfe"), "last|end|FF|0xff")
    zm("field-overflow", zipmap([(b"f", b"v"), M(Raw(b"\x20gg"))]), "past|end|bound|length")
    zm("field-overflow-u32", zipmap([(b"f", b"v"), M(Raw(b"\xfe\xff\xff\xff\xffg\x01\0v"))]), "past|end|bound|length")
    zm("value-overflow", zipmap([(b"f", b"v"), Raw(B(b"\x01g", AT, b"\x20\x00vv"))]), "past|end|bound|length")
    zm("value-overflow-u32", zipmap([(b"f", b"v"), Raw(B(b"\x01g", AT, b"\xfe\xfa\xff\xff\xff\x00vv"))]),
       "past|end|bound|length")
    zm("free-overflow", zipmap([(b"f", b"v"), Raw(b"\x01g\x01\x40w")]), "past|end|bound|unused|free", at="-")
    zm("no-value", zipmap([(b"f", b"v"), Raw(b"\x01g")]), "value|end|past", at="-")
    zm("long-form", zipmap([(b"f", b"v"), M(Raw(b"\xfe\x01\0\0\0g\x01\0w"))]), "length|bytes|minimal|form|long")
    zm("duplicate", zipmap([(b"f", b"v"), (b"g", b"w"), M((b"f", b"x"))]), TWICE)


# ---- streams ---------------------------------------------------------------------------------------

FIELDS = [b"f"]


def entry(i, **opt):
    return (i, [(b"f", b"v")], opt) if opt else (i, [(b"f", b"v")])


NODE = ((10, 0), FIELDS, [entry((10, 0)), entry((11, 0)), entry((12, 5))])
GROUP = {"name": b"g", "last": (11, 0), "read": 2, "pel": [((10, 0), 1700000000000, 1), ((11, 0), 1700000000000, 1)],
         "consumers": [{"name": b"c1", "seen": 1700000000000, "pel": [(10, 0)]},
                       {"name": b"c2", "seen": 1700000000000, "pel": [(11, 0)]}]}


def good_stream(nodes=None, kind=3, length=3, last=(12, 5), first=(10, 0), maxdel=(0, 0), added=3, groups=(),
                idmp=None):
    return stream(kind, nodes if nodes is not None else [snode(*NODE)], length, last, first, maxdel, added, groups,
                  idmp)


def streams():
    def one(name, reason, kind=3, at=None, **opt):
        value("stream-" + name, (15, 19, 21, 26, 27)[kind - 1], good_stream(kind=kind, **opt), reason,
              (9, 10, 11, 13, 14)[kind - 1], at=at)

    def node(name, entries, reason, length=None, at=None, first=(10, 0), maxdel=(0, 0), **opt):
        one(name, reason, at=at, nodes=[snode((10, 0), FIELDS, entries, **opt)],
            length=len(entries) if length is None else length, added=9, first=first, maxdel=maxdel)

    def raw_node(name, els, reason, at=None):
        one(name, reason, at=at, nodes=[(rid((10, 0)), lp(els))], length=1, added=1)

    node("lp-count", [entry((10, 0)), entry((11, 0), lp_count=5, mark_count=True), entry((12, 5))],
         "count|lp_count|elements")
    node("lp-count-text", [entry((10, 0)), entry((11, 0), lp_count=b"x", mark_count=True), entry((12, 5))],
         "count|integer|number|elements")
    node("master-count-high", [entry((10, 0)), entry((11, 0))], "count|entr|end", 3, count=M(3))
    node("master-count-low", [entry((10, 0)), entry((11, 0)), entry((12, 5), mark=True)],
         "count|more|behind|trailing|end|left",
         2, count=2)
    node("master-count-zero", [entry((10, 0), deleted=True)], "count|no live|empty|zero|all", 0, count=M(0),
         first=(0, 0), maxdel=(10, 0))
    node("master-count-negative", [entry((10, 0))], "count|negative|range", 1, count=M(-1))
    node("master-count-text", [entry((10, 0))], "count|integer|number", 1, count=M(b"one"))
    node("master-deleted", [entry((10, 0)), entry((11, 0))], "delet|count", 1, at="-", count=1, deleted=1)
    raw_node("master-fields-huge", [1, 0, (1 << 63) - 1, b"f", 0, 2, 0, 0, b"v", 4], "field|count|end|past", "-")
    raw_node("master-fields-negative", [1, 0, M(-1), b"f", 0, 2, 0, 0, b"v", 4], "field|count|negative|range")
    raw_node("master-fields-text", [1, 0, M(b"one"), b"f", 0, 2, 0, 0, b"v", 4], "field|integer|number")
    raw_node("master-terminator", [1, 0, 1, b"f", M(1), 2, 0, 0, b"v", 4], "master|terminat|zero|end|0")
    raw_node("entry-fields-negative", [1, 0, 1, b"f", 0, 0, 0, 0, M(-1), b"g", b"v", 6],
             "field|count|negative|range|number")
    raw_node("entry-cut", [1, 0, 1, b"f", 0, 2, 0, 0], "end|short|value|count|entr|past", "-")
    raw_node("ms-delta-text", [1, 0, 1, b"f", 0, 2, M(b"x"), 0, b"v", 4], "integer|number|delta|id")
    node("entry-order", [entry((10, 0)), entry((12, 5)), entry((11, 0), mark=True)], ORDER)
    node("entry-twice", [entry((10, 0)), entry((11, 0)), entry((11, 0), mark=True)], ORDER + "|" + TWICE)
    node("flags-text", [entry((10, 0)), entry((11, 0), flags=b"x", mark=True)], "flag|integer|number")
    node("trailing-elements", [entry((10, 0)), entry((11, 0)), entry((12, 5))], "trailing|behind|more|left|end|after",
         extra=[M(7)])
    node("fields-past-end", [entry((10, 0)), ((11, 0), [(b"a", b"b")], {"num": 1000, "lp_count": 6})],
         "end|field|count|past",
         at="-")
    one("length", "length|count|entr", length=M(4), added=9)
    one("last-id-low", "last", last=M((12, 4)))
    one("first-id", "first", first=M((9, 0)))
    one("entries-added-low", "added", added=M(2))
    two = snode((20, 0), FIELDS, [entry((20, 0))])
    low = snode((10, 0), FIELDS, [entry((10, 0))])
    one("node-order", ORDER, nodes=[two, (M(low[0]), low[1])], length=2, last=(20, 0), added=2)
    one("node-twice", ORDER + "|" + TWICE, nodes=[low, (M(low[0]), low[1])], length=2, last=(20, 0), added=2)
    over = snode((11, 0), FIELDS, [entry((11, 0), mark=True)])
    wide = snode((10, 0), FIELDS, [entry((10, 0)), entry((15, 0))])
    one("nodes-overlap", ORDER, nodes=[wide, over], length=3, last=(20, 0), added=3, at="-")
    one("node-key-short", "key|16|id|length", nodes=[(M(low[0][:15]), low[1])], length=1)
    one("node-back-length", BACK, nodes=[(low[0], lp([1, 0, 1, b"f", 0, 2, 0, 0, BackLen(b"v", B(AT, b"\x03")), 4]))],
        length=1)
    one("node-empty-listpack", "empty|end|count|master", nodes=[(low[0], lp([]))], length=0, at="-")

    def group(name, reason, kind=3, more=(), **change):
        one(name, reason, kind=kind, groups=[dict(GROUP, **change), *more])

    c1, c2 = GROUP["consumers"]
    p1, p2 = GROUP["pel"]
    group("pel-twice", TWICE + "|order|ascend", pel=[p1, p2, (M((11, 0)), 5, 1)])
    group("pel-unowned", "own|consumer", pel=[p1, p2, (M((12, 5)), 5, 1)])
    group("pel-unowned-first", "own|consumer", pel=[(M((9, 0)), 5, 1), p1, p2])
    group("consumer-pel-unknown", "group|pending|PEL|unknown", consumers=[c1, dict(c2, pel=[(11, 0), M((12, 5))])])
    group("consumer-pel-owned-twice", TWICE + "|own", consumers=[c1, dict(c2, pel=[M((10, 0)), (11, 0)])])
    group("consumer-pel-twice", TWICE + "|own|order|ascend", consumers=[c1, dict(c2, pel=[(11, 0), M((11, 0))])])
    group("consumer-twice", TWICE, consumers=[c1, c2, {"name": M(b"c1"), "seen": 5, "pel": []}])
    group("group-twice", TWICE, more=[{"name": b"h", "last": (0, 0), "pel": [], "consumers": []},
                                      {"name": M(b"g"), "last": (0, 0), "pel": [], "consumers": []}])
    group("pel-unowned-v1", "own|consumer", 1, pel=[p1, p2, (M((12, 5)), 5, 1)])
    group("nacked-unknown", "pending|PEL|unknown|nack|group", 5, nacked=[M((12, 5))])
    group("nacked-owned", "own|consumer|nack", 5, nacked=[M((10, 0))])
    group("nacked-twice", TWICE + "|nack", 5, pel=[p1, p2, ((12, 5), 5, 1)], nacked=[(12, 5), M((12, 5))])
    for name, opt in (("duration-0", {"duration": M(0)}), ("duration-86401", {"duration": M(86401)}),
                      ("max-0", {"max": M(0)}), ("max-10001", {"max": M(10001)})):
        one("idmp-" + name, "idmp|duration|max|range|entries", kind=4, idmp=opt)


# ---- Redis 8 ---------------------------------------------------------------------------------------

def newer():
    def tmpl(f):
        f.template(0, [b"a", b"bb"])

    def ref(name, kind, stored, reason, **opt):
        value("template-" + name, kind, stored, reason, 15, pre=tmpl, **opt)

    ref("unknown-array", 32, B(ln(M(5)), st(b"x"), st(b"y")), "template|unknown")
    ref("unknown-lp", 30, st(lp([M(5), b"x", b"y"])), "template|unknown")
    ref("unknown-huge", 30, st(lp([M(1 << 62), b"x", b"y"])), "template|unknown")
    ref("negative-id", 30, st(lp([M(-1), b"x", b"y"])), "template|unknown|negative")
    ref("id-text", 30, st(lp([M(b"zero"), b"x", b"y"])), "template|integer|id")
    ref("values-few", 30, st(lp([0, b"x"])), "value|count|field|template", at="-")
    ref("values-many", 30, st(lp([0, b"x", b"y", M(b"z")])), "value|count|field|template")
    ref("lp-empty", 30, st(lp([])), "value|count|field|template|empty|id", at="-")
    ref("own-values-many", 29, B(ln(0), st(lp([b"a", b"b"])), st(lp([0, 1, 2, M(3)]))), "value|count|field")
    ref("own-values-few", 29, B(ln(0), st(lp([b"a", b"b"])), st(lp([0, 1]))), "value|count|field", at="-")
    ref("own-unsorted-lp", 29, B(ln(0), st(lp([b"bb", M(b"a")])), st(lp([0, 1, 2]))), ORDER)
    ref("own-unsorted", 31, B(ln(1), ln(2), st(b"aa"), st(M(b"b")), st(b"1"), st(b"2")), ORDER)
    ref("own-twice", 31, B(ln(1), ln(2), st(b"a"), st(M(b"a")), st(b"1"), st(b"2")), ORDER + "|" + TWICE)
    ref("own-format", 31, B(AT, ln(2), ln(1), st(b"a"), st(b"1")), "format|field|unknown")
    ref("own-no-fields", 31, B(ln(1), AT, ln(0)), EMPTY)
    for name, build, reason in (
            ("id-twice", lambda f: f.template(M(0), [b"c"]), TWICE + "|template"),
            ("unsorted", lambda f: f.template(1, [b"b", M(b"a")]), ORDER),
            ("unsorted-length-first", lambda f: f.template(1, [b"aa", M(b"b")]), ORDER),
            ("field-twice", lambda f: f.template(1, [b"a", M(b"a")]), ORDER + "|" + TWICE),
            ("no-fields", lambda f: f.put(b"\xf2", ln(1), AT, ln(0)), EMPTY)):
        f = begin(15)
        tmpl(f)
        build(f)
        case("template-" + name, finish(f), reason)

    value("array-tag", 28, B(ln(1), ln(0), ln(0), AT, ln(4), st(b"x")), "tag|unknown", 14)
    value("array-index-max", 28, B(ln(1), ln(0), AT, ln((1 << 64) - 1), ln(1), i64(5)), "index|range", 14)
    value("array-count-0", 28, B(ln(0), ln(0)), EMPTY + "|count", 14, at="value")
    value("array-insert-2", 28, B(ln(1), AT, ln(2), ln(0), ln(1), i64(5)), "insert|index|0 or 1|flag", 14)
    value("array-small-8-bytes", 28, B(ln(1), ln(0), ln(0), ln(3), AT, st(b"12345678")), "7|small|long|length|bytes",
          14)

    mid = ln(module_id("MBbloom--", 4))
    value("module-item-6", 7, B(mid, items((2, 5), M(Raw(b"\x06")), (2, 5))), "module|item|opcode", 9)
    value("module-item-special", 7, B(mid, items((2, 5), M(Raw(b"\xc1\x05\x05")))), "module|item|opcode|length|number",
          9)
    f = begin(9).put(b"\xf7", mid, AT, ln(3), ln(1), items())
    case("module-aux-when-opcode", finish(f), "module|when|opcode")
    f = begin(9).put(b"\xf7", mid, ln(2), ln(1), items((2, 1), M(Raw(b"\x07"))))
    case("module-aux-item", finish(f), "module|item|opcode")

    spec = meta_spec("abcd", 1, 1)
    for name, n in (("0", 0), ("8", 8)):
        f = begin(13).put(b"\xf3", AT, ln(n), *[B(spec, items((2, 1)))] * n).put(b"\x00\x03bad\x01v")
        case("key-meta-classes-" + name, finish(f), "meta|class")
    f = begin(13).put(key_meta((spec, (2, 1), M(Raw(b"\x09")))), b"\x00\x03bad\x01v")
    case("key-meta-item", finish(f), "meta|item|opcode|module")
    f = begin(13).put(key_meta((spec, (2, 1))), AT, b"\xfc", i64(MS), b"\x00\x03bad\x01v")
    case("key-meta-then-opcode", finish(f), "meta|opcode|type")
    case("update-not-resp", finish(begin(81, VALKEY).put(b"\xf2", b"*1\r\n:5\r\n")), "resp|command|update", at="-")

    def env(name, reason, at="-", cut=0, frame=None, **opt):
        inner = finish(begin(81, VALKEY))
        data = vcs(lz4_frame(inner) if frame is None else frame(bytes(inner)), **opt)
        case("vcs-" + name, data[:len(data) - cut], reason, at=at)

    env("version-2", "version|VCS|envelope", 0, version=2)
    env("codec-9", "codec|VCS|envelope|compress", 0, codec=9)
    env("reserved", "reserved|VCS|envelope", 0, reserved=1)
    env("kind-2", "kind|VCS|envelope|stream", 0, kind=2)
    env("cut", ".", cut=20)
    env("block-checksum", ".", frame=lambda d: bytes(poke(lz4_frame(d), 20, b"\x00", False)))
    env("no-frame", ".", frame=lambda d: d)
    case("vcs-header-only", b"VCS\x01\x01\x00", ".", at="-")


def main():
    os.makedirs(OUT, exist_ok=True)
    for f in os.listdir(OUT):
        os.unlink(os.path.join(OUT, f))
    for part in (frame, strings, plain, listpacks, old_blobs, streams, newer):
        part()
    assert len({x.split("\t")[0] for x in LINES}) == len(LINES)
    with open(os.path.join(OUT, "EXPECT"), "w") as f:
        f.write("\n".join(LINES) + "\n")


main()
