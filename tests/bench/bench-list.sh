#!/usr/bin/env bash
# What this is: times list, verify, expire, prune and a backup in a repository of 10,000 snapshots (SNAPSHOTS, SOURCES).
# Rests on: backupd, repo_gen and run1 (built by make bench), awk; strace, where it is, counts what list asks for.
# Does not: build anything, or fail because of a time. It fails when a command does, or when list fetches over 60 objects.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
BACKUPD=${BACKUPD:-$here/../../build/bin/backupd}
REPO_GEN=${REPO_GEN:-$here/../../build/bench/repo_gen}
RUN1=${RUN1:-$here/../../build/bench/run1}
SCRATCH=${SCRATCH:-${TMPDIR:-/var/tmp}/respite-bench}
SNAPSHOTS=${SNAPSHOTS:-10000}
SOURCES=${SOURCES:-4}
DUMP=$here/../data/redis-7.0.15-debian/onekey.rdb

die() {
    echo "bench-list.sh: $*" >&2
    exit 2
}
for program in "$BACKUPD" "$REPO_GEN" "$RUN1"; do
    [ -x "$program" ] || die "$program: no such program; build it, or name it by a variable"
done
mkdir -p "$SCRATCH"
work=$(mktemp -d "$SCRATCH/list.XXXXXX")
trap 'rm -rf "$work"' EXIT
unset "${!RESPITE_@}"
export RESPITE_STATE=$work/state RESPITE_REPO=file:$work/repo

row() {
    local line wall user sys kib
    line=$("$RUN1" "$BACKUPD" "${@:2}") || die "$*: failed"
    read -r wall user sys kib <<<"$line"
    printf '%-34s %8s %8s %8s %8s\n' "$1" "$wall" "$user" "$sys" "$kib"
}
fetched() { # how many objects list opens
    strace -f -e trace=openat -o "$work/trace" "$BACKUPD" list >/dev/null
    grep -v 'O_DIRECTORY\|ENOENT' "$work/trace" |
        grep -cE '"([^"]*/)?([0-9]{10}(-[0-9]{8}T[0-9]{6}Z-[a-z]+)?-)?[0-9a-f]{64}"' || :
}

"$BACKUPD" init --recovery-out "$work/sheet" --name host >/dev/null
"$REPO_GEN" "$work/repo" "$work/sheet" "$SNAPSHOTS" "$SOURCES"
keep=(--keep-last 30 --keep-daily 30 --keep-monthly 12)
printf '%-34s %8s %8s %8s %8s\n' "$SNAPSHOTS snapshots" wall user system KiB
row 'list' list
row 'list --all' list --all
row 'status' status
row 'verify' verify
row 'expire --dry-run' expire "${keep[@]}" --dry-run
row 'backup' backup --from "$DUMP" --source source-0
row 'expire' expire "${keep[@]}"
row 'prune' prune --quarantine 0s
row 'list, then' list
row 'verify, then' verify
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    n=$(fetched)
    echo "list fetches $n objects"
    [ "$n" -le 60 ] || die 'more than 60'
fi
