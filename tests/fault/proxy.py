#!/usr/bin/env python3
"""What this is: a line to a server that breaks: bytes go both ways until a fault is due.
Rests on: Python alone.
Does not: know the protocol: a fault's place is a count of bytes from the server, in each connection.

usage: proxy.py --to HOST:PORT|unix:PATH --port-file FILE [--after N] [--times N] FAULT

It listens on a free port of 127.0.0.1 and writes its number into the file. FAULT, once N bytes came from the server:
  none    nothing
  close   both sides are closed
  reset   the client's side is reset (SO_LINGER 0)
  half    nothing more is sent to the client, whose bytes still go to the server
  stall   the same, and the connection stays open
  flip    one bit of the byte there is turned
  delay   from there on every piece waits 2 ms
  pieces  from there on bytes go in pieces of 1 to 7, for 3000 of them
--times: only so many connections have it (default: all).
"""
import argparse
import os
import socket
import struct
import threading
import time


def upstream(where):
    if where.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.connect(where[5:])
        return s
    host, _, port = where.rpartition(":")
    return socket.create_connection((host, int(port)))


def pump(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
    except OSError:
        pass
    try:
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Line:
    """One connection. due(): whether the fault is for it, asked when its place has come."""

    def __init__(self, client, o, due):
        self.client, self.o, self.due = client, o, due
        self.server = upstream(o.to)
        self.seen, self.broken = 0, False

    def close(self):
        for s in (self.client, self.server):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def fault(self, data):
        """data begins at the place. 1: the connection goes on."""
        kind = self.o.fault
        if kind == "flip":
            self.client.sendall(bytes([data[0] ^ 1]) + data[1:])
        elif kind == "delay":
            self.client.sendall(data)
        elif kind == "pieces":
            n = 0
            while data and n < 3000:
                k = n % 7 + 1
                self.client.sendall(data[:k])
                data, n = data[k:], n + 1
            self.client.sendall(data)
        elif kind == "reset":
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.shutdown(socket.SHUT_RD)  # who waits there holds the socket open
            self.up.join()
            self.client.close()
            self.server.close()
            return 0
        elif kind == "half":
            self.client.shutdown(socket.SHUT_WR)
            return 0
        elif kind == "stall":
            return 0
        elif kind == "close":
            self.close()
            return 0
        return 1

    def down(self):
        while True:
            data = self.server.recv(65536)
            if not data:
                break
            left = self.o.after - self.seen
            self.seen += len(data)
            if self.o.fault != "none" and not self.broken and left < len(data) and self.due():
                self.broken = True
                self.client.sendall(data[:left])
                if not self.fault(data[left:]):
                    return
                continue
            if self.broken and self.o.fault == "delay":
                time.sleep(0.002)
            self.client.sendall(data)
        self.client.shutdown(socket.SHUT_WR)

    def run(self):
        self.up = threading.Thread(target=pump, args=(self.client, self.server), daemon=True)
        self.up.start()
        try:
            self.down()
        except OSError:
            self.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--to", required=True)
    p.add_argument("--port-file", required=True)
    p.add_argument("--after", type=int, default=0)
    p.add_argument("--times", type=int, default=1 << 30)
    p.add_argument("fault", choices="none close reset half stall flip delay pieces".split())
    o = p.parse_args()
    left, lock = [o.times], threading.Lock()

    def due():
        with lock:
            left[0] -= 1
            return left[0] >= 0

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    with open(o.port_file + ".new", "w") as f:
        f.write("%d\n" % listener.getsockname()[1])
    os.rename(o.port_file + ".new", o.port_file)
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            line = Line(client, o, due)
        except OSError:
            client.close()
            continue
        threading.Thread(target=line.run, daemon=True).start()


main()
