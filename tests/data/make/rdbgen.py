"""What this is: building RDB files byte by byte, sound ones and broken ones.
Rests on: the Python 3 standard library only.
Does not: read RDB, or know what a reader makes of the bytes.

Everything is built from B: bytes with named positions ("marks"). M(x) stands wherever x may stand and sets the
mark "@" on x's first byte; AT sets it between two parts. Joining keeps marks, so the position of one listpack
element inside a string inside a record ends up as an offset in the file.
"""
import struct

REDIS, VALKEY = "REDIS", "VALKEY"


class B:
    """Bytes that remember positions."""

    def __init__(self, *parts):
        self.data = bytearray()
        self.marks = {}
        self.put(*parts)

    def put(self, *parts):
        for x in parts:
            if isinstance(x, B):
                for name, off in x.marks.items():
                    self.marks.setdefault(name, len(self.data) + off)
                self.data += x.data
            else:
                self.data += x
        return self

    def mark(self, name="@"):
        self.marks[name] = len(self.data)
        return self

    def __len__(self):
        return len(self.data)

    def __bytes__(self):
        return bytes(self.data)


class M:
    """x, and the mark "@" (or another) on its first byte."""

    def __init__(self, x, name="@"):
        self.x, self.name = x, name


AT = B().mark()


def marked(fn, x, *args, **kw):
    return B(B().mark(x.name), fn(x.x, *args, **kw))


# ---- lengths and strings ------------------------------------------------------------------------

class L:
    """A length in a chosen form: 6, 14, 32 or 64 bits."""

    def __init__(self, n, form):
        self.n, self.form = n, form


def ln(n):
    if isinstance(n, M):
        return marked(ln, n)
    if isinstance(n, (B, bytes)):
        return n
    form = None
    if isinstance(n, L):
        n, form = n.n, n.form
    n &= (1 << 64) - 1
    if form == 6 or form is None and n < 64:
        return bytes([n])
    if form == 14 or form is None and n < 16384:
        return bytes([0x40 | n >> 8, n & 255])
    if form == 32 or form is None and n < 1 << 32:
        return b"\x80" + struct.pack(">I", n)
    return b"\x81" + struct.pack(">Q", n)


class S:
    """A string in a chosen form: raw, int8, int16, int32, int (smallest) or lzf; raw with a length form."""

    def __init__(self, x, enc, form=None, ulen=None, comp=None):
        self.x, self.enc, self.form, self.ulen, self.comp = x, enc, form, ulen, comp


def canonical_int(x):
    """The integer that x is the canonical text of, if a 32-bit one."""
    if not 0 < len(x) <= 11:
        return None
    try:
        n = int(x)
    except ValueError:
        return None
    return n if -(1 << 31) <= n < 1 << 31 and str(n).encode() == bytes(x) else None


def st(x):
    """A string: raw unless S says otherwise. Marks inside a raw string are kept."""
    if isinstance(x, M):
        return marked(st, x)
    if not isinstance(x, S):
        return B(ln(len(x)), x)
    d = bytes(x.x)
    if x.enc == "raw":
        n = len(x.x) if x.ulen is None else x.ulen
        return B(ln(L(n, x.form) if x.form else n), x.x)
    if x.enc == "lzf":
        c = lzf(d) if x.comp is None else x.comp
        return B(b"\xc3", ln(len(c)), ln(len(d) if x.ulen is None else x.ulen), c)
    n = int(d)
    if x.enc == "int8" or x.enc == "int" and -128 <= n < 128:
        return b"\xc0" + struct.pack("<b", n)
    if x.enc == "int16" or x.enc == "int" and -32768 <= n < 32768:
        return b"\xc1" + struct.pack("<h", n)
    return b"\xc2" + struct.pack("<i", n)


def natural(x):
    """The form that servers choose: integer, LZF where it pays, raw."""
    if canonical_int(x) is not None:
        return S(x, "int")
    if len(x) > 20:
        c = lzf(x)
        if len(c) <= len(x) - 4:
            return S(x, "lzf", comp=c)
    return x


def lzf(d):
    """LZF (section 5.1 of the format page), greedy, last occurrence of three bytes."""
    out, lit, seen, i = bytearray(), bytearray(), {}, 0

    def flush():
        for k in range(0, len(lit), 32):
            part = lit[k:k + 32]
            out.append(len(part) - 1)
            out.extend(part)
        lit.clear()

    while i < len(d):
        key = bytes(d[i:i + 3])
        ref = seen.get(key) if len(key) == 3 else None
        if len(key) == 3:
            seen[key] = i
        if ref is not None and i - ref <= 8192:
            n = 3
            while n < 264 and i + n < len(d) and d[ref + n] == d[i + n]:
                n += 1
            flush()
            out += lzf_ref(n, i - ref)
            i += n
        else:
            lit.append(d[i])
            i += 1
    flush()
    return bytes(out)


def lzf_ref(n, distance):
    """One back-reference: n bytes from distance bytes back."""
    off, n = distance - 1, n - 2
    if n < 7:
        return bytes([n << 5 | off >> 8, off & 255])
    return bytes([7 << 5 | off >> 8, n - 7, off & 255])


def lzf_lit(d):
    return bytes([len(d) - 1]) + d


# ---- fixed-size things -----------------------------------------------------------------------------

def i64(n):
    return marked(i64, n) if isinstance(n, M) else struct.pack("<q", n)


def i32(n):
    return marked(i32, n) if isinstance(n, M) else struct.pack("<i", n)


def f64(x):
    return marked(f64, x) if isinstance(x, M) else x if isinstance(x, bytes) else struct.pack("<d", x)


def rid(i):
    """A stream id as 16 raw bytes."""
    return marked(rid, i) if isinstance(i, M) else struct.pack(">QQ", *i)


def asc(x):
    """An ASCII double: a text, or one of the lengths 253 (NaN), 254 (inf), 255 (-inf)."""
    if isinstance(x, M):
        return marked(asc, x)
    return bytes([x]) if isinstance(x, int) else bytes([len(x)]) + x


# ---- compact blobs ---------------------------------------------------------------------------------

class Raw:
    """Bytes that stand for a whole element, its back-length or previous-length included."""

    def __init__(self, data):
        self.data = data


class I:
    """An integer in a chosen encoding (its first byte, without value bits)."""

    def __init__(self, n, enc):
        self.n, self.enc = n, enc


class BackLen:
    """A listpack element with these bytes as its back-length."""

    def __init__(self, x, back):
        self.x, self.back = x, back


def lp_body(x):
    if isinstance(x, I):
        n, e = x.n, x.enc
        if e == 0x00:
            return bytes([n])
        if e == 0xC0:
            n &= 0x1FFF
            return bytes([0xC0 | n >> 8, n & 255])
        size = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}[e]
        return bytes([e]) + n.to_bytes(size, "little", signed=True)
    if isinstance(x, int):
        if 0 <= x <= 127:
            return lp_body(I(x, 0x00))
        if -4096 <= x <= 4095:
            return lp_body(I(x, 0xC0))
        for enc, bits in ((0xF1, 16), (0xF2, 24), (0xF3, 32), (0xF4, 64)):
            if -(1 << bits - 1) <= x < 1 << bits - 1:
                return lp_body(I(x, enc))
    if len(x) < 64:
        return bytes([0x80 | len(x)]) + x
    if len(x) < 4096:
        return bytes([0xE0 | len(x) >> 8, len(x) & 255]) + x
    return b"\xf0" + struct.pack("<I", len(x)) + x


def lp_back(n, new=False):
    """Back-length of n bytes. The two generations of servers differ at 16383, 2097151 and 268435455."""
    edge = 0 if new else 1
    size = 1
    for bits in (7, 14, 21, 28):
        if n <= (1 << bits) - 1 - (edge if bits > 7 else 0):
            break
        size += 1
    out = [n >> 7 * k & 127 for k in range(size)]
    return bytes([out[-1]] + [b | 0x80 for b in reversed(out[:-1])])


def lp(elems, count=None, total=None, new=False, end=b"\xff"):
    """A listpack of ints and strings; M, I, Raw and BackLen as elements."""
    body = B()
    for e in elems:
        if isinstance(e, M):
            body.mark(e.name)
            e = e.x
        if isinstance(e, Raw):
            body.put(e.data)
        elif isinstance(e, BackLen):
            body.put(lp_body(e.x), e.back)
        else:
            d = lp_body(e)
            body.put(d, lp_back(len(d), new))
    n = min(len(elems), 65535) if count is None else count
    size = 6 + len(body) + len(end) if total is None else total
    return B(struct.pack("<I", size), B().mark("count"), struct.pack("<H", n), body, B().mark("end"), end)


class Prev:
    """A ziplist entry with a chosen previous-length: 5 forces the wide form, else the value itself."""

    def __init__(self, x, value=None, wide=False):
        self.x, self.value, self.wide = x, value, wide


def zl_body(x):
    if isinstance(x, I):
        n, e = x.n, x.enc
        if e == 0xF1:
            return bytes([0xF1 + n])
        size = {0xFE: 1, 0xC0: 2, 0xF0: 3, 0xD0: 4, 0xE0: 8}[e]
        return bytes([e]) + n.to_bytes(size, "little", signed=True)
    if isinstance(x, int):
        if 0 <= x <= 12:
            return zl_body(I(x, 0xF1))
        for enc, bits in ((0xFE, 8), (0xC0, 16), (0xF0, 24), (0xD0, 32), (0xE0, 64)):
            if -(1 << bits - 1) <= x < 1 << bits - 1:
                return zl_body(I(x, enc))
    if len(x) < 64:
        return bytes([len(x)]) + x
    if len(x) < 16384:
        return bytes([0x40 | len(x) >> 8, len(x) & 255]) + x
    return b"\x80" + struct.pack(">I", len(x)) + x


def zl(elems, count=None, tail=None, total=None, end=b"\xff"):
    body, prev, last = B(), 0, 10
    for e in elems:
        if isinstance(e, M):
            body.mark(e.name)
            e = e.x
        start = len(body)
        last = 10 + start
        if isinstance(e, Raw):
            body.put(e.data)
        else:
            p, wide = prev, False
            if isinstance(e, Prev):
                p, wide, e = prev if e.value is None else e.value, e.wide, e.x
            body.put(b"\xfe" + struct.pack("<I", p) if wide or p >= 254 else bytes([p]), zl_body(e))
        prev = len(body) - start
    size = 10 + len(body) + len(end) if total is None else total
    return B(struct.pack("<II", size, last if tail is None else tail), B().mark("count"),
             struct.pack("<H", min(len(elems), 65535) if count is None else count), body, B().mark("end"), end)


def intset(nums, width=None, count=None, enc=None, extra=b""):
    """nums may hold M."""
    plain = [n.x if isinstance(n, M) else n for n in nums]
    if width is None:
        width = next((w for w in (2, 4, 8) if all(-(1 << 8 * w - 1) <= n < 1 << 8 * w - 1 for n in plain)), 8)
    b = B(struct.pack("<II", width if enc is None else enc, len(nums) if count is None else count))
    for n in nums:
        if isinstance(n, M):
            b.mark(n.name)
            n = n.x
        b.put(n.to_bytes(width, "little", signed=True))
    return b.put(extra)


def zm_len(n, wide=False):
    return b"\xfe" + struct.pack("<I", n) if wide or n >= 254 else bytes([n])


def zipmap(pairs, count=None, end=b"\xff"):
    """pairs: (field, value) or (field, value, free bytes); M around a pair marks it."""
    b = B()
    for p in pairs:
        if isinstance(p, M):
            b.mark(p.name)
            p = p.x
        if isinstance(p, Raw):
            b.put(p.data)
            continue
        f, v, free = p if len(p) == 3 else (*p, 0)
        b.put(zm_len(len(f)), f, zm_len(len(v)), bytes([free]), v, bytes(free))
    return B(bytes([min(len(pairs), 254) if count is None else count]), b, B().mark("end"), end)


# ---- streams ---------------------------------------------------------------------------------------

def wrap64(n):
    n &= (1 << 64) - 1
    return n - (1 << 64) if n >> 63 else n


def snode(master, fields, entries, count=None, deleted=None, extra=(), raw_key=None):
    """One node: entries are (id, pairs[, opt]) where opt may hold deleted, mark, lp_count, flags, mark_count.
    Returns (key string, listpack)."""
    live = sum(1 for e in entries if not (len(e) > 2 and e[2].get("deleted")))
    els = [live if count is None else count, len(entries) - live if deleted is None else deleted,
           len(fields), *fields, 0]
    for e in entries:
        i, pairs = e[0], e[1]
        opt = e[2] if len(e) > 2 else {}
        same = [f for f, _ in pairs] == list(fields)
        flags = opt.get("flags", (2 if same else 0) | (1 if opt.get("deleted") else 0))
        one = [flags, wrap64(i[0] - master[0]), wrap64(i[1] - master[1])]
        if same:
            one += [v for _, v in pairs]
        else:
            one.append(opt.get("num", len(pairs)))
            for f, v in pairs:
                one += [f, v]
        n = opt.get("lp_count", len(pairs) + 3 if same else 2 * len(pairs) + 4)
        one.append(M(n) if opt.get("mark_count") else n)
        if opt.get("mark"):
            one[0] = M(one[0])
        els += one
    els += extra
    key = rid(master) if raw_key is None else raw_key
    return key, lp(els)


def stream(kind, nodes, length, last, first=(0, 0), maxdel=(0, 0), added=0, groups=(), idmp=None, n_nodes=None):
    """kind: 1..5 (types 15, 19, 21, 26, 27). groups: dicts. idmp: dict or None for the defaults."""
    b = B(ln(len(nodes) if n_nodes is None else n_nodes))
    for key, blob in nodes:
        b.put(st(key), st(blob))
    b.put(ln(length), pair(last))
    if kind >= 2:
        b.put(pair(first), pair(maxdel), ln(added))
    b.put(ln(len(groups)))
    for g in groups:
        b.put(st(g["name"]), pair(g["last"]))
        if kind >= 2:
            b.put(ln(g.get("read", -1)))
        b.put(ln(len(g["pel"])))
        for i, t, n in g["pel"]:
            b.put(rid(i), i64(t), ln(n))
        b.put(ln(len(g["consumers"])))
        for c in g["consumers"]:
            b.put(st(c["name"]), i64(c["seen"]))
            if kind >= 3:
                b.put(i64(c.get("active", c["seen"])))
            b.put(ln(len(c["pel"])), *[rid(i) for i in c["pel"]])
        if kind >= 5:
            b.put(ln(len(g.get("nacked", ()))), *[rid(i) for i in g.get("nacked", ())])
    if kind >= 4:
        m = idmp or {}
        b.put(ln(m.get("duration", 100)), ln(m.get("max", 100)), ln(len(m.get("producers", ()))))
        for pid, iids in m.get("producers", ()):
            b.put(st(pid), ln(len(iids)))
            for iid, i in iids:
                b.put(st(iid), pair(i))
        b.put(ln(m.get("added", 0)), ln(m.get("dups", 0)))
    return b


def pair(i):
    """A stream id as two lengths."""
    if isinstance(i, M):
        return marked(pair, i)
    return B(ln(i[0]), ln(i[1]))


# ---- modules ---------------------------------------------------------------------------------------

MODULE_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
META_CHARS = MODULE_CHARS[:62] + "_-"


def module_id(name, version):
    n = 0
    for ch in name:
        n = n << 6 | MODULE_CHARS.index(ch)
    return n << 10 | version


def meta_spec(name, version, flags):
    n = 0
    for ch in name:
        n = n << 6 | META_CHARS.index(ch)
    return struct.pack("<I", n << 8 | version << 3 | flags)


def items(*xs, end=b"\x00"):
    """Module items: (1, int) (2, int) (3, float) (4, float) (5, bytes); M around one marks it."""
    b = B()
    for x in xs:
        if isinstance(x, M):
            b.mark(x.name)
            x = x.x
        if isinstance(x, Raw):
            b.put(x.data)
            continue
        op, v = x
        b.put(ln(op))
        b.put(ln(v) if op in (1, 2) else struct.pack("<f", v) if op == 3 else f64(v) if op == 4 else st(v))
    return b.put(end)


# ---- values of the plain types ---------------------------------------------------------------------

def seq(xs, n=None):
    """LIST and SET: a count and strings."""
    return B(ln(len(xs) if n is None else n), *[st(x) for x in xs])


def pairs(xs, n=None):
    """HASH: a count and pairs of strings."""
    return B(ln(len(xs) if n is None else n), *[B(st(f), st(v)) for f, v in xs])


def zset1(xs, n=None):
    return B(ln(len(xs) if n is None else n), *[B(st(m), asc(s)) for m, s in xs])


def zset2(xs, n=None):
    return B(ln(len(xs) if n is None else n), *[B(st(m), f64(s)) for m, s in xs])


def quicklist(blobs, n=None):
    return B(ln(len(blobs) if n is None else n), *[st(x) for x in blobs])


def quicklist2(nodes, n=None):
    """nodes: (container, string)."""
    return B(ln(len(nodes) if n is None else n), *[B(ln(c), st(x)) for c, x in nodes])


def hash_meta(minimum, xs, n=None):
    """HASH_METADATA: xs are (relative ttl, field, value)."""
    return B(i64(minimum), ln(len(xs) if n is None else n), *[B(ln(t), st(f), st(v)) for t, f, v in xs])


def hash_meta_pre(xs):
    return B(ln(len(xs)), *[B(ln(t), st(f), st(v)) for t, f, v in xs])


def hash2(xs, n=None):
    """HASH_2: xs are (field, value, absolute ms or -1)."""
    return B(ln(len(xs) if n is None else n), *[B(st(f), st(v), i64(t)) for f, v, t in xs])


def path_hash(xs):
    return B(ln(len(xs)), *[B(st(p), ln(len(fv)), *[B(st(f), st(v)) for f, v in fv]) for p, fv in xs])


def array(elems, insert=None, n=None):
    """elems: (index, tag, value)."""
    b = B(ln(len(elems) if n is None else n))
    b.put(ln(0) if insert is None else B(ln(1), ln(insert)))
    for idx, tag, v in elems:
        b.put(ln(idx), ln(tag), st(v) if tag in (0, 3) else i64(v) if tag == 1 else f64(v))
    return b


# ---- the file --------------------------------------------------------------------------------------

CRC_TABLE = []
for _i in range(256):
    for _ in range(8):
        _i = _i >> 1 ^ (0x95AC9329AC4BC9B5 if _i & 1 else 0)
    CRC_TABLE.append(_i)


def crc64(data, crc=0):
    for b in data:
        crc = CRC_TABLE[(crc ^ b) & 255] ^ crc >> 8
    return crc


assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA


class Rdb(B):
    """A file under construction. ver None: no header."""

    def __init__(self, ver=11, dialect=REDIS):
        super().__init__()
        self.ver, self.dialect, self.records = ver, dialect, []
        if ver is not None:
            self.put((dialect + "%0*d" % (9 - len(dialect), ver)).encode())

    def aux(self, key, value):
        return self.put(b"\xfa", st(key), st(value))

    def db(self, n, resize=None):
        self.put(b"\xfe", ln(n))
        return self.put(b"\xfb", ln(resize[0]), ln(resize[1])) if resize else self

    def function(self, code):
        return self.put(b"\xf5", st(code))

    def template(self, tid, fields, n=None):
        return self.put(b"\xf2", ln(tid), ln(len(fields) if n is None else n), *[st(f) for f in fields])

    def slot_info(self, slot, keys, expires):
        return self.put(b"\xf4", ln(slot), ln(keys), ln(expires))

    def slot_import(self, job, ranges):
        return self.put(b"\xf3", st(job), ln(len(ranges)), *[B(ln(a), ln(b)) for a, b in ranges])

    def module_aux(self, mid, when, *xs):
        return self.put(b"\xf7", ln(mid), ln(2), ln(when), items(*xs))

    def key(self, kind, key, value, ms=None, s=None, idle=None, freq=None, meta=b""):
        """One record. Positions of its first byte and of its type byte go to self.records."""
        start = len(self)
        if ms is not None:
            self.put(b"\xfc", i64(ms))
        if s is not None:
            self.put(b"\xfd", i32(s))
        if idle is not None:
            self.put(b"\xf8", ln(idle))
        if freq is not None:
            self.put(b"\xf9", bytes([freq]))
        self.put(meta)
        self.records.append((start, len(self)))
        return self.put(bytes([kind]), st(key), value)

    def end(self, crc="ok", eof=b"\xff"):
        self.put(eof)
        if self.ver is not None and self.ver < 5:
            return self
        self.mark("crc")
        n = {"ok": crc64, "zero": lambda d: 0, "wrong": lambda d: crc64(d) ^ 1}[crc](self.data)
        return self.put(struct.pack("<Q", n))


def key_meta(*classes):
    """classes: (spec bytes, item, ...)."""
    return B(b"\xf3", ln(len(classes)), *[B(c[0], items(*c[1:])) for c in classes])


# ---- the compressed envelope -------------------------------------------------------------------------

def xxh32(data, seed=0):
    p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
    mask = 0xFFFFFFFF

    def rot(x, r):
        return (x << r | x >> 32 - r) & mask

    i, n = 0, len(data)
    if n >= 16:
        acc = [(seed + p1 + p2) & mask, (seed + p2) & mask, seed, (seed - p1) & mask]
        while i + 16 <= n:
            for k, w in enumerate(struct.unpack_from("<4I", data, i)):
                acc[k] = rot((acc[k] + w * p2) & mask, 13) * p1 & mask
            i += 16
        h = (rot(acc[0], 1) + rot(acc[1], 7) + rot(acc[2], 12) + rot(acc[3], 18)) & mask
    else:
        h = (seed + p5) & mask
    h = (h + n) & mask
    while i + 4 <= n:
        h = rot((h + struct.unpack_from("<I", data, i)[0] * p3) & mask, 17) * p4 & mask
        i += 4
    while i < n:
        h = rot((h + data[i] * p5) & mask, 11) * p1 & mask
        i += 1
    h = (h ^ h >> 15) * p2 & mask
    h = (h ^ h >> 13) * p3 & mask
    return h ^ h >> 16


assert xxh32(b"") == 0x02CC5D05 and xxh32(b"abc") == 0x32D153FF


def lz4_frame(data, block=65536, checksums=True):
    """A frame of stored blocks; with block and content checksums as Valkey writes them by default."""
    flg = 0x60 | (0x14 if checksums else 0)
    desc = bytes([flg, 0x40])
    out = bytearray(struct.pack("<I", 0x184D2204) + desc + bytes([xxh32(desc) >> 8 & 255]))
    data = bytes(data)
    for i in range(0, len(data), block):
        part = data[i:i + block]
        out += struct.pack("<I", len(part) | 0x80000000) + part
        if checksums:
            out += struct.pack("<I", xxh32(part))
    out += bytes(4)
    if checksums:
        out += struct.pack("<I", xxh32(data))
    return bytes(out)


def vcs(frame, version=1, codec=1, reserved=0, kind=1):
    return b"VCS" + bytes([version, codec, reserved, kind]) + frame
