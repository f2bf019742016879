# Every option is a variable; what is given nearer stands before it; standard input is read for one thing only.
# LONG
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
for n in 1 2 3; do store "2026-11-0$n"; done
ends 0 env RESPITE_LIMIT=1 RESPITE_JSON=yes "$BACKUPD" list
[ "$(json 'len(d["snapshots"]), d["older"]')" = '(1, 2)' ] || die 'RESPITE_LIMIT'
ends 0 env RESPITE_LIMIT=1 RESPITE_JSON=yes "$BACKUPD" list --limit 2
[ "$(json 'len(d["snapshots"])')" = 2 ] || die '--limit'
ends 2 env RESPITE_LIMIT=none "$BACKUPD" list
says RESPITE_LIMIT
ends 0 env RESPITE_IDENTITY=sheet "$BACKUPD" show latest
says 'stream      dump.rdb'
ends 0 env RESPITE_STATE="$PWD/none" RESPITE_ROOT="$PUB" "$BACKUPD" list
says 'remembers nothing'
ends 2 "$BACKUPD" backup --from - --identity - <"$DUMP"
says 'standard input'
# Each option of the table stands in the help of its verb with its variable.
"$BACKUPD" __options | while IFS=$'\t' read -r name _ _ verbs _; do
    read -ra words <<<"${verbs%%,*}"
    variable=RESPITE_$(tr 'a-z-' 'A-Z_' <<<"$name")
    "$BACKUPD" help "${words[@]}" | grep -qF -- "[$variable]" || die "$variable is not in the help of $verbs"
done
[ "$("$BACKUPD" __options | wc -l)" -ge 60 ] || die 'options'
for shell in bash zsh; do "$BACKUPD" __completion $shell >completion.$shell; done
bash -n completion.bash
