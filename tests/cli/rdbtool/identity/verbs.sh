# Every verb says of a sealed dump what it says of the dump, as file and as pipe, compressed within or not.
# shellcheck disable=SC2015
. "$TESTS/cli/rdbtool/pack/_seal.sh"
same() { # verb and arguments, with FILE for the dump
    local plain=("${@/#FILE/dump.rdb}") sealed=("${@/#FILE/sealed/dump.rdb}") pipe=("${@/#FILE/-}")
    "$RDBTOOL" "${plain[@]}" >want
    "$RDBTOOL" "${sealed[@]}" --identity one | sed 's|sealed/dump.rdb|dump.rdb|' | cmp - want || die "$*: other words"
    "$RDBTOOL" "${pipe[@]}" <sealed/dump.rdb --identity two --identity one >got
    "$RDBTOOL" "${pipe[@]}" <dump.rdb | cmp - got || die "$*: other words by a pipe"
}
mkdir sealed
for f in "$DUMP" "$DATA/valkey-9.1.2/everything.rdb"; do
    zstd -qf "$f" -o dump.zst
    for inside in "$f" dump.zst; do
        "$RDBTOOL" pack "$inside" --recipient "$ONE" -o sealed/dump.rdb --force
        cp "$inside" dump.rdb
        same export FILE
        same export --bytes base64 --with-meta --threads 1 FILE
        same check --digest FILE
        same check --json FILE
        "$RDBTOOL" info --json --digest --now 1800000000000 dump.rdb | grep -v -e file_bytes >want
        "$RDBTOOL" info --json --digest --now 1800000000000 sealed/dump.rdb -i one | sed 's|sealed/dump.rdb|dump.rdb|' | cmp - want
    done
done
"$RDBTOOL" export dump.rdb --type string --bytes utf8 --limit 1 >first
key=$(python3 -c 'import json; print(json.loads(open("first").readline())["key"])')
same get FILE "$key"
# Faults of what is inside are what they are without a seal.
for f in "$DATA"/bad/{crc-wrong,cut-in-list,not-rdb-text,glued}.rdb; do
    "$RDBTOOL" pack "$f" --recipient "$ONE" -o sealed/dump.rdb --force
    cp "$f" dump.rdb
    for verb in info check export; do
        rc=0
        "$RDBTOOL" $verb dump.rdb >want 2>want.err || rc=$?
        ends $rc "$RDBTOOL" $verb sealed/dump.rdb -i one
        [ $verb = info ] || sed 's|sealed/dump.rdb|dump.rdb|' out | cmp - want
        sed 's|sealed/dump.rdb|dump.rdb|' err | cmp - want.err
    done
done
# Of several files each by itself; a damaged one is not taken for a finding.
"$RDBTOOL" pack "$DUMP" --recipient "$ONE" -o good
"$RDBTOOL" pack "$DUMP" --recipient "$TWO" -o other
cp good bad && spoil bad 5000
ends 0 "$RDBTOOL" check good "$DUMP" other -i one -i two
ends 12 "$RDBTOOL" check good "$DUMP" other -i one
grep -q '^good: ok' out && says 'other: is sealed to 1 reader'
ends 24 "$RDBTOOL" check good bad -i one
says 'bad, object 0: chunk 0'
ends 24 "$RDBTOOL" check --json bad -i one
python3 -c 'import json; d = json.load(open("out")); assert not d["ok"] and "chunk 0" in d["error"] and not d["findings"], d'
head -c 5000 good >short
for verb in info export check "check --quick"; do
    # shellcheck disable=SC2086
    ends 24 "$RDBTOOL" $verb bad -i one
    says 'bad, object 0: chunk 0 (plaintext 0 to '
    # shellcheck disable=SC2086
    ends 24 "$RDBTOOL" $verb short -i one
    says 'object 0 is cut'
done
ends 24 "$RDBTOOL" export short -i one -o new
[ ! -e new ] || die 'made the file'
ends 24 "$RDBTOOL" get bad nokey -i one
ends 4 "$RDBTOOL" get good nokey -i one
