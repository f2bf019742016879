# Each key of a file: a string's bytes as they are, anything else as export has it.
f=$DATA/redis-8.6.3/everything.rdb
python3 - "$RDBTOOL" "$f" "$DATA/hand/keys.rdb" "$DATA/hand/templates.rdb" "$DATA/hand/stream5.rdb" "$DATA/hand/modules.rdb" <<'END'
import base64, json, subprocess, sys
rdbtool, *files = sys.argv[1:]
tried = 0
for f in files:
    lines = subprocess.run([rdbtool, "export", "--bytes", "base64", f], capture_output=True, check=True).stdout.splitlines()
    for line in lines[::3] if len(lines) > 100 else lines:
        k = json.loads(line)
        for more in (["--threads", "1"], []) if tried % 10 == 0 else ([],):
            p = subprocess.run([rdbtool, "get", f, "--key-base64", k["key"], "--db", str(k["db"]), "--bytes", "base64", *more],
                               capture_output=True)
            assert p.returncode == 0 and not p.stderr, (k["key"], p)
            if k["type"] == "string":
                assert p.stdout == base64.b64decode(k["value"]), (k["key"], p.stdout[:100])
            else:
                assert p.stdout.endswith(b"\n") and p.stdout.count(b"\n") == 1, (k["key"], p.stdout[-100:])
                assert json.loads(p.stdout) == k["value"], (k["key"], p.stdout[:200])
        tried += 1
assert tried > 100, tried
END
