# No core dump and no ptrace of a process that holds keys; a low limit of locked memory is said.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
ulimit -l 64 2>/dev/null && {
    ends 3 "$BACKUPD" check --keep-daily 7
    says RLIMIT_MEMLOCK
}
mkfifo pipe
"$BACKUPD" key show --identity - <pipe >out 2>err &
child=$!
exec 9>pipe
for ((i = 0; i < 500; i++)); do
    [ "$(tr '\0' ' ' <"/proc/$child/cmdline")" = "$BACKUPD key show --identity - " ] && break
    read -rt 0.01 <> <(:) || :
done
limit=
for ((i = 0; i < 500 && ${#limit} == 0; i++)); do
    limit=$(awk '/^Max core file size/ && $5 == 0 && $6 == 0' "/proc/$child/limits")
    read -rt 0.01 <> <(:) || :
done
[ -n "$limit" ] || die 'core dumps are allowed'
cat sheet >&9
exec 9>&-
wait $child || die 'key show'
