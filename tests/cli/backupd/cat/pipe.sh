# cat gives the bytes as they came, to a pipe that may end early; the host that wrote them cannot read them.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
large dump.rdb
"$BACKUPD" backup --from dump.rdb >/dev/null
status 12 "$BACKUPD" cat latest
has err '--identity'
[ ! -s out ]
export RESPITE_IDENTITY=$PWD/sheet
"$BACKUPD" cat latest | cmp - dump.rdb
"$BACKUPD" cat latest dump.rdb --threads 1 | cmp - dump.rdb
"$BACKUPD" cat latest | "$RDBTOOL" check --quick -
rc=0
"$BACKUPD" cat latest 2>err | head -c 10 >some || rc=$?
[ ! -s err ]
status 4 "$BACKUPD" cat latest other
has err 'nothing is called other' 'dump.rdb'
status 4 "$BACKUPD" cat 123456
spoil "$(largest)" 2000000
status 24 "$BACKUPD" cat latest
has err 'data/'
