# Lengths that the file cannot hold cost no memory, and end soon.
[ -z "$SAN" ] || exit 0 # a sanitizer's own memory says nothing; the plain build measures
[ -x /usr/bin/time ] || { echo 'no /usr/bin/time' >&2 && exit 77; }
for f in "$DATA"/bad/bomb-*.rdb "$DATA"/bad/lzf-bomb.rdb; do
    for verb in check info export; do
        timeout 10 /usr/bin/time -o rss -f %M "$RDBTOOL" $verb "$f" >out 2>err || [ $? != 124 ]
        [ "$(tail -n 1 rss)" -le 65536 ] || { echo "$verb $f: $(tail -n 1 rss) KiB" && exit 1; }
    done
done
