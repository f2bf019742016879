# What this is: what a thief or an operator of the storage can do, tried over SFTP: a sample of tests/attack.
# Rests on: _sshd.sh, _attack.sh.
# Does not: try everything: tests/long/store_attack.sh does.
. "$TESTS/live/store/_sshd.sh"
. "$TESTS/live/store/_attack.sh"
sshd_start
export RESPITE_TEST_STORE_URL=$STORE_URL RESPITE_TEST_STORE_SSH_KEY=$SSHD/user \
    RESPITE_TEST_STORE_KNOWN_HOSTS=$SSHD/known_hosts
attack_sample
