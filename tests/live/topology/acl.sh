# A user that may nothing, on every node of a cluster: what check says is given until it is content; then a backup works, and
# the rules are those of the manual. Without one of them it is said so. The user that the manual has for a restore restores.
# shellcheck source=tests/live/cluster/_cluster.sh
. "$TESTS/live/cluster/_cluster.sh"
make_repo
export RESPITE_IDENTITY=$PWD/sheet
cluster_start c 2 1
cluster_fill c >/dev/null 2>&1
N=4
setuser() { # INDEX USER RULES...
    at "c/$1" --user admin --pass adm --no-auth-warning ACL SETUSER "${@:2}" >refused
    [ "$(<refused)" = OK ] || die "ACL SETUSER ${*:2}: $(<refused)"
}
on_all() { for ((i = 0; i < N; i++)); do setuser $i "$@"; done; }
over() { [ -z "$(cluster_each c --scan --pattern 'over:*')" ]; }
until_true 'what has expired is still there' over
KEYS=$(cluster_keys c)
U=$(cluster_uri c)
cluster_settled c
for ((i = 0; i < N; i++)); do
    at c/$i ACL SETUSER admin on '>adm' '~*' '&*' +@all >/dev/null
    at c/$i CONFIG SET masteruser admin masterauth adm >/dev/null
    at c/$i ACL SETUSER default off >/dev/null
done
ends 21 "$BACKUPD" check "$U"
says REDISCLI_AUTH
export REDISCLI_AUTH=pw RESPITE_USER=bk
ends 21 "$BACKUPD" check "$U"
says "for the user 'bk'"
# Of several reasons the one of who answers.
ends 21 "$BACKUPD" check "cluster://127.0.0.1:${PORT[c/0]},127.0.0.1:1"
says "for the user 'bk'"
on_all bk on '>pw'
# Told node by node, or for all of them at once.
for round in 1 2 3; do
    rc=0
    "$BACKUPD" check "$U" >out 2>err || rc=$?
    [ $rc != 0 ] || break
    grep -ho 'ACL SETUSER bk [-+~|a-z ]*' out err | sed 's/ACL SETUSER bk //' | tr ' ' '\n' | sort -u >>given
    mapfile -t rules < <(sort -u given)
    on_all bk "${rules[@]}"
done
[ "$rc" = 0 ] || { cat out err >&2 && die "check is not content after round $round"; }
[ "$(sort -u given | tr '\n' ' ')" = '+cluster|info +cluster|nodes +cluster|shards +info +ping +psync +replconf ' ] ||
    die "other rules than those of the manual: $(sort -u given | tr '\n' ' ')"
take "$U"
[ "$(json 'd["keys"]')" = "$KEYS" ]
# What a node forbids is told with its rule, and that it will be so the next time.
for rule in psync replconf 'cluster|nodes'; do
    on_all bk "-$rule"
    ends 21 "$BACKUPD" backup "$U" --patience 0s
    says "ACL SETUSER bk +$rule"
    never 'back up once more'
    on_all bk "+$rule"
done
# Lists are each node's own: a replica that knows nobody is passed over.
at c/2 --user admin --pass adm --no-auth-warning ACL DELUSER bk >/dev/null
ends 0 "$BACKUPD" backup "$U"
says "captured slots 0-8191 at redis://127.0.0.1:${PORT[c/0]}: "
# A restore, with what the manual says.
for ((i = 0; i < 2; i++)); do
    for what in FLUSHALL 'FUNCTION FLUSH'; do echo "$what"; done | at c/$i --user admin --pass adm --no-auth-warning >/dev/null
done
on_all re on '>pw' '+cluster|nodes' '+cluster|shards' '+cluster|info'
RESPITE_USER=re
ends 26 "$BACKUPD" restore latest --to "$U"
says 'ACL SETUSER re +restore +dbsize +set'
on_all re '~*' +@read +@write +multi +exec +select +info +ping +psync +replconf '+function|list'
ends 0 "$BACKUPD" restore latest --to "$U"
says equal
ends 0 "$BACKUPD" restore latest --to "$U" --existing replace
