# What this is: backupd prune with the power cut before each operation, killed there, or met by a fault: what was not retired
#   stays, and the next run ends what this one began.
# Rests on: _matrix.sh.
# Does not: judge what prune may delete: the unit tests do.
# TIMEOUT: 900
# LONG
# shellcheck source=tests/power/_power.sh
. "$TESTS/power/_power.sh"
# shellcheck source=tests/power/_matrix.sh
. "$TESTS/power/_matrix.sh"

prepared 4
mapfile -t must < <(tail -n 2 known | awk '{ print $1 }')
well calm "$BACKUPD" expire --keep-last 2 --min-age 0s
# debris of every kind as well
mkdir -p real/repo/data/00000000000000000000000000000000 real/repo/keys/11111111111111111111111111111111
echo x >real/repo/data/00000000000000000000000000000000/22222222222222222222222222222222
echo x >real/repo/data/00000000000000000000000000000000/.y.respite-01234567.part
rm -rf before
cp -a real before
run=("$BACKUPD" prune --quarantine 0s --debris-age 0s)
cuts '' "$NEXT" "${must[@]}" -- "${run[@]}"
faults "$NEXT" "${must[@]}" -- "${run[@]}"
