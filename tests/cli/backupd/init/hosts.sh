# A further host pins root and never sees the seed; a mirror has the same root; a host that knows neither trusts nobody.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
store 2026-11-01
export RESPITE_STATE=$PWD/second
ends 12 "$BACKUPD" list
says --root
says --identity
ends 0 "$BACKUPD" init --root "$PUB" --name two
says 'key add rsp-pub-'
two=$(sed -n 's/^this host *//p' out)
ends 0 "$BACKUPD" list
says "${ID:0:10}"
ends 12 "$BACKUPD" backup --from "$DUMP"
says --identity
# It stays the same identity when init is run again.
ends 0 "$BACKUPD" init --root "$PUB" --name two
says "$two"
ends 0 "$BACKUPD" key add "$two" --name two --role write --identity sheet
ends 0 "$BACKUPD" backup --from "$DUMP"
ends 12 "$BACKUPD" prune
# Another root than the repository's.
ends 0 "$BACKUPD" key new --out other --name x
ends 24 env RESPITE_STATE="$PWD/third" "$BACKUPD" list --root other
ends 0 env RESPITE_STATE="$PWD/third" "$BACKUPD" list --root "$PUB"
says 'remembers nothing'
# A mirror.
ends 0 "$BACKUPD" init --repo "file:$PWD/mirror" --mirror-of "file:$PWD/repo"
says "$PUB"
ends 0 "$BACKUPD" key list --repo "file:$PWD/mirror" --json
[ "$(json 'len(d["identities"])')" = 3 ] || die 'roles were not copied'
ends 0 "$BACKUPD" backup --from "$DUMP" --repo "file:$PWD/mirror"
ends 2 "$BACKUPD" init --repo "file:$PWD/m2" --mirror-of "file:$PWD/repo" --recovery-out x
ends 10 "$BACKUPD" list --repo "file:$PWD/nowhere" --root "$PUB"
