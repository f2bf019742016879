# A [source NAME] of a server: its address, its password, who may read the file, and what is shown of it.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
hidden() { never s3cret; }
cat >conf <<END2
[source cache]
uri = unix://u:s3cret@$PWD/none
method = scan
patience = 0s
[source both]
host = x
from = $DUMP
[source nothing]
level = 3
[source dump]
from = $DUMP
END2
chmod 600 conf
export RESPITE_CONFIG=conf
ends 21 "$BACKUPD" backup cache
says "unix://$PWD/none"
hidden
ends 21 "$BACKUPD" check cache
hidden
ends 0 "$BACKUPD" check cache --print-config
grep -q '^uri  *= unix://\*\*\*@/.*none  *# conf:2$' out || die uri
grep -q '^method  *= scan  *# conf:3$' out || die method
hidden
ends 0 "$BACKUPD" check cache --print-config --json
hidden
ends 20 "$BACKUPD" backup both
says 'conf:7'
ends 20 "$BACKUPD" backup nothing
says 'names no server'
ends 20 "$BACKUPD" backup other
says '[source other]'
ends 20 "$BACKUPD" check other
ends 2 "$BACKUPD" backup cache -h y
says 'two servers'
ends 2 env RESPITE_HOST=y "$BACKUPD" backup cache
says 'environment'
ends 0 "$BACKUPD" backup dump --json
[ "$(json 'd["source"]')" = dump ] || die source
# A restore is never led to a server by the file.
ends 2 "$BACKUPD" restore latest --source cache
says '--to'
# The password is the owner's.
chmod 644 conf
ends 20 "$BACKUPD" list
says 'conf:2: a password stands here'
hidden
printf '[source a]\nuri = redis://h\n' >open
chmod 644 open
ends 0 "$BACKUPD" list --config open
printf '[source a]\npass = x\n' >bad
ends 20 "$BACKUPD" list --config bad
says 'pass-file'
printf '[source a]\nuri = s3cret@h\n' >bad
ends 20 "$BACKUPD" list --config bad
says 'bad:2: uri'
hidden
printf '[source a]\npass-file = none\nsocket = %s\n' "$PWD/none" >bad
ends 20 "$BACKUPD" backup a --config bad
says 'none'
