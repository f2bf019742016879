# A sealed file with bytes changed, cut, with pieces moved or more behind: 24, the place is named, and no file
# comes to be. What lies in front of a fault is right.
# shellcheck disable=SC2015
. "$TESTS/cli/rdbtool/pack/_seal.sh"
python3 - >content <<'END'
import random, struct, sys
sys.stdout.buffer.write(b"REDIS0009\xfe\x00\x00\x01k\x80" + struct.pack(">I", 19 << 20) + random.Random(1).randbytes(19 << 20))
sys.stdout.buffer.write(b"\xff" + bytes(8))
END
"$RDBTOOL" pack content -o sealed --recipient "$ONE"
size=$(stat -c %s sealed)
bad() { # words...
    ends 24 "$RDBTOOL" unpack bad -o new -i one
    says "$@"
    says '(offset '
    [ ! -e new ] || die 'made the file'
    clean
    ends 24 "$RDBTOOL" info bad -i one
    ends 24 "$RDBTOOL" unpack bad -o - -i one
    cmp out content >/dev/null 2>differs || grep -q 'EOF on out' differs || [ ! -s out ] || die 'something else came out'
}
spoiled() { # offset, words...
    cp sealed bad && spoil bad "$1"
    shift
    bad "$@"
}
spoiled $((size / 2)) 'bad, object 1: chunk ' '(plaintext '
[ "$(stat -c %s out)" -ge 8388608 ] || die 'the first object was not handed out'
spoiled 5000 'bad, object 0: chunk 0 (plaintext 0 to '
spoiled $((size - 1)) 'object 3'
cut() { # bytes, words...
    head -c "$1" sealed >bad
    shift
    bad "$@"
}
cut $((size - 1)) 'object 3 is cut: the pack file ends within it'
# Here the dump is complete, and what it was sealed in is not.
for verb in check "check --quick" "check --json" "export -o new"; do
    # shellcheck disable=SC2086
    ends 24 "$RDBTOOL" $verb bad -i one
    says 'object 3 is cut: the pack file ends within it'
    [ ! -e new ] && ! grep -q 'ok: ' out || die 'called good'
done
says 'new: not written'
cut 9000000 'object 1 is cut'
cut 100 'the pack file ends'
# Objects: 8 bytes of length before each.
python3 - <<'END'
import struct
d = open("sealed", "rb").read()
at = 12 + struct.unpack_from("<I", d, 8)[0] + 32
parts = [d[:at]]
while at < len(d):
    n = 8 + struct.unpack_from("<Q", d, at)[0]
    parts.append(d[at:at + n])
    at += n
f, a, b, c, e = parts # e: nothing but the mark of the end
for name, order in (("swapped", f + b + a + c + e), ("dropped", f + a + c + e), ("end", f + a + b + c),
                    ("early", f + a + b + e), ("twice", f + a + a + b + c + e), ("front", f), ("more", d + b"x"),
                    ("again", d + e), ("huge", f + b"\xff" * 8 + a[8:])):
    open(name, "wb").write(order)
END
for name in swapped dropped early twice; do
    mv $name bad && bad 'is not in its place'
done
mv end bad && bad 'object 3 is missing'
mv front bad && bad 'object 0 is missing'
mv huge bad && bad 'has an impossible length'
for name in more again; do
    mv $name bad
    ends 24 "$RDBTOOL" unpack bad -o new -i one
    says 'bytes follow the last object'
    [ ! -e new ] || die 'made the file'
done
# A small one: bytes all over it changed, and cut there. Nothing but 12 (the envelope fits nobody), 23 (the magic) and 24.
printf 'REDIS0009\xff\0\0\0\0\0\0\0\0' >content
"$RDBTOOL" pack content -o sealed --force --recipient "$ONE"
size=$(stat -c %s sealed)
for ((i = 0; i < size; i += 5)); do
    cp sealed bad && spoil bad $i
    rc=0
    "$RDBTOOL" unpack bad -o new -i one --threads 1 2>err || rc=$?
    case $i:$rc in
    [0-7]:23 | *:24) ;;
    *:12) [ $i -lt 300 ] || die "byte $i: exit status 12" ;;
    *) cat err && die "byte $i: exit status $rc" ;;
    esac
    [ ! -e new ] || die "byte $i: made the file"
    head -c $i sealed >bad
    ends 24 "$RDBTOOL" unpack bad -o new -i one
done
clean
