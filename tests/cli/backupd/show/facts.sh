# The clear facts without a key; the manifest with one; what is ambiguous or missing.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
ends 4 "$BACKUPD" show latest
ends 0 "$BACKUPD" backup --from "$DUMP" --tag team=web --tag 'why=a move' --now 2026-11-01
ends 0 "$BACKUPD" list --json
id=$(json 'd["snapshots"][0]["id"]')
for name in latest "${id:0:10}" "$id" "$(json 'd["snapshots"][0]["record"]')"; do
    ends 0 "$BACKUPD" show "$name"
    says "snapshot    $id"
    says 'signer      host'
    says '322 keys'
    says 'manifest    sealed'
    never team
done
ends 4 "$BACKUPD" show 00000000000
ends 0 "$BACKUPD" show latest --identity sheet
says 'tag         team=web'
says 'tag         why=a move'
says 'db 0        322 keys'
ends 0 "$BACKUPD" show latest --identity sheet --json
[ "$(json 'd["id"]')" = "$id" ] || die id
[ "$(json 'd["manifest"]["tags"]')" = "[['team', 'web'], ['why', 'a move']]" ] || die tags
[ "$(json 'd["manifest"]["databases"][0]["keys"], d["manifest"]["streams"][0]["name"]')" = "(322, 'dump.rdb')" ] || die streams
ends 0 "$BACKUPD" show latest --json
[ "$(json '"manifest" in d')" = False ] || die 'a manifest without a key'
