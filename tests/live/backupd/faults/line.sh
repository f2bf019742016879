# A real server behind a line that breaks: closed, reset, half closed, a bit turned, slow, in pieces.
# Rests on: tests/live/backupd/faults/_faults.sh, tests/fault/proxy.py.
# shellcheck source=tests/live/backupd/faults/_faults.sh
. "$TESTS/live/backupd/faults/_faults.sh"
make_repo
server one
fill one --mb 4
store=("$BACKUPD" backup --source web --patience 0s)
line() { background proxy.py --to "unix:$PWD/one/s" "$@"; } # --after N FAULT
take --source web "$(uri one)"
for how in yes no; do
    at one CONFIG SET repl-diskless-sync $how >/dev/null
    # after, fault, exit statuses, words
    while read -r after fault status words; do
        line --after "$after" "$fault"
        fails "$status" "$words" "${store[@]}" "redis://127.0.0.1:$(<port)"
        says "redis://127.0.0.1:$(<port)"
        background_end
    done <<'TABLE'
0 close 21 closed the connection
0 reset 21 Connection reset
9 half 21 closed the connection
4000000 close 21 the server closed the connection
4000000 reset 21 Connection reset
4000000 half 21 the server closed the connection
4000000 flip 23,24 damaged
TABLE
    # Slow and in pieces is no fault.
    for fault in delay pieces; do
        line --after 3000 $fault
        ends 0 "${store[@]}" --json "redis://127.0.0.1:$(<port)"
        background_end
    done
    ID=$(json 'd["snapshot"]')
    same_as one
done
# The line is bad once: the next run gets through.
line --after 4000000 --times 1 reset
fails 21 'Connection reset' "${store[@]}" "redis://127.0.0.1:$(<port)"
ends 0 "${store[@]}" "redis://127.0.0.1:$(<port)"
background_end
ends 0 "$BACKUPD" verify --identity sheet --read-data
