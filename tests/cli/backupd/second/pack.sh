# A pack file opens with the second reader, for its recipient alone, to the last byte.
# LONG
# shellcheck source=tests/cli/backupd/second/_second.sh
. "$TESTS/cli/backupd/second/_second.sh"
for name in mine theirs; do ends 0 "$BACKUPD" key new --out $name --name $name; done
ends 0 "$BACKUPD" key new --out third --name third
third=$(grep -o 'rsp-pub-[a-z0-9]*' out)
mine=$(sed -n 's/^public: *//p' mine)
ends 0 "$RDBTOOL" pack "$DUMP" -o pack --recipient "$third" --recipient "$mine"
for identity in mine third; do
    reads 0 --pack pack "$identity"
    grep -q "^pack bytes $(stat -c %s "$DUMP") objects 1 sha256 $(sum "$DUMP")\$" told
done
reads 12 --pack pack theirs
size=$(stat -c %s pack)
for at in 3 9 40 250 320 400 $((size / 2)) $((size - 30)) $((size - 5)); do
    cp pack bad
    printf '\377' | dd of=bad bs=1 seek="$at" conv=notrunc status=none
    if ! cmp -s pack bad; then
        rc=0 second=0
        "$RDBTOOL" unpack bad -o back --force --identity mine >out 2>err || rc=$?
        python3 "$READER" --pack bad mine >told 2>&1 || second=$?
        [ "$((rc != 0))" = "$((second != 0))" ] || die "byte $at: unpack ends with $rc, the second reader with $second"
    fi
done
head -c $((size - 1)) pack >bad
reads 24 --pack bad mine
{ cat pack && echo; } >bad
reads 24 --pack bad mine
ends 24 "$RDBTOOL" unpack bad -o back --force --identity mine
