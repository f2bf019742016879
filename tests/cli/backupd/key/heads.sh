# A writer that planted heads by the hundred is removed: the record stays small, and says what it left out.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
ends 0 "$BACKUPD" key new --out w --name w
ends 0 "$BACKUPD" key add "$(cat out)" --name w --role write --identity sheet
ends 0 "$BACKUPD" key add "$("$BACKUPD" key new --out x --name x)" --name x --role write --identity sheet
memory=$RESPITE_STATE
ends 0 "$BACKUPD" backup --from "$DUMP" --source a
# Each run sees the log as it was, so each makes a head.
export RESPITE_STATE=$PWD/none
log=$(find repo/log -mindepth 1 -maxdepth 1 -type d)
first=$(ls "$log")
mkdir apart
for i in $(seq 70) theirs; do
    [ "$i" = theirs ] && id=x || id=w
    ends 0 "$BACKUPD" annotate latest "k=$i" --identity "$id" --root "$PUB"
    for made in "$log"/*; do [ "$(basename "$made")" = "$first" ] || mv "$made" apart/; done
    [ "$i" = theirs ] && other=$(find apart -newer mark -type f) || touch mark
    sleep 0.01
done
mv apart/* "$log"
export RESPITE_STATE=$memory
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len([t for t in d["troubles"] if t["kind"] == "fork" and "71 heads" in t["text"]])')" = 1 ] || die 'no 71 heads'
ends 0 "$BACKUPD" key remove w --identity sheet --dry-run
says '7 heads more were left out'
ends 0 "$BACKUPD" key remove w --identity sheet --json
says '7 heads more were left out'
says 'expire --acknowledge'
[ "$(json 'd["heads_left_out"], len(d["valid_up_to"]), len({h["head"] for h in d["valid_up_to"]})')" = '(7, 64, 64)' ] || die heads
# Another one's head comes first, whatever its number.
other=$(basename "$other")
[ "$(json 'd["valid_up_to"][0]["head"]')" = "$(tr - '\n' <<<"${other%.*}" | grep -E '^[0-9a-f]{64}$')" ] || die 'not first'
ends 24 "$BACKUPD" verify --json
[ "$(json 'len([t for t in d["troubles"] if t["status"] != "note"])')" = 7 ] || die 'seven are invalid'
python3 - >names <<'END'
import json
print("\n".join("--acknowledge\n" + t["name"] for t in json.load(open("out"))["troubles"] if t["status"] != "note"))
END
mapfile -t names <names
before=$(find repo/log -type f | wc -l)
ends 0 "$BACKUPD" expire "${names[@]}"
[ "$(find repo/log -type f | wc -l)" = $((before + 1)) ] || die 'not one record for all'
ends 0 "$BACKUPD" verify
