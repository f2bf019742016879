# What this is: the literal blocks of a section of respite-stores(7), for the cases man_*.sh; source it, then page SECTION.
# Rests on: awk, sed; BACKUPD, DATA.
# Does not: know a server. Of a block either every line is a command ("# "; it may go on behind a backslash) or none.
#
# PLACES: arguments of sed that put the case's own hosts and paths in place of the page's.
PAGE=$TESTS/../man/respite-stores.7
PLACES=()
GIVEN=/dev/null
die() { echo "$*" >&2 && exit 1; }
backupd() { "$BACKUPD" "$@"; }
# page SECTION: its blocks, numbered from 1
page() {
    rm -rf blocks && mkdir -p blocks/taken
    awk -v section="$1" '
        /^\.Sh / { on = $0 == ".Sh " section }
        on && /^\.Bd/ { n++; inside = 1; next }
        /^\.Ed/ { inside = 0 }
        on && inside { gsub(/\\e/, "\\"); print > ("blocks/" n) }' "$PAGE"
    [ -e blocks/1 ] || die "the page has no section $1 with blocks"
}
# block N: as it stands there, with the case's places
block() {
    [ -e "blocks/$1" ] || die "the page has no block $1"
    : >"blocks/taken/$1"
    sed "${PLACES[@]}" "blocks/$1"
}
# text N: a block that is no command
text() {
    ! grep -q '^# ' "blocks/$1" || die "block $1 has commands"
    block "$1"
}
# run N: every command of the block, in its order; each reads $GIVEN. What they said is in out and err.
run() {
    local line rc
    block "$1" | sed -e ':a' -e '/\\$/{' -e 'N' -e 's/\\\n */ /' -e 'ba' -e '}' >commands
    # shellcheck disable=SC2015
    [ -s commands ] && ! grep -v '^# ' commands >&2 || die "block $1 is not one of commands"
    : >out && : >err
    while IFS= read -r line <&3; do
        rc=0
        eval "${line#\# }" >>out 2>>err <"$GIVEN" || rc=$?
        [ $rc = 0 ] || { cat out err >&2 && die "'$line' ended with $rc"; }
    done 3<commands
}
# Each of them was executed or used.
page_end() {
    local file
    for file in blocks/[0-9]*; do
        [ -e "blocks/taken/${file##*/}" ] || { cat "$file" >&2 && die "block ${file##*/} of the page was not tried"; }
    done
}

# ends STATUS COMMAND...: output in out and err
ends() {
    local want=$1 rc=0
    shift
    "$@" >out 2>err </dev/null || rc=$?
    [ "$rc" = "$want" ] || { cat out err >&2 && die "exit status $rc, expected $want: $*"; }
}
# works URL WRITER KEEPER: names of arrays of options. The writer backs up twice and may not expire what it cannot write;
# the keeper takes the older one away; both find all in order.
works() {
    local -n as_writer=$2 as_keeper=$3
    local dump=$DATA/packed/cluster.rdb
    ends 0 backupd backup --repo "$1" --from "$dump" --source man "${as_writer[@]}"
    ends 0 backupd backup --repo "$1" --from "$dump" --source man "${as_writer[@]}"
    ends 0 backupd verify --repo "$1" --read-stored "${as_writer[@]}"
    ends 0 backupd expire --repo "$1" --keep-last 1 --min-age 0s "${as_keeper[@]}"
    ends 0 backupd prune --repo "$1" --quarantine 0s --debris-age 0s "${as_keeper[@]}"
    ends 0 backupd backup --repo "$1" --from "$dump" --source man "${as_writer[@]}"
    ends 0 backupd verify --repo "$1" --read-data --identity SHEET "${as_writer[@]}"
    ends 0 backupd list --repo "$1" --source man --json "${as_writer[@]}"
    [ "$(grep -c '"id"' out)" = 2 ] || { cat out >&2 && die 'not two snapshots'; }
}
# creates URL RIGHTS OPTIONS...: probe finds a writer who cannot delete; RIGHTS: OK, he cannot replace either, or note
creates() {
    ends 0 backupd probe --repo "$1" "${@:3}"
    # shellcheck disable=SC2015
    grep -q '^note *delete .*this writer cannot delete' out && grep -q "^$2 *rights " out ||
        { cat out >&2 && die 'probe takes him for no writer'; }
}
# stays URL OPTIONS...: nothing was lost or changed
stays() { ends 0 backupd verify --repo "$1" --read-data --identity SHEET "${@:2}"; }
# rules FILE: each line of it that says what a writer may do stands in `backupd key policy`, too
rules() {
    local line
    ends 0 backupd key policy
    sed 's/^[# ]*//; s/  */ /g; s/ *$//' out >policy
    while read -r line; do
        [ -z "$line" ] || grep -qxF -- "$line" policy || die "backupd key policy does not say: $line"
    done < <(sed 's/^ *//; s/  */ /g; s/ *$//' "$1")
}
