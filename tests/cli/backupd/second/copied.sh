# A mirror, and a mirror of that one: the second reader finds there what the first repository has, by whom it was signed, and
# what was removed for ever; and what somebody changed in a copied record it refuses as backupd does.
# LONG
# UNSANITIZED
# shellcheck source=tests/cli/backupd/second/_second.sh
. "$TESTS/cli/backupd/second/_second.sh"
make_repo
one=$DATA/redis-7.0.15-debian/onekey.rdb
B=file:$PWD/b C=file:$PWD/c
ends 0 "$BACKUPD" init --repo "$B" --mirror-of "$RESPITE_REPO"
ends 0 "$BACKUPD" init --repo "$C" --mirror-of "$B"
for day in 1 2 3; do
    ends 0 "$BACKUPD" backup --from "$one" --source web --now "2026-10-0${day}T03:00:00Z" --prove=read
    ends 0 "$BACKUPD" show latest --source web --json
    ids[day]=$(json 'd["id"]')
done
ends 0 "$BACKUPD" copy --to "$B"
ends 0 "$BACKUPD" copy --from "$B" --to "$C"
reads 0 repo sheet
streams >want
[ "$(wc -l <want)" = 3 ]
for where in b c; do
    reads 0 $where sheet
    streams | cmp - want
    [ "$(grep -c '^copied ' told)" = 6 ] || die "not 3 snapshots and 3 proofs in $where"
done
ends 0 "$BACKUPD" expire "${ids[1]}" --repo "$B"
ends 0 "$BACKUPD" prune --repo "$B" --quarantine 0s
reads 0 b sheet
grep -q "^went ${ids[1]}\$" told
[ "$(streams | wc -l)" = 2 ]
# A bit of every part of a copied record.
for kind in commit receipt; do
    log=$(find c/log -name "*-$kind-*" | sort | head -n 1)
    size=$(stat -c %s "$log")
    for at in 30 200 $((size / 2)) $((size - 70)) $((size - 10)); do
        rm -rf x && cp -r c x
        python3 - "x/${log#c/}" "$at" <<'END'
import hashlib, os, re, sys
path, at = sys.argv[1], int(sys.argv[2])
data = bytearray(open(path, "rb").read())
data[at] ^= 4
os.remove(path)
h = hashlib.blake2b(bytes(data), digest_size=32).hexdigest()
open(re.sub("[0-9a-f]{64}$", h, path), "wb").write(data)
END
        reads 24 x sheet
        ends 24 env RESPITE_STATE="$PWD/fresh" "$BACKUPD" verify --repo "file:$PWD/x" --root "$PUB"
        rm -rf fresh
    done
done
