# A signal ends a backup with 128+n; nothing is committed, and the next run is not blocked.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
mkfifo pipe
"$BACKUPD" backup --from pipe 2>err >out &
pid=$!
exec 3>pipe
head -c 60 "$DUMP" >&3
kill -TERM $pid
rc=0
wait $pid || rc=$?
exec 3>&-
[ $rc = 143 ] || { cat out err && echo "exit status $rc" && exit 1; }
[ ! -s out ]
[ -z "$(find store/log -type f 2>/dev/null)" ]
status 0 "$BACKUPD" backup --from "$DUMP"
