# What this is: a second implementation of respite-format(5), a reader, made from that page alone:
#   respite_reader.py REPOSITORY IDENTITY      verifies a repository and prints what is in it
#   respite_reader.py --pack FILE IDENTITY     the same with a pack file
# Rests on: plain_crypto.py beside it, Python 3's standard library, the program zstd.
# Does not: open sealed secrets (Python has no Argon2id), write, run fast; do what a client's memory is for.
# Exit status: 0 all is well, 12 no key opens it, 24 something is wrong (lines "broken"), 2 wrong use.
import datetime
import hashlib
import os
import re
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from plain_crypto import H, aead_open, base32, box_seal_open, ed25519_public, ed25519_verify, keyed, self_test, unbase32

READ, WRITE, KEEP, PROVE, ROOT = 1, 2, 4, 8, 16
KINDS = {1: "commit", 2: "retire", 3: "pin", 4: "unpin", 5: "accept", 6: "absent", 7: "receipt", 8: "note",
         9: "gone", 10: "lost"}
HEX32, HEX64 = "[0-9a-f]{32}", "[0-9a-f]{64}"


class Bad(Exception):
    """What is read breaks a rule of the page."""


class Newer(Bad):
    """It asks for a newer reader."""


class Locked(Exception):
    """No key at hand opens it."""


def need(condition, why):
    if not condition:
        raise Bad(why)


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, n):
        need(n <= self.left(), "cut short")
        self.at += n
        return self.data[self.at - n : self.at]

    def num(self, size):
        return int.from_bytes(self.take(size), "little")

    def rest(self):
        return self.take(self.left())


def u(data, size):
    need(len(data) == size, f"a number of {len(data)} bytes instead of {size}")
    return int.from_bytes(data, "little")


def cut(data, size, least=0, most=1 << 60):
    need(len(data) % size == 0 and least <= len(data) // size <= most, f"not a list of {size} bytes each")
    return [data[i : i + size] for i in range(0, len(data), size)]


def tagged(data):
    """The items of a list: (word, number, value); the word is "6!" for critical number 6, "6" without the bit."""
    found, c, last = [], Cursor(data), -1
    while c.left():
        tag = c.num(2)
        number, value = tag & 0x7FFF, c.take(c.num(4))
        need(number >= last, "items out of order")
        found.append((f"{number}!" if tag & 0x8000 else str(number), number, value))
        last = number
    return found


def items(data, known):
    """known: "1!", "4", "=1!" (must be there), "6!*" (repeated). Gives {number: value, or list of the repeated}."""
    rules = {}
    for rule in known.split():
        rules[rule.strip("=*")] = (rule.startswith("="), rule.endswith("*"))
    found = {int(word.strip("!")): [] for word, (_, many) in rules.items() if many}
    own_form = {}
    for word, number, value in tagged(data):
        need(own_form.setdefault(number, word) == word or number not in {int(w.strip("!")) for w in rules},
             f"item {number} in two forms")
        if word not in rules:
            need(not word.endswith("!"), f"unknown critical item {number}")
        elif rules[word][1]:
            found[number].append(value)
        else:
            need(number not in found, f"item {number} twice")
            found[number] = value
    for word, (must, _) in rules.items():
        need(not must or found.get(int(word.strip("!"))) not in (None, []), f"no item {word}")
    return found


def printable(data):
    return "".join(chr(b) if 32 < b < 127 and b != 92 else f"\\x{b:02x}" for b in data)


def a_time(text):
    try:
        return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").year >= 1970
    except ValueError:
        return False


def named_values(c):
    """u16 n | name, n | value"""
    name = c.take(c.num(2))
    return name, c.rest()


# Identities


class Identity:
    def __init__(self, secret):
        self.sign_public = ed25519_public(keyed(secret, b"respite sign seed"))
        self.scalar = keyed(secret, b"respite box scalar")
        from plain_crypto import x25519

        self.box_public = x25519(self.scalar, (9).to_bytes(32, "little"))


def text_form(text, word, size):
    need(text.lower().startswith(word), f"no {word}...")
    try:
        data = unbase32(text[len(word) :])
    except ValueError as e:
        raise Bad(f"{word}...: {e}") from None
    need(len(data) == size + 4 and H(data[:-4])[:4] == data[-4:], f"{word}...: check differs")
    return data[:-4]


def read_identity(path):
    """(identity, Ed25519 public key of root, None when the file does not say)"""
    lines = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            line = line.strip("\r\n")
            if line.strip() and not line.startswith("#"):
                name, colon, value = ("secret: " + line if line.lower().startswith("rsp-secret-") else line).partition(":")
                need(colon and name.strip() not in lines, f"identity file: {line}")
                lines[name.strip()] = value.strip()
    if "1" in lines:
        secret = b""
        for i in range(1, 5):
            data = unbase32(lines[str(i)].translate(str.maketrans("018", "OIB", " \t-")))
            need(len(data) == 10 and H(b"respite sheet" + bytes([i]) + data[:8])[:2] == data[8:], f"line {i} of the sheet")
            secret += data[:8]
        identity = Identity(secret)
        return identity, identity.sign_public
    need("secret" in lines, "sealed secrets are not read here")
    identity = Identity(text_form(lines["secret"], "rsp-secret-", 32))
    own = identity.sign_public + identity.box_public
    need("public" not in lines or text_form(lines["public"], "rsp-pub-", 64) == own, "public and secret do not fit")
    return identity, text_form(lines["root"], "rsp-pub-", 64)[:32] if "root" in lines else None


# Sealed objects


def unzstd(frame, size):
    """One zstd frame whose header says the content's size."""
    need(frame[:4] == b"\x28\xb5\x2f\xfd" and len(frame) > 5, "no zstd frame")
    descriptor = frame[4]
    single, dict_size, fcs = descriptor >> 5 & 1, (0, 1, 2, 4)[descriptor & 3], descriptor >> 6
    field = (1 if single else 0, 2, 4, 8)[fcs]
    at = 5 + (0 if single else 1) + dict_size
    said = int.from_bytes(frame[at : at + field], "little") + (256 if field == 2 else 0)
    need(field and said == size, "the frame's content size is another")
    at, last = at + field, False
    while not last:
        need(at + 3 <= len(frame), "the frame is cut short")
        block = int.from_bytes(frame[at : at + 3], "little")
        last, at = block & 1, at + 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
    need(at + (4 if descriptor & 4 else 0) == len(frame), "more or less than one frame")
    p = subprocess.run(["zstd", "-dcq"], input=frame, capture_output=True, check=False)
    need(p.returncode == 0 and len(p.stdout) == size, "zstd does not decompress it")
    return p.stdout


class SealedObject:
    def __init__(self, data, epoch_key, kind, lineage, epoch_id, object_id=None, number=None):
        c = Cursor(data)
        need(c.take(8) == b"RSPOBJ1\n", "no sealed object")
        need(c.num(2) == 1, "another version")
        self.suite, self.codec, self.largest = c.num(1), c.num(1), c.num(4)
        need(self.suite in (0, 1) and self.codec in (0, 1) and 4096 <= self.largest <= 16777216, "header")
        need(c.take(16) == lineage, "another lineage")
        need(c.num(1) == kind, "another kind")
        self.flags, size, self.number = c.num(1), c.num(2), c.num(4)
        need(not self.flags & ~1, "unknown flags")
        need(104 <= size <= 4096 and size <= len(data), "length of the header")
        need(number is None or self.number == number, "another number")
        need(c.take(16) in (object_id, *([] if object_id else [data[40:56]])), "another object id")
        need(c.take(16) == epoch_id, "another epoch")
        items(data[72 : size - 32], "")
        need(self.suite or epoch_key == bytes(32), "suite none under a secret key")
        self.key = keyed(epoch_key, data[: size - 32])
        need(keyed(self.key, b"commit") == data[size - 32 : size], "key commitment differs")
        self.data = data
        self.read_table(size)

    def open(self, sealed, number, last, table=False):
        nonce = struct.pack("<QBBH", number, last, table, 0)
        if self.suite == 0:
            need(len(sealed) >= 16 and keyed(self.key, nonce + sealed[:-16])[:16] == sealed[-16:], "tag differs")
            return sealed[:-16]
        plain = aead_open(self.key, nonce, sealed)
        need(plain is not None, "does not open")
        return plain

    def read_table(self, header):
        data = self.data
        need(len(data) >= header + 24 and data[-8:] == b"RSPEND1\n", "no trailer")
        at, size, extra = struct.unpack("<QII", data[-24:-8])
        need(extra <= 65536 and size <= 5374036 and header <= at and at + size + extra + 24 == len(data), "trailer")
        items(data[at + size : -24], "")
        self.sealed_table = data[at : at + size]
        c = Cursor(self.open(self.sealed_table, 0, 0, True))
        count = c.num(4)
        need(1 <= count <= 65536, "number of chunks")
        self.chunks, plain, stored = [], 0, header
        for i in range(count):
            offset, plain_size, stored_size = c.num(8), c.num(4), c.num(4)
            note = c.take(c.num(1))
            need(len(note) <= 64, "note")
            need(offset == plain, f"chunk {i}: a gap in the plaintext")
            need(plain_size <= self.largest and (plain_size or count == 1), f"chunk {i}: size")
            need(16 <= stored_size <= self.largest + self.largest // 128 + 1024, f"chunk {i}: stored size")
            self.chunks.append((stored, plain_size, stored_size, note))
            plain, stored = plain + plain_size, stored + stored_size
        items(c.rest(), "")
        need(stored == at and plain <= 256 << 20, "the chunks do not fill the object")
        self.plain_size = plain

    def read(self):
        """Yields (plaintext, note) of each chunk."""
        for i, (at, plain_size, stored_size, note) in enumerate(self.chunks):
            try:
                body = self.open(self.data[at : at + stored_size], i, i == len(self.chunks) - 1)
                if self.codec:
                    body = unzstd(body, plain_size)
                need(len(body) == plain_size, "another size")
            except Bad as e:
                raise Bad(f"chunk {i}: {e}") from None
            yield body, note


class NoteCheck:
    """The notes of a stream of kind rdb: records go on from 0 without a gap. They are an index: only told of."""

    def __init__(self):
        self.next, self.wrong = 0, None

    def add(self, note, size):
        if not note or self.wrong:
            return
        if len(note) != 21 or note[0] != 1:
            self.wrong = "a chunk's note of another form"
            return
        _, offset, _, number, count = struct.unpack("<BIIQI", note)
        if number != self.next or not (offset < size if count else offset == size):
            self.wrong = f"a chunk's note says record {number} at {offset}, expected {self.next}"
        self.next += count


# Envelopes


def read_envelope(data, identity, epoch_id=None):
    """(epoch id, candidates for the epoch key)"""
    c = Cursor(data)
    need(c.take(8) == b"RSPENV1\n", "no envelope")
    found = items(c.rest(), "=1! =2!*")
    need(len(found[1]) == 16 and epoch_id in (None, found[1]), "another epoch")
    need(len(found[2]) <= 256 and all(len(w) == 88 for w in found[2]), "wrapped keys")
    keys = []
    for wrapped in found[2]:
        if wrapped[:8] == H(identity.box_public)[:8]:
            key = box_seal_open(identity.scalar, identity.box_public, wrapped[8:])
            if key is not None and len(key) == 32:
                keys.append(key)
    return found[1], keys


def epoch_commitment(key, lineage, epoch_id):
    return keyed(key, b"respite epoch" + lineage + epoch_id)


# Roles


class Person:
    def __init__(self, data):
        found = items(data, "=1! =2! 3 4! 5")
        need(len(found[1]) == 64, "keys")
        self.sign, self.box = found[1][:32], found[1][32:]
        self.flags = u(found[2], 4)
        self.name = found.get(3)
        need(self.name is None or 1 <= len(self.name) <= 63 and all(32 <= b < 127 for b in self.name)
             and self.name.strip(b" ") == self.name, "name")
        self.sources = cut(found[4], 16, 1) if 4 in found else None
        need(len(found.get(5, bytes(73))) == 73 and self.flags < 32, "sealed secret or flags")

    def may(self, flag, source):
        return bool(self.flags & flag) and (flag != WRITE or self.sources is None or source in self.sources)


def signed(data, magic, public=None):
    need(len(data) <= 4 << 20 and len(data) >= 72 and data[:8] == magic, "no signed object of its kind")
    if public is not None:
        need(ed25519_verify(public, data[:-64], data[-64:]), "signature")
    return data[8:-64]


class Roles:
    def __init__(self, data, root):
        found = items(signed(data, b"RSPROL1\n", root), "=1! =2! 3! 4 =5! 6!* 7!* 8!")
        need(found[1] == H(root)[:16] and found[5] == root, "another root")
        self.hash, self.n = H(data), u(found[2], 8)
        need(self.n >= 1 and (self.n == 1) == (3 not in found), "n and what was before do not fit")
        self.before = found.get(3)
        need(self.before is None or len(self.before) == 32, "hash")
        need(1 <= len(found[6]) <= 1024, "number of identities")
        self.people = [Person(p) for p in found[6]]
        for attribute in "sign", "box", "name":
            values = [getattr(p, attribute) for p in self.people if getattr(p, attribute) is not None]
            need(len(set(values)) == len(values), f"two share a {attribute}")
        for person in self.people:
            own = person.sign == root
            need(bool(person.flags & ROOT) == own, "root's flag goes with root's key")
            need(not own or person.flags == 31 and person.sources is None, "root without one of its rights")
        need(all(len(h) == 80 for h in found[7]), "heads")
        self.heads = {(h[:32], h[32:48], h[48:]) for h in found[7]}
        self.lost = set(cut(found[8], 32, 1)) if 8 in found else set()

    def may(self, public, flags, source):
        return any(p.sign == public and any(p.may(f, source) for f in flags) for p in self.people)


# Records

NEEDS = {"commit": [WRITE], "receipt": [PROVE, WRITE], "note": [READ, WRITE, KEEP, PROVE]}


class Reference:
    def __init__(self, data):
        c = Cursor(data)
        self.kind, self.epoch, self.object, self.size, self.sha256 = c.num(1), c.take(16), c.take(16), c.num(8), c.take(32)
        need(self.kind in (1, 2), "kind of a reference")
        self.path = f"{'data' if self.kind == 1 else 'manifests'}/{self.epoch.hex()}/{self.object.hex()}"


class Record:
    BODY = {1: "=16! =17! =18! =19! 20 =22! 23! 24! 25 26!", 2: "=32! 33", 3: "=32! 34", 4: "=32!", 5: "=32!", 6: "=32!",
            7: "25 26! =32! =35! 36", 8: "=32! 34 37*", 9: "=32! =39! 40", 10: "=32! 38*"}

    COPIED = {1: "=25 =26!", 7: "=25 =26! =32!"}

    def __init__(self, data, repository, carried=False):
        body = signed(data, b"RSPLOG1\n")
        kind = next((u(value, 1) for word, _, value in tagged(body) if word == "3!"), None)
        need(kind in KINDS, f"kind {kind}")
        copied = kind in self.COPIED and any(word == "26!" for word, _, _ in tagged(body))
        need(not (copied and carried), "it carries another, and is itself carried")
        need(kind not in (1, 7, 8) or len(data) <= (260 if copied else 256) << 10, "too long for its kind")
        others = {rule.strip("=*") for k, rules in self.BODY.items() if k != kind for rule in rules.split()}
        others -= {rule.strip("=*") for rule in self.BODY[kind].split()}
        for word, _, _ in tagged(body):
            need(word not in others, f"item {word} belongs to another kind of record")
        known = {int(rule.strip("=*!")) for rules in self.BODY.values() for rule in rules.split()}
        own = {int(rule.strip("=*!")) for rule in self.COPIED.get(kind, "").split()}
        need(not copied or not any(number in known - own for _, number, _ in tagged(body)), "says things of its own")
        f = self.found = items(body, "=1! =2! =3! =4! =5! =6! =7! =8! " + (self.COPIED if copied else self.BODY)[kind])
        need(carried or f[1] == repository, "of another repository")
        need(len(f[2]) == 16 and len(f[6]) == 32 and len(f[7]) == 32, "lengths")
        need(ed25519_verify(f[6], data[:-64], data[-64:]), "signature")
        self.hash, self.kind, self.source, self.signer, self.roles = H(data), KINDS[kind], f[2], f[6], f[7]
        self.seq, self.time = u(f[4], 8), u(f[5], 8)
        self.parents = {p[8:]: int.from_bytes(p[:8], "little") for p in cut(f[8], 40, 0, 16)}
        hashes = [p[8:] for p in cut(f[8], 40)]
        need(hashes == sorted(set(hashes)), "parents out of order")
        need(self.seq == 1 + max(self.parents.values(), default=0), "seq does not follow its parents")
        self.origin = None
        if copied:
            self.read_origin(f)
        elif kind == 1:
            self.read_commit(f)
        else:
            self.named = cut(f.get(32, b""), 32)
            need(self.named or kind == 10, "names nothing")
            need(kind not in (3, 7, 8) or len(self.named) == 1, "names several")
            need(kind != 7 or u(f[35], 1) in (1, 2), "proof")
            need(kind != 2 or len(f.get(33, b"\1")) == 1, "reason")
            need(0 not in f.get(34, b"") + f.get(36, b"") if kind in (3, 7, 8) else True, "a zero in its text")
            need(all(named_values(Cursor(t))[0] for t in f.get(37, [])), "a tag without a name")
            self.gone_parents = [(p[:32], p[32:]) for p in cut(f.get(39, b""), 64)]
            self.went = cut(f.get(40, b""), 16)

    def read_origin(self, f):
        """What it says of a snapshot, or of a proof, stands in the record that it carries."""
        need(u(f[25], 8) != 0, "no time of the origin's store")
        o = self.origin = Record(f[26], None, True)
        need(o.kind == self.kind and o.source == self.source, "it carries another kind, or another source's")
        need(0 < o.seq <= 9999999999, "seq of what it carries")
        self.gone_parents, self.named = [], cut(f.get(32, b""), 32)
        need(self.kind == "commit" or len(self.named) == 1, "names several")
        if self.kind == "commit":
            self.snapshot, self.epoch, self.commitment, self.flags = o.snapshot, o.epoch, o.commitment, o.flags
            self.manifest, self.references, self.refs = o.manifest, o.references, o.refs

    def read_commit(self, f):
        need(all(len(f[i]) == size for i, size in ((16, 16), (17, 16), (18, 32), (22, 73))), "lengths")
        need(len(f.get(20, bytes(32))) == 32, "lengths")
        self.snapshot, self.epoch, self.commitment, self.flags = f[16], f[17], f[18], u(f[19], 4)
        self.manifest = Reference(f[22])
        need(self.manifest.kind == 2 and self.manifest.epoch == self.epoch, "the manifest's reference")
        need((23 in f) != (24 in f), "references: item 23 or 24")
        self.references = [Reference(r) for r in cut(f.get(23, b""), 73)]
        self.refs = (f[24][:32], u(f[24][32:], 4)) if 24 in f else None
        need(len(f.get(25, bytes(8))) == 8, "lengths")
        self.named, self.gone_parents = [], []

    def name(self):
        t = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.time // 1000))
        return f"log/{self.source.hex()}/{self.seq:010d}-{t}-{self.kind}-{self.hash.hex()}"


# Manifests


class Stream:
    def __init__(self, data):
        f = items(data, "=1! =2! =3! 4 =5! 6 7 8 16!*")
        self.name, self.kind, self.form, self.size = f[1], u(f[2], 1), u(f[3], 1), u(f[5], 8)
        need(self.kind in (1, 2) and self.form == 1, "stream of an unknown kind or form")
        need(1 <= len(self.name) <= 1024 and len(f.get(6, bytes(16))) == 16 and len(f.get(7, bytes(16))) == 16, "lengths")
        position = items(f[4], "1 2 3 4 5") if 4 in f else {}
        need(len(position.get(2, bytes(8))) == 8 and len(position.get(3, bytes(4))) == 4, "position")
        self.records = u(f[8], 8) if 8 in f else None
        self.parts, at = [], 0
        for data in f[16]:
            c = Cursor(data)
            part = (c.num(1), c.take(16), c.take(16), c.num(8), c.take(32), c.num(8), c.num(8), c.rest())
            need(len(part[7]) <= 64 and part[0] == 1 and part[5] == at, "full reference")
            at += part[3]
            self.parts.append(part)
        need(at == self.size, "the objects are not the stream's size")


class Manifest:
    def __init__(self, data):
        need(data[:8] == b"RSPMAN1\n", "no manifest")
        f = items(data[8:], "=1! =2! =3! 4 5 6 7* 8* 9* 10* 11 12* 16!*")
        need(u(f[1], 4) == 1, "another version")
        self.snapshot, self.source = f[2], f[3]
        need(len(f[2]) == 16 and 1 <= len(f[3]) <= 200 and all(32 < b < 127 for b in f[3]), "snapshot id or source")
        self.lines = [("source", printable(f[3]))]
        for number, word in ((4, "begun"), (5, "finished")):
            if number in f:
                self.lines.append((word, u(f[number], 8)))
        server = items(f.get(6, b""), "1 2 3 4")
        for number, word in ((1, "server"), (2, "version"), (3, "run-id"), (4, "read")):
            if number in server:
                self.lines.append((word, printable(server[number])))
        for number, word in ((7, "aux"), (9, "beside"), (10, "tag")):
            for name, value in (named_values(Cursor(v)) for v in f[number]):
                self.lines.append((word, f"{printable(name)}={printable(value)}"))
        for v in f[8]:
            need(len(v) == 20, "counts")
            self.lines.append(("db", "%d keys %d expiring %d" % struct.unpack("<IQQ", v)))
        if 11 in f:
            self.lines.append(("tool", printable(f[11])))
        self.lines += [("loss", printable(v)) for v in f[12]]
        self.streams = [Stream(s) for s in f[16]]


# The repository


class Repository:
    def __init__(self, path, identity, root):
        self.path, self.identity, self.root, self.lineage = path, identity, root, H(root)[:16]
        self.broken = self.locked = 0
        self.files = {}
        for folder, _, names in os.walk(path):
            for name in names:
                full = os.path.join(folder, name)
                self.files[os.path.relpath(full, path)] = os.path.getsize(full)

    def report(self, what, why):
        self.broken += 1
        print(f"broken {what}: {why}")

    def guard(self, what, action, *args):
        """action's result, or None when the page refuses it."""
        try:
            return action(*args)
        except Bad as e:
            self.report(what, e)
        except Locked as e:
            self.locked += 1
            print(f"locked {what}: {e}")
        return None

    def get(self, path, expected=None):
        need(path in self.files, "not there")
        with open(os.path.join(self.path, path), "rb") as f:
            data = f.read()
        need(expected is None or H(data) == expected, "bytes and name do not fit")
        return data

    def note(self, what, why):
        print(f"note {what}: {why}")

    def below(self, folder, form=".*"):
        """Paths of that form below a folder; other names do not belong there and are passed over."""
        found = []
        for path in sorted(p for p in self.files if p.startswith(folder + "/")):
            if re.fullmatch(form, path[len(folder) + 1 :]):
                found.append(path)
            else:
                self.note(path, "a name that does not belong here")
        return found

    def run(self):
        self.read_roles()
        self.read_log()
        self.judge()
        for r in sorted(self.records.values(), key=lambda r: (r.source, r.seq, r.hash)):
            state = "ok" if r.hash in self.valid else "refused"
            print(f"record {r.source.hex()[:8]} {r.seq} {r.kind} {r.hash.hex()} {state}")
            if r.origin:
                print(f"copied {r.hash.hex()} of {r.origin.hash.hex()} repository {r.origin.found[1].hex()}")
            for id_ in r.went if r.kind == "gone" else ():
                print(f"went {id_.hex()}")
        for r in self.living:
            self.guard(f"snapshot {r.snapshot.hex()}", self.read_snapshot, r)
        self.guard("repository", self.check_repository)
        return 24 if self.broken else 12 if self.locked else 0

    # Repository objects

    def read_repository(self, path):
        data = self.get(path, bytes.fromhex(path[-64:]))
        need(data[:8] == b"RSPREP1\n", "no repository object")
        f = items(data[8:], "=1! =2! =3! 4")
        need(len(f[2]) == 16 and len(f[3]) == 16, "malformed")
        if u(f[1], 4) != 1:
            raise Newer("another version")
        if f[3] != self.lineage:
            self.note(path, "of another lineage")
            return None
        return f[2]

    def check_repository(self):
        need(self.ids, "no repository object")
        print(f"repository {self.id.hex()} lineage {self.lineage.hex()}")

    # Roles

    def read_roles(self):
        self.roles = {}
        bad = {}
        for path in self.below("roles", r"(?!0{10})\d{10}-" + HEX64):
            try:
                roles = self.read_role(path)
                self.roles[roles.hash] = roles
            except Bad as e:
                bad[path] = e
        self.lost_roles = set().union(*(r.lost for r in self.roles.values()))
        for path, e in bad.items():
            if bytes.fromhex(path[-64:]) not in self.lost_roles:
                self.report(path, e)
        by_n = {}
        for r in self.roles.values():
            if r.n in by_n:
                self.note(f"roles {r.n}", "two of one number")
            by_n[r.n] = r
        self.ordered = sorted(self.roles.values(), key=lambda r: (r.n, r.hash))
        ruling = [r for r in self.ordered if r.hash not in self.lost_roles] or self.ordered
        self.newest = next((r for r in ruling if r.n == ruling[-1].n), None)
        for r in self.ordered:
            before = self.roles.get(r.before)
            given_up = any(r.before in later.lost for later in self.ordered if later.n >= r.n)
            if r.n > 1 and not (before and before.n == r.n - 1) and not given_up:
                self.report(f"roles {r.n}", "the one before is not there")
            print(f"roles {r.n} {r.hash.hex()} {len(r.people)} identities")
        if not self.roles:
            self.report("roles", "none is there")

    def read_role(self, path):
        roles = Roles(self.get(path, bytes.fromhex(path[-64:])), self.root)
        need(f"{roles.n:010d}" == path[6:16], "name and n do not fit")
        return roles

    # The log

    def read_log(self):
        self.ids, bad = {}, {}
        for path in self.below("repository", HEX64):
            try:
                id_ = self.read_repository(path)
                if id_:
                    self.ids[path] = id_
            except Bad as e:
                bad[path] = e
        for path, e in bad.items():
            # Beside a sound one it is a thing that anybody could put there; a newer version is not.
            (self.note if self.ids and not isinstance(e, Newer) else self.report)(path, e)
        self.records, self.bad_paths = {}, {}
        raw = {}
        form = HEX32 + r"/(?!0{10})\d{10}-\d{8}T\d{6}Z-(" + "|".join(KINDS.values()) + ")-" + HEX64
        for path in self.below("log", form):
            if not a_time(path[48:64]):
                self.note(path, "a time that does not exist")
                continue
            try:
                raw[path] = self.get(path, bytes.fromhex(path[-64:]))
            except Bad as e:
                self.bad_paths[path] = str(e)
        self.id = self.which_id(raw.values())
        for path, data in raw.items():
            try:
                record = Record(data, self.id)
                need(record.name() == path, "name and record do not fit")
                self.records[record.hash] = record
            except Bad as e:
                self.bad_paths[path] = str(e)
        for path in [p for p in self.bad_paths if bytes.fromhex(p[-64:]) in self.records]:
            self.note(path, "not the record it is named after, which is there under its own name")
            del self.bad_paths[path]

    def which_id(self, records):
        """The one that the most sound records name, else that of the lowest name."""
        ids = list(dict.fromkeys(self.ids.values()))
        if len(ids) < 2:
            return ids[0] if ids else None
        votes = dict.fromkeys(ids, 0)
        for id_ in ids:
            for data in records:
                try:
                    Record(data, id_)
                    votes[id_] += 1
                except Bad:
                    pass
        return max(ids, key=lambda id_: votes[id_])

    def roles_of(self, r):
        """The roles record that r names; the newest stands in for one that root has given up."""
        return self.roles.get(r.roles) or (self.newest if r.roles in self.lost_roles else None)

    def may(self, roles, r):
        return r.signer == self.root or roles.may(r.signer, [KEEP] if r.origin else NEEDS.get(r.kind, [KEEP]), r.source)

    def n_of(self, r):
        """The number of the roles that r names; 0 when they are given up."""
        return self.roles[r.roles].n if r.roles in self.roles else 0

    def wrong_alone(self, r):
        """What is wrong with a record, whatever the others are."""
        roles = self.roles_of(r)
        if not roles:
            return "its roles record is not there"
        if not self.may(roles, r):
            return "its signer had no right to it"
        if r.origin:
            roles = self.roles_of(r.origin)
            if not roles:
                return "the roles record of what it carries is not there"
            if not self.may(roles, r.origin):
                return "who signed what it carries had no right to it"
        for h, seq in r.parents.items():
            p = self.records.get(h)
            if p and (p.seq != seq or p.source != r.source):
                return "a parent has another seq or source"
        return None

    def ancestors(self, hashes, why):
        """With hashes themselves; through valid records, and through the gone by item 39."""
        seen, todo = set(), list(hashes)
        while todo:
            h = todo.pop()
            if h in seen:
                continue
            seen.add(h)
            if h not in self.records:
                todo += self.gone_edges.get(h, [])
            elif h not in why:
                todo += self.records[h].parents
        return seen

    def judge_removed(self, why):
        """Records whose signer lost the right later: valid from the heads that root left, or known to one who knew."""
        lost_right = {}
        ruling = [x for x in self.ordered if x.hash not in self.lost_roles]
        for h, r in self.records.items():
            later = [x.n for x in ruling if h not in why and x.n > self.roles_of(r).n and not self.may(x, r)]
            if later:
                lost_right[h] = later[0]
        for h, n in sorted(lost_right.items(), key=lambda x: -x[1]):
            r = self.records[h]
            start = {x for roles in self.ordered for key, source, x in roles.heads if (key, source) == (r.signer, r.source)}
            start |= {x for x, v in self.records.items()
                      if x not in why and x not in lost_right and v.source == r.source and self.n_of(v) >= n
                      and v.kind not in ("note", "receipt")}
            if h not in self.ancestors(start, why):
                why[h] = f"its signer was removed by roles {n}"

    def named_by(self, valid, *kinds):
        """(source, hash) that valid records of these kinds name."""
        return {(r.source, h) for r in valid if r.kind in kinds for h in r.named}

    def judge(self):
        """Which records are valid; what is missing; which commits live."""
        why = {h: reason for h, reason in ((h, self.wrong_alone(r)) for h, r in self.records.items()) if reason}
        for h, r in self.records.items():
            about = self.records.get(r.named[0]) if r.origin and r.kind == "receipt" and h not in why else None
            if about and about.hash not in why and not (about.origin and about.origin.hash == r.origin.named[0]):
                why[h] = "it carries a receipt about another snapshot"
        self.gone_edges = {}
        for h, r in self.records.items():
            for gone, parent in r.gone_parents if h not in why else ():
                self.gone_edges.setdefault(gone, []).append(parent)
        self.judge_removed(why)
        for h, r in self.records.items():
            parents = [self.records[p] for p in r.parents if p in self.records and p not in why]
            if h not in why and self.n_of(r) and any(self.n_of(p) > self.n_of(r) for p in parents):
                why[h] = "roles go back"
            for p, seq in r.parents.items():
                valid = p in self.records and p not in why
                if h not in why and seq > 4999999999 and not valid and p not in self.gone_edges:
                    why[h] = "a parent's seq that no record has"
        self.valid = set(self.records) - set(why)
        valid = [self.records[h] for h in self.valid]
        explained = {h for _, h in self.named_by(valid, "gone", "absent", "lost")}
        for h, reason in why.items():
            if h not in explained:
                self.report(self.records[h].name(), reason)
        for path, reason in self.bad_paths.items():
            if bytes.fromhex(path[-64:]) not in explained:
                self.report(path, reason)
        there = set(self.records) | {bytes.fromhex(path[-64:]) for path in self.bad_paths} | explained
        for r in valid:
            for h in set(r.parents) - there:
                self.report(r.name(), f"its parent {h.hex()} is not there")
        unpinned = {h for _, h in self.named_by(valid, "unpin")}
        pinned = self.named_by([r for r in valid if r.hash not in unpinned], "pin")
        dead = self.named_by(valid, "retire") - pinned | self.named_by(valid, "gone", "lost")
        self.living = sorted((r for r in valid if r.kind == "commit" and (r.source, r.hash) not in dead),
                             key=lambda r: (r.source, r.seq, r.hash))

    # Snapshots

    def epoch_key(self, epoch, commitment, unsealed):
        if unsealed:
            need(commitment == epoch_commitment(bytes(32), self.lineage, epoch), "suite none with a key other than zeros")
            return bytes(32)
        there = bad = 0
        for path in self.below(f"keys/{epoch.hex()}", HEX64):
            try:
                data = self.get(path, bytes.fromhex(path[-64:]))
                need(len(data) <= 64 << 10, "too long")
                keys = read_envelope(data, self.identity, epoch)[1]
                there += 1
                for key in keys:
                    if epoch_commitment(key, self.lineage, epoch) == commitment:
                        return key
                    self.note(path, "opens to another key")
            except Bad as e:
                bad += 1
                self.note(path, e)
        need(there, f"keys/{epoch.hex()}: no sound envelope")
        raise Locked("no envelope opens")

    def fetch(self, ref):
        data = self.get(ref.path)
        need(len(data) == ref.size, f"{ref.path}: another size")
        need(hashlib.sha256(data).digest() == ref.sha256, f"{ref.path}: another SHA-256")
        return data

    def read_snapshot(self, r):
        id_ = r.snapshot.hex()
        print(f"snapshot {id_} commit {r.hash.hex()} flags {r.flags}")
        if r.refs:
            data = self.get(f"refs/{r.refs[0].hex()}", r.refs[0])
            need(data[:8] == b"RSPREF1\n" and len(data) <= 64 << 20, "no references")
            r.references = [Reference(x) for x in cut(data[8:], 73)]
            need(len(r.references) == r.refs[1], "number of references")
        objects = {}
        for ref in [r.manifest, *r.references]:
            objects[(ref.epoch, ref.object)] = self.guard(ref.path, self.fetch, ref)
        key = self.epoch_key(r.epoch, r.commitment, r.flags & 64)
        data = objects.get((r.epoch, r.manifest.object))
        if data is None:
            return
        need(len(data) <= 64 << 20, "the manifest is too long")
        sealed = SealedObject(data, key, 2, self.lineage, r.epoch, r.manifest.object, 0)
        manifest = Manifest(b"".join(body for body, _ in sealed.read()))
        need(manifest.snapshot == r.snapshot, "the manifest is another snapshot's")
        need(H(self.lineage + manifest.source)[:16] == r.source, "the manifest is another source's")
        for word, value in manifest.lines:
            print(f"manifest {id_} {word} {value}")
        for stream in manifest.streams:
            self.guard(f"stream {id_} {printable(stream.name)}", self.read_stream, r, stream, objects)

    def read_stream(self, r, stream, objects):
        sha256, size, notes = hashlib.sha256(), 0, NoteCheck()
        for number, (kind, epoch, object_, plain, table, _, stored, _) in enumerate(stream.parts):
            path = f"data/{epoch.hex()}/{object_.hex()}"
            need((epoch, object_) in objects, f"{path}: not among the commit's references")
            data = objects[(epoch, object_)]
            if data is None:
                return
            commits = [c for c in self.records.values() if c.kind == "commit" and c.epoch == epoch and c.hash in self.valid]
            need(commits, f"{path}: no commit of its epoch")
            key = self.epoch_key(epoch, commits[0].commitment, commits[0].flags & 64)
            sealed = SealedObject(data, key, kind, self.lineage, epoch, object_, number)
            need(sealed.plain_size == plain and H(sealed.sealed_table) == table and len(data) == stored, f"{path}: full reference")
            for body, note in sealed.read():
                if stream.kind == 1:
                    notes.add(note, len(body))
                sha256.update(body)
                size += len(body)
        need(size == stream.size, "another size")
        if stream.records is not None and notes.next not in (0, stream.records):
            notes.wrong = notes.wrong or f"the chunks' notes count {notes.next} records"
        if notes.wrong:
            self.note(f"stream {r.snapshot.hex()} {printable(stream.name)}", notes.wrong)
        print(f"stream {r.snapshot.hex()} {printable(stream.name)} kind {stream.kind} bytes {size} objects"
              f" {len(stream.parts)} records {stream.records} sha256 {sha256.hexdigest()}")


# Pack files


def read_pack(path, identity):
    with open(path, "rb") as f:
        c = Cursor(f.read())
    need(c.take(8) == b"RSPPACK1", "no pack file")
    size = c.num(4)
    need(size <= 1 << 20, "envelope")
    epoch, keys = read_envelope(c.take(size), identity)
    commitment = c.take(32)
    keys = [k for k in keys if epoch_commitment(k, bytes(16), epoch) == commitment]
    if not keys:
        raise Locked("the envelope does not open")
    sha256, total, number, last = hashlib.sha256(), 0, 0, False
    while not last:
        size = c.num(8)
        need(size <= 300 << 20, "size of an object")
        sealed = SealedObject(c.take(size), keys[0], 3, bytes(16), epoch, None, number)
        for body, _ in sealed.read():
            sha256.update(body)
            total += len(body)
        last, number = bool(sealed.flags & 1), number + 1
    need(c.left() == 0, "bytes behind the last object")
    print(f"pack bytes {total} objects {number} sha256 {sha256.hexdigest()}")


def main(argv):
    self_test()
    try:
        if len(argv) == 3 and argv[0] == "--pack":
            read_pack(argv[1], read_identity(argv[2])[0])
            return 0
        if len(argv) in (2, 3) and not argv[0].startswith("-"):
            identity, root = read_identity(argv[1])
            if len(argv) == 3:
                root = text_form(argv[2], "rsp-pub-", 64)[:32]
            if root is None:
                raise Locked("the identity file names no root: say whom to trust")
            return Repository(argv[0], identity, root).run()
    except Bad as e:
        print(f"broken: {e}")
        return 24
    except Locked as e:
        print(f"locked: {e}")
        return 12
    print("usage: respite_reader.py REPOSITORY IDENTITY [ROOT] | --pack FILE IDENTITY", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
