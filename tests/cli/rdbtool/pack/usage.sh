# Options at odds, recipients that are none, outputs that are taken; nothing is left behind and no secret is repeated.
# shellcheck disable=SC2015,SC2016
. "$TESTS/cli/rdbtool/pack/_seal.sh"
secret=$(sed -n 's/^secret: *//p' one)
[ -n "$secret" ] || die 'no secret in the identity'
try() { # status, words, arguments
    local status=$1 words=$2
    shift 2
    ends "$status" "$RDBTOOL" "$@"
    says "$words"
    [ ! -s out ] || die 'wrote to stdout'
    [ ! -e new ] || die 'made the file'
    clean
}
try 2 '--recipient rsp-pub-' pack "$DUMP" -o new
try 2 '-o OUT is missing' pack "$DUMP" --recipient "$ONE"
try 2 '-o OUT is missing' unpack "$DUMP" -i one
try 2 'FILE is missing' pack --recipient "$ONE" -o new
try 2 "unexpected operand 'b'" pack a b --recipient "$ONE" -o new
try 2 'begins with rsp-pub-' pack "$DUMP" --recipient one -o new
try 2 'wrong or missing letter' pack "$DUMP" --recipient "${ONE%?}" -o new
try 2 'a secret where a public identity' pack "$DUMP" --recipient "$secret" -o new
never "${secret:11:20}"
printf '%s\n\nrsp-pub-x\n' "$ONE" >readers
try 2 'readers:3: ' pack "$DUMP" --recipients-file readers -o new
printf '%s\n' "$secret" >readers
try 2 'readers:1: ' pack "$DUMP" --recipients-file readers -o new
never "${secret:11:20}"
printf '# nobody\n' >readers
try 2 'nobody stands in it' pack "$DUMP" --recipients-file readers -o new
head -c 3000 /dev/zero | tr '\0' a >readers
try 2 'readers:1: a line of more' pack "$DUMP" --recipients-file readers -o new
try 2 'nowhere: No such file' pack "$DUMP" --recipients-file nowhere -o new
try 2 '--level' pack "$DUMP" --recipient "$ONE" -o new --level 23
try 2 "no option of this verb, but of 'info'" pack "$DUMP" --recipient "$ONE" -o new --key x
try 2 "no option of this verb" pack "$DUMP" --recipient "$ONE" -o new --identity one
try 2 'asked for twice' unpack - -o new --identity -
try 2 'asked for twice' check - --identity -
try 2 'asked for twice' info "$DUMP" --identity - --identity -
# What is there stays, unless --force says otherwise; a failed run leaves it.
echo kept >old
"$RDBTOOL" pack "$DUMP" -o sealed --recipient "$ONE"
for args in "pack $DUMP --recipient $ONE" "unpack sealed -i one"; do
    # shellcheck disable=SC2086
    try 26 'exists already; --force replaces it' $args -o old
    # shellcheck disable=SC2086
    try 26 'cannot open the directory' $args -o nowhere/new
    [ "$(cat old)" = kept ] || die 'changed'
done
try 21 'No such file' pack nowhere --recipient "$ONE" -o old --force
try 21 'is a directory' pack . --recipient "$ONE" -o new
try 12 '--identity' unpack sealed -o old --force
try 23 'is not a pack file' unpack "$DUMP" -o old --force -i one
[ "$(cat old)" = kept ] || die 'changed'
ends 0 "$RDBTOOL" unpack sealed -o old --force -i one
cmp old "$DUMP"
ends 0 "$RDBTOOL" pack "$DUMP" -o old --force --recipient "$ONE"
"$RDBTOOL" unpack old -o - -i one | cmp - "$DUMP"
# A target that is full, and one that has gone.
if [ -w /dev/full ]; then
    ends 25 bash -c '"$RDBTOOL" pack "$1" -o - --recipient "$2" >/dev/full' - "$DUMP" "$ONE"
    ends 25 bash -c '"$RDBTOOL" unpack sealed -o - -i one >/dev/full'
fi
rc=0
{ "$RDBTOOL" unpack sealed -o - -i one || echo $? >rc; } | head -c 1 >/dev/null
[ "$(cat rc)" = 141 ] || die "exit status $(cat rc) for a closed pipe"
