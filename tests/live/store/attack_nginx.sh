# What this is: what a thief or an operator of the storage can do, tried on nginx's WebDAV: a sample of tests/attack.
# Rests on: _dav.sh, _attack.sh.
# Does not: try everything: tests/long/store_attack.sh does.
. "$TESTS/live/store/_dav.sh"
. "$TESTS/live/store/_attack.sh"
dav_nginx
export RESPITE_TEST_STORE_URL=$STORE_URL RESPITE_TEST_STORE_USER=$DAV_USER RESPITE_TEST_STORE_PASSWORD=$DAV_PASSWORD \
    RESPITE_TEST_STORE_CACERT=$DAV_CA
attack_sample
