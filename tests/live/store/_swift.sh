# What this is: a private OpenStack Swift with its S3 side for a case, in ./swift; source it, then swift_start. An S3 server
#   that has neither a conditional put nor locks, and insists on the region.
# Rests on: swift-proxy, swift-account, swift-container, swift-object, curl, python3; a file system with extended attributes.
# Does not: listen anywhere but on loopback, or outlive the case.
for tool in swift-proxy-server swift-account-server swift-container-server swift-object-server swift-ring-builder curl; do
    command -v $tool >/dev/null || { echo "$tool is not installed" >&2 && exit 77; }
done
SWIFT=$PWD/swift
SWIFT_PID=()
swift_stop() {
    local pid
    for pid in ${SWIFT_PID[@]+"${SWIFT_PID[@]}"}; do kill -KILL "$pid" 2>/dev/null || :; done
    SWIFT_PID=()
    ! declare -F children_stop >/dev/null || children_stop
    wait 2>/dev/null || :
}
trap swift_stop EXIT

swift_ports() {
    python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(('127.0.0.1', 0))
print(*[s.getsockname()[1] for s in held])
PY
}
# swift_part NAME PORT: ring and configuration of one of the three servers behind the proxy
swift_part() {
    local ring=(swift-ring-builder "$SWIFT/etc/$1.builder")
    "${ring[@]}" create 1 1 0 >"$SWIFT/log/ring-$1"
    "${ring[@]}" add "r1z1-127.0.0.1:$2/disk" 1 >>"$SWIFT/log/ring-$1"
    "${ring[@]}" rebalance >>"$SWIFT/log/ring-$1"
    cat >"$SWIFT/etc/$1.conf" <<C
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
workers = 0
user = $(id -un)
swift_dir = $SWIFT/etc
devices = $SWIFT/dev
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
log_level = ERROR
recon_cache_path = $SWIFT/cache
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
[$1-replicator]
[$1-updater]
[$1-auditor]
[container-sync]
[account-reaper]
C
}
swift_proxy() {
    local part
    cat >"$SWIFT/etc/proxy.conf" <<C
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $1
workers = 0
user = $(id -un)
swift_dir = $SWIFT/etc
log_level = ERROR
[pipeline:main]
pipeline = catch_errors cache listing_formats bulk tempurl s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$2
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
min_segment_size = 5242880
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = SECRETSECRET .admin .reseller_admin
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
C
    for part in catch_errors listing_formats bulk tempurl copy slo dlo symlink; do
        printf '[filter:%s]\nuse = egg:swift#%s\n' $part $part
    done >>"$SWIFT/etc/proxy.conf"
}
swift_answers() {
    local port
    for port in "$@"; do curl -s --noproxy '*' -o "$SWIFT/log/answer" "http://127.0.0.1:$port/" || return 1; done
}
# swift_start: leaves S3_ENDPOINT, S3_ACCESS, S3_SECRET and STORE_URL, a bucket that is not there yet.
swift_start() {
    local name object container account proxy nobody i
    mkdir -p "$SWIFT"/{dev/disk,etc,log,cache}
    printf '[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n' >"$SWIFT/etc/swift.conf"
    read -r object container account proxy nobody <<<"$(swift_ports 5)"
    swift_part object "$object"
    swift_part container "$container"
    swift_part account "$account"
    swift_proxy "$proxy" "$nobody"
    for name in object container account proxy; do
        swift-$name-server "$SWIFT/etc/$name.conf" >"$SWIFT/log/$name.out" 2>&1 &
        SWIFT_PID+=($!)
    done
    export S3_ENDPOINT=http://127.0.0.1:$proxy S3_ACCESS=test:tester S3_SECRET=SECRETSECRET
    # shellcheck disable=SC2034 # what the case asks for
    STORE_URL="s3://bucket-one/repo?endpoint=$S3_ENDPOINT"
    # The proxy answers before those behind it do: then it says 503.
    for ((i = 0; i < 600; i++)); do
        ! swift_answers "$object" "$container" "$account" "$proxy" || return 0
        sleep 0.05
    done
    tail -n 20 "$SWIFT"/log/*.out >&2
    exit 1
}
