# A drill that is ended in the middle leaves nothing; one that is killed takes its server along, and the next drill removes
# its directory.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
command -v redis-server >/dev/null || { echo 'redis-server is not installed' >&2 && exit 77; }
make_repo
mkdir drills
ends 0 "$BACKUPD" backup --from "$DATA/redis-7.0.15-debian/everything.rdb"
# A real server behind a pipe that never ends: it loads for ever.
cat >stalls <<'END'
#!/bin/sh
[ "$1" != --version ] || exec redis-server --version
mkfifo endless
exec 5<>endless
head -c 1000 dump.rdb >endless &
sed -i 's/^dbfilename .*/dbfilename endless/' server.conf
exec redis-server server.conf
END
chmod +x stalls
until_true() { # COMMAND...: within 30 s
    for _ in $(seq 600); do
        ! "$@" || return 0
        sleep 0.05
    done
    die "never so: $*"
}
loads() { grep -qs 'Loading RDB' drills/respite-drill-*/log; }
server_is_there() {
    for at in /proc/[0-9]*/cwd; do
        case $(readlink "$at" || :) in "$PWD"/drills/*) return 0 ;; esac
    done
    return 1
}
server_is_gone() { ! server_is_there; }
start() {
    "$BACKUPD" drill --identity sheet --tmpdir drills --server ./stalls >out 2>err &
    run=$!
    until_true server_is_there # what an earlier run left is removed before
    until_true loads
}
start
kill -TERM "$run"
rc=0
wait "$run" || rc=$?
[ $rc = 143 ] || die "exit status $rc"
server_is_gone || die 'the server lives on'
[ -z "$(ls -A drills)" ] || die 'a file is left'

start
kill -KILL "$run"
wait "$run" || :
until_true server_is_gone
ls -d drills/respite-drill-* >/dev/null || die 'it could not clean up, and did'
# A drill that runs is left alone by another one.
start
ends 0 "$BACKUPD" drill --identity sheet --tmpdir drills
[ "$(find drills -name 'respite-drill-*' | wc -l)" = 1 ] || die 'what was left, or what runs'
server_is_there || die 'another drill ended this one'
kill -TERM "$run"
wait "$run" || :
[ -z "$(ls -A drills)" ] || die 'a file is left'
ends 0 "$BACKUPD" list
says 'default: last proven'
