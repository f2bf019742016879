# What this is: single faults of an SFTP storage, sshd's: wrong keys of either side, wrong places, folders that may not be
#   written, a session that stands still or is killed: the right status, words that help, nothing half-published, no secret told.
# Rests on: _faults.sh.
# Does not: look at every piece (matrix_sshd.sh).
# TIMEOUT: 300
# LONG
. "$TESTS/live/store/_faults.sh" sshd
faults_start

# Who asks, and where.
fails 'a key that it does not know' 22 'authorized_keys' backup_at "$A" --ssh-key "$SSHD/stranger"
fails 'a locked key' 2 'passphrase' backup_at "$A" --ssh-key "$SSHD/user_locked"
printf 'NotThisOneAtAll\n' >passphrase
chmod 600 passphrase
SECRETS+=(NotThisOneAtAll)
fails 'its wrong passphrase' 22 'passphrase' backup_at "$A" --ssh-key "$SSHD/user_locked" --ssh-key-passphrase-file passphrase
fails 'no such key' 10 'cannot read the SSH key' backup_at "$A" --ssh-key nothing
fails 'wrong path' 10 'not there' backup_at "$(place "$LINE_URL" none)"
fails 'nobody listens' 22 'refused' backup_at "${A/:$LINE_PORT/:1}"

# Whom we meant.
ssh-keygen -q -t ed25519 -N '' -f other
sed "s|\(.* ssh-ed25519 \).*|\1$(cut -d' ' -f2 other.pub)|" line.known >wrong.known
fails 'wrong host key' 22 'NOT the host key' backup_at "$A" --known-hosts wrong.known
: >empty.known
fails 'unknown host key' 22 'SHA256:' backup_at "$A" --known-hosts empty.known
untouched

# Refusals. (root may do everything)
if [ "$(id -u)" != 0 ]; then
    chmod 500 "$ROOT/a" "$ROOT"/a/*
    fails 'may not write' 22 'permit' backup_at "$A"
    chmod 700 "$ROOT/a" "$ROOT"/a/*
fi
# Nothing can be made where a file stands in the way.
mv "$ROOT/a/data" "$ROOT/a/kept" && : >"$ROOT/a/data"
where='a file in the way'
ends 22 backup_at "$A"
said_well "$where" data
rm "$ROOT/a/data" && mv "$ROOT/a/kept" "$ROOT/a/data"
same

# Lines.
plan lost 30 always
fails 'broken again and again' 22 'broke' backup_at "$A"
plan reply 30 once
passes 'broken once' backup_at "$A"

where='the session stands still'
"$BACKUPD" backup --repo "$A" --source s --from "$SMALL" --limit-rate 1k --repo-stall-timeout 1s \
    --repo-connect-timeout 2s --retries 0 \
    >slow.out 2>slow.said &
slow=$!
for _ in $(seq 200); do
    [ -z "$(sshd_sessions)" ] || break
    sleep 0.02
done
sshd_break STOP
RC=0
wait $slow || RC=$?
mv slow.out out
mv slow.said said
sshd_break CONT
sshd_break
[ "$RC" = 22 ] || wrong "status $RC"
discreet
said_well "$where" 'no byte moved|no connection within'
same
where='pruning what is left'
pruned "$A" "$A_CLEAN" a
cat words >&2
