# Servers of other generations, of other Debian suites: what each holds, captured, is restored into a running one of the same
#   version, into its data directory with AOF on, and proven by a drill in it: equal each time.
# Rests on: tests/live/_redis.sh, tests/long/_servers.sh (the network). The servers stay in $B-servers.
# Does not: restore across versions; that is of the loss report.
# TIMEOUT: 900
# shellcheck source=tests/live/_redis.sh
. "$TESTS/live/_redis.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet

one_engine() { # SUITES PACKAGE
    local name=${1//,/-}-$2 dir=$B-servers/${1//,/-}-$2 rc=0 version
    bash "$TESTS/long/_servers.sh" "$1" "$dir" "$2" >servers.out 2>&1 || rc=$?
    [ $rc != 77 ] || { cat servers.out >&2 && missing="$missing $name" && return; }
    [ $rc = 0 ] || { cat servers.out >&2 && die "$name: not unpacked"; }
    ENGINE=("$dir/run" "$2")
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$dir/run" "$2" >"engine-$name"
    chmod +x "engine-$name"
    server one
    version=$(field one valkey_version)
    version=${version:-$(field one redis_version)}
    fill one
    take "$(uri one)" --source "$name"
    # A running one.
    server two
    ends 0 "$BACKUPD" restore "$ID" --to "$(uri two)"
    says 'compared: equal'
    equal one two
    # Over what it holds, and what it holds is left alone.
    ends 0 "$BACKUPD" restore "$ID" --to "$(uri two)" --existing replace
    says 'compared: equal'
    equal one two
    ends 0 "$BACKUPD" restore "$ID" --to "$(uri two)" --existing skip
    equal one two
    server_end two
    rm -rf two
    # Its directory, with AOF on.
    mkdir two
    printf 'dir %s/two\nappendonly yes\nport 0\n' "$PWD" >two.conf
    ends 0 "$BACKUPD" restore "$ID" --server-config two.conf --server "$PWD/engine-$name"
    server two --appendonly yes
    equal one two
    server_end two
    server two --appendonly yes # again, from what it wrote itself
    equal one two
    server_end two
    rm -rf two two.conf
    # Vector sets are numbered anew by whoever loads them: present, but no proof.
    if [ "$(at one EXISTS vectors)" = 1 ]; then
        ends 3 "$BACKUPD" drill "$ID" --server "$PWD/engine-$name"
        says 'all else is equal'
        at one DEL vectors >/dev/null
        take "$(uri one)" --source "$name"
    fi
    ends 0 "$BACKUPD" drill "$ID" --server "$PWD/engine-$name"
    says "restored into ${2%-server} $version"
    echo "$2 $version: restored, and proven" >>seen
    server_end one
    rm -rf one
}

missing=
one_engine trixie redis-server
one_engine sid,experimental redis-server
one_engine trixie valkey-server
one_engine sid valkey-server
cat seen >&2
[ -z "$missing" ] || { echo "these suites cannot be had:$missing" >&2 && exit 77; }
