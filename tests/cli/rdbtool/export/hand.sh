# Files made by hand: the expected lines, with and without what belongs to no key, by one thread and by several.
for f in "$DATA"/hand/*.rdb; do
    base=${f%.rdb}
    "$RDBTOOL" export --bytes base64 "$f" >got
    python3 "$TESTS/jsonl-compare.py" "$base.jsonl" got >out || { echo "$f" && cat out && exit 1; }
    "$RDBTOOL" export --bytes base64 --threads 1 "$f" | cmp - got
    want=$base.jsonl
    [ ! -e "$base.meta.jsonl" ] || want=$base.meta.jsonl
    "$RDBTOOL" export --bytes base64 --with-meta "$f" >got
    python3 "$TESTS/jsonl-compare.py" "$want" got >out || { echo "$f, with meta" && cat out && exit 1; }
done
