# A capture over TCP and over a unix socket, the dataset sent from memory and from disk, an append-only file or none, every
#   type in sixteen databases: a server that loads the snapshot holds the same.
# Rests on: tests/live/_redis.sh.
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
make_repo
server one
fill one
take "$(uri one)"
[ "$(json 'd["captured"]["place"], d["captured"]["method"], d["captured"]["point_in_time"]')" = \
    "('$(uri one)', 'psync, rdb-only', True)" ] || die "$(cat out)"
same_as one
[ "$(field one connected_slaves)" = 0 ] || die 'it still counts us as a replica'
at one CONFIG SET repl-diskless-sync no >/dev/null
take "unix://$PWD/one/s"
[ "$(json 'd["captured"]["place"]')" = "unix://$PWD/one/s" ]
same_as one
at one CONFIG SET appendonly yes >/dev/null
rewritten() { [ "$(field one aof_rewrite_in_progress)$(field one aof_rewrite_scheduled)" = 00 ]; }
until_true 'the AOF is not written' rewritten
take -h 127.0.0.1 -p "${PORT[one]}"
same_as one
at one CONFIG SET repl-diskless-sync yes >/dev/null
take -s "$PWD/one/s"
same_as one
# What stands beside the data is sealed with it.
ends 0 "$BACKUPD" show "$ID" --identity sheet
says 'version     7.'
says 'beside      functions, 1'
# A server without a key.
server none
take "$(uri none)"
[ "$(json 'd["keys"]')" = 0 ]
same_as none
ends 0 "$BACKUPD" verify --identity sheet --read-data
