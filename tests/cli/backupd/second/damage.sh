# What backupd calls broken the second reader calls broken, and the other way round: each file dropped, cut or with a bit
# flipped, files swapped, and files that do not belong there.
# LONG
# shellcheck source=tests/cli/backupd/second/_second.sh
. "$TESTS/cli/backupd/second/_second.sh"
make_repo
one=$DATA/redis-7.0.15-debian/onekey.rdb
ends 0 "$BACKUPD" backup --from "$one"
ends 0 "$BACKUPD" show latest --json
ends 0 "$BACKUPD" pin "$(json 'd["id"]')"
# judge WHAT: both verdicts on the damaged copy; they must agree. Under a sanitizer only that of backupd.
judge() {
    local rc=0 second=0
    RESPITE_STATE=$PWD/fresh "$BACKUPD" verify --read-data --read-stored --repo "file:$PWD/x" --identity sheet >out 2>err || rc=$?
    if [ -z "$SAN" ]; then
        python3 "$READER" x sheet >told 2>&1 || second=$?
    elif [ "$rc" != 0 ]; then
        # What a sanitizer found (99) and a signal are no verdicts; the reader, slow as it is, is compared without one.
        [ "$rc" -lt 90 ] || { cat out err >&2 && die "$1: backupd verify ends with $rc"; }
        second=24
    fi
    case $rc/$second in
    0/0) sound=$((sound + 1)) ;;
    0/* | */0) cat out err told >&2 && die "$1: backupd verify ends with $rc, the second reader with $second" ;;
    */24) broken=$((broken + 1)) ;;
    *) cat told >&2 && die "$1: the second reader ends with $second" ;;
    esac
    rm -rf x fresh
}
sound=0 broken=0
cp -r repo x
judge 'as it is'
find repo -type f -printf '%P\n' | sort >files
mapfile -t files <files
for i in "${!files[@]}"; do
    f=${files[i]}
    cp -r repo x && rm "x/$f"
    judge "dropped: $f"
    cp -r repo x
    python3 - "x/$f" "$i" <<'END'
import random, sys
data, dice = bytearray(open(sys.argv[1], "rb").read()), random.Random(int(sys.argv[2]))
data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
open(sys.argv[1], "wb").write(data)
END
    judge "flipped: $f"
    [ "$((i % 3))" = 0 ] || continue
    cp -r repo x && truncate -s $((i * 7 % $(stat -c %s "x/$f"))) "x/$f"
    judge "cut: $f"
    other=${files[(i + 4) % ${#files[@]}]}
    cp -r repo x && mv "x/$f" x/t && mv "x/$other" "x/$f" && mv x/t "x/$other"
    judge "swapped: $f, $other"
done
log=$(grep '^log/.*-commit-' files | head -n 1)
cp -r repo x
for f in readme log/readme "$log.part" "${log%/*}/readme" roles/readme "refs/$(printf '%064d' 0)" \
    "$(grep '^keys/' files | head -n 1 | xargs dirname)/$(printf '%064d' 0)"; do
    case $f in */*) mkdir -p "x/${f%/*}" ;; esac
    echo x >"x/$f"
done
before=$sound
judge 'what does not belong there'
[ "$sound" -gt "$before" ] || die 'what does not belong there is no fault'
for f in "repository/$(printf '%064d' 0)" "roles/0000000009-$(printf '%064d' 0)" "${log/-commit-/-note-}" \
    "${log/\/0000000001-/\/0000000002-}"; do
    cp -r repo x && cp "x/$log" "x/$f"
    judge "planted: $f"
done
echo "$sound sound, $broken broken"
[ "$sound" -ge 3 ] && [ "$broken" -ge 15 ]
