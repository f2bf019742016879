# What goes in comes out, by file and by pipe, for every recipient, at every level and number of threads.
# shellcheck disable=SC2015,SC2094
. "$TESTS/cli/rdbtool/pack/_seal.sh"
ends 0 "$RDBTOOL" pack "$DUMP" --recipient "$ONE" -o sealed
[ ! -s out ] && [ ! -s err ] || die 'said something'
[ "$(stat -c %a sealed)" = 600 ] || die 'others may read it'
[ "$(head -c 8 sealed)" = RSPPACK1 ] || die 'magic'
ends 0 "$RDBTOOL" unpack sealed -o back --identity one
cmp back "$DUMP"
"$RDBTOOL" pack - -o - --recipient "$ONE" <"$DUMP" | "$RDBTOOL" unpack - -o - -i one | cmp - "$DUMP"
# The pipeline of the man page, and back through it.
# shellcheck disable=SC2002
cat "$DUMP" | "$RDBTOOL" pack - --recipient "$ONE" -o piped
# shellcheck disable=SC2002
cat piped | "$RDBTOOL" unpack - -i one -o - | cmp - "$DUMP"
# Two recipients, one by a file with comments: each opens it alone.
printf '# who reads\n\n  %s  the vault\r\n#%s\n%s' "$TWO" "$TWO" "$ONE" >readers
ends 0 "$RDBTOOL" pack "$DUMP" --recipient "$ONE" --recipient "$ONE" --recipients-file readers -o both --level 1 --threads 1
for who in one two; do
    ends 0 "$RDBTOOL" unpack both -o - --identity $who --threads 1
    cmp out "$DUMP"
    ends 12 "$RDBTOOL" unpack both -o - && says --identity '2 readers'
done
# More than one object and an odd end; what does not compress; nothing at all.
head -c 9000001 /dev/zero >zeros
head -c 8388608 /dev/urandom >noise
: >nothing
for f in zeros noise nothing; do
    for more in "" "--no-recheck --level 19 --threads 3"; do
        [ "$f$more" != "noise--no-recheck --level 19 --threads 3" ] || continue
        # shellcheck disable=SC2086
        ends 0 "$RDBTOOL" pack $f --recipient "$ONE" -o $f.rsp --force $more
        [ $f = nothing ] && says 'is empty' || [ ! -s err ] || die 'said something'
        ends 0 "$RDBTOOL" unpack $f.rsp -o - -i one
        cmp out $f
    done
done
[ "$(stat -c %s noise.rsp)" -lt 8400000 ] || die 'grew'
# A seal within a seal is two.
ends 0 "$RDBTOOL" pack sealed --recipient "$TWO" -o twice
"$RDBTOOL" unpack twice -o - -i two | cmp - sealed
clean
