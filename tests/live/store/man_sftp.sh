# What this is: every command and file of the section SFTP of respite-stores(7), with a private sshd; what the writer's key
#   cannot do, and what the page says that it can.
# Rests on: _man.sh, _sshd.sh, sftp. As root all of it; else without the directory that nobody gets out of.
# Does not: make a user: as root there is `nobody`, else there is only who runs this.
# shellcheck disable=SC2034,SC2154
. "$TESTS/live/store/_man.sh"
. "$TESTS/live/store/_sshd.sh"
command -v sftp >/dev/null || { echo 'sftp is not installed' >&2 && exit 77; }
PLACES=(-e "s|/etc/respite|$PWD/own|g; s|/etc/ssh|$PWD/ssh|g")
USER_THERE=$(id -un)
VAULT=$PWD/vault
if [ "$(id -u)" = 0 ]; then
    # Nobody but root may be able to change what is above it.
    USER_THERE=nobody
    HOME_THERE=$(mktemp -d /run/respite-case.XXXXXX)
    VAULT=$HOME_THERE/vault
    trap 'sshd_stop; rm -rf "$HOME_THERE"' EXIT
    chmod 755 "$HOME_THERE"
fi
PLACES+=(-e "s|/srv/vault|$VAULT|g; s|Match User vault|Match User $USER_THERE|; s|-o vault|-o $USER_THERE|")
MADE=
useradd() { MADE=$*; }
sshd() { "$SSHD_PROGRAM" -f "$SSHD/config" "$@"; }
systemctl() { [ "$*" = 'reload ssh' ] && kill -HUP "$SSHD_PID"; }
mkdir ssh
sshd_start
page SFTP
run 1
ssh-keygen -q -t ed25519 -N '' -C keeper -f own/keeper
run 2
[ "$MADE" = '--system --no-create-home --shell /usr/sbin/nologin vault' ]
text 3 >match
WHERE=
[ "$(id -u)" = 0 ] || { WHERE=$VAULT && sed -i /ChrootDirectory/d match; }
text 4 >rules
sed "s|WRITERKEY|$(<own/ssh.pub)|; s|KEEPERKEY|$(<own/keeper.pub)|" rules >ssh/vault.keys
chmod 644 ssh/vault.keys
chmod 711 . .. ssh # sshd reads it as that user
{ sed '/^Match LocalPort/,$d' "$SSHD/config" && cat match; } >config.new
sed -i "/^Port $SSHD_PORT_KEPT/d" config.new
mv config.new "$SSHD/config"
run 5
for _ in $(seq 400); do
    ! ssh-keyscan -t ed25519 -p "$SSHD_PORT" 127.0.0.1 2>/dev/null | grep -q . || break
    sleep 0.025
done
PLACES+=(-e "s|HOST:PORT/redis|127.0.0.1:$SSHD_PORT$WHERE/redis|; s|vault@|$USER_THERE@|; s|PORT HOST|$SSHD_PORT 127.0.0.1|")
run 6
ssh-keygen -lf "$SSHD/hostkey.pub" | cut -d ' ' -f 2 >print
grep -qFf print out || die 'the print is not shown'
page_end
ends 0 backupd key policy
sed -n '/^Match User/,/^restrict.*KEEPERKEY$/p' out | grep -v '^#' >policy
sed 's/  *#.*//' blocks/3 blocks/4 | diff - policy || die 'backupd key policy says something else'

url=sftp://$USER_THERE@127.0.0.1:$SSHD_PORT$WHERE/redis
writer=(--ssh-key own/ssh --known-hosts own/known_hosts)
keeper=(--ssh-key own/keeper --known-hosts own/known_hosts)
works "$url" writer keeper
creates "$url" OK "${writer[@]}"

# With the writer's key: nothing is deleted, nothing is overwritten by rename, and there is no shell.
in_sftp() {
    command sftp -q -b - -P "$SSHD_PORT" -i own/ssh -o IdentitiesOnly=yes -o UserKnownHostsFile=own/known_hosts \
        "$USER_THERE@127.0.0.1" <<<"$*" >out 2>err
}
object=$(cd "$VAULT/redis" && find data -type f | head -n 1)
[ -n "$object" ] || die 'no object'
echo garbage >garbage
in_sftp "put garbage $WHERE/redis/mine"
for it in "rm $WHERE/redis/$object" "rmdir $WHERE/redis/data" "rename $WHERE/redis/mine $WHERE/redis/$object" \
    "rename -l $WHERE/redis/mine $WHERE/redis/$object" "chmod 777 $WHERE/redis/$object" "ln -s x $WHERE/redis/link" \
    "ln $WHERE/redis/$object $WHERE/redis/second"; do
    ! in_sftp "$it" || die "the writer may: $it"
done
! ssh -q -T -p "$SSHD_PORT" -i own/ssh -o IdentitiesOnly=yes -o UserKnownHostsFile=own/known_hosts \
    "$USER_THERE@127.0.0.1" 'echo shell' </dev/null 2>err | grep -q shell || die 'there is a shell'
stays "$url" "${writer[@]}"
ends 22 backupd prune --repo "$url" --quarantine 0s --debris-age 0s "${writer[@]}" ||
    die 'prune without the right to delete'
# What the page admits: as long as it is so, it has to say so.
in_sftp "put garbage $WHERE/redis/$object"
ends 24 backupd verify --repo "$url" --read-data --identity SHEET "${writer[@]}"
