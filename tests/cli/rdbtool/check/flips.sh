# TIMEOUT: 900
# Of a dump of about 10 KiB with a checksum every one-byte flip and every truncation is found.
# One bit of each byte under --quick, where nothing but framing and checksum helps; all bits of each byte under the whole check.
# LONG
python3 - "$RDBTOOL" "$DATA/valkey-8.1.1/cluster.rdb" <<'END'
import json, os, subprocess, sys
rdbtool, path = sys.argv[1:]
whole = open(path, "rb").read()
assert len(whole) > 10000 and subprocess.run([rdbtool, "check", path], stdout=subprocess.DEVNULL).returncode == 0
missed = tried = 0

def flip(at, bits):
    data = bytearray(whole)
    data[at] ^= bits
    return bytes(data)

def judge(args, broken):
    global missed, tried
    todo = iter(broken)
    while chunk := [x for _, x in zip(range(200), todo)]:
        names = []
        for what, data in chunk:
            names.append(f"{what}.rdb")
            with open(names[-1], "wb") as f:
                f.write(data)
        p = subprocess.run([rdbtool, "check", "--json", "--threads", "1", *args, *names], capture_output=True)
        lines = [json.loads(l) for l in p.stdout.splitlines()]
        assert p.returncode in (3, 23) and [l["file"] for l in lines] == names, (p.returncode, p.stderr[:300])
        for l in lines:
            tried += 1
            # Without a magic it is no RDB file; everything else is judged.
            if l["ok"] or not (l["findings"] or l["file"] in [f"flip{i}.rdb" for i in range(6)]):
                missed += 1
                print(l)
        for n in names:
            os.unlink(n)

step = 5 if os.environ.get("SAN") else 1
judge(["--quick"], ((f"flip{at}", flip(at, 1 << at % 8)) for at in range(0, len(whole), step)))
judge([], ((f"flip{at}", flip(at, 255)) for at in range(0, len(whole), step)))
judge(["--quick"], ((f"cut{n}", whole[:n]) for n in range(0, len(whole), step)))
judge([], ((f"cut{n}", whole[:n]) for n in range(0, len(whole), 4 * step)))
print(f"{tried} tried, {missed} missed", file=sys.stderr)
sys.exit(missed != 0 or tried < 6000)
END
