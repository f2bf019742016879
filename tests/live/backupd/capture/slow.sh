# A server that puts up with no slow replica, and a snapshot that is stored much more slowly than it is sent: nothing is lost,
#   with a spool nor without one, and nothing stays in the spool's folder.
# Rests on: tests/live/_redis.sh.
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
make_repo
mkdir spool
server one --client-output-buffer-limit 'replica 1mb 1mb 1' --repl-timeout 2 --repl-backlog-size 16kb
fill one --mb 24
# The slowest that we can be: one thread, level 22, a buffer of a megabyte.
slow=(--threads 1 --level 22 --ring 1M)
for how in yes no; do
    at one CONFIG SET repl-diskless-sync $how >/dev/null
    take "$(uri one)" "${slow[@]}" --spool spool
    [ "$(json 'd["captured"]["spooled_bytes"] > 0')" = True ] || die 'the spool was not used'
    [ -z "$(ls -A spool)" ]
    take "$(uri one)" "${slow[@]}"
    [ "$(json 'd["captured"]["spooled_bytes"]')" = 0 ]
done
same_as one
# A spool that cannot be is told before the server is asked for anything.
before=$(field one sync_full)
ends 2 "$BACKUPD" backup "$(uri one)" --spool nowhere
says "nowhere: no file can be made in the spool's directory"
[ "$(field one sync_full)" = "$before" ]
