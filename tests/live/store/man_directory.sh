# What this is: every command of the section DIRECTORIES of respite-stores(7), and those of its beginning and EXAMPLES.
# Rests on: _man.sh.
# Does not: need a server.
# shellcheck disable=SC2034
. "$TESTS/live/store/_man.sh"
PLACES=(-e "s|/srv/backup|$PWD/backup|g; s|URL|file:$PWD/backup|")
mkdir backup
page DESCRIPTION
run 1
grep -q '^OK *put ' out || die 'probe tells nothing'
page_end
rmdir backup

page DIRECTORIES
run 1
page_end
[ "$(stat -c %a backup)" = 700 ]
none=()
works "file:$PWD/backup/redis" none none
[ -z "$(find backup -type f ! -perm 600)$(find backup -type d ! -perm 700)" ] || die 'the modes are others than the page says'
