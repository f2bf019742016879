# check of a running server: how it sees us, who would be captured, missing rights with the line that gives them, which works.
# shellcheck source=tests/live/_server.sh
. "$TESTS/live/_server.sh"
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
unset RESPITE_REPO
server_start --enable-debug-command yes
cli SET a 1 >/dev/null
status 0 "$BACKUPD" check -s "$SOCKET"
has out 'redis 7.' 'a master' 'user default' '1 keys' 'the server itself' 'a save copies at most' 'rdb-only' diskless \
    'capture: all that is needed is allowed'
status 0 "$BACKUPD" check "unix://$SOCKET" --json
[ "$(json out 'd["server"]')" = "unix://$SOCKET" ]
status 3 "$BACKUPD" check -s "$SOCKET" --source-role replica
has out 'nothing would be captured'
# A user with too little: the printed line makes it enough.
cli ACL SETUSER bk on '>s3cret' +info +psync >/dev/null
status 3 env REDISCLI_AUTH=s3cret "$BACKUPD" check -s "$SOCKET" --user bk
has out 'user bk' 'ACL SETUSER bk '
if grep -qF s3cret out err; then exit 1; fi
read -ra rule < <(sed -n 's/^WARNING  rights .*capture: .*\(ACL SETUSER bk .*\)/\1/p' out)
cli "${rule[@]}" >/dev/null
status 0 env REDISCLI_AUTH=s3cret "$BACKUPD" check -s "$SOCKET" --user bk
# What keeps us out is 21, and the way in is named.
status 21 env REDISCLI_AUTH=wrong "$BACKUPD" check -s "$SOCKET" --user bk
has err REDISCLI_AUTH --pass-file
printf 's3cret\n' >pass
chmod 600 pass
status 0 "$BACKUPD" check -s "$SOCKET" --user bk --pass-file pass
cli CONFIG SET requirepass s3cret >/dev/null
status 21 "$BACKUPD" check -s "$SOCKET"
# Typed at a terminal, without echo; what the environment holds is ignored.
REDISCLI_AUTH=wrong python3 - "$BACKUPD" check -s "$SOCKET" --askpass >shown <<'END'
import os, pty, subprocess, sys
master, slave = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
os.close(slave)
shown, typed = b"", b"s3cret\n"
while True:
    try:
        data = os.read(master, 65536)
    except OSError:
        break
    if not data:
        break
    shown += data
    if typed and b": " in shown:
        os.write(master, typed)
        typed = b""
sys.stdout.buffer.write(shown)
sys.exit(child.wait())
END
has shown "password of unix://$SOCKET" 'user default'
if grep -qF s3cret shown; then exit 1; fi
status 0 env RESPITE_URI="unix://:s3cret@$SOCKET" "$BACKUPD" check
if grep -qF s3cret out err; then exit 1; fi
