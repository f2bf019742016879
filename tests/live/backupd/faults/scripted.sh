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
garbage 21 is no answer to a replica
garbage-data 23 not an RDB
newlines 21 nothing but newlines came
newlines-before-data 21 nothing but newlines came
endless-line 21 a line without an end
refuses 21 Unable to perform background save
closes 21 the server closed the connection
closes-before-data 21 the server closed the connection
length-more 21 bytes before the end of the dataset
length-huge 21 bytes before the end of the dataset
length-less 23 in the middle of a value
length-behind 23 bytes follow behind the end of the dump
short-length 21 bytes before the end of the dataset
short-mark 21 the server closed the connection
short-with-mark 23 no end-of-file opcode
wrong-mark 21 the server closed the connection
bad-crc 24 wrong checksum
bad-byte 24 wrong checksum
reset 21 Connection reset
half-close 21 the server closed the connection
version-of-tomorrow 23 version 99 is not supported
TABLE
sound sound-mark
sound slowly
# What broke off is no damaged dump that could be accepted.
scripted short-mark
fails 21 'the server closed the connection' "${store[@]}" --accept-damaged "redis://127.0.0.1:$(<port)"
background_end
# All that lives is whole, and what the faults left is nothing that prune would not find.
ends 0 "$BACKUPD" verify --identity sheet --read-data
ends 0 "$BACKUPD" prune --quarantine 0s --debris-age 0s
ends 0 "$BACKUPD" verify --identity sheet --read-data
[ "$(shown | grep -o "'" | wc -l)" = 6 ]
