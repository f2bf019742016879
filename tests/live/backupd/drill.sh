# Snapshots of every kind of data are proven in a private redis-server: equal, signed, told by list and status, and
# nothing is left behind. What no server at hand loads is not proven here; what is not sound is refused.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
command -v redis-server >/dev/null || { echo 'redis-server is not installed' >&2 && exit 77; }
make_repo
mkdir drills
nothing_left() {
    [ -z "$(ls -A drills)" ] || { ls -lR drills >&2 && die 'a file is left'; }
    for at in /proc/[0-9]*/cwd; do
        case $(readlink "$at" || :) in "$PWD"/drills/*) die "a process is left: $at" ;; esac
    done
}
drill() { # STATUS OPTIONS...
    local want=$1
    shift
    ends "$want" "$BACKUPD" drill --identity sheet --tmpdir drills "$@"
    nothing_left
}

# Every kind of data; what has expired counts too, whatever the clock says.
for name in everything expired expiry functions multidb streams empty; do
    ends 0 "$BACKUPD" backup --from "$DATA/redis-7.0.15-debian/$name.rdb" --source "$name"
    drill 0 --latest --source "$name" --json
    [ "$(json 'd["proof"], d["dd1"] == d["server_dd1"], d["keys"] == d["server_keys"], d["expired"]')" = \
        "('server', True, True, 0)" ] || die "$name"
    [ "$name" != everything ] || dd1=$(json 'd["dd1"]')
done
[ "$(json 'd["engine"]["kind"]')" = redis ] || die engine
# An older server's dump, whose streams get counters from the server that it did not have.
ends 0 "$BACKUPD" backup --from "$DATA/redis-6.2.16/streams.rdb" --source old
drill 0 --source old
says 'proven '
says ' of old: restored into redis '

# list, show and status tell of it; a decode alone is no proof.
ends 0 "$BACKUPD" backup --from "$DATA/redis-8.0.6/cluster.rdb" --source newer
drill 3 --source newer --server "$(command -v redis-server)"
says 'not proven here'
says 'no server at hand loads RDB 12: redis'
ends 0 "$BACKUPD" list --json
[ "$(json 'sorted(p["source"] for p in d["proven"] if p.get("proof") == "server")')" = \
    "['empty', 'everything', 'expired', 'expiry', 'functions', 'multidb', 'old', 'streams']" ] || die list
[ "$(json 'len([p for p in d["proven"] if p["source"] == "newer" and "proven_ms" not in p])')" = 1 ] || die newer
ends 0 "$BACKUPD" list --source everything
says 'everything: last proven 20'
says ', in redis '
ends 0 "$BACKUPD" list --source newer
never 'proven'
ends 0 "$BACKUPD" status --json
[ "$(json 'sorted(s["source"] for s in d["sources"] if "proven_ms" not in s)')" = "['newer']" ] || die status
ends 0 "$BACKUPD" status
says 'proven never'
ends 0 "$BACKUPD" show latest --source everything
says 'recovery: proof=server keys=238 '
never "$dd1" # it would let guesses at the data be tested
ends 0 "$BACKUPD" show latest --source newer --json
[ "$(json '[r["proof"] for r in d["records"]]')" = "['decoded']" ] || die show
# Without a server at all.
ends 3 env PATH="$PWD" "$BACKUPD" drill --identity sheet --tmpdir drills --source everything
says 'no redis-server or valkey-server at hand'
nothing_left

# Who may: reading and proving, the sheet does both. A reader alone is told before the work.
RESPITE_STATE=$PWD/prover ends 0 "$BACKUPD" init --root "$PUB" --name prover
prover=$(sed -n 's/^this host *//p' out)
ends 12 "$BACKUPD" drill --tmpdir drills
ends 0 "$BACKUPD" key add "$prover" --name prover --role read --identity sheet
ends 0 "$BACKUPD" key rewrap --identity sheet
RESPITE_STATE=$PWD/prover ends 12 "$BACKUPD" drill --tmpdir drills --source expiry
says prove
ends 0 "$BACKUPD" key remove prover --identity sheet
ends 0 "$BACKUPD" key add "$prover" --name prover --role read --role prove --identity sheet
ends 0 "$BACKUPD" key rewrap --identity sheet
RESPITE_STATE=$PWD/prover ends 0 "$BACKUPD" drill --tmpdir drills --source expiry
nothing_left

# Not sound: what was stored although it was damaged; a server that does not want it; a file that is no server.
ends 3 "$BACKUPD" backup --from "$DATA/bad/crc-flipped-data.rdb" --accept-damaged --source bad
drill 24 --source bad
says 'NOT sound'
ends 0 "$BACKUPD" show latest --source bad
never receipt
cat >refuses <<'END'
#!/bin/sh
[ "$1" != --version ] || { echo 'Redis server v=7.0.15 sha=0'; exit; }
cat dump.rdb >/dev/null
echo '1:M 20 Nov 2026 11:48:11.403 # Can'\''t handle it'
exit 1
END
chmod +x refuses
drill 24 --source everything --server refuses
says "the server did not load it: redis 7.0.15: exit status 1; Can't handle it"
drill 26 --source everything --server /bin/true
drill 26 --source everything --server ./none
ends 2 "$BACKUPD" drill latest --latest
drill 4 --source nobody
