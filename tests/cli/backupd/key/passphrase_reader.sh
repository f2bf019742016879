# A reader that is a passphrase: an empty machine needs the URL, root and that.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
(umask 077 && echo 'a long sentence of many words' >pass && echo wrong >bad)
ends 12 "$BACKUPD" key add --passphrase-reader --name night --role read --identity sheet
says --passphrase-file
ends 0 "$BACKUPD" key add --passphrase-reader --name night --role read --identity sheet --passphrase-file pass
says offline
ends 0 "$BACKUPD" key list
says '(passphrase)'
store 2026-11-01
export RESPITE_STATE=$PWD/none
ends 0 "$BACKUPD" show latest --root "$PUB" --passphrase-file pass
says 'stream      dump.rdb'
ends 0 "$BACKUPD" show latest --root "$PUB" --passphrase-file bad
says 'manifest    sealed'
ends 12 "$BACKUPD" cat latest --root "$PUB"
ends 12 "$BACKUPD" cat latest --root "$PUB" --passphrase-file bad
ends 0 "$BACKUPD" cat latest --root "$PUB" --passphrase-file pass
cmp out "$DUMP"
ends 0 "$BACKUPD" check --root "$PUB"
says 'guess offline'
