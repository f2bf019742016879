#!/usr/bin/env python3
"""What this is: a line to a storage server that breaks at a request: HTTP is understood, anything else goes by in pieces.
Rests on: Python alone.
Does not: change a byte of what it passes on, but for the fault's: whoever signs the Host field signs this port.

usage: store_proxy.py [--raw] --to HOST:PORT --port-file FILE --plan FILE --log FILE

It listens on a free port of 127.0.0.1 and writes its number into the port file. The plan is read before each request:
"ID FAULT N MODE [REGEX]"; counting begins anew when the ID is another one. N counts the requests whose "METHOD TARGET"
has the REGEX (default: all); with --raw, the pieces that come from clients. MODE:
  once    only that request has the fault
  always  every one from there on
  dead    and from there on nothing comes through
FAULT:
  none, lost (closed before anything is passed on), reply (carried out, closed before anything is passed back);
  and not with --raw:
  status:CODE[,NAME] (answered so, not passed on), after:CODE (carried out, then answered so), error200 (not passed on: 200 with
  an error inside), late200 (the same, carried out), short (half of the reply's body, then closed), stall (no answer),
  reset (RST), date (the reply's Date is 20 minutes late), slow (bodies wait 50 ms at each 16 KiB)
The log has a line "ID NUMBER METHOD TARGET STATUS FAULT" for each request that has ended, "-" for what there is not.
"""
import argparse
import email.utils
import os
import re
import select
import socket
import struct
import threading
import time

WORDS = {400: "RequestTimeout", 403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed",
         500: "InternalError", 503: "SlowDown"}
ERROR = '<?xml version="1.0"?><Error><Code>%s</Code><Message>as the plan says</Message></Error>'


class Cut(Exception):
    """The connection is over."""


class Plan:
    """Which request has which fault."""

    def __init__(self, o):
        self.o, self.lock = o, threading.Lock()
        self.log = open(o.log, "a", buffering=1)
        self.id, self.seen, self.number, self.gone = None, 0, 0, False
        self.fault, self.n, self.mode, self.regex = "none", 0, "once", None

    def read(self):
        try:
            with open(self.o.plan) as f:
                words = f.read().split(None, 4)
        except OSError:
            return
        if len(words) < 4 or words[0] == self.id:
            return
        self.id, self.fault, self.mode = words[0], words[1], words[3]
        self.n, self.seen, self.number, self.gone = int(words[2]), 0, 0, False
        self.regex = re.compile(words[4].strip()) if len(words) > 4 else None

    def next(self, what):
        """The next request: (its number, its fault)."""
        with self.lock:
            self.read()
            self.number += 1
            number = self.number
            if self.gone:
                return number, "lost"
            if self.regex and not self.regex.search(what):
                return number, "none"
            self.seen += 1
            if self.seen < self.n or (self.seen > self.n and self.mode != "always"):
                return number, "none"
            if self.mode == "dead" and self.fault != "none":
                self.gone = True
            return number, self.fault

    def dead(self):
        with self.lock:
            self.read()
            return self.gone

    def tell(self, number, what, status, fault):
        with self.lock:
            self.log.write("%s %d %s %s %s\n" % (self.id, number, what, status, fault))


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


class End:
    """One side of a connection, read by lines and lengths."""

    def __init__(self, s):
        self.s, self.held = s, b""

    def more(self):
        data = self.s.recv(262144)
        if not data:
            raise Cut()
        self.held += data

    def head(self):
        while b"\r\n\r\n" not in self.held:
            self.more()
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def line(self):
        while b"\r\n" not in self.held:
            self.more()
        line, _, self.held = self.held.partition(b"\r\n")
        return line + b"\r\n"

    def take(self, n):
        while n:
            if not self.held:
                self.more()
            piece, self.held = self.held[:n], self.held[n:]
            n -= len(piece)
            yield piece

    def body(self, head, none=False):
        """The pieces of the body that belongs to the head."""
        if none:
            return
        if field(head, "transfer-encoding") == "chunked":
            while True:
                line = self.line()
                yield line
                n = int(line.split(b";")[0], 16)
                if not n:
                    break
                yield from self.take(n + 2)
            while True:
                line = self.line()
                yield line
                if line == b"\r\n":
                    return
        length = field(head, "content-length")
        if length is not None:
            yield from self.take(int(length))
        elif head.startswith(b"HTTP/"):
            while True:
                try:
                    if not self.held:
                        self.more()
                except Cut:
                    return
                piece, self.held = self.held, b""
                yield piece


def field(head, name):
    m = re.search(rb"(?im)^%s:[ \t]*(.*?)[ \t]*\r$" % name.encode(), head)
    return m.group(1).decode("latin-1").lower() if m else None


def late(head):
    def shifted(m):
        t = email.utils.parsedate_to_datetime(m.group(2).decode()).timestamp() + 1200
        return m.group(1) + email.utils.formatdate(t, usegmt=True).encode()
    return re.sub(rb"(?im)^(date:[ \t]*)([^\r]*)", shifted, head)


class Http:
    """One connection of a client, and the server's that belongs to it."""

    def __init__(self, client, plan):
        self.client, self.plan, self.server = End(client), plan, None
        self.told = False
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def upstream(self):
        if self.server and select.select([self.server.s], [], [], 0)[0]:
            self.server.s.close()  # it has closed an idle one: nothing else comes unasked
            self.server = None
        if not self.server:
            host, _, port = self.plan.o.to.rpartition(":")
            self.server = End(socket.create_connection((host, int(port))))
            self.server.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.server

    def answer(self, head, words):
        """An answer of our own. words: "CODE[,NAME]"."""
        code, _, name = words.partition(",")
        code = int(code)
        if (field(head, "expect") or "") != "100-continue":
            for _ in self.client.body(head):
                pass
        text = b"" if head.startswith(b"HEAD") else (ERROR % (name or WORDS.get(code, "InternalError"))).encode()
        self.client.s.sendall(b"HTTP/1.1 %d As Planned\r\nDate: %s\r\nContent-Type: application/xml\r\n"
                              b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
                              % (code, email.utils.formatdate(usegmt=True).encode(), len(text), text))
        self.client.s.shutdown(socket.SHUT_WR)
        return code

    def carry_out(self, head, fault):
        """Passes the request on: the head of the server's answer."""
        server = self.upstream()
        server.s.sendall(head)
        if field(head, "expect") == "100-continue":
            answer = server.head()
            if not re.match(rb"HTTP/1.[01] 100", answer):
                return answer
            self.client.s.sendall(answer)
        for piece in self.client.body(head):
            if fault == "slow":
                time.sleep(0.05 * len(piece) / 16384)
            server.s.sendall(piece)
        while True:
            answer = server.head()
            if not re.match(rb"HTTP/1.[01] 1", answer):
                return answer
            self.client.s.sendall(answer)

    def tell(self, *what):
        self.told = True
        self.plan.tell(*what)

    def stand_still(self):
        """Until the client has enough."""
        while self.client.s.recv(65536):
            pass
        raise Cut()

    def one(self, head, number, what, fault):
        if fault == "lost":
            raise Cut()
        if fault == "stall":
            self.stand_still()
        if fault == "reset":
            reset(self.client.s)
            raise Cut()
        if fault.startswith("status:") or fault == "error200":
            status = self.answer(head, fault[7:] if fault != "error200" else "200")
            self.tell(number, what, status, fault)
            raise Cut()
        reply = self.carry_out(head, fault)
        status = int(reply.split(None, 2)[1])
        pieces = self.server.body(reply, head.startswith(b"HEAD") or status in (204, 304))
        if fault == "reply" or fault.startswith("after:") or fault == "late200":
            for _ in pieces:
                pass
            self.tell(number, what, status, fault)
            if fault != "reply":
                self.answer(b"\r\n\r\n", fault[6:] if fault != "late200" else "200")
            raise Cut()
        if fault == "short":
            body = b"".join(pieces)
            self.client.s.sendall(reply + body[: len(body) // 2])
            self.tell(number, what, status, fault)
            raise Cut()
        if self.plan.dead():
            raise Cut()
        self.client.s.sendall(late(reply) if fault == "date" else reply)
        for piece in pieces:
            if fault == "slow":
                time.sleep(0.05 * len(piece) / 16384)
            self.client.s.sendall(piece)
        self.tell(number, what, status, fault)
        if "close" in (field(head, "connection"), field(reply, "connection")):
            raise Cut()

    def run(self):
        while True:
            head = self.client.head()
            what = b" ".join(head.split(None, 2)[:2]).decode("latin-1")
            number, fault = self.plan.next(what)
            self.told = False
            try:
                self.one(head, number, what, fault)
            finally:
                if not self.told:
                    self.tell(number, what, "-", fault)

    def close(self):
        for end in (self.client, self.server):
            if end:
                end.s.close()


class Raw:
    """The same, where nothing is known of the bytes."""

    def __init__(self, client, plan):
        self.client, self.plan = client, plan
        host, _, port = plan.o.to.rpartition(":")
        self.server = socket.create_connection((host, int(port)))
        for s in (client, self.server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def one(self, data):
        number, fault = self.plan.next("piece %d" % len(data))
        self.plan.tell(number, "piece %d" % len(data), "-", fault)
        if fault == "lost":
            raise Cut()
        self.server.sendall(data)
        if fault == "reply":
            select.select([self.server], [], [], 1)
            raise Cut()

    def run(self):
        while True:
            ready = select.select([self.client, self.server], [], [], 0.2)[0]
            if self.plan.dead():
                raise Cut()
            for s in ready:
                data = s.recv(65536)
                if not data:
                    raise Cut()
                if s is self.client:
                    self.one(data)
                else:
                    self.client.sendall(data)

    def close(self):
        self.client.close()
        self.server.close()


def serve(client, plan):
    line = None
    try:
        if plan.dead():
            client.close()
            return
        line = (Raw if plan.o.raw else Http)(client, plan)
        line.run()
    except (Cut, OSError):
        pass
    finally:
        if line:
            line.close()
        client.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--raw", action="store_true")
    for name in ("to", "port-file", "plan", "log"):
        p.add_argument("--" + name, required=True)
    o = p.parse_args()
    plan = Plan(o)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    with open(o.port_file + ".new", "w") as f:
        f.write("%d\n" % listener.getsockname()[1])
    os.rename(o.port_file + ".new", o.port_file)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, plan), daemon=True).start()


main()
