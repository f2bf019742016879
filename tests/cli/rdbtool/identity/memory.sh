# TIMEOUT: 600
# 300 MiB go through pack, check, export and unpack within 64 MiB.
# LONG
# shellcheck disable=SC2015
. "$TESTS/cli/rdbtool/pack/_seal.sh"
megabytes=${SEALED_MB:-300}
most=$((64 * 1024)) # KiB
[ -z "$SAN" ] || most=$((1024 * 1024))
dump() {
    python3 - "$megabytes" <<'END'
import random, struct, sys
r, w = random.Random(3), sys.stdout.buffer
w.write(b"REDIS0009\xfe\x00")
for i in range(int(sys.argv[1])):
    w.write(b"\x00\x08%08d\x80" % i + struct.pack(">I", 1 << 20) + r.randbytes(1 << 19) + b"a" * (1 << 19))
w.write(b"\xff" + bytes(8))
END
}
small() { # name
    kib=$(tail -n 1 rss)
    [ "$kib" -le "$most" ] || die "$1: $kib KiB of memory, more than $most"
}
set -o pipefail
dump | tee >(sha256sum >sum) | /usr/bin/time -o rss -f %M "$RDBTOOL" pack - --recipient "$ONE" -o sealed --threads 2
small pack
/usr/bin/time -o rss -f %M "$RDBTOOL" check sealed --no-duplicates -i one --threads 2 >out
small check
grep -q "ok: $megabytes keys" out || die 'check'
/usr/bin/time -o rss -f %M "$RDBTOOL" export sealed -i one --threads 2 | wc -l >out
small export
[ "$(cat out)" = "$megabytes" ] || die 'export'
/usr/bin/time -o rss -f %M "$RDBTOOL" unpack sealed -o - -i one --threads 2 | sha256sum | cmp - sum
small unpack
