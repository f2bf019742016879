# What this is: backupd backup killed before each of its operations, and each of them failing: a clear error, nothing lost.
# Rests on: _matrix.sh.
# Does not: cut the power (matrix_backup.sh).
# TIMEOUT: 900
# LONG
# shellcheck source=tests/power/_power.sh
. "$TESTS/power/_power.sh"
# shellcheck source=tests/power/_matrix.sh
. "$TESTS/power/_matrix.sh"

prepared 2
mapfile -t must < <(awk '{ print $1 }' known)
new=${DUMPS[2]}
faults "$new" "${must[@]}" -- "$BACKUPD" backup --threads 1 --source s --chunk 4096 --from "$new"
