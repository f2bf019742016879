#!/usr/bin/env bash
# What this is: makes the golden repository of a release: tests/data/golden/make.sh 0.1.0, once, before the release.
# Rests on: BACKUPD and RDBTOOL (default: build/bin), the dumps of tests/data, python3.
# Does not: replace one that is there: what a release wrote is kept as it is, for ever.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=${here%/golden}
top=${data%/tests/data}
out=$here/${1:?usage: make.sh VERSION}
BACKUPD=$(realpath "${BACKUPD:-$top/build/bin/backupd}")
RDBTOOL=$(realpath "${RDBTOOL:-$top/build/bin/rdbtool}")
[ ! -e "$out" ] || { echo "$out: there already" >&2 && exit 1; }
umask 077
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$data" # the manifests say what was read: names from here
unset "${!RESPITE_@}"
export RESPITE_REPO="file:$scratch/repo" RESPITE_STATE=$scratch/state
k=$scratch/keys
mkdir "$k"

root() { "$BACKUPD" "$@" --identity "$k/sheet" >&2; }
# store SOURCE FILE DAY [options]: a snapshot; its id
store() {
    local source=$1 file=$2 rc=0
    "$BACKUPD" backup --source "$source" --from "$file" --now "2026-11-$3T03:00:00Z" --json "${@:4}" >"$scratch/stored" || rc=$?
    [ "$rc" = 0 ] || [ "$rc" = 3 ]
    python3 -c 'import json, sys; print(json.load(sys.stdin)["snapshot"])' <"$scratch/stored"
}

echo 'a golden sentence that nobody would guess' >"$k/passphrase"
"$BACKUPD" init --recovery-out "$k/sheet" --name host | sed -n 's/^root *//p' >"$k/root.pub"
root key add --passphrase-reader --name night --role read --passphrase-file "$k/passphrase"
"$BACKUPD" key new --out "$k/spare" --name spare >"$k/spare.pub"
root key add "$(<"$k/spare.pub")" --name spare --role write:web,cache

# removed by prune; retired, of a writer that is removed later; pinned; noted; accepted though damaged; clear; many chunks
gone=$(store web redis-2.8.24/onekey.rdb 01)
retired=$(store web redis-5.0.14/expiry.rdb 02 --identity "$k/spare")
store web redis-6.2.16/cluster.rdb 03 >&2
pinned=$(store web redis-7.2.6/functions.rdb 04 --tag 'why=before the move' --tag n=1)
noted=$(store web valkey-9.1.2/multidb.rdb 05 --prove read)
store cache hand/counts-65535.rdb 05 --identity "$k/spare" >&2
lost=$(store cache redis-2.4.18/onekey.rdb 06)
store cache bad/crc-wrong.rdb 07 --accept-damaged >&2
store cache redis-8.6.3/empty.rdb 08 --check quick --no-digest >&2
store clear redis-4.0.14/onekey.rdb 09 --suite none >&2
store clear valkey-8.1.1/streams.rdb 10 --suite none --chunk 4K >&2
store big redis-7.4-rc1/hfe.rdb 11 --chunk 4K --level 9 >&2

# Times of arrival are not kept by git: every signer's lies before them, so that they decide nothing.
export RESPITE_NOW=2026-11-11T12:00:00Z
root key remove spare
"$BACKUPD" pin "$pinned" >&2
"$BACKUPD" annotate "$noted" ticket=OPS-17 'text=the one to go back to' >&2
"$BACKUPD" expire "$gone" >&2
"$BACKUPD" prune --quarantine 0s >&2
"$BACKUPD" expire "$retired" >&2
# one is damaged, and given up
epoch=$("$BACKUPD" show "$lost" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["epoch"])')
rm -rf "$scratch/repo/data/${epoch:?}"
"$BACKUPD" verify >&2 || [ $? = 24 ]
"$BACKUPD" expire --acknowledge "$lost" >&2

# readers that came later: a plain identity file and one under a passphrase
"$BACKUPD" key new --out "$k/ops" --name ops >"$k/ops.pub"
"$BACKUPD" key new --out "$k/vault" --name vault --passphrase-file "$k/passphrase" >"$k/vault.pub"
root key add "$(<"$k/ops.pub")" --name ops --role read
root key add "$(<"$k/vault.pub")" --name vault --role read --role prove
root key rewrap
store web redis-7.0.15-debian/zsets.rdb 12 --tag last=yes >&2

if "$RDBTOOL" help pack >/dev/null 2>&1; then
    "$RDBTOOL" pack redis-7.2.6/cluster.rdb --recipient "$(<"$k/ops.pub")" -o "$scratch/cluster.rspack" >&2
    sha256sum <redis-7.2.6/cluster.rdb | cut -d ' ' -f 1 >"$scratch/cluster.rspack.sha256"
fi

# ---- what every later version must answer ----
unset RESPITE_NOW
export RESPITE_STATE=$scratch/none RESPITE_IDENTITY=$k/sheet
mkdir "$scratch/expect"
"$BACKUPD" list --all --json >"$scratch/expect/list.json"
python3 -c 'import json, sys; [print(s["id"]) for s in json.load(sys.stdin)["snapshots"]]' <"$scratch/expect/list.json" |
    while read -r id; do
        "$BACKUPD" show "$id" --json >"$scratch/expect/show-$id.json"
        cat=0 export=0
        "$BACKUPD" cat "$id" >"$scratch/dump" || cat=$?
        "$BACKUPD" export "$id" --bytes base64 --with-meta >"$scratch/export" || export=$?
        sum=$(sha256sum <"$scratch/dump")
        exported=$(sha256sum <"$scratch/export")
        echo "$id $cat ${sum%% *} $export ${exported%% *}"
    done >"$scratch/expect/streams"
# What the machine, the clone and the words of a version decide is not compared.
python3 - "$scratch/expect" <<'END'
import json, pathlib, sys
for path in pathlib.Path(sys.argv[1]).glob("*.json"):
    d = json.loads(path.read_text())
    for name in ("url", "troubles"):
        d.pop(name, None)
    for row in d.get("snapshots", []):
        row.pop("source") # its name is sealed: what this machine has learnt decides
    path.write_text(json.dumps(d, indent=1, sort_keys=True) + "\n")
END
mkdir "$out"
cp -r "$scratch/repo" "$scratch/expect" "$k" "$out"
cp "$scratch"/cluster.rspack* "$out" 2>/dev/null || :
find "$out" -name '*.part' -delete
find "$out" -type d -empty -delete
chmod -R u+rwX,go+rX "$out"
find "$out" -type f -printf '%s\n' | awk '{ n += $1 } END { print n " bytes in " NR " files" }' >&2
