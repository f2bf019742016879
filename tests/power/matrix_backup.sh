# What this is: the power is cut before each operation of backupd backup: no snapshot is lost, the new one is there once its
#   commit has returned, what died ends, and no run is blocked.
# Rests on: _matrix.sh.
# Does not: kill or fail anything (matrix_backup_faults.sh).
# TIMEOUT: 900
# LONG
# shellcheck source=tests/power/_power.sh
. "$TESTS/power/_power.sh"
# shellcheck source=tests/power/_matrix.sh
. "$TESTS/power/_matrix.sh"

prepared 2
mapfile -t must < <(awk '{ print $1 }' known)
new=${DUMPS[2]}
cuts -commit- "$new" "${must[@]}" -- "$BACKUPD" backup --threads 1 --source s --chunk 4096 --from "$new"
