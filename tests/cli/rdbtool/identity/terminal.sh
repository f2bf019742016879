# At a terminal: the passphrase and the sheet are asked for without echo; sealed or opened bytes do not go there.
. "$TESTS/cli/rdbtool/pack/_seal.sh"
(umask 077 && echo 'a long sentence' >pass)
LOCKED=$("$BACKUPD" key new --out locked --name locked --passphrase-file pass)
"$RDBTOOL" pack "$DUMP" -o sealed --recipient "$ONE" --recipient "$LOCKED"
python3 - "$RDBTOOL" "$DUMP" "$ONE" <<'END'
import os, pty, re, select, sys
tool, dump, one = sys.argv[1:]
secret = re.search(r"^secret: *(\S+)", open("one").read(), re.M).group(1)

def run(args, prompt=None, typed=None):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(tool, [tool] + args)
    out, told = b"", False
    while True:
        if not select.select([fd], [], [], 60)[0]:
            sys.exit("nothing came: %r" % out)
        try:
            got = os.read(fd, 4096)
        except OSError:
            break
        if not got:
            break
        out += got
        if prompt and not told and prompt in out:
            os.write(fd, typed)
            told = True
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out

def want(status, words, without, args, *more):
    rc, out = run(args, *more)
    assert rc == status and words in out and (not without or without not in out), (args, rc, out)

ask = b"passphrase of"
want(0, b"Redis RDB", b"a long sentence", ["info", "sealed", "-i", "locked"], ask, b"a long sentence\n")
want(12, b"locked", b"another", ["info", "sealed", "-i", "locked"], ask, b"another\n")
want(0, b"Redis RDB", secret.encode(), ["info", "sealed", "-i", "-"], b"recovery sheet", secret.encode() + b"\n\n")
want(0, b"Redis RDB", ask, ["info", dump, "-i", "locked"])
want(2, b"a terminal is no place for it", None, ["pack", dump, "--recipient", one, "-o", "-"])
want(2, b"a terminal is no place for it", ask, ["unpack", "sealed", "-i", "locked", "-o", "-"])
END
