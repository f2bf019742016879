# What this is: all of tests/attack on Ceph's S3, Swift's S3, sshd, apache and nginx.
# Rests on: the servers of tests/live/store, _attack.sh.
# Does not: flip every byte there: every 29th (of Swift, which is slow, every 499th); make check does it in a directory.
# TIMEOUT: 7200
stores=0
# on STORE COMMAND: a shell of its own, whose servers end with it. A store that is not installed is left out.
on() {
    local code=0
    echo "$1:" >&2
    mkdir "$1"
    ( cd "$1" && TMPDIR=$PWD exec bash -euc "$2" ) || code=$?
    [ "$code" = 77 ] || [ "$code" = 0 ] || exit "$code"
    [ "$code" = 77 ] || stores=$((stores + 1))
}
# shellcheck disable=SC2016 # it is that shell's
s3='export RESPITE_TEST_STORE_URL=$STORE_URL RESPITE_TEST_STORE_ACCESS=$S3_ACCESS RESPITE_TEST_STORE_SECRET=$S3_SECRET'
# shellcheck disable=SC2016
sftp='export RESPITE_TEST_STORE_URL=$STORE_URL RESPITE_TEST_STORE_SSH_KEY=$SSHD/user
    export RESPITE_TEST_STORE_KNOWN_HOSTS=$SSHD/known_hosts'
# shellcheck disable=SC2016
dav='export RESPITE_TEST_STORE_URL=$STORE_URL RESPITE_TEST_STORE_USER=$DAV_USER RESPITE_TEST_STORE_PASSWORD=$DAV_PASSWORD
    export RESPITE_TEST_STORE_CACERT=$DAV_CA'
# from SCRIPT COMMAND SETTINGS STRIDE
from() {
    # shellcheck disable=SC2016
    printf '. "$TESTS/live/store/%s"\n. "$TESTS/live/store/_attack.sh"\n%s\n%s\nattack_all %s\n' "$@"
}
on ceph "$(from _ceph.sh ceph_start "$s3" 29)"
on swift "$(from _swift.sh swift_start "$s3" 499)"
on sshd "$(from _sshd.sh sshd_start "$sftp" 29)"
on apache "$(from _dav.sh dav_apache "$dav" 29)"
on nginx "$(from _dav.sh dav_nginx "$dav" 29)"
[ "$stores" != 0 ] || { echo 'none of the servers is installed' >&2 && exit 77; }
echo "$stores stores" >&2
