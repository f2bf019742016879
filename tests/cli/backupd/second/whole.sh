# A reader made from respite-format(5) alone finds in a repository what was stored: sources, chunks, pins, notes, retired,
# pruned and removed; by the recovery sheet, by a reader's identity, and not by the writer's.
# LONG
# shellcheck source=tests/cli/backupd/second/_second.sh
. "$TESTS/cli/backupd/second/_second.sh"
make_repo
one=$DATA/redis-7.0.15-debian/onekey.rdb many=$DATA/redis-7.2.6/multidb.rdb
for day in 1 2 3 4; do
    ends 0 "$BACKUPD" backup --from "$one" --source web --now "2026-10-0${day}T03:00:00Z" --tag "day=$day"
    ends 0 "$BACKUPD" show latest --source web --json
    ids[day]=$(json 'd["id"]')
done
ends 0 "$BACKUPD" backup --from "$DUMP" --source cache --chunk 4096 --now 2026-10-01T04:00:00Z
ends 0 "$BACKUPD" pin "${ids[1]}" --note 'for ever'
ends 0 "$BACKUPD" annotate "${ids[1]}" why=because who=me
ends 0 "$BACKUPD" key new --out ops --name ops
ops=$(grep -o 'rsp-pub-[a-z0-9]*' out)
ends 0 "$BACKUPD" key add "$ops" --name ops --role read --identity sheet
ends 0 "$BACKUPD" backup --from "$many" --source web --suite none
ends 0 "$BACKUPD" expire --keep-last 1 --min-age 0s
says 'retired'
ends 0 "$BACKUPD" prune --quarantine 0s --debris-age 0s
ends 0 "$BACKUPD" backup --from "$one" --source web
ends 0 "$BACKUPD" backup --from "$one" --source web
ends 0 "$BACKUPD" expire --keep-last 1 --min-age 0s
says 'retired'
ends 0 "$BACKUPD" key rewrap --identity sheet
ends 0 "$BACKUPD" key new --out second --name second
second=$(grep -o 'rsp-pub-[a-z0-9]*' out)
ends 0 "$BACKUPD" key add "$second" --name second --role write --identity sheet
ends 0 env RESPITE_STATE="$PWD/other" "$BACKUPD" backup --from "$many" --source cache --root "$PUB" --identity second
ends 0 "$BACKUPD" key remove "$second" --identity sheet
ends 0 "$BACKUPD" backup --from "$one" --source cache
ends 0 "$BACKUPD" verify --read-data --read-stored --identity sheet

ends 0 "$BACKUPD" list --all --json
json '"\n".join(s["id"] for s in d["snapshots"])' | sort >want
reads 0 repo sheet
sed -n 's/^snapshot \([0-9a-f]*\) .*/\1/p' told | sort >got
diff want got
while read -r id; do
    ends 0 "$BACKUPD" cat "$id" --identity sheet
    sum out
done <want | sort >sums
streams | diff sums -
grep -q '^manifest .* tag day=1$' told
grep -q '^record .* gone ' told
grep -q '^record .* retire ' told
cp told first
reads 0 repo ops "$PUB"
cmp told first
reads 12 repo "$(find "$RESPITE_STATE" -name identity)"
reads 24 repo ops "$ops"
