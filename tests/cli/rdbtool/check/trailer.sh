# What this is: a dump that is whole inside a compressed file whose own end is wrong or missing: never exit 0.
# Rests on: gzip.
# Does not: look at other formats: the stages' own tests do.
gzip -c "$DATA/redis-7.0.15-debian/onekey.rdb" >whole.gz
size=$(stat -c %s whole.gz)
head -c $((size - 5)) whole.gz >cut.gz
{ head -c $((size - 6)) whole.gz && printf 'x' && tail -c 5 whole.gz; } >wrong.gz
for verb in check 'check --quick' info export; do
    # shellcheck disable=SC2086
    "$RDBTOOL" $verb whole.gz >/dev/null
    for file in cut wrong; do
        rc=0
        # shellcheck disable=SC2086
        "$RDBTOOL" $verb $file.gz >/dev/null 2>&1 || rc=$?
        echo "$verb $file $rc"
    done
done
