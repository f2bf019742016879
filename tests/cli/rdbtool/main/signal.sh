# SIGINT and SIGTERM: 128 + n, soon, nothing left behind, also while a pipe gives nothing.
f=$DATA/packed/cluster.rdb
mkfifo in
try() { # signal, status, arguments
    local signal=$1 status=$2 pid rc=0
    shift 2
    "$RDBTOOL" "$@" <in >out 2>err &
    pid=$!
    exec 3>in
    head -c 100 "$f" >&3
    sleep 0.5
    kill -s "$signal" $pid
    wait $pid || rc=$?
    exec 3>&-
    [ $rc = "$status" ] || { echo "rdbtool $*: exit status $rc" && cat err && exit 1; }
}
for verb in info check export 'check --quick' 'info --digest' 'check --threads 1'; do
    # shellcheck disable=SC2086
    try TERM 143 $verb -
done
try TERM 143 get - nothing
try TERM 143 export - -o exported
try HUP 129 export - -o exported
[ -z "$(find . -name '*exported*')" ] || { ls -a && exit 1; }
# A background job of a shell ignores SIGINT: it is tried from one that does not.
python3 - "$RDBTOOL" "$f" <<'END'
import signal, subprocess, sys, time
p = subprocess.Popen([sys.argv[1], "export", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
p.stdin.write(open(sys.argv[2], "rb").read(1000))
p.stdin.flush()
time.sleep(0.5)
p.send_signal(signal.SIGINT)
assert p.wait(20) == 130, p.returncode
END
