# The recovery sheet: never without a place for it, never where a thief finds it, never over a file.
# shellcheck disable=SC2015,SC2034
. "$TESTS/cli/backupd/_repo.sh"
repo=file:$PWD/repo
ends 2 "$BACKUPD" init --repo "$repo"
says --recovery-out
[ ! -e repo ] && [ ! -e "$RESPITE_STATE" ] || die 'something was made'
ln -s repo link
for f in repo/sheet link/x/sheet "$RESPITE_STATE/sheet" repo/../repo/s; do
    ends 2 "$BACKUPD" init --repo "$repo" --recovery-out "$f"
    says "$f lies in the"
done
[ ! -e repo ] && [ ! -e "$RESPITE_STATE" ] || die 'something was made'
echo precious >sheet
ends 26 "$BACKUPD" init --repo "$repo" --recovery-out sheet
[ "$(cat sheet)" = precious ] && [ ! -e repo ] || die 'a file was replaced'
rm sheet
ends 0 "$BACKUPD" init --repo "$repo" --recovery-out sheet --name host
[ "$(stat -c %a sheet)" = 600 ] || die 'others may read the sheet'
[ "$(grep -c '^[1-4]: ' sheet)" = 4 ] || die 'no four lines'
says repository
says lineage
says 'write,keep'
# The seed is nowhere but there.
grep '^1: ' sheet | tr -d ' -' | cut -c 3- >one
! grep -rqi "$(cut -c 1-12 one)" "$RESPITE_STATE" repo out err || die 'the seed lies about'
# A second one at the same place: refused, and no sheet that opens nothing.
ends 26 "$BACKUPD" init --repo "$repo" --recovery-out sheet2
[ ! -e sheet2 ] || die 'a sheet of nothing'
