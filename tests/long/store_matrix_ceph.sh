# What this is: the whole matrix on Ceph's S3: every request in backup, a large one,
#   expire, prune and copy is lost, or its answer, alone or with everything behind it. MATRIX_STEP (1): of
#   how many one is tried.
# Rests on: tests/live/store/_matrix.sh.
# Does not: look at what goes by TLS.
# TIMEOUT: 14400
export CEPH_GC=1 # what was deleted goes within seconds, and not after hours: the disk would be full
. "$TESTS/live/store/_matrix.sh" ceph
matrix_start
every "${MATRIX_STEP:-1}"
