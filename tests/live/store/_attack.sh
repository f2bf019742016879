# What this is: the attacks of tests/attack on a remote store, for the cases attack_*.sh and the long one; source it.
# Rests on: $B/tests/attack, which make check builds; the RESPITE_TEST_STORE_* that tests/fixture/yard_store.c reads.
# Does not: start a server.
[ -x "$B/tests/attack/test_clear" ] || { echo "tests/attack is not built under $B" >&2 && exit 77; }
ATTACKS='clear copy flip flood forge nonce rollback thief'

# attack NAME STRIDE [CASE]: a program of tests/attack, every STRIDE-th byte where it walks over all, or a case of it alone
attack() {
    local code=0 began=$EPOCHREALTIME only=()
    [ $# -lt 3 ] || only=("CK_RUN_CASE=$3")
    env ${only[@]+"${only[@]}"} CK_TIMEOUT_MULTIPLIER=10 RESPITE_TEST_STORE_STRIDE="$2" "$B/tests/attack/test_$1" \
        >"attack-$1.out" 2>&1 || code=$?
    awk -v name="$1" -v a="$began" -v b="$EPOCHREALTIME" 'match($0, /[0-9]+%: Checks: .*/) { sum = substr($0, RSTART) }
        END { printf "%s: %s, %.1f s\n", name, sum, b - a }' "attack-$1.out" >&2
    if [ "$code" != 0 ] || ! grep -q '100%: Checks: [1-9]' "attack-$1.out"; then
        tail -n 40 "attack-$1.out" >&2
        exit 1
    fi
}
# A case or two of each, within seconds
attack_sample() {
    local name
    for name in $ATTACKS; do attack "$name" 499 sample; done
}
# attack_all STRIDE
attack_all() {
    local name
    for name in $ATTACKS; do attack "$name" "$1"; done
}
