# Identities come and go by root alone; what a removed one signed stays; readers and rewrapping.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
store 2026-11-01
ends 0 "$BACKUPD" key new --out ops --name ops
[ "$(stat -c %a ops)" = 600 ] || die 'others may read the identity'
ops=$(cat out)
ends 26 "$BACKUPD" key new --out ops --name again
ends 2 "$BACKUPD" key new --name again
# Who is not root adds nobody, himself least.
ends 12 "$BACKUPD" key add "$ops" --name ops --role read
says --identity
ends 12 "$BACKUPD" key add "$ops" --name ops --role read --identity ops
for wrong in "--role rea" "--role write:" "--role write:a,,b" ""; do
    # shellcheck disable=SC2086
    ends 2 "$BACKUPD" key add "$ops" --name ops $wrong --identity sheet
done
ends 2 "$BACKUPD" key add "$ops" --role read --identity sheet
ends 2 "$BACKUPD" key add "${ops}x" --name ops --role read --identity sheet
ends 2 "$BACKUPD" key add "$ops" --name host --role read --identity sheet
ends 2 "$BACKUPD" key add --name ops --role read --identity sheet
ends 0 "$BACKUPD" key add "$ops" --name ops --role read --identity sheet
says rewrap
ends 0 "$BACKUPD" show latest --identity ops
says 'manifest    sealed'
ends 12 "$BACKUPD" key rewrap
ends 0 "$BACKUPD" key rewrap --identity sheet
ends 0 "$BACKUPD" show latest --identity ops
says 'dump.rdb'
# Rights are added to those there are.
ends 0 "$BACKUPD" key add "$ops" --role write:a,b --role prove --identity sheet --json
[ "$(json 'd["rights"]')" = 'read,write(2 sources),prove' ] || die 'rights'
ends 0 "$BACKUPD" backup --from "$DUMP" --source a --identity ops
ends 12 "$BACKUPD" backup --from "$DUMP" --source c --identity ops
ends 0 "$BACKUPD" key list --json
[ "$(json '[i["name"] for i in d["identities"]]')" = "['recovery', 'host', 'ops']" ] || die 'list'
ends 0 "$BACKUPD" key show --identity ops
says 'write(2 sources)'
ends 4 "$BACKUPD" key remove nobody --identity sheet
ends 2 "$BACKUPD" key remove recovery --identity sheet
ends 12 "$BACKUPD" key remove ops
ends 0 "$BACKUPD" key remove ops --identity sheet --dry-run
ends 0 "$BACKUPD" key show --identity ops
says 'write(2 sources)'
ends 0 "$BACKUPD" key remove ops --identity sheet
says 'source a: valid up to'
says 'future only'
ends 12 "$BACKUPD" backup --from "$DUMP" --source a --identity ops
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len(d["snapshots"])')" = 2 ] || die 'a snapshot of the removed one is gone'
ends 0 "$BACKUPD" key remove host --identity sheet --json
[ "$(json 'd["removed"], len(d["valid_up_to"])')" = "('host', 2)" ] || die 'heads'
ends 0 "$BACKUPD" list --all --json
[ "$(json 'len(d["snapshots"]), d["troubles"]')" = '(2, [])' ] || die 'removing made troubles'
ends 0 "$BACKUPD" key republish
ends 0 "$BACKUPD" key policy
says 's3:PutObject'
says internal-sftp
says Overwrite
