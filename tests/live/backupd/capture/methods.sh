# The other ways: the file of BGSAVE, and SCAN with DUMP where no replica is allowed.
# Rests on: tests/live/_redis.sh.
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
make_repo
server one --enable-protected-configs yes
fill one
take "$(uri one)" --method bgsave
[ "$(json 'd["captured"]["method"], d["captured"]["point_in_time"]')" = "('bgsave', True)" ]
same_as one
# Each save is a new one: what was written since is in it.
at one SET since yes >/dev/null
take "unix://$PWD/one/s" --method bgsave
same_as one
ends 0 "$BACKUPD" backup "$(uri one)" --method scan --json
ID=$(json 'd["snapshot"]')
[ "$(json 'd["good"]')" = False ]
[ "$(json 'd["captured"]["method"], d["captured"]["point_in_time"]')" = "('scan', False)" ]
says 'no point in time'
same_as one
# A server's append-only file is no hindrance, an unwritable directory is one.
at one CONFIG SET appendonly yes >/dev/null
take "$(uri one)" --method bgsave
same_as one
at one CONFIG SET dbfilename gone.rdb >/dev/null
mkdir one/gone.rdb
ends 21 "$BACKUPD" backup "$(uri one)" --method bgsave
says "$(uri one)"
