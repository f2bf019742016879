# copy: a snapshot goes from a directory to Ceph, from there to apache, to sshd and into a directory again; every step says
# what it moved, none twice, and the last one restores the dump. Then the first one is lost, and a new one is filled.
# Rests on: _ceph.sh, _dav.sh, _sshd.sh.
# LONG
. "$TESTS/live/store/_ceph.sh"
. "$TESTS/live/store/_dav.sh"
. "$TESTS/live/store/_sshd.sh"
# Each of them waits for every child there is: all are killed before the first does.
all_stop() {
    local pid
    for pid in "${CEPH_PID[@]}"; do kill -KILL "$pid" 2>/dev/null || :; done
    for pid in "${DAV_PIDS[@]}"; do kill -KILL -- "-$pid" 2>/dev/null || :; done
    sshd_stop
    dav_stop
    ceph_stop
}
trap all_stop EXIT
. "$TESTS/cli/backupd/_repo.sh"
ceph_start
s3 PUT /bucket-one >/dev/null
A=file:$PWD/first B=$STORE_URL
dav_apache
C=$STORE_PLAIN/ring
sshd_start
D=$STORE_URL/ring E=file:$PWD/last
export AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET
export RESPITE_REPO_USER=$DAV_USER RESPITE_REPO_PASSWORD=$DAV_PASSWORD
export RESPITE_SSH_KEY=$SSHD/user RESPITE_KNOWN_HOSTS=$SSHD/known_hosts
export RESPITE_REPO=$A
ends 0 "$BACKUPD" init --recovery-out sheet --name host
for day in 17 18 19; do
    ends 0 "$BACKUPD" backup --from "$DUMP" --source web --now "2026-11-${day}T00:00:00Z" --prove=read
done
# 3 snapshots: an object and a manifest each, an envelope, a proof
step() { # FROM TO
    ends 0 "$BACKUPD" init --repo "$2" --mirror-of "$1"
    ends 0 "$BACKUPD" copy --from "$1" --to "$2" --json
    [ "$(json 'd["snapshots"], d["copied"], d["there"], d["failed"]')" = '(3, 3, 0, 0)' ] || die "$2: not all"
    [ "$(json 'd["objects"], d["kept_objects"], d["envelopes"], d["receipts"]')" = '(6, 0, 3, 3)' ] || die "$2: figures"
    ends 0 "$BACKUPD" copy --from "$1" --to "$2" --json
    [ "$(json 'd["copied"], d["there"], d["objects"], d["bytes"], d["receipts"]')" = '(0, 3, 0, 0, 0)' ] || die "$2: twice"
}
step "$A" "$B"
step "$B" "$C"
step "$C" "$D"
step "$D" "$E"
diff -r first/data last/data && diff -r first/manifests last/manifests && diff -r first/keys last/keys
ends 0 "$BACKUPD" verify --repo "$E" --read-data --identity sheet
ends 0 "$BACKUPD" restore latest --repo "$E" --source web --to back.rdb --identity sheet
cmp back.rdb "$DUMP"
# The circle is closed: the first one has them all.
ends 0 "$BACKUPD" copy --from "$E" --to "$A" --json
[ "$(json 'd["copied"], d["there"], d["failed"], d["objects"]')" = '(0, 3, 0, 0)' ]
# The first is lost. A new one begins as a mirror of a mirror, is filled from there, and goes on.
rm -rf first
export RESPITE_REPO=file:$PWD/again
step "$D" "$RESPITE_REPO"
ends 0 "$BACKUPD" backup --from "$DUMP" --source web --now 2026-11-20T00:00:00Z
ends 0 "$BACKUPD" list --all --json
[ "$(json '[s["time"][8:10] for s in d["snapshots"]]')" = "['17', '18', '19', '20']" ]
ends 0 "$BACKUPD" copy --to "$B"
says 'copied 1, there already 3'
ends 0 "$BACKUPD" verify --repo "$B" --read-stored
