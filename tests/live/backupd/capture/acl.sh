# A user of an access control list with exactly what the manual asks for can capture; one without psync is told the rule that
#   is missing, and can still scan; a wrong password and none are told apart. No password is shown.
# Rests on: tests/live/_redis.sh.
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
make_repo
server one
fill one --no-functions
at one ACL SETUSER bk on '>s3cret' -@all +psync +replconf +ping +info >/dev/null
at one ACL SETUSER cut on '>s3cret' -@all +replconf +ping +info >/dev/null
at one ACL SETUSER half on '>s3cret' -@all +psync +ping +info >/dev/null
at one ACL SETUSER reads on '>s3cret' -@all +scan +dump +pttl +select +type +info +'function|dump' '~*' >/dev/null
export REDISCLI_AUTH=s3cret
take "$(uri one)" --user bk --source web
never s3cret
unset REDISCLI_AUTH
same_as one
# By a file, and by the environment's URI.
echo s3cret >pass
take "unix://$PWD/one/s" --user bk --pass-file pass --source web
export RESPITE_URI="redis://bk:s3cret@127.0.0.1:${PORT[one]}"
take --source web
never s3cret
unset RESPITE_URI
ends 21 env REDISCLI_AUTH=s3cret "$BACKUPD" backup "$(uri one)" --user cut
says "may not run PSYNC"
says "ACL SETUSER cut +psync"
never s3cret
ends 21 env REDISCLI_AUTH=s3cret "$BACKUPD" backup "$(uri one)" --user half
says "ACL SETUSER half +replconf"
ends 21 env REDISCLI_AUTH=wr0ng "$BACKUPD" backup "$(uri one)" --user bk
says "does not take this password for the user 'bk'"
never wr0ng
ends 0 env REDISCLI_AUTH=s3cret "$BACKUPD" backup "$(uri one)" --user reads --method scan --source scanned --json
[ "$(json 'd["captured"]["point_in_time"]')" = False ]
says 'no point in time'
ID=$(json 'd["snapshot"]')
# Without the right to PEXPIRETIME the expiries are those of PTTL, good to some milliseconds.
restored back
[ "$(at one DEBUG DIGEST)" = "$(at back DEBUG DIGEST)" ]
server_end back
at one CONFIG SET requirepass other >/dev/null
ends 21 "$BACKUPD" backup "$(uri one)"
says --askpass
# Four snapshots, whatever was refused.
[ "$("$BACKUPD" list --all --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["snapshots"]))')" = 4 ]
