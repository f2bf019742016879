# What this is: backupd expire with the power cut before each operation, killed there, or met by a fault: what the rules keep
#   is kept, what they retire is retired or not.
# Rests on: _matrix.sh.
# Does not: say what the rules keep: the cli cases do.
# TIMEOUT: 900
# LONG
# shellcheck source=tests/power/_power.sh
. "$TESTS/power/_power.sh"
# shellcheck source=tests/power/_matrix.sh
. "$TESTS/power/_matrix.sh"

prepared 4
mapfile -t must < <(tail -n 2 known | awk '{ print $1 }')
run=("$BACKUPD" expire --keep-last 2 --min-age 0s)
cuts '' "$NEXT" "${must[@]}" -- "${run[@]}"
faults "$NEXT" "${must[@]}" -- "${run[@]}"
