# What opens a sealed file: an identity, the sheet, a secret typed, one under a passphrase that comes by file, descriptor,
# command or variable. What does not: 12, with the way to go.
# shellcheck disable=SC2015,SC2016
. "$TESTS/cli/rdbtool/pack/_seal.sh"
(umask 077 && echo 'a long sentence of many words' >pass && echo wrong >wrong)
LOCKED=$("$BACKUPD" key new --out locked --name locked --passphrase-file pass)
"$BACKUPD" init --repo "file:$PWD/repo" --recovery-out sheet --name host >init.out
ROOT=$(sed -n 's/^root *//p' init.out)
"$RDBTOOL" pack "$DUMP" -o sealed --recipient "$ONE" --recipient "$ROOT" --recipient "$LOCKED"
opens() { # arguments
    ends 0 "$RDBTOOL" unpack sealed -o - "$@"
    cmp out "$DUMP"
}
refused() { # status, words, arguments
    local status=$1 words=$2
    shift 2
    for verb in "unpack -o -" info check export; do
        # shellcheck disable=SC2086
        ends "$status" "$RDBTOOL" $verb sealed "$@"
        says "$words"
        [ ! -s out ] || die "$verb: wrote to stdout"
    done
}
opens --identity one
opens --identity sheet
opens -i two -i one
RESPITE_IDENTITY=sheet opens
ends 0 bash -c '"$RDBTOOL" unpack sealed -o - -i - <sheet'
cmp out "$DUMP"
ends 0 bash -c 'sed -n "s/^secret: *//p" one | "$RDBTOOL" info sealed -i -'
# A passphrase.
opens -i locked --passphrase-file pass
RESPITE_IDENTITY=locked RESPITE_PASSPHRASE_FILE=pass opens
opens -i locked --passphrase-fd 9 9<pass
opens -i locked --passphrase-command "sed 's/x/y/' \"pass\""
ends 12 "$RDBTOOL" info sealed -i locked --passphrase-command 'cat pass; true'
says 'the passphrase command failed'
ends 12 "$RDBTOOL" info sealed -i locked --passphrase-command nosuchcommand
says 'is not there (no shell reads it)'
ends 12 "$RDBTOOL" info sealed -i locked --passphrase-file wrong
says locked
ends 12 "$RDBTOOL" info sealed -i locked --passphrase-file nowhere
says 'nowhere: cannot open the file of the passphrase'
ends 12 setsid "$RDBTOOL" info sealed -i locked
says --passphrase-file RESPITE_PASSPHRASE_FILE
# The argument stands before the variable.
RESPITE_IDENTITY=two opens -i one
# Who it is sealed to is said.
refused 12 'sealed to 3 readers'
refused 12 --identity
refused 12 'sealed to 3 readers' -i two
refused 12 'No such file or directory; loading what --identity' -i nowhere
RESPITE_IDENTITY=two refused 12 RESPITE_IDENTITY
sed 's/^secret: ./secret: x/' one >broken
chmod 600 broken
refused 23 broken -i broken
chmod 644 two
ends 12 "$RDBTOOL" info sealed -i two
says 'warning: '
# What is not sealed asks for none of it.
RESPITE_IDENTITY=nowhere RESPITE_PASSPHRASE_FILE=nowhere ends 0 "$RDBTOOL" check "$DUMP"
[ ! -s err ] || die 'said something'
