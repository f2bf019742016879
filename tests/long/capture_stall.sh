# A master that falls silent, before the dataset and within it, and a line that does: after a minute of silence 21 and how long
#   nothing came; the next run succeeds.
# Rests on: tests/live/backupd/faults/_faults.sh.
# TIMEOUT: 900
# shellcheck source=tests/live/backupd/faults/_faults.sh
. "$TESTS/live/backupd/faults/_faults.sh"
make_repo
for script in stall stall-before-data; do
    background server.py --rdb "$DUMP" $script
    fails 21 nothing "$BACKUPD" backup --source web --patience 0s "redis://127.0.0.1:$(<port)"
    background_end
done
server one
fill one --mb 4
background proxy.py --to "unix:$PWD/one/s" --after 4000000 --times 1 stall
fails 21 'nothing came for 60 s' "$BACKUPD" backup --source web --patience 0s "redis://127.0.0.1:$(<port)"
take --source web "redis://127.0.0.1:$(<port)"
background_end
same_as one
