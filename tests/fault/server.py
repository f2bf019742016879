#!/usr/bin/env python3
"""What this is: a master that does wrong: it answers a replica's handshake and then what its script says.
Rests on: Python alone.
Does not: hold data: the dataset is the bytes of --rdb.

usage: server.py --rdb FILE (--socket PATH | --port-file FILE) SCRIPT

With --port-file it listens on a free port of 127.0.0.1 and writes its number there; with --socket on that path. It serves
one connection after the other until it is killed. `server.py --list` prints the scripts.
"""
import argparse
import os
import socket
import struct
import sys
import time

MARK = b"0123456789abcdef0123456789abcdef01234567"
REPLID = b"8371445ee47a7b6b5d1b2e9d3a8f9c0e1d2c3b4a"
FULL = b"+FULLRESYNC " + REPLID + b" 4711\r\n"
INFO = (b"# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\nloading:0\r\n"
        b"master_replid:" + REPLID + b"\r\nmaster_repl_offset:4711\r\nconnected_slaves:0\r\n")


class Gone(Exception):
    pass


class Peer:
    def __init__(self, conn, rdb):
        self.s, self.rdb, self.f = conn, rdb, conn.makefile("rb")

    def command(self):
        line = self.f.readline()
        if not line.endswith(b"\r\n") or line[:1] != b"*":
            raise Gone
        words = []
        for _ in range(int(line[1:])):
            n = int(self.f.readline()[1:])
            words.append(self.f.read(n + 2)[:-2])
        return b" ".join(words)

    def send(self, data):
        self.s.sendall(data)

    def by_length(self, n=None):
        self.send(FULL + b"$%d\r\n" % (len(self.rdb) if n is None else n))

    def by_mark(self):
        self.send(FULL + b"\n\n$EOF:" + MARK + b"\r\n")

    def half(self):
        return self.rdb[:len(self.rdb) // 2]

    def hang(self):
        while self.f.read(1):
            pass

    def reset(self):
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone


def noise(n, seed=1):
    """Bytes without sense, the same in every run."""
    out = bytearray()
    while len(out) < n:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        out += struct.pack("<Q", seed)
    return bytes(out[:n])


def flipped(rdb, at):
    b = bytearray(rdb)
    b[at] ^= 0x40
    return bytes(b)


# ---- what comes behind PSYNC ----

def sound_length(p):
    p.by_length()
    p.send(p.rdb)
    p.hang()


def sound_mark(p):
    p.by_mark()
    p.send(p.rdb + MARK)
    p.hang()


def garbage(p):
    p.send(noise(100000))


def garbage_data(p):
    p.by_length()
    p.send(noise(len(p.rdb)))


def newlines(p):
    while True:
        p.send(b"\n" * 65536)


def newlines_before_data(p):
    p.send(FULL)
    newlines(p)


def endless_line(p):
    while True:
        p.send(b"+" * 65536)


def refuses(p):
    p.send(FULL + b"-ERR Unable to perform background save\r\n")


def closes(p):
    pass


def closes_before_data(p):
    p.send(FULL)


def length_more(p):
    p.by_length(len(p.rdb) + 10)
    p.send(p.rdb)


def length_huge(p):
    p.by_length(2**63 - 1)
    p.send(p.rdb)


def length_less(p):
    p.by_length(len(p.rdb) - 10)
    p.send(p.rdb)
    p.hang()


def length_behind(p):
    """Ten bytes behind the dump's end belong to it, says the length."""
    p.by_length(len(p.rdb) + 10)
    p.send(p.rdb + b"0123456789")
    p.hang()


def short_length(p):
    p.by_length()
    p.send(p.half())


def short_mark(p):
    p.by_mark()
    p.send(p.half())


def short_with_mark(p):
    """Half a dump, and the mark as if it were whole."""
    p.by_mark()
    p.send(p.half() + MARK)
    p.hang()


def wrong_mark(p):
    p.by_mark()
    p.send(p.rdb + MARK[::-1])


def bad_crc(p):
    p.by_mark()
    p.send(flipped(p.rdb, len(p.rdb) - 3) + MARK)
    p.hang()


def bad_byte(p):
    p.by_length()
    p.send(flipped(p.rdb, len(p.rdb) // 2))
    p.hang()


def reset(p):
    p.by_length()
    p.send(p.half())
    p.reset()


def half_close(p):
    p.by_length()
    p.send(p.half())
    p.s.shutdown(socket.SHUT_WR)
    p.hang()


def stall(p):
    p.by_length()
    p.send(p.half())
    p.hang()


def stall_before_data(p):
    p.send(FULL)
    p.hang()


def version_of_tomorrow(p):
    rdb = b"REDIS0099" + p.rdb[9:]
    p.by_length(len(rdb))
    p.send(rdb)
    p.hang()


def slowly(p):
    p.by_mark()
    whole = p.rdb + MARK
    for i in range(0, len(whole), 997):
        p.send(whole[i:i + 997])
        time.sleep(0.0002)
    p.hang()


SCRIPTS = {f.__name__.replace("_", "-"): f for f in (
    sound_length, sound_mark, garbage, garbage_data, newlines, newlines_before_data, endless_line, refuses, closes,
    closes_before_data, length_more, length_huge, length_less, length_behind, short_length, short_mark, short_with_mark,
    wrong_mark, bad_crc, bad_byte, reset, half_close, stall, stall_before_data, version_of_tomorrow, slowly)}


def serve(p, script):
    while True:
        c = p.command().upper()
        if c.startswith(b"INFO"):
            p.send(b"$%d\r\n%s\r\n" % (len(INFO), INFO))
        elif c.startswith(b"REPLCONF"):
            p.send(b"+OK\r\n")
        elif c.startswith(b"PSYNC"):
            script(p)
            return
        else:
            p.send(b"-ERR unknown command\r\n")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--rdb")
    a.add_argument("--socket")
    a.add_argument("--port-file")
    a.add_argument("--list", action="store_true")
    a.add_argument("script", nargs="?")
    o = a.parse_args()
    if o.list:
        print("\n".join(SCRIPTS))
        return
    with open(o.rdb, "rb") as f:
        rdb = f.read()
    if o.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(o.socket)
    else:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    if o.port_file:
        with open(o.port_file + ".new", "w") as f:
            f.write("%d\n" % listener.getsockname()[1])
        os.rename(o.port_file + ".new", o.port_file)
    script = SCRIPTS.get(o.script) or sys.exit("server.py: no script %s" % o.script)
    while True:
        conn, _ = listener.accept()
        try:
            serve(Peer(conn, rdb), script)
        except (Gone, OSError, ValueError):
            pass
        conn.close()


main()
