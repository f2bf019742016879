# A writer's host with no reader's secret on its disk: every verb there is, with and without the seed. What needs a secret
# ends in 12 and names --identity; a verb that no list below knows fails the case.
# shellcheck source=tests/cli/backupd/_store.sh
. "$TESTS/cli/backupd/_store.sh"
mkdir elsewhere
mv sheet elsewhere/seed
seed=$PWD/elsewhere/seed
pub=$("$BACKUPD" key new --out elsewhere/reader --name reader)
tried=" "
# try STATUS VERB...: it is noted which verbs have been tried
try() {
    local want=$1
    shift
    case $1 in key) tried+="$1 $2 " ;; *) tried+="$1 " ;; esac
    status "$want" "$BACKUPD" "$@"
    if [ "$want" = 12 ]; then has err --identity; fi
}
for i in 1 2 3; do try 0 backup --from "$DUMP" --tag "run=$i" --prove read; done

# What a writer and keeper does, it does.
try 0 list
[ "$(grep -c good out)" = 3 ]
try 0 list --all --json
try 0 show latest
try 0 status
try 0 verify
try 0 verify --read-stored
try 0 pin latest --note 'before the change'
try 0 unpin latest
try 0 annotate latest checked=yes
try 0 expire --keep-last 1 --min-age 0s
has out '2'
try 0 prune --quarantine 0s
try 0 check --keep-daily 3
try 0 probe
status 0 "$BACKUPD" init --repo "file:$PWD/mirror" --mirror-of "$RESPITE_REPO"
try 0 copy --to "file:$PWD/mirror"
has out 'copied'
try 0 key list
try 0 key show
try 0 key republish
try 0 key policy
try 0 key new --out another --name another
try 0 backup --from "$DUMP" --check quick
try 0 backup --from "$DUMP"

# Nothing that was stored is read: not as a stream, not as a key, not as a file, not to be read again.
refused() {
    try 12 cat latest
    [ ! -s out ]
    try 12 get latest key
    [ ! -s out ]
    try 12 export latest
    [ ! -s out ]
    try 12 restore latest --to restored
    [ ! -e restored ]
    try 12 drill latest
    try 12 verify --read-data
    try 12 verify --read-data=50%
}
refused
# Nobody is given or refused rights by it, and no snapshot is opened for anyone.
try 12 key add "$pub" --name reader --role read
try 12 key remove "$(sed -n 's/^name *//p' init.out)"
try 12 key forget 0123456789abcdef
status 0 "$BACKUPD" key add "$pub" --name reader --role read --identity "$seed"
try 12 key rewrap
refused
# The host's own secret, named as if it were a reader's, opens nothing either.
own=$(find state -name identity)
[ -f "$own" ]
for verb in 'cat latest' 'get latest key' 'export latest' 'restore latest --to restored' 'verify --read-data' 'key rewrap'; do
    read -ra words <<<"$verb"
    status 12 "$BACKUPD" "${words[@]}" --identity "$own"
    has err --identity
done
[ ! -e restored ]

# With the seed everything opens.
export RESPITE_IDENTITY=$seed
try 0 cat latest
cmp out "$DUMP"
"$RDBTOOL" export "$DUMP" >want
try 0 export latest
cmp want out
key=$("$RDBTOOL" export "$DUMP" | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["key"])')
try 0 get latest "$key"
try 0 restore latest --to restored
cmp restored "$DUMP"
try 0 verify --read-data
try 0 key rewrap
has out added
export RESPITE_IDENTITY=$PWD/elsewhere/reader # whom root let in, for what was there before as well
try 0 cat latest
cmp out "$DUMP"
try 12 backup --from "$DUMP" # a reader writes nothing
try 12 expire latest
unset RESPITE_IDENTITY

# init was tried above.
tried+='init '
"$BACKUPD" --help >help
sed -n '/^verbs:/,/^$/s/^  \([a-z]*\( [a-z]*\)\?\)\( .*\)\?$/\1/p' help | sed 's/ *$//' | grep . >verbs
[ "$(wc -l <verbs)" -ge 20 ]
while read -r verb; do
    case $tried in *" $verb "*) ;; *) echo "'$verb' was not tried" >&2 && exit 1 ;; esac
done <verbs
