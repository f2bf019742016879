# What a server is named by, and what is refused: passwords in arguments, two servers, none; a server that is not there is 21.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
hidden() { if grep -qF s3cret out err; then cat out err && exit 1; fi; } >&2
status 2 "$BACKUPD" backup
has err 'a URI' '--from FILE'
for words in "-a s3cret" "--pass s3cret -h x" "redis://:s3cret@x" "redis://s3cret@x" "-u redis://u:s3cret@x"; do
    # shellcheck disable=SC2086
    status 2 "$BACKUPD" backup $words
    has err REDISCLI_AUTH --askpass --pass-file
    hidden
done
status 2 "$BACKUPD" backup redis://x -h y
has err 'named twice'
status 2 "$BACKUPD" backup redis://x --from "$DUMP"
has err 'two things'
status 2 "$BACKUPD" backup -h x --cacert y
has err --tls
status 2 "$BACKUPD" backup -h x --askpass
has err 'no terminal'
status 2 "$BACKUPD" backup redis://x:y
status 2 "$BACKUPD" backup one --source two
has err 'two sources'
status 2 "$BACKUPD" backup -h x --prove=nothing
has err 'none of read|server'
status 2 "$BACKUPD" backup -h x --ring 1K
# Nobody is there: the fault is the source's, and it names the server, never the password.
status 21 env REDISCLI_AUTH=s3cret "$BACKUPD" backup "unix://$PWD/none" --patience 0s
has err "unix://$PWD/none"
hidden
status 21 env RESPITE_URI="unix://u:s3cret@$PWD/none" "$BACKUPD" backup --patience 0s
hidden
[ -z "$(find store/log store/data -type f 2>/dev/null)" ]
# What is given nearer counts: a file is an argument, the server only a variable.
status 0 env RESPITE_SOCKET="$PWD/none" "$BACKUPD" backup --from "$DUMP" --json
[ "$(json out 'd["source"]')" = default ]
