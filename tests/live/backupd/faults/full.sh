# The storage is full, or the spool is: 25 or 22 with the place's name, nothing published, and the next run succeeds.
# Rests on: tests/live/backupd/faults/_faults.sh; a file system in memory where a user may mount one.
# shellcheck source=tests/live/backupd/faults/_faults.sh
. "$TESTS/live/backupd/faults/_faults.sh"
make_repo
server one
fill one --mb 8
take --source web "$(uri one)"
limited() { # BLOCKS COMMAND...: of 1024 bytes, in one file
    (
        trap '' XFSZ
        ulimit -f "$1"
        exec "${@:2}"
    )
}
fails 22,25 "$PWD/repo" limited 2000 "$BACKUPD" backup --source web "$(uri one)"
mkdir spool
fails 22,25 spool limited 1000 "$BACKUPD" backup --source web "$(uri one)" --ring 1M --threads 1 --level 22 --spool "$PWD/spool"
[ -z "$(ls -A spool)" ]
take --source web "$(uri one)"
same_as one
# The whole file system is full.
small() { # SIZE COMMAND...: with a file system of that size at ./repo/data, seen by it alone
    unshare --map-root-user --mount bash -c 'mount -t tmpfs -o size="$0" none "$1/data" && cp -a "$1.kept/." "$1/data" &&
        shift && exec "$@"' "$1" "$PWD/repo" "${@:2}"
}
if unshare --map-root-user --mount mount -t tmpfs none /mnt 2>/dev/null; then
    cp -a repo/data repo.kept
    size=$(du -sm repo.kept | cut -f 1)
    fails 22,25 "$PWD/repo" small $((size + 3))m "$BACKUPD" backup --source web "$(uri one)"
    rm -rf repo.kept
fi
take --source web "$(uri one)"
ends 0 "$BACKUPD" verify --identity sheet --read-data
