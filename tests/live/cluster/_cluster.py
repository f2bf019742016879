#!/usr/bin/env python3
"""What this is: the half of _cluster.sh that talks to the nodes: fills, loads, moves slots, dumps all primaries as one.
Rests on: Python alone; fill.py, oracle-dump.py.
Does not: start or end a server.

usage: _cluster.py VERB ARGUMENTS..., where PORTS are those of the nodes that live, with commas between them
    free N                                         N ports that are free with the port 10000 above
    fill PORTS [--mb N] [--no-functions]           every type, all over the slots
    load PORTS STOP [--rate N] [--lasting]         writes until the file STOP is there; says how much it wrote
    sentinel-load PORTS ...                        the same to the master that the sentinels at PORTS name
    move PORTS SLOT TO begin|end                   a slot to the primary at port TO: half of its keys, or the rest
    oracle PORTS                                   the dump of all primaries as one; status 1 when they contradict each other
    slot KEY...                                    its slot, each on a line
    tag SLOT                                       a short hash tag of that slot
"""
import binascii
import itertools
import json
import os
import random
import socket
import subprocess
import sys
import time

LIVE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, LIVE)
sys.dont_write_bytecode = True
import fill  # noqa: E402


def slot_of(key):
    key = key if isinstance(key, bytes) else str(key).encode()
    a = key.find(b"{")
    b = key.find(b"}", a + 1)
    if a >= 0 and b > a + 1:
        key = key[a + 1:b]
    return binascii.crc_hqx(key, 0) & 16383


class Broken(Exception):
    """The connection is no more."""


class Node:
    """One server: replies come back, errors as Exception objects."""

    def __init__(self, port):
        self.port = port
        self.s = socket.create_connection(("127.0.0.1", port), timeout=3)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.f = self.s.makefile("rb", 1 << 16)

    def read(self):
        line = self.f.readline()
        if not line.endswith(b"\r\n"):
            raise Broken("port %d closed the connection" % self.port)
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return Exception(rest.decode("utf-8", "replace"))
        n = int(rest)
        if kind == b":":
            return n
        if kind == b"$":
            return None if n < 0 else self.f.read(n + 2)[:-2]
        return None if n < 0 else [self.read() for _ in range(n)]

    def many(self, commands):
        out = []
        for words in commands:
            parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
            out.append(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        try:
            self.s.sendall(b"".join(out))
            return [self.read() for _ in commands]
        except OSError as e:
            raise Broken("port %d: %s" % (self.port, e)) from e

    def ask(self, *words):
        reply = self.many([words])[0]
        if isinstance(reply, Exception):
            raise SystemExit("port %d: %s: %s" % (self.port, " ".join(map(str, words))[:80], reply))
        return reply


def key_of(parts):
    name = parts[0].upper()
    if name == b"FUNCTION":
        return None
    if name in (b"XGROUP", b"XINFO", b"OBJECT"):
        return parts[2]
    if name == b"XREADGROUP":
        return parts[[p.upper() for p in parts].index(b"STREAMS") + 1]
    return parts[1]


class Cluster:
    """What fill.py takes for a connection: each command goes to who has the slot, those without a key to every primary."""

    def __init__(self, ports):
        self.ports, self.nodes, self.queue = ports, {}, []
        self.look()

    def node(self, port):
        if port not in self.nodes:
            self.nodes[port] = Node(port)
        return self.nodes[port]

    def drop(self, port):
        self.nodes.pop(port, None)

    def look(self):
        for port in self.ports:
            try:
                slots = self.node(port).many([("CLUSTER", "SLOTS")])[0]
            except (Broken, OSError):
                self.drop(port)
                continue
            if isinstance(slots, list) and slots:
                self.owner = [None] * 16384
                for a, b, primary, *_ in slots:
                    self.owner[a:b + 1] = [primary[1]] * (b + 1 - a)
                self.primaries = sorted({p for p in self.owner if p})
                return
        raise Broken("no node of %s tells its slots" % self.ports)

    def put(self, *words, maybe=False):
        self.queue.append(([w if isinstance(w, bytes) else str(w).encode() for w in words], maybe))
        if len(self.queue) >= 500:
            self.flush()

    def flush(self):
        queue, self.queue = self.queue, []
        batches, replies = {}, [None] * len(queue)
        for i, (parts, _) in enumerate(queue):
            key = key_of(parts)
            for port in [self.owner[slot_of(key)]] if key is not None else self.primaries:
                batches.setdefault(port, []).append(i)
        for port, todo in batches.items():
            for i, reply in zip(todo, self.node(port).many([queue[i][0] for i in todo])):
                replies[i] = reply
                if isinstance(reply, Exception) and not (queue[i][1] and "unknown" in str(reply).lower()):
                    sys.exit("port %d: %s: %s" % (port, b" ".join(queue[i][0])[:80], reply))
        return replies

    def ask(self, *words, maybe=False):
        self.flush()
        self.put(*words, maybe=maybe)
        return self.flush()[0]


def do_fill(ports, mb, functions):
    c, r = Cluster(ports), random.Random(7)
    now = int(time.time() * 1000)
    far = now + 10 * 86400000 + 123
    fill.strings(c, r, far)
    fill.collections(c, r, far)
    fill.streams(c, far)
    fill.newer(c, r, far, functions)
    # One slot for all of a family; an empty tag is none; the first tag counts.
    for family in range(40):
        tag = "{user:%d}" % family
        c.put("SET", tag + ":name", "name %d" % family)
        c.put("HSET", tag + ":profile", *["f%d" % i for i in range(family % 7 * 2 + 2)])
        c.put("SADD", tag + ":friends", *range(family, family + 20))
        c.put("ZADD", tag + ":scores", *[x for i in range(10) for x in (i * 1.1 + family, "m%d" % i)])
        c.put("RPUSH", "list:" + tag, *["item %d" % i for i in range(family)] + ["last"])
        c.put("XADD", tag + ":log", "%d-1" % (family + 1), "at", family)
    for i in range(60):
        c.put("SET", "{}%d" % i, "an empty tag is none")
        c.put("SET", "{}{tag}%d" % i, "nor does the second one count")
        c.put("SET", "{a}{b}:%d" % i, "the first")
        c.put("SET", "{{a}}:%d" % i, "of {a")
        c.put("SET", "open{%d" % i, "no tag", "PXAT", far + i)
    # Streams with groups in many slots: everything that is pending somewhere has to arrive there.
    for i in range(30):
        name = "orders:%d" % i
        for n in range(1, 21):
            c.put("XADD", name, "%d-%d" % (1700000000000 + n, i), "n", n)
        c.put("XGROUP", "CREATE", name, "paid", "0")
        c.put("XGROUP", "CREATE", name, "sent", "$")
        c.put("XREADGROUP", "GROUP", "paid", "one", "COUNT", 7, "STREAMS", name, ">")
        c.put("XREADGROUP", "GROUP", "paid", "two", "COUNT", 3, "STREAMS", name, ">")
        c.put("XACK", name, "paid", "1700000000001-%d" % i)
        c.put("XDEL", name, "1700000000002-%d" % i)
        c.put("XGROUP", "CREATECONSUMER", name, "sent", "nobody yet")
    # Over before anybody looks; nobody reads them, so that only the servers' own cycle takes them away.
    for i in range(200):
        c.put("SET", "over:%d" % i, "gone", "PX", 1 + i % 50)
        c.put("SET", "session:%d" % i, "s" * (i % 64), "PXAT", far + i * 997)
    for i in range(2000):
        c.put("SET", "key:%d" % i, "value %d" % i)
    for i in range(mb * 16):
        c.put("SET", "mb:%d" % i, r.randbytes(65536))
        if i % 16 == 15:
            c.flush()
    c.flush()


# ---- traffic ----

SOON_MS = 500


def write_some(n, r):
    """One command of many kinds. The pairs are written at once: whoever sees one shard at one moment sees them equal."""
    what = n % 10
    tag = "{w:%d}" % r.randrange(300)
    if what < 3:
        return ("MSET", "{pair:%d}:a" % (n % 100), n, "{pair:%d}:b" % (n % 100), n)
    if what == 3:
        return ("HSET", tag + ":hash", "f%d" % r.randrange(50), n)
    if what == 4:
        return ("RPUSH", tag + ":list", "item %d" % n)
    if what == 5:
        return ("ZADD", tag + ":zset", n, "m%d" % r.randrange(30))
    if what == 6:
        return ("XADD", tag + ":stream", "MAXLEN", 50, "*", "n", n)
    if what == 7 and SOON_MS:
        return ("SET", tag + ":soon", n, "PX", r.randrange(1, SOON_MS))
    if what == 8:
        return ("DEL", tag + ":list") if r.random() < 0.2 else ("SADD", tag + ":set", r.randrange(1000))
    return ("SET", tag + ":string", "v" * r.randrange(200))


class Sentinel:
    """A writer's view of a replicated server: the sentinels say who takes writes."""

    def __init__(self, sentinels):
        self.sentinels, self.nodes = sentinels, {}
        self.look()

    def look(self):
        for port in self.sentinels:
            try:
                reply = Node(port).many([("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster")])[0]
            except (Broken, OSError):
                continue
            if isinstance(reply, list):
                self.owner = [int(reply[1])] * 16384
                return
        raise Broken("no sentinel answers")

    node, drop = Cluster.node, Cluster.drop


def do_load(c, stop, rate, lasting):
    global SOON_MS
    SOON_MS = 0 if lasting else SOON_MS
    r, n, written, refused, begun = random.Random(3), 0, 0, 0, False
    while not os.path.exists(stop):
        batches = {}
        for _ in range(max(rate // 50, 1)):
            words = write_some(n, r)
            n += 1
            batches.setdefault(c.owner[slot_of(words[1])], []).append(words)
        again = None in batches
        batches.pop(None, None)
        for port, commands in batches.items():
            try:
                replies = c.node(port).many(commands)
            except (Broken, OSError):
                c.drop(port)
                again = True
                continue
            bad = [i for i, reply in enumerate(replies) if isinstance(reply, Exception)]
            written += len(replies) - len(bad)
            for i in bad:
                word = str(replies[i]).split()
                if word[0] == "ASK":
                    try:
                        c.node(int(word[2].rpartition(":")[2])).many([("ASKING",), commands[i]])
                        written += 1
                    except (Broken, OSError):
                        pass
                elif word[0] in ("MOVED", "READONLY", "CLUSTERDOWN", "LOADING", "MASTERDOWN"):
                    again = True
                    refused += 1
                elif word[0] in ("TRYAGAIN",):
                    refused += 1
                else:
                    sys.exit("load: %s: %s" % (commands[i], replies[i]))
        if written and not begun:
            begun = True
            print("begun", flush=True)
        if again:
            try:
                c.look()
            except Broken:
                pass
        time.sleep(0.02)
    time.sleep(SOON_MS / 1000)  # until what was to be over soon is over: no two looks at the rest see different keys
    print("wrote %d, refused %d" % (written, refused))


# ---- slots on their way ----

def do_move(ports, slot, to, step):
    c = Cluster(ports)
    ids = {p: c.node(p).ask("CLUSTER", "MYID") for p in c.primaries + [to]}
    source, target = c.node(c.owner[slot]), c.node(to)
    if source.port == to:
        sys.exit("port %d has slot %d already" % (to, slot))
    if step == "begin":
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[to])
    keys = sorted(source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1000000))
    todo = keys[:(len(keys) + 1) // 2] if step == "begin" else keys
    if todo:
        source.ask("MIGRATE", "127.0.0.1", to, "", 0, 10000, "KEYS", *todo)
    if step == "end":
        for node in [target, source] + [c.node(p) for p in c.primaries if p not in (to, source.port)]:
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", ids[to])
    print("slot %d: %d of %d keys went from port %d to port %d" % (slot, len(todo), len(keys), source.port, to))


def tag_of(slot):
    for n in itertools.count():
        if slot_of("%d" % n) == slot:
            return "%d" % n


# ---- the oracle ----

def do_oracle(ports):
    c = Cluster(ports)
    dumps = [subprocess.Popen([sys.executable, LIVE + "/oracle-dump.py", "127.0.0.1:%d" % p], stdout=subprocess.PIPE)
             for p in c.primaries]
    keys, first, bad = {}, None, []
    for port, process in zip(c.primaries, dumps):
        out = json.load(process.stdout)
        if process.wait():
            sys.exit("port %d: no dump" % port)
        first = first or out
        if out["functions"] != first["functions"]:
            bad.append("port %d has other functions than port %d" % (port, c.primaries[0]))
        for db, entries in out["dbs"].items():
            for e in entries:
                if db != "0" or e["key"] in keys:
                    bad.append("port %d: %r of db %s is there twice, or in no cluster's database" % (port, e["key"], db))
                elif c.owner[slot_of(binascii.a2b_base64(e["key"]))] != port:
                    bad.append("port %d: %r is not of its slots" % (port, e["key"]))
                keys[e["key"]] = e
    lines = [json.dumps(keys[k], sort_keys=True) for k in sorted(keys)]
    print('{"dbs": {%s},' % ('\n"0": [\n%s\n]' % ",\n".join(lines) if lines else ""))
    print('"functions": %s,\n"meta": %s}' % tuple(json.dumps(first[k], sort_keys=True) for k in ("functions", "meta")))
    for line in bad:
        print(line, file=sys.stderr)
    return 1 if bad else 0


def do_free(n):
    """Below the ports that the kernel gives to whoever connects, so that none is taken before the server has it."""
    r, held, ports = random.SystemRandom(), [], []
    while len(ports) < n:
        port, pair = r.randrange(10000, 22000), []
        try:
            for p in (port, port + 10000):
                pair.append(socket.socket())
                pair[-1].bind(("127.0.0.1", p))
        except OSError:
            continue
        held += pair
        ports.append(port)
    print(*ports)


def option(args, name, default):
    if name not in args:
        return default
    i = args.index(name)
    value = args[i + 1]
    del args[i:i + 2]
    return int(value)


def ports_of(text):
    return [int(p) for p in text.split(",")]


def main(args):
    verb, args = args[0], args[1:]
    if verb == "free":
        do_free(int(args[0]))
    elif verb == "fill":
        functions = "--no-functions" not in args
        do_fill(ports_of(args[0]), option(args, "--mb", 0), functions)
    elif verb in ("load", "sentinel-load"):
        rate, lasting = option(args, "--rate", 1000), "--lasting" in args
        do_load((Cluster if verb == "load" else Sentinel)(ports_of(args[0])), args[1], rate, lasting)
    elif verb == "move":
        do_move(ports_of(args[0]), int(args[1]), int(args[2]), args[3])
    elif verb == "oracle":
        return do_oracle(ports_of(args[0]))
    elif verb == "slot":
        for key in args:
            print(slot_of(key))
    elif verb == "tag":
        print(tag_of(int(args[0])))
    else:
        sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
