#!/usr/bin/env bash
# What this is: do two servers hold the same? _equal.sh SOCKET SOCKET: DEBUG DIGEST of both, and all that a client can read.
# Rests on: redis-cli, python3, oracle-dump.py.
# Does not: wait for quiet: nobody may write meanwhile. Status 1 when they differ, with what differs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
a=$(redis-cli -s "$1" DEBUG DIGEST)
b=$(redis-cli -s "$2" DEBUG DIGEST)
[[ $a =~ ^[0-9a-f]{40}$ ]] || { echo "DEBUG DIGEST of $1: $a" && exit 2; }
[ "$a" = "$b" ] || echo "DEBUG DIGEST: $a and $b"
for i in 1 2; do python3 "$here/oracle-dump.py" "unix:${!i}" >"$scratch/$i.json"; done
python3 "$here/oracle-dump.py" --compare "$scratch/1.json" "$scratch/2.json"
[ "$a" = "$b" ]
