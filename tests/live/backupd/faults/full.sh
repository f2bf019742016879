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
take --source web "$(uri one)"
same_as one
# A whole file system is full: that of the data, then that of the spool.
small() { # SIZE PLACE COMMAND...: with a file system of that size over that folder, seen by the command alone
    # shellcheck disable=SC2016
    unshare --map-root-user --mount bash -c 'cp -a "$1" "$1.kept" && mount -t tmpfs -o size="$0" none "$1" &&
        cp -a "$1.kept/." "$1" && shift && exec "$@"' "$@"
}
if unshare --map-root-user --mount mount -t tmpfs none /mnt 2>/dev/null; then
    fails 22,25 "$PWD/repo" small $(($(du -sm repo/data | cut -f 1) + 3))m "$PWD/repo/data" \
        "$BACKUPD" backup --source web "$(uri one)"
    rm -rf repo/data.kept
    mkdir spool
    fails 22,25 spool small 2m "$PWD/spool" \
        "$BACKUPD" backup --source web "$(uri one)" --ring 1M --threads 1 --level 22 --spool "$PWD/spool"
    [ -z "$(ls -A spool)" ]
fi
take --source web "$(uri one)"
ends 0 "$BACKUPD" verify --identity sheet --read-data
