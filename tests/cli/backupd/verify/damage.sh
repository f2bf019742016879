# verify: sound is 0; a turned bit is found by --read-stored without a secret, and by --read-data with object, chunk, range
# and records; reading goes on behind it.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
large dump.rdb
"$BACKUPD" backup --from dump.rdb --chunk 64K >/dev/null
"$BACKUPD" backup --from "$DUMP" --source small >/dev/null
status 0 "$BACKUPD" verify
has out '2 snapshots' ': sound'
status 0 "$BACKUPD" verify --read-stored
has out 'every stored byte hashed'
status 12 "$BACKUPD" verify --read-data
has err '--identity'
status 0 "$BACKUPD" verify --read-data --identity sheet
has out '1501 keys, parsed 2 of 2: sound'
status 0 "$BACKUPD" verify --read-data=10% --identity sheet
has out 'parsed 0 of 2: sound'
status 0 "$BACKUPD" verify latest --source small --json --read-data --identity sheet
[ "$(json out 'd["sound"], d["snapshots"], d["read_data"]["keys"], d["findings"]')" = '(True, 1, 1, [])' ]
object=$(largest)
spoil "$object" 1000000
spoil "$object" 3000000
status 0 "$BACKUPD" verify
status 24 "$BACKUPD" verify --read-stored
has err "${object#store/}"
status 24 "$BACKUPD" verify --read-data --identity sheet
[ "$(grep -c "${object#store/}: chunk [0-9]*, plaintext [0-9]*-[0-9]*, 2[0-9] records begin in it: " out)" = 2 ]
has out ': NOT sound: '
status 24 "$BACKUPD" verify --read-data --identity sheet --json
python3 - <<'END'
import json
d = json.load(open("out"))
assert not d["sound"] and len(d["findings"]) == 2, d
for f in d["findings"]:
    assert f["object"].startswith("data/") and f["bytes"] == 65536 and f["offset"] == f["chunk"] * 65536, f
lost = sum(f["records"] for f in d["findings"])
# what begins in a damaged chunk is lost, and the record that reaches into it
assert d["read_data"]["keys"] == 1501 - lost - 2, d["read_data"]
END
# One that is sound is sound.
status 0 "$BACKUPD" verify latest --source small --read-data --identity sheet --read-stored
rm -f "$object"
status 24 "$BACKUPD" verify
has err "${object#store/}"
