#!/usr/bin/env bash
# What this is: times backupd beside a pipe of zstd and age on generated dumps: seconds, ratios, sizes, memory.
# Rests on: backupd, gen and run1 (built by make bench), zstd, age, awk.
# Does not: build anything, or fail because of a time. It fails when a command does.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
BACKUPD=${BACKUPD:-$here/../../build/bin/backupd}
GEN=${GEN:-$here/../../build/bench/gen}
RUN1=${RUN1:-$here/../../build/bench/run1}
SCRATCH=${SCRATCH:-${TMPDIR:-/var/tmp}/respite-bench}
SCALE=${SCALE:-1}
RUNS=${RUNS:-3}
SHAPES=${SHAPES:-strings mix}

die() {
    echo "bench-backup.sh: $*" >&2
    exit 2
}
for program in "$BACKUPD" "$GEN" "$RUN1"; do
    [ -x "$program" ] || die "$program: no such program; build it, or name it by a variable"
done
for program in zstd age age-keygen; do
    command -v "$program" >/dev/null || die "$program: not found; make deps installs it"
done
mkdir -p "$SCRATCH"
work=$(mktemp -d "$SCRATCH/backup.XXXXXX")
trap 'rm -rf "$work"' EXIT
export RESPITE_STATE=$work/state
unset RESPITE_REPO RESPITE_IDENTITY RESPITE_CONFIG

median() { # of its arguments
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
        END { printf "%.3f\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
divide() {
    awk -v a="$1" -v b="$2" 'BEGIN { if (b <= 0) b = 0.001; printf "%.3f\n", a / b }'
}
once() { # sets wall and kib
    local line
    line=$("$RUN1" "$@") || die "$*: failed"
    read -r wall _ _ kib <<<"$line"
}
file_of() {
    if [ "$SCALE" = 1 ]; then echo "$SCRATCH/$1.rdb"; else echo "$SCRATCH/$1-$SCALE.rdb"; fi
}
row() {
    printf '%-8s %-34s %8s %8s %7s %7s %8s %8s  %s\n' "$@"
}

age-keygen -o "$work/age.key" 2>/dev/null
key=$(sed -n 's/^# public key: //p' "$work/age.key")

# shellcheck disable=SC2016 # the inner shell expands
theirs_backup() {
    once sh -c 'zstd -q -3 -T2 -c "$1" | age -r "$2" > "$3"; sync' sh "$1" "$key" "$work/theirs.age"
}
# shellcheck disable=SC2016
theirs_restore() {
    once sh -c 'age -d -i "$1" "$2" | zstd -q -d > "$3"; sync' sh "$work/age.key" "$work/theirs.age" "$work/theirs.out"
}

# What the run before left to the disk (write-back, freed blocks) is not this one's: the same pause before both.
settle() {
    sync
    sleep 1
}

# A repository of its own for each run, so that what one leaves behind does not weigh on the next.
fresh() {
    rm -rf "$work/repo" "$work/state" "$work/seed"
    "$BACKUPD" init --repo "file:$work/repo" --recovery-out "$work/seed" >/dev/null 2>&1 || die "init failed"
}

verdict() { # value relation goal
    awk -v v="$1" -v r="$2" -v g="$3" 'BEGIN { print (r == ">=" ? v + 0 >= g + 0 : v + 0 <= g + 0) ? "ok" : "missed" }'
}

# pairs SHAPE LABEL GOAL backup|restore OPTIONS...
pairs() {
    local shape=$1 label=$2 goal=$3 what=$4 file i rss=0
    local -a ours=() theirs=() ratios=()
    shift 4
    file=$(file_of "$shape")
    for ((i = 0; i < RUNS; i++)); do
        if [ "$what" = backup ]; then
            fresh
            settle
            theirs_backup "$file"
            theirs+=("$wall")
            settle
            once "$BACKUPD" backup --repo "file:$work/repo" --source bench --from "$file" "$@"
        else
            rm -f "$work/ours.out" "$work/theirs.out"
            settle
            theirs_restore
            theirs+=("$wall")
            rm -f "$work/theirs.out"
            settle
            once "$BACKUPD" restore latest --repo "file:$work/repo" --identity "$work/seed" --to "$work/ours.out" "$@"
            cmp -s "$file" "$work/ours.out" || die "$label: what was restored differs"
        fi
        ours+=("$wall")
        ratios+=("$(divide "${theirs[i]}" "$wall")")
        [ "$kib" -le "$rss" ] || rss=$kib
    done
    ratio=$(median "${ratios[@]}")
    row "$shape" "$label" "$(median "${ours[@]}")" "$(median "${theirs[@]}")" "$ratio" ">=$goal" \
        "$(divide "$rss" 1024)" "$(divide "$(divide "$(stat -c %s "$file")" 1000000)" "$(median "${ours[@]}")")" \
        "$(verdict "$ratio" ">=" "$goal")"
}

for shape in $SHAPES; do
    case $shape in strings | mix | tiny) ;; *) die "no shape '$shape'" ;; esac
    file=$(file_of "$shape")
    if [ -e "$file" ] && [ ! "$GEN" -nt "$file" ]; then continue; fi
    "$GEN" "$shape" "$file.part" --scale "$SCALE"
    mv "$file.part" "$file"
done

echo "scale $SCALE, $RUNS pairs, $(nproc) cores, $(zstd --version | sed 's/^[* ]*//; s/,.*//'), age $(age --version)"
echo "beside: zstd -3 -T2 | age -r KEY > OUT; sync        age -d | zstd -d > OUT; sync"
row shape command seconds other ratio goal RSS-MiB MB/s ""
for shape in $SHAPES; do
    file=$(file_of "$shape")
    cat "$file" >/dev/null
    pairs "$shape" "backup quick, no digest" 0.85 backup --check quick --no-digest
    pairs "$shape" "backup quick, no digest, no recheck" 0.95 backup --check quick --no-digest --no-recheck
    pairs "$shape" "backup (full check, dd1)" 0.7 backup
    zstd_bytes=$(zstd -q -3 -T2 -c "$file" | wc -c)
    our_bytes=$(find "$work/repo/data" -type f -printf '%s\n' | awk '{ s += $1 } END { print s }')
    more=$(awk -v a="$our_bytes" -v b="$zstd_bytes" 'BEGIN { printf "%.2f", (a / b - 1) * 100 }')
    row "$shape" "stored bytes over zstd -3, %" "$our_bytes" "$zstd_bytes" "$more" "<=1" - - "$(verdict "$more" "<=" 1)"
    pairs "$shape" "restore" 1 restore
done
