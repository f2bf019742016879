# A check of a server needs no repository; one that cannot be reached is 21, and the message says what to do.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
ends 21 "$BACKUPD" check "unix://$PWD/none"
says "unix://$PWD/none"
says unixsocket
ends 21 "$BACKUPD" check -s none --json
ends 2 "$BACKUPD" check -s none -a x
says REDISCLI_AUTH
ends 20 "$BACKUPD" check nowhere
says '[source nowhere]'
ends 2 "$BACKUPD" check
says --repo
