# What this is: the conformance suite over SFTP: with all rights, and where nothing can be removed.
# Rests on: _sshd.sh, backupd probe.
# Does not: look at other ways to log in.
# TIMEOUT: 600
. "$TESTS/live/store/_sshd.sh"
. "$TESTS/live/store/_conformance.sh"
sshd_start
conform "$STORE_URL" 'note rights' "${SSHD_OPTIONS[@]}"
conform "$STORE_URL" 'note rights' "${SSHD_OPTIONS[@]}" --part-size 5M
conform "$STORE_URL_KEPT" 'note delete
note clean' "${SSHD_OPTIONS[@]}" --part-size 5M
