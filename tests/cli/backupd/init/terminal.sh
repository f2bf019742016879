# On a terminal the sheet is shown once, and there it can be typed again.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
cat >typed.py <<'END'
import os, pty, subprocess, sys
# Runs argv[3:] with a terminal as stdin, stdout and stderr; types argv[2]'s file; what is shown goes to argv[1].
master, slave = pty.openpty()
child = subprocess.Popen(sys.argv[3:], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
os.close(slave)
shown = b""
typed = open(sys.argv[2], "rb").read() if sys.argv[2] else b""
while True:
    if typed and b": " in shown.replace(b"\r\n", b"") or typed and b":" in shown:
        os.write(master, typed)
        typed = b""
    try:
        data = os.read(master, 65536)
    except OSError:
        break
    if not data:
        break
    shown += data
open(sys.argv[1], "wb").write(shown.replace(b"\r\n", b"\n"))
sys.exit(child.wait())
END
export RESPITE_REPO=file:$PWD/repo
python3 typed.py shown '' "$BACKUPD" init --name host
[ "$(grep -c '^[1-4]: ' shown)" = 4 ] || { cat shown && die 'no sheet'; }
{ grep '^[1-4]: ' shown && echo; } >lines
RESPITE_STATE=$PWD/none python3 typed.py shown2 lines "$BACKUPD" key show --identity -
grep -q 'rights  root,read,write,keep,prove' shown2 || { cat shown2 && die 'the typed sheet opens nothing'; }
! grep -q "$(sed -n 's/^1: //p' lines)" shown2 || die 'the secret was echoed'
# A passphrase at the prompt, without echo.
printf 'right horse' >pass
ends 0 "$BACKUPD" key new --out id --name ops --passphrase-file pass
printf 'right horse\n' >typed
python3 typed.py shown3 typed "$BACKUPD" key show --identity id
grep -q 'name    ops' shown3 || { cat shown3 && die 'not opened'; }
! grep -q 'right horse' shown3 || die 'the passphrase was echoed'
