#!/usr/bin/env bash
# What this is: unpacks the tarball, builds and tests it, installs it under DESTDIR, compiles a sample against it,
#   uninstalls: run-distcheck.sh BUILD-FOLDER NAME.
# Rests on: make dist. Does not: leave anything but its tarball.
set -euo pipefail
build=$1 name=$2
tarball=$build/$name.tar.gz
dir=$(mktemp -d "${TMPDIR:-/tmp}/respite-dist.XXXXXX")
trap 'rm -rf "$dir"' EXIT
# Nothing of the outer make: its B, SAN or job server.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

step() { printf 'distcheck: %s\n' "$*"; }
tar -xzf "$tarball" -C "$dir"
cd "$dir/$name"
step build
make all >"$dir/log" || { tail -n 40 "$dir/log" && exit 1; }
step 'unit, api and cli tests'
make check-parts PARTS='unit api cli' >"$dir/log" 2>&1 || { tail -n 60 "$dir/log" && exit 1; }
tail -n 1 "$dir/log"

step install
root=$dir/root
make install DESTDIR="$root" PREFIX=/usr >"$dir/log" || { tail -n 40 "$dir/log" && exit 1; }
(cd "$root" && find . ! -type d | sort)
export PKG_CONFIG_PATH=$root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
step 'a sample against the shared object'
# shellcheck disable=SC2046 # flags
gcc -Wall -Wextra -Werror -o "$dir/shared" tests/api/count_keys.c $(pkg-config --cflags --libs respite)
LD_LIBRARY_PATH=$root/usr/lib "$dir/shared"
step 'a sample against the static library'
mv "$root/usr/lib/librespite.so" "$dir/kept"
# shellcheck disable=SC2046 # flags; those of other packages are not below the root
gcc -Wall -Wextra -Werror -o "$dir/static" -I"$root/usr/include" tests/api/count_keys.c "$root/usr/lib/librespite.a" \
    $(PKG_CONFIG_SYSROOT_DIR='' pkg-config --libs $(pkg-config --print-requires-private respite | cut -d ' ' -f 1)) -pthread
"$dir/static"
mv "$dir/kept" "$root/usr/lib/librespite.so"

step uninstall
make uninstall DESTDIR="$root" PREFIX=/usr >/dev/null
left=$(find "$root" ! -type d)
[ -z "$left" ] || { echo "left behind: $left" && exit 1; }
step ok
