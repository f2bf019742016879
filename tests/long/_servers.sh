#!/usr/bin/env bash
# What this is: servers of other Debian suites, to run without installing them: _servers.sh SUITE DIR PACKAGE. The packages with
#   all their libraries are unpacked under DIR/root; DIR/run PROGRAM ARGUMENTS... runs one of them through its own loader.
# Rests on: apt-get, dpkg, the network (a Debian mirror, that of this host's own sources).
# Does not: change this host's packages or sources. SUITE may be two with a comma: a package of the last, the rest of both.
#   Status 77 when the suite cannot be had.
set -euo pipefail
suite=$1 dir=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
exec 9>"$dir/lock"
flock 9
[ ! -x "$dir/run" ] || exit 0 # it is there
command -v apt-get >/dev/null || { echo 'no apt-get: other suites cannot be had' >&2 && exit 77; }
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keys ] || { echo "no $keys: other suites cannot be had" >&2 && exit 77; }
# Read whole before a line is taken: a closed pipe would fail.
# shellcheck disable=SC2016
sites=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages')
mirror=$(grep '/debian/*$' <<<"$sites" | head -n 1 || :)
mirror=${mirror:-http://deb.debian.org/debian}

state=$dir/apt
mkdir -p "$state"/{lists,cache/archives}/partial "$state/parts" "$dir/root"
for s in ${suite//,/ }; do echo "deb [signed-by=$keys] $mirror $s main"; done >"$state/sources"
: >"$state/status"
options=(-o Dir::State="$state" -o Dir::State::Lists="$state/lists" -o Dir::State::status="$state/status"
    -o Dir::Cache="$state/cache" -o Dir::Etc::sourcelist="$state/sources" -o Dir::Etc::sourceparts="$state/parts"
    -o Dir::Etc::preferencesparts="$state/parts" -o APT::Sandbox::User="$(id -un)")
if ! { apt-get "${options[@]}" -qq update && apt-get "${options[@]}" --target-release "${suite##*,}" -qq -y \
    --no-install-recommends --download-only install "$@"; } >"$state/log" 2>&1; then
    tail -n 3 "$state/log" >&2
    echo "the suite $suite cannot be had" >&2
    exit 77
fi
for deb in "$state"/cache/archives/*.deb; do dpkg -x "$deb" "$dir/root"; done

libraries=$dir/root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -dumpmachine)
loader=$(find "$dir/root" -name 'ld-linux*.so.*' ! -type d | head -n 1)
cat >"$dir/run.new" <<RUN
#!/bin/sh
program=\$1
shift
exec "$loader" --library-path "$libraries:$dir/root/lib/${libraries##*/}" "$dir/root/usr/bin/\$program" "\$@"
RUN
chmod +x "$dir/run.new"
mv "$dir/run.new" "$dir/run"
rm -rf "$state/cache" "$state/lists"
