# A repository in ./store, made by this host (./state), its recovery sheet in ./sheet. For the cases to source.
# Rests on: $B, $DATA, $RDBTOOL of tests/run-cli.sh.
# Does not: reach a server.
# shellcheck shell=bash disable=SC2034
BACKUPD=$B/bin/backupd
export RESPITE_REPO="file:$PWD/store" RESPITE_STATE=$PWD/state
DUMP=$DATA/redis-7.0.15-debian/onekey.rdb
mkdir store
"$BACKUPD" init --recovery-out "$PWD/sheet" >init.out

# status N COMMAND...: it must end with N; its output is in out and err.
status() {
    local want=$1 rc=0
    shift
    "$@" >out 2>err </dev/null || rc=$?
    [ "$rc" = "$want" ] && return
    echo "exit status $rc, expected $want: ${*##*/}"
    cat out err
    exit 1
} >&2

# has FILE TEXT...: each text stands in it.
has() {
    local file=$1
    shift
    for text; do
        grep -qF -- "$text" "$file" || { echo "'$text' is not in $file:" && cat "$file" && exit 1; }
    done
} >&2

# large FILE [KEYS]: a dump of strings that zstd cannot shrink, 3000 bytes each, in two databases.
large() {
    python3 - "$1" "${2:-1500}" <<'END'
import random, struct, sys
r = random.Random(7)
n = int(sys.argv[2])
with open(sys.argv[1], "wb") as w:
    w.write(b"REDIS0011\xfa\x09redis-ver\x057.2.4")
    for db in (0, 3):
        w.write(b"\xfe" + bytes([db]))
        for i in range(n // 2):
            key = b"key:%05d" % i
            w.write(b"\x00" + bytes([len(key)]) + key + b"\x80" + struct.pack(">I", 3000) + r.randbytes(3000))
    w.write(b"\xff" + bytes(8))
END
}

# largest: the largest object of data/. spoil FILE OFFSET: turns one bit about.
largest() { find store/data -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2; }
spoil() {
    chmod u+w "$1"
    python3 -c 'import sys
f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); c = f.read(1)[0]; f.seek(int(sys.argv[2])); f.write(bytes([c ^ 1]))' \
        "$1" "$2"
}
# json FILE EXPRESSION: of the document d in it.
json() { python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$1" "$2"; }
