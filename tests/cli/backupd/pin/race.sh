# A pin that is published while a prune runs that has not seen it: the user is told that it came too late.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # it cannot be traced while it looks for them
strace -f -o /dev/null true 2>/dev/null || { echo 'strace cannot trace here' >&2 && exit 77; }
make_repo
store 2026-01-01
first=$ID
store 2026-01-02
ends 0 "$BACKUPD" expire "$first"
# It has loaded the log, and stops when its record is written and has no name yet.
rc=0
strace -f -o trace -e trace=fsync,fdatasync,linkat,renameat2 -e inject=fsync,fdatasync:signal=STOP:when=1 \
    "$BACKUPD" pin "$first" >pin.out 2>pin.err &
pin=$!
for _ in $(seq 200); do ! grep -q 'stopped by SIGSTOP' trace 2>/dev/null || break && sleep 0.05; done
stopped=$(sed -n 's/^\([0-9]*\) .*stopped by SIGSTOP.*/\1/p' trace | head -n 1)
[ -n "$stopped" ] || { cat trace >&2 && kill "$pin" && die 'it did not stop'; }
[ "$(find repo/log -name '*-pin-*' | wc -l)" = 0 ] || die 'it is published already'
ends 0 "$BACKUPD" prune --quarantine 0s
kill -CONT "$stopped"
wait "$pin" || rc=$?
[ "$rc" = 4 ] || { cat pin.out pin.err trace >&2 && die "exit status $rc"; }
grep -q 'came too late' pin.err || die 'not said'
[ ! -s pin.out ] || die 'said to be pinned'
ends 4 "$BACKUPD" cat "$first"
