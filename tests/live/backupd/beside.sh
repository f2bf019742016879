# What stands beside a captured dataset comes out again: settings without secrets, and the access control list when it was
# asked for. Rests on: redis-server.
# shellcheck source=tests/live/_server.sh
. "$TESTS/live/_server.sh"
die() { echo "$*" >&2 && exit 1; }
export REDISCLI_AUTH=geheim
server_start --requirepass geheim --maxmemory 123mb
cli ACL SETUSER app on '>apppass' '~app:*' +get >/dev/null
export RESPITE_REPO=file:$PWD/repo
"$BACKUPD" init --recovery-out sheet >/dev/null
"$BACKUPD" backup -s "$SOCKET" --source plain >/dev/null
"$BACKUPD" backup -s "$SOCKET" --source acl --with-acl >/dev/null
export RESPITE_IDENTITY=$PWD/sheet
of() { "$BACKUPD" cat latest "$2" --source "$1"; }
of plain config | grep -qx 'maxmemory 128974848' || die 'the configuration is not there'
of plain left-out | grep -q requirepass || die 'what was left out is not said'
of plain info | grep -q '^redis_version:' || die 'INFO is not there'
rc=0
of plain acl >out 2>err || rc=$?
[ "$rc" = 4 ] || die "acl without --with-acl: $rc"
grep -q 'nothing is called acl in it; it has: dump.rdb, info' err || die "$(cat err)"
of acl acl | grep -q '^user app on #' || die 'the access control list is not there'
# The server's password is nowhere: neither where it was sealed nor in the clear.
for name in config info left-out acl functions modules; do
    ! of acl $name 2>/dev/null | grep -q 'geheim\|apppass' || die "$name holds a password"
done
! grep -rq 'geheim\|apppass' repo sheet "$RESPITE_STATE" || die 'a password is stored in the clear'
"$BACKUPD" show latest --source acl | grep -q '^beside *acl, ' || die 'show does not list it'
