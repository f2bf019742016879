# What the server that wrote a file answered for each key is what export says of it.
for oracle in "$DATA"/*/*.dump.json.gz; do
    f=${oracle%.dump.json.gz}.rdb
    "$RDBTOOL" export --format jsonl --bytes base64 "$f" | python3 "$TESTS/oracle-compare.py" "$oracle" >out || { echo "$f" && cat out && exit 1; }
    grep -q ' 0 differences$' out
done
