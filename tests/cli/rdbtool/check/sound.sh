# Nothing is found in what servers wrote, nor in the sound files made by hand, whatever the number of threads.
for f in "$DATA"/redis-*/*.rdb "$DATA"/valkey-*/*.rdb "$DATA"/hand/*.rdb; do
    "$RDBTOOL" check "$f" >out || { echo "exit status $?" && cat out && exit 1; }
    [ "$(wc -l <out)" = 1 ] || { cat out && exit 1; }
    "$RDBTOOL" check --threads 1 "$f" | cmp - out
    "$RDBTOOL" check --quick "$f" >out
done
