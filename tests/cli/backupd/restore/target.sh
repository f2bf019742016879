# Where a restore goes: one target, said by an argument; what does not belong to it is refused before anything is opened.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
"$BACKUPD" backup --from "$DUMP" >/dev/null
export RESPITE_IDENTITY=$PWD/sheet
# What the environment names is nowhere to write to.
status 2 env RESPITE_HOST=h RESPITE_URI=redis://h "$BACKUPD" restore latest
has err '--to'
status 2 "$BACKUPD" restore latest --to redis://:s3cret@h
has err REDISCLI_AUTH
if grep -qF s3cret err; then exit 1; fi
status 2 "$BACKUPD" restore latest --to redis://h -h i
has err 'two targets'
status 2 "$BACKUPD" restore latest --to redis://h/3
has err '--db-map 0:3'
status 2 "$BACKUPD" restore latest --to file --key 'a*'
has err 'into a file'
status 2 "$BACKUPD" restore latest -h h --force
has err '--force' 'running server'
status 2 "$BACKUPD" restore latest -h h --resume
status 2 "$BACKUPD" restore latest --to . --existing skip
has err 'data directory'
status 2 "$BACKUPD" restore latest -h h --ttl keep --ttl shift
has err 'exclude each other'
status 2 "$BACKUPD" restore latest -h h --ttl kepe
has err 'keep, drop-expired, shift, persist'
status 2 "$BACKUPD" restore latest -h h --db-map 0
status 2 "$BACKUPD" restore latest -h h --db-map 0:1,0:2
has err 'becomes two'
status 2 "$BACKUPD" restore latest -h h --db-map 0:99999999999
status 2 "$BACKUPD" restore latest -h h --type nothing
status 2 "$BACKUPD" restore latest -h h --existing maybe
# A server that is not there is a target that cannot be reached, with both kinds of --ttl and every filter.
status 26 "$BACKUPD" restore latest --to "unix://$PWD/none" --ttl persist --ttl 1h~ --key 'a*' --type string --db 0 \
    --db-map 0:3,1:4 --db-map 2:2 --slot 0-100 --size ~1M
has err "unix://$PWD/none"
status 26 "$BACKUPD" restore latest -s "$PWD/none" --dry-run
status 26 env RESPITE_TO="unix://u:s3cret@$PWD/none" "$BACKUPD" restore latest
if grep -qF s3cret err; then exit 1; fi
status 12 env -u RESPITE_IDENTITY "$BACKUPD" restore latest -s "$PWD/none"
status 4 "$BACKUPD" restore 0000 -s "$PWD/none"
