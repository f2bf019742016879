# What this is: 700 MB that cannot be compressed over each store: stored, listed, verified, restored, equal, in bounded memory;
#   and the conformance suite there, which tries sizes of 0 and 1 byte and of a part more and less one.
# Rests on: the servers of tests/live/store, backupd, GNU time, python3.
# Does not: measure speed (tests/bench/bench-stores.sh does).
# TIMEOUT: 3600
megabytes=${LARGE_MB:-700} parallel=4 part=8
# 64 MiB, parts on their way, and of a backup its chunks of 2 MiB: two a thread and two more.
chunks=$(((2 * $(nproc) + 2) * 2))
most=$((64 + chunks + (parallel + 1) * part))
[ -z "$SAN" ] || most=$((most * 8))
die() { echo "${store:-}: $*" >&2 && exit 1; }
python3 - "$megabytes" dump.rdb <<'PY'
import os, sys
with open(sys.argv[2], 'wb') as f:
    f.write(b'REDIS0009\xfe\x00')
    for i in range(int(sys.argv[1])):
        f.write(b'\x00\x06%06d\x80\x00\x0f\x42\x40' % i + os.urandom(1000000))
    f.write(b'\xff' + bytes(8))
PY
# measure COMMAND...: its peak of memory, within the limit
measure() {
    local kib what="$*"
    what=${what%% --repo*}
    /usr/bin/time -o memory -f '%M %e' "$BACKUPD" "$@" >out 2>err || { tail -n 5 out err >&2 && die "$1 failed"; }
    kib=$(tail -n 1 memory)
    echo "$store: $what: $((${kib% *} / 1024)) MiB of $most (64 + $chunks + ($parallel + 1) x $part), ${kib#* } s" >&2
    [ "${kib% *}" -le $((most * 1024)) ] || die "$1 took $((${kib% *} / 1024)) MiB"
}
# large OPTIONS...: everything, on STORE_URL
large() {
    local o=(--repo "$STORE_URL" --parallel "$parallel" --part-size "${part}M" "$@") d=../dump.rdb
    export RESPITE_STATE=$PWD/state
    "$BACKUPD" init --create-bucket --recovery-out sheet "${o[@]}" >out 2>err || { cat out err >&2 && die 'init failed'; }
    measure backup --from "$d" --source web "${o[@]}"
    measure list "${o[@]}"
    grep -q web out || die 'it is not listed'
    measure verify --read-stored "${o[@]}"
    measure verify --read-data --identity sheet "${o[@]}"
    measure restore latest --identity sheet --to back.rdb "${o[@]}"
    cmp back.rdb "$d" || die 'what was restored differs'
    rm back.rdb
    "$BACKUPD" probe "${o[@]}" >out 2>err || { cat out err >&2 && die 'the conformance suite failed'; }
    [ "$(grep -cE '^OK +(put|upload|range)  ' out)" = 3 ] || { cat out >&2 && die 'the conformance suite tried no sizes'; }
}
stores=0
# on STORE SCRIPT COMMANDS: in a shell of its own, whose servers end with it. What is not installed is left out.
on() {
    local code=0
    mkdir "$1"
    (
        cd "$1"
        export TMPDIR=$PWD CEPH_BYTES=4294967296 most chunks parallel part store="$1"
        export -f die measure large
        exec bash -euc ". \"\$TESTS/live/store/$2\"; $3"
    ) || code=$?
    rm -rf "$1"
    [ "$code" = 77 ] || [ "$code" = 0 ] || exit "$code"
    [ "$code" = 77 ] || stores=$((stores + 1))
}
# shellcheck disable=SC2016 # that shell's
keys='export AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET' \
    dav='export RESPITE_REPO_USER=$DAV_USER RESPITE_REPO_PASSWORD=$DAV_PASSWORD; large --repo-cacert "$DAV_CA"'
on ceph _ceph.sh "ceph_start; $keys; large"
on swift _swift.sh "swift_start; $keys; large"
# shellcheck disable=SC2016
on sshd _sshd.sh 'sshd_start; large "${SSHD_OPTIONS[@]}"'
on apache _dav.sh "dav_apache; $dav"
on nginx _dav.sh "dav_nginx; $dav"
[ "$stores" != 0 ] || { echo 'none of the servers is installed' >&2 && exit 77; }
echo "$stores stores" >&2
