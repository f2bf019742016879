# What this is: the ciphers and curves that respite-format(5) names, in plain Python, straight from their RFCs.
# Rests on: Python's integers and hashlib.
# Does not: run in constant time or fast (some 100 KB/s); it only ever opens and verifies.
import base64
import hashlib
import struct


def H(data, size=32):
    return hashlib.blake2b(data, digest_size=size).digest()


def keyed(key, data):
    return hashlib.blake2b(data, digest_size=32, key=key).digest()


def base32(data):
    return base64.b32encode(data).decode().rstrip("=")


def unbase32(text):
    """RFC 4648 without padding, either case; bits left over must be zero."""
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    bits = 0
    for c in text.lower():
        bits = bits << 5 | alphabet.index(c)  # ValueError for any other character
    size, rest = divmod(len(text) * 5, 8)
    if rest >= 5 or bits & ((1 << rest) - 1):
        raise ValueError("no whole number of bytes")
    return (bits >> rest).to_bytes(size, "big")


# ChaCha20, Poly1305 and their AEAD: RFC 8439


def chacha20_block(key_words, counter, nonce_words):
    M = 0xFFFFFFFF
    start = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *key_words, counter, *nonce_words)
    s = list(start)
    rounds = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
              (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
    for _ in range(10):
        for a, b, c, d in rounds:
            x, y, z, w = s[a], s[b], s[c], s[d]
            x = x + y & M
            w ^= x
            w = (w << 16 | w >> 16) & M
            z = z + w & M
            y ^= z
            y = (y << 12 | y >> 20) & M
            x = x + y & M
            w ^= x
            w = (w << 8 | w >> 24) & M
            z = z + w & M
            y ^= z
            y = (y << 7 | y >> 25) & M
            s[a], s[b], s[c], s[d] = x, y, z, w
    return struct.pack("<16I", *((p + q) & M for p, q in zip(start, s)))


def xor(data, stream):
    return (int.from_bytes(data, "little") ^ int.from_bytes(stream[: len(data)], "little")).to_bytes(len(data), "little")


def chacha20(key, counter, nonce, data):
    k, n = struct.unpack("<8I", key), struct.unpack("<3I", nonce)
    blocks = (len(data) + 63) // 64
    return xor(data, b"".join(chacha20_block(k, counter + i, n) for i in range(blocks)))


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    sum_ = 0
    for i in range(0, len(data), 16):
        sum_ = (sum_ + int.from_bytes(data[i : i + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    return ((sum_ + int.from_bytes(key[16:], "little")) & ((1 << 128) - 1)).to_bytes(16, "little")


def aead_open(key, nonce, sealed):
    """Ciphertext and tag, no associated data; None when the tag is another."""
    if len(sealed) < 16:
        return None
    text, tag = sealed[:-16], sealed[-16:]
    mac = poly1305(chacha20(key, 0, nonce, bytes(32)), text + bytes(-len(text) % 16) + struct.pack("<QQ", 0, len(text)))
    return chacha20(key, 1, nonce, text) if mac == tag else None


# XSalsa20-Poly1305: libsodium's crypto_box, on X25519 (RFC 7748)


def salsa20_core(key, block16, add):
    M = 0xFFFFFFFF
    k, n = struct.unpack("<8I", key), struct.unpack("<4I", block16)
    c = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
    start = (c[0], *k[:4], c[1], *n, c[2], *k[4:], c[3])
    s = list(start)
    rounds = ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11),
              (0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14))
    for _ in range(10):
        for q in rounds:
            for to, x, y, by in ((1, 0, 3, 7), (2, 1, 0, 9), (3, 2, 1, 13), (0, 3, 2, 18)):
                v = s[q[x]] + s[q[y]] & M
                s[q[to]] ^= (v << by | v >> 32 - by) & M
    if add:
        return struct.pack("<16I", *((p + q) & M for p, q in zip(start, s)))
    return struct.pack("<8I", *(s[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)))


def x25519(scalar, point):
    P = 2**255 - 19
    k = int.from_bytes(scalar, "little") & ~7 & ~(1 << 255) | 1 << 254
    x1 = (int.from_bytes(point, "little") & ((1 << 255) - 1)) % P
    x2, z2, x3, z3 = 1, 0, x1, 1
    for i in range(254, -1, -1):
        if k >> i & 1:
            x2, x3, z2, z3 = x3, x2, z3, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
        if k >> i & 1:
            x2, x3, z2, z3 = x3, x2, z3, z2
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def box_seal_open(scalar, public, sealed):
    """crypto_box_seal_open: None when it does not open."""
    if len(sealed) < 48:
        return None
    fresh, tag, text = sealed[:32], sealed[32:48], sealed[48:]
    nonce = H(fresh + public, 24)
    shared = x25519(scalar, fresh)
    if shared == bytes(32):
        return None
    key = salsa20_core(salsa20_core(shared, bytes(16), False), nonce[:16], False)
    blocks = (32 + len(text) + 63) // 64
    stream = b"".join(salsa20_core(key, nonce[16:] + struct.pack("<Q", i), True) for i in range(blocks))
    return xor(text, stream[32:]) if poly1305(stream[:32], text) == tag else None


# Ed25519: RFC 8032

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def point_add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_times(k, p):
    q = (0, 1, 1, 0)
    while k:
        if k & 1:
            q = point_add(q, p)
        p = point_add(p, p)
        k >>= 1
    return q


def point_same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def point_of(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def point_bytes(p):
    z = pow(p[2], P - 2, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_public(seed):
    a = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little") & ~7 & ~(1 << 255) | 1 << 254
    return point_bytes(point_times(a, BASE))


def ed25519_verify(public, message, signature):
    a, r, s = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return point_same(point_times(s, BASE), point_add(r, point_times(k, a)))


def self_test():
    """Vectors of the RFCs and of NaCl: what is wrong here would look like a broken repository."""
    u = bytes.fromhex
    assert poly1305(u("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b"),
                    b"Cryptographic Forum Research Group") == u("a8061dc1305136c6c22b8baf0c0127a9")
    assert chacha20(bytes(range(32)), 1, u("000000090000004a00000000"), bytes(16)) == u("10f1e7e4d13b5915500fdd1fa32071c4")
    assert x25519(u("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                  u("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")) == \
        u("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
    assert salsa20_core(u("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"), bytes(16), False) == \
        u("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389")
    public = u("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert ed25519_public(u("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")) == public
    good = u("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")
    assert ed25519_verify(public, b"", good) and not ed25519_verify(public, b"x", good)


if __name__ == "__main__":
    self_test()
