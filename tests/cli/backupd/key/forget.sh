# A roles record that the storage lost and no host has: 24 names the way out, root gives it up, and all is well again.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
ends 0 "$BACKUPD" key new --out ops --name ops
ends 0 "$BACKUPD" key add "$(cat out)" --name ops --role read --identity sheet
ends 0 "$BACKUPD" backup --from "$DUMP"
first=$(basename repo/roles/0000000001-*)
second=$(basename repo/roles/0000000002-*)
hash=${first#*-}
# One that is there, or known, is none to give up; nor is anything that nobody misses.
ends 2 "$BACKUPD" key forget "$hash" --identity sheet
says 'nothing to give up'
ends 4 "$BACKUPD" key forget 0123456789abcdef --identity sheet
ends 4 "$BACKUPD" key forget rubbish --identity sheet
ends 2 "$BACKUPD" key forget --identity sheet
mv "repo/roles/$first" kept
ends 24 "$BACKUPD" verify
says 'key republish'
ends 2 "$BACKUPD" key forget "$first" --identity sheet
says 'key republish'
# A machine without memory: the way is named with the whole hash.
memory=$RESPITE_STATE
export RESPITE_STATE=$PWD/none
ends 24 "$BACKUPD" verify --root "$PUB"
says "backupd key forget $hash"
ends 24 "$BACKUPD" expire --keep-last 1 --identity sheet
ends 12 "$BACKUPD" key forget "$hash" --root "$PUB"
says --identity
ends 12 "$BACKUPD" key forget "$hash" --identity ops --root "$PUB"
ends 4 "$BACKUPD" key forget "$hash" 0123456789abcdef --identity sheet
[ "$(find repo/roles -type f | wc -l)" = 1 ] || die 'a refusal published something'
ends 0 "$BACKUPD" key forget "roles/$first" "${hash:0:8}" --identity sheet
says "given up for ever: roles record $hash"
says 'not known any more'
[ "$(find repo/roles -type f | wc -l)" = 2 ] || die 'one roles record more'
# A damaged one is as good as lost. Giving up again what is given up changes nothing.
mv "repo/roles/$second" kept2
for _ in 1 2; do ends 0 "$BACKUPD" key forget "${second#*-}" "$hash" --identity sheet --json; done
[ "$(json 'd["added"], d["forgotten"][0] + d["forgotten"][1], d["troubles"]')" = "(0, '${second#*-}$hash', [])" ] || die json
[ "$(find repo/roles -type f | wc -l)" = 2 ] || die 'given up twice'
for verb in verify list 'list --all' status; do
    # shellcheck disable=SC2086
    ends 0 "$BACKUPD" $verb --root "$PUB"
done
ends 0 "$BACKUPD" expire --keep-last 1 --identity sheet
ends 0 "$BACKUPD" prune --identity sheet
# What root signs later carries it over.
ends 0 "$BACKUPD" key remove ops --identity sheet
ends 0 "$BACKUPD" key add "$("$BACKUPD" key new --out w --name w)" --name w --role keep --identity sheet
ends 0 "$BACKUPD" verify --root "$PUB"
ends 0 "$BACKUPD" key list --root "$PUB"
never 'ops  ' # a public key may hold the letters, but no blanks
says host
export RESPITE_STATE=$memory
ends 0 "$BACKUPD" verify
# The newest is lost, and only a record still names it.
ends 0 "$BACKUPD" backup --from "$DUMP"
newest=$(basename "$(find repo/roles -name '0000000006-*')")
rm "repo/roles/$newest"
export RESPITE_STATE=$PWD/none
ends 24 "$BACKUPD" verify --root "$PUB"
says "${newest:11:16}"
ends 0 "$BACKUPD" key forget "${newest:11:16}" --identity sheet
ends 0 "$BACKUPD" verify --root "$PUB"
