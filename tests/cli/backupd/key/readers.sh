# A snapshot is sealed to at most 256 readers: the 257th is refused before nobody can back up any more.
# TIMEOUT: 600
# LONG
# UNSANITIZED
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
export RESPITE_IDENTITY=sheet
for i in $(seq 255); do
    "$BACKUPD" key add "$("$BACKUPD" key new --out r --name r)" --name "r$i" --role read >/dev/null 2>&1
    rm r
done
ends 0 "$BACKUPD" key list --json
[ "$(json 'sum("read" in i["rights"] for i in d["identities"])')" = 256 ] || die 'not 256 readers'
"$BACKUPD" key new --out more --name more >pub
ends 2 "$BACKUPD" key add "$(cat pub)" --name more --role read
says 'at most 256 readers'
ends 0 "$BACKUPD" key add "$(cat pub)" --name more --role keep
ends 2 "$BACKUPD" key add "$(cat pub)" --role read
ends 0 "$BACKUPD" key remove r7
ends 0 "$BACKUPD" key add "$(cat pub)" --role read
unset RESPITE_IDENTITY
ends 0 "$BACKUPD" backup --from "$DUMP"
