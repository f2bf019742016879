# One capture goes to several repositories: each has a commit of its own over the same objects; one that is out of reach
# costs exit status 3 and nothing else; none of them left is a fault.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
A=file:$PWD/repo B=file:$PWD/second C=file:$PWD/third
unset RESPITE_REPO
ends 0 "$BACKUPD" init --repo "$B" --mirror-of "$A"
ends 0 "$BACKUPD" init --repo "$C" --mirror-of "$A"
cat >conf <<END
[repo a]
url = $A
[repo b]
url = $B
[repo c]
url = $C
[source web]
repos = a, b,c
from = $DUMP
END
export RESPITE_CONFIG=$PWD/conf
ends 0 "$BACKUPD" backup web --json
[ "$(json '[r["stored"] for r in d["repositories"]]')" = '[True, True, True]' ] || die 'not all of them'
id=$(json 'd["snapshot"]')
[ "$(json 'len(set(r["record"] for r in d["repositories"]))')" = 3 ] || die 'one record for all'
for r in a b c; do
    ends 0 "$BACKUPD" verify --repo $r --read-data --identity sheet
    ends 0 "$BACKUPD" list --repo $r --json
    [ "$(json 'd["snapshots"][0]["id"]')" = "$id" ] || die "$r has another snapshot"
    ends 0 "$BACKUPD" restore latest --repo $r --identity sheet --to "out-$r.rdb"
    cmp "$DUMP" "out-$r.rdb" || die "$r gives back something else"
done
# The same objects, byte by byte.
(cd repo && find data manifests -type f -exec sha256sum {} +) | sort >sums-a
(cd second && find data manifests -type f -exec sha256sum {} +) | sort >sums-b
cmp sums-a sums-b || die 'other objects'
[ -s sums-a ] || die 'no objects'

# One is away: the others have it, and the exit status says so.
mv second away
ends 3 "$BACKUPD" backup web
says "NOT in $B"
says "in $C"
ends 0 "$BACKUPD" list --repo c
[ "$(grep -c web out)" = 2 ] || die 'the third got nothing'
mv away second
ends 0 "$BACKUPD" list --repo b
[ "$(grep -c web out)" = 1 ] || die 'the second got something'

# The first is away: the second speaks for the rest.
mv repo away
ends 3 "$BACKUPD" backup web --json
[ "$(json '[r["stored"] for r in d["repositories"]]')" = '[False, True, True]' ] || die 'told wrongly'
# All are away.
mv second away2
mv third away3
ends 10 "$BACKUPD" backup web
mv away repo
mv away2 second
mv away3 third

# A full disk in the middle of one of them, and of all.
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
    trap 'umount small' EXIT
    head -c 300000 /dev/urandom | base64 -w0 >noise
    python3 - >big.rdb <<'END'
import sys
v = open('noise', 'rb').read()
out = bytearray(b'REDIS0009\xfe\x00\x00\x01k\x80' + len(v).to_bytes(4, 'big') + v + b'\xff' + b'\0' * 8)
sys.stdout.buffer.write(out)
END
    ends 0 "$BACKUPD" init --repo "file:$PWD/small/r" --mirror-of "$A"
    ends 3 "$BACKUPD" backup --from big.rdb --source big --repos "a,file:$PWD/small/r"
    says 'No space left'
    ends 0 "$BACKUPD" list --repo a
    says big
    ends 0 "$BACKUPD" list --repo "file:$PWD/small/r"
    never big
    ends 25 "$BACKUPD" backup --from big.rdb --source big --repos "file:$PWD/small/r"
    says 'No space left'
fi

# Another lineage cannot share the objects.
ends 0 "$BACKUPD" init --repo "file:$PWD/stranger" --recovery-out sheet2
ends 3 "$BACKUPD" backup --from "$DUMP" --source x --repos "$A,file:$PWD/stranger"
says 'of another lineage'
# What is wrong on the line.
ends 2 "$BACKUPD" backup --from "$DUMP" --source x --repos "$A,$A"
says twice
ends 2 "$BACKUPD" backup --from "$DUMP" --source x --repos ' , '
says 'names no repository'
sed -i 's/^repos.*/&\nrepo = a/' conf
ends 20 "$BACKUPD" backup web
says 'repo and repos'
