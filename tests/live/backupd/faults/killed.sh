# A server that is killed while it sends, from memory and from disk; that is killed while it saves; and we who are killed.
# Rests on: tests/live/backupd/faults/_faults.sh.
# shellcheck source=tests/live/backupd/faults/_faults.sh
. "$TESTS/live/backupd/faults/_faults.sh"
make_repo
sending() { [ "$(field one rdb_bgsave_in_progress)" = 1 ]; }
in_background() { # VICTIM SIGNAL STATUSES WORDS: while the server sends
    local rc=0 before
    before=$(shown)
    "$BACKUPD" backup --source web --patience 0s "unix://$PWD/one/s" >out 2>err &
    PID[us]=$!
    until_true 'no dataset is made' sending
    kill "-$2" "${PID[$1]}"
    wait "${PID[us]}" || rc=$?
    unset "PID[us]"
    [[ ,$3, == *,$rc,* ]] || { cat out err >&2 && die "exit status $rc, expected $3"; }
    [ -z "$4" ] || grep -qE "$4" err || { cat err >&2 && die "not said: $4"; }
    [ "$(shown)" = "$before" ] || die 'the list is another one'
}
for how in yes no; do
    server one --repl-diskless-sync $how
    fill one --mb 8
    # Some ten seconds for all keys: it is killed in the midst.
    at one CONFIG SET rdb-key-save-delay 15000 >/dev/null
    in_background us TERM 143 ''
    gone() { [ "$(field one rdb_bgsave_in_progress)" = 0 ]; }
    until_true 'the server goes on saving for nobody' gone
    in_background us KILL 137 ''
    until_true 'the server goes on saving for nobody' gone
    in_background one KILL 21 'closed the connection|closed the connection instead of announcing'
    says "unix://$PWD/one/s"
    wait 2>/dev/null || :
    unset "PID[one]"
    rm -rf one
    server one
    fill one
    take --source web "$(uri one)"
    same_as one
    server_end one
    rm -rf one
done
ends 0 "$BACKUPD" verify --identity sheet --read-data
# A server that is not there.
ends 21 "$BACKUPD" backup "unix://$PWD/one/s" --patience 0s
says "unix://$PWD/one/s"
