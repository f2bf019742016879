# The configuration file: names of repositories and sources, precedence, refusals with file and line, --print-config.
# shellcheck disable=SC2015
. "$TESTS/cli/backupd/_repo.sh"
make_repo
unset RESPITE_REPO
cat >conf <<END
[global]
repo = main
keep-daily = 3
[repo main]
url = file:$PWD/repo
keep-daily = 14
passphrase-file = $PWD/pass
[source cache]
from = $DUMP
tag = team=web
level = 7
END
export RESPITE_CONFIG=conf
ends 0 "$BACKUPD" backup --source cache
ends 0 "$BACKUPD" list --json
[ "$(json 'd["snapshots"][0]["source"]')" = cache ] || die source
ends 0 "$BACKUPD" show latest --identity sheet
says team=web
ends 0 env RESPITE_LEVEL=9 "$BACKUPD" check --print-config --source cache --threads 2
grep -q '^repo  *= main  *# conf:2$' out || die repo
grep -q "^url  *= file:.*repo  *# conf:5$" out || die url
grep -q '^keep-daily  *= 14  *# conf:6$' out || die keep-daily
grep -q '^level  *= 9  *# RESPITE_LEVEL$' out || die level
grep -q '^threads  *= 2  *# option$' out || die threads
grep -q '^min-age  *= 24h  *# default$' out || die min-age
grep -q '^passphrase-file  *= .*/pass  *# conf:7$' out || die passphrase-file
ends 0 "$BACKUPD" check --print-config --json
[ "$(json '[v["from"] for v in d["values"] if v["key"] == "url"]')" = "['conf:5']" ] || die json
ends 20 "$BACKUPD" list --repo other
says 'no section [repo other]'
ends 20 "$BACKUPD" list --config none
echo 'leve = 3' >>conf
for verb in list "show latest" "check --print-config"; do
    # shellcheck disable=SC2086
    ends 20 "$BACKUPD" $verb
    says "conf:12: unknown key 'leve'"
done
sed -i '$d' conf
chmod o+w conf
ends 20 "$BACKUPD" list
says 'everybody may write'
chmod o-w conf
ends 0 "$BACKUPD" list
unset RESPITE_CONFIG
ends 0 "$BACKUPD" list --repo "file:$PWD/repo"
ends 20 "$BACKUPD" list --repo main
