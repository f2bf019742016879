# Lines and JSON of list: the newest last, so many, one source, what a machine without memory is told.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
ends 0 "$BACKUPD" list
[ ! -s out ] || die 'lines of nothing'
says 'no snapshots yet'
for day in 01 02 03; do store "2026-11-$day"; done
store 2026-11-04T12:00:00Z other
ends 0 "$BACKUPD" backup --from "$DUMP" --suite none --now 2026-11-05
ends 0 "$BACKUPD" list
[ "$(sed 1d out | awk '{ print $2 }' | tr '\n' ' ')" = '2026-11-01T00:00:00Z 2026-11-02T00:00:00Z 2026-11-03T00:00:00Z 2026-11-04T12:00:00Z 2026-11-05T00:00:00Z ' ] ||
    die 'times'
[ "$(sed -n '5s/  */ /gp' out | cut -d ' ' -f 3)" = other ] || die 'a source that this host wrote has its name'
[ "$(grep -c unsealed out)" = 1 ] && tail -n 1 out | grep -q unsealed || die 'unsealed'
[ "$(grep -c good out)" -ge 4 ] || die 'good'
ends 0 "$BACKUPD" list --limit 2
[ "$(grep -c '^[0-9a-f]\{10\} ' out)" = 2 ] || die '--limit 2'
says 'older ones'
ends 0 "$BACKUPD" list --source other --json
[ "$(json 'len(d["snapshots"]), d["snapshots"][0]["source"], d["snapshots"][0]["keys"]')" = "(1, 'other', 322)" ] || die 'source'
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len(d["snapshots"]), d["older"], d["troubles"]')" = '(5, 0, [])' ] || die 'all'
[ "$(json '[s["seq"] for s in d["snapshots"]]')" = '[1, 2, 3, 1, 4]' ] || die 'seq'
# Without memory: head, seq and age; --expect-head.
head=$(json 'd["snapshots"][-1]["record"][:16]')
export RESPITE_STATE=$PWD/none
ends 0 "$BACKUPD" list --root "$PUB"
says "head $head, seq 4"
[ ! -e none ] || die 'a state was made'
ends 0 "$BACKUPD" list --root "$PUB" --expect-head "$head"
never 'remembers nothing'
ends 24 "$BACKUPD" list --root "$PUB" --expect-head 00000000deadbeef
says 'way out'
