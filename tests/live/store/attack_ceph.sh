# What this is: what a thief or an operator of the storage can do, tried on Ceph's S3: a sample of tests/attack.
# Rests on: _ceph.sh, _attack.sh.
# Does not: try everything: tests/long/store_attack.sh does.
# LONG
. "$TESTS/live/store/_ceph.sh"
. "$TESTS/live/store/_attack.sh"
ceph_start
export RESPITE_TEST_STORE_URL=$STORE_URL RESPITE_TEST_STORE_ACCESS=$S3_ACCESS RESPITE_TEST_STORE_SECRET=$S3_SECRET
attack_sample
