#!/usr/bin/env python3
"""What this is: commands from stdin to stdout, each MSET as one SET a key: what rdb-tools' protocol and a script of one's own give.
Rests on: the commands of `rdbtool export --format resp`.
Does not: understand anything but arrays of bulks."""
import sys


def main():
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while True:
        line = source.readline()
        if not line:
            break
        count = int(line[1:])
        words = []
        for _ in range(count):
            length = int(source.readline()[1:])
            words.append(source.read(length + 2)[:-2])
        if words[0] == b"MSET":
            pairs = zip(words[1::2], words[2::2])
            sink.write(b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(k), k, len(v), v) for k, v in pairs))
        else:
            sink.write(b"*%d\r\n" % count + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))


main()
