# TIMEOUT: 1800
# A string of 2 GiB by pipe passes every verb within 64 MiB.
megabytes=${HUGE_MB:-2048}
bytes=$((megabytes * 1048576))
most=$((64 * 1024)) # KiB
[ -z "$SAN" ] || most=$((1024 * 1024))

be32() { printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)))"; }
dump() {
    printf 'REDIS0009\xfe\x00\x00\x04huge\x80'
    be32 "$bytes"
    head -c "$bytes" /dev/zero | tr '\0' a
    printf '\x00\x05small\x02ok\xff\x00\x00\x00\x00\x00\x00\x00\x00'
}
run() { # name, arguments
    name=$1
    shift
    dump | /usr/bin/time -o rss -f %M "$RDBTOOL" "$@" >out.text 2>stderr.text || {
        echo "$name: exit status $?"
        cat stderr.text
        exit 1
    }
    kib=$(tail -n 1 rss)
    [ "$kib" -le "$most" ] || {
        echo "$name: $kib KiB of memory, more than $most"
        exit 1
    }
    echo "$name: within the limit"
}
set -o pipefail
run info info -
run quick check --quick -
run check check -
mkfifo text
for bytes_as in utf8 base64; do
    wc -c <text >size &
    dump | /usr/bin/time -o rss -f %M "$RDBTOOL" export --bytes $bytes_as - >text
    wait
    [ "$(cat size)" -gt "$bytes" ] || { echo "export $bytes_as: only $(cat size) bytes" && exit 1; }
    [ "$(tail -n 1 rss)" -le "$most" ] || { echo "export $bytes_as: $(tail -n 1 rss) KiB of memory" && exit 1; }
    echo "export $bytes_as: within the limit"
done
[ "$(dump | "$RDBTOOL" get - small)" = ok ]
[ "$(dump | "$RDBTOOL" get - huge | wc -c)" -ge "$bytes" ]
echo get: all there
