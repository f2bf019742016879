# A master that lies, talks nonsense, stops, or closes, in every place: each has its exit status and true words, nothing is
#   published, and the next run succeeds.
# Rests on: tests/live/backupd/faults/_faults.sh, tests/fault/server.py.
# shellcheck source=tests/live/backupd/faults/_faults.sh
. "$TESTS/live/backupd/faults/_faults.sh"
make_repo
store=("$BACKUPD" backup --source web --patience 0s)
scripted() { background server.py --rdb "$DUMP" "$1"; }
sound() { # SCRIPT
    scripted "$1"
    ends 0 "${store[@]}" "redis://127.0.0.1:$(<port)"
    says ', good'
    background_end
}
sound sound-length
# script, exit statuses, words
while read -r script status words; do
    scripted "$script"
    fails "$status" "$words" "${store[@]}" "redis://127.0.0.1:$(<port)"
    says "redis://127.0.0.1:$(<port)"
    background_end
done <<'TABLE'
garbage 23 is no answer to a replica
garbage-data 23 not an RDB
newlines 23 nothing but newlines came
newlines-before-data 23 nothing but newlines came
endless-line 23 a line without an end
refuses 21 Unable to perform background save
closes 21 the server closed the connection
closes-before-data 21 the server closed the connection
length-more 23 10 bytes before the end of the dataset
length-huge 23 bytes before the end of the dataset
length-less 23 redis://
length-behind 23 redis://
short-length 23 before the end of the dataset
short-mark 23 before the end of the dataset
short-with-mark 23 redis://
wrong-mark 23 before the end of the dataset
bad-crc 24 checksum
bad-byte 23,24 redis://
reset 21 redis://
half-close 23 before the end of the dataset
version-of-tomorrow 23 version
TABLE
sound sound-mark
sound slowly
# All that lives is whole, and what the faults left is nothing that prune would not find.
ends 0 "$BACKUPD" verify --identity sheet --read-data
ends 0 "$BACKUPD" prune --quarantine 0s --debris-age 0s
ends 0 "$BACKUPD" verify --identity sheet --read-data
[ "$(shown | grep -o "'" | wc -l)" = 6 ]
