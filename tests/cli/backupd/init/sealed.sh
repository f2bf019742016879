# The host's own identity under a passphrase: asked for only when something is signed, in every way that gives it.
# LONG
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
export RESPITE_REPO=file:$PWD/repo
(umask 077 && echo 'correct horse' >pass && echo wrong >bad && echo 'correct horse ' >blank)
ends 0 "$BACKUPD" init --recovery-out sheet --name host --passphrase-file pass
! grep -rq 'secret:' "$RESPITE_STATE" || die 'the secret is not sealed'
ends 0 "$BACKUPD" list
ends 12 "$BACKUPD" backup --from "$DUMP"
says --passphrase-file
ends 0 "$BACKUPD" backup --from "$DUMP" --passphrase-file pass
ends 0 env RESPITE_PASSPHRASE_FILE=pass "$BACKUPD" backup --from "$DUMP"
ends 0 "$BACKUPD" backup --from "$DUMP" --passphrase-fd 7 7<pass
ends 0 "$BACKUPD" backup --from "$DUMP" --passphrase-command "printf '%s %s' correct horse"
for wrong in "--passphrase-file bad" "--passphrase-file blank" "--passphrase-file none" "--passphrase-command false" \
    "--passphrase-command /nowhere/command" "--passphrase-command true" "--passphrase-fd 9"; do
    ends 12 "$BACKUPD" backup --from "$DUMP" "${wrong%% *}" "${wrong#* }"
    never 'correct horse'
done
ends 12 "$BACKUPD" backup --from "$DUMP" --passphrase-command "echo 'x"
# No shell reads the command.
# shellcheck disable=SC2016
ends 12 "$BACKUPD" backup --from "$DUMP" --passphrase-command 'echo correct horse; touch made'
[ ! -e made ] || die 'a shell read the command'
chmod 644 pass
ends 0 "$BACKUPD" backup --from "$DUMP" --passphrase-file pass
says 'others may read this passphrase'
ends 2 "$BACKUPD" backup --from "$DUMP" --passphrase 'correct horse'
