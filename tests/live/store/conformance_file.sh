# What this is: the conformance suite on a directory: of a disk, and of memory.
# Rests on: backupd probe.
# Does not: need a server.
. "$TESTS/live/store/_conformance.sh"
mkdir disk
conform "file:$PWD/disk" 'note rights'
[ -z "$(ls -A disk)" ]
memory=$(mktemp -d /dev/shm/respite-case.XXXXXX)
trap 'rm -rf "$memory"' EXIT
conform "file:$memory" 'note rights' --part-size 5M
[ -z "$(ls -A "$memory")" ]
