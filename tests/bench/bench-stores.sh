#!/usr/bin/env bash
# What this is: times uploads of the same bytes by the drivers of remote stores and by curl -T, side by side, and prints ratios.
# Rests on: store_put (built by make bench), the private servers of tests/live/store, curl, openssl, awk.
# Does not: build anything, or fail because of a time. It fails when an upload does. A server that is missing is left out.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
export TESTS=${here%/bench}
export STORE_PUT=${STORE_PUT:-$here/../../build/bench/store_put}
export SCRATCH=${SCRATCH:-${TMPDIR:-/var/tmp}/respite-bench}
export RUNS=${RUNS:-5} MEGABYTES=${MEGABYTES:-256}
STORES=${STORES:-ceph sshd apache nginx}

die() {
    echo "bench-stores.sh: $*" >&2
    exit 2
}
median() { # of its arguments
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
        END { printf "%.3f\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
divide() { # a by b; a time below the clock's step counts as one step
    awk -v a="$1" -v b="$2" 'BEGIN { if (b <= 0) b = 0.001; printf "%.3f\n", a / b }'
}
row() { printf '%-18s %8s %8s %6s %6s %6s  %s\n' "$@"; }

# wall COMMAND...: sets seconds
wall() {
    local began=$EPOCHREALTIME
    "$@" >answer 2>said || { cat answer said >&2 && die "$*: failed"; }
    seconds=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }')
}
# pairs LABEL GOAL PARALLEL: ours beside theirs, which `theirs NAME` runs; each to a new name, which `gone NAME` removes
pairs() {
    local i ratio note ours=() other=() ratios=()
    for ((i = 0; i <= RUNS; i++)); do
        wall theirs "c$i"
        other[i]=$seconds
        gone "c$i"
        wall "$STORE_PUT" "$STORE_URL" "o$i" "$BYTES" "$3"
        ours[i]=$seconds
        gone "o$i"
        ratios[i]=$(divide "${other[i]}" "${ours[i]}")
    done
    unset 'ours[0]' 'other[0]' 'ratios[0]' # what was done for the first time
    ratio=$(median "${ratios[@]}")
    note=$(awk -v r="$ratio" -v g="$2" 'BEGIN { print (r + 0 >= g + 0 ? "ok" : "missed") }')
    row "$1" "$(median "${ours[@]}")" "$(median "${other[@]}")" "$(printf %.2f "$ratio")" ">=$2" \
        "$(awk -v m="$MEGABYTES" -v s="$(median "${ours[@]}")" 'BEGIN { printf "%.0f", m * 1.048576 / s }')" "$note"
}
put() { curl -sS --fail --noproxy '*' -o answer "$@"; }

# ---- the stores; each runs in a shell of its own, whose servers end with it ----

if [ "${1:-}" = --one ]; then
    # shellcheck disable=SC2317 # pairs calls them
    case $2 in
    ceph)
        export CEPH_BYTES=4294967296
        . "$TESTS/live/store/_ceph.sh"
        ceph_start
        s3 PUT /bucket-one >answer 2>said
        export RESPITE_TEST_STORE_ACCESS=$S3_ACCESS RESPITE_TEST_STORE_SECRET=$S3_SECRET
        theirs() { put -T "$BYTES" "$(s3 url PUT "/bucket-one/repo/$1")"; }
        gone() { # at once: radosgw lets go of the bytes hours later, and the OSD's memory would be full
            s3 DELETE "/bucket-one/repo/$1" 2>said
            radosgw-admin -n client.rgw gc process --include-all >answer 2>said
        }
        pairs 's3 (ceph)' 0.9 1
        pairs 's3 (ceph), 4 parts' 1.5 4
        ;;
    sshd)
        . "$TESTS/live/store/_sshd.sh"
        sshd_start
        export RESPITE_TEST_STORE_SSH_KEY=$SSHD/user RESPITE_TEST_STORE_KNOWN_HOSTS=$SSHD/known_hosts
        theirs() { put -T "$BYTES" --insecure --key "$SSHD/user" --pubkey "$SSHD/user.pub" "$STORE_URL/$1"; }
        gone() { rm "$ROOT/$1"; }
        pairs 'sftp (sshd)' 0.9 1
        ;;
    apache | nginx)
        . "$TESTS/live/store/_dav.sh"
        "dav_$2"
        export RESPITE_TEST_STORE_USER=$DAV_USER RESPITE_TEST_STORE_PASSWORD=$DAV_PASSWORD
        export RESPITE_TEST_STORE_CACERT=$DAV_CA
        theirs() {
            local url=${STORE_URL/#davs:/https:}
            put -T "$BYTES" --cacert "$DAV_CA" -u "$DAV_USER:$DAV_PASSWORD" "${url/#dav:/http:}/$1"
        }
        gone() { rm "$DAV_ROOT/$1"; }
        pairs "davs ($2)" 0.9 1
        STORE_URL=$STORE_PLAIN
        pairs "dav ($2)" 0.9 1
        ;;
    esac
    exit 0
fi

[ -x "$STORE_PUT" ] || die "$STORE_PUT: no such program; build it, or name it by a variable"
command -v curl >/dev/null || die 'curl: not found'
mkdir -p "$SCRATCH"
work=$(mktemp -d "$SCRATCH/stores.XXXXXX")
trap 'rm -rf "$work"' EXIT
export BYTES=$work/bytes
head -c $((MEGABYTES << 20)) /dev/urandom >"$BYTES"
echo "$MEGABYTES MiB, $RUNS pairs, $(nproc) cores"
row store ours curl ratio goal MB/s ''
for store in $STORES; do
    mkdir "$work/$store"
    code=0
    (cd "$work/$store" && TMPDIR=$PWD exec "$here/bench-stores.sh" --one "$store") || code=$?
    [ "$code" != 77 ] || continue
    [ "$code" = 0 ] || die "$store: failed"
done
