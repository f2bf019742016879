# Whoever reads our output may go: exit status 141 without a word.
f=$DATA/redis-8.6.3/everything.rdb
for verb in export "export --with-meta --format json" "get"; do
    set +e
    # shellcheck disable=SC2086
    if [ "$verb" = get ]; then "$RDBTOOL" get "$f" h:big 2>err; else "$RDBTOOL" $verb "$f" 2>err; fi | true
    rc=${PIPESTATUS[0]}
    set -e
    # The output may have gone out before the reader went.
    [ "$rc" = 141 ] || [ "$rc" = 0 ] || { echo "$verb: exit status $rc" && cat err && exit 1; }
    [ ! -s err ] || { cat err && exit 1; }
done
python3 - "$RDBTOOL" "$f" <<'END'
import subprocess, sys
for args in (["export", sys.argv[2]], ["info", sys.argv[2]], ["check", sys.argv[2]], ["get", sys.argv[2], "h:big"]):
    p = subprocess.Popen([sys.argv[1], *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=lambda: __import__("time").sleep(0.3))
    p.stdout.close()
    words = p.stderr.read()
    assert p.wait() == 141 and not words, (args, p.returncode, words)
END
