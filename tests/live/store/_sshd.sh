# What this is: a private sshd for a case of the sftp: store; source it, then sshd_start. It sets STORE_URL (user,
#   host, port and ROOT, which it makes), SSHD_PORT, and in $SSHD: hostkey.pub, known_hosts, user (Ed25519), user_ec
#   (ECDSA), user_locked (Ed25519, passphrase "open sesame"), user_rsa, stranger (which it does not let in).
#   STORE_URL_KEPT: the same place by a second port, where nothing can be removed (internal-sftp -P).
#   SSHD_OPTIONS: what backupd needs to be let in. sshd_break [STOP|CONT]: kills (stops, wakes) the sessions.
# Rests on: openssh-server, ssh-keygen, ssh-keyscan, pgrep, python3. As root it needs /run/sshd.
# Does not: listen anywhere but on loopback, look at the user's own ~/.ssh, or outlive the case.
SSHD_PROGRAM=$(command -v sshd || echo /usr/sbin/sshd)
for tool in "$SSHD_PROGRAM" ssh-keygen ssh-keyscan python3; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2 && exit 77; }
done
SSHD=$TMPDIR/sshd
SSHD_PID=
# What serves a session runs in processes of its own, which outlive the listener.
sshd_sessions() {
    local child
    for child in $(pgrep -P "${SSHD_PID:-0}"); do
        pgrep -P "$child" || :
        echo "$child"
    done
}
sshd_stop() {
    local sessions
    [ -n "$SSHD_PID" ] || return 0
    sessions=$(sshd_sessions)
    # shellcheck disable=SC2086
    kill -KILL "$SSHD_PID" $sessions 2>/dev/null || :
    wait 2>/dev/null || :
    SSHD_PID=
}
# sshd_break [SIGNAL]: KILL: the client sees its connection broken.
sshd_break() {
    # shellcheck disable=SC2046
    kill "-${1:-KILL}" $(sshd_sessions) 2>/dev/null || :
}
trap sshd_stop EXIT

sshd_key() { ssh-keygen -q -C "$1" -t "$2" -N "${3-}" -f "$SSHD/$1"; }
sshd_config() {
    cat <<END
Port $SSHD_PORT
Port $SSHD_PORT_KEPT
ListenAddress 127.0.0.1
HostKey $SSHD/hostkey
PidFile none
AuthorizedKeysFile $SSHD/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 200
MaxSessions 200
AllowTcpForwarding no
Subsystem sftp internal-sftp
Match LocalPort $SSHD_PORT_KEPT
    ForceCommand internal-sftp -P remove,rmdir,setstat,fsetstat,posix-rename,hardlink,symlink
END
}
sshd_start() {
    local try
    mkdir -p "$SSHD/root"
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
    sshd_key hostkey ed25519
    sshd_key user ed25519
    sshd_key user_ec ecdsa
    sshd_key user_locked ed25519 'open sesame'
    sshd_key user_rsa rsa
    sshd_key stranger ed25519
    cat "$SSHD"/user{,_ec,_locked,_rsa}.pub >"$SSHD/authorized_keys"
    chmod 600 "$SSHD/authorized_keys"
    for try in 1 2 3; do
        read -r SSHD_PORT SSHD_PORT_KEPT < <(python3 -c 'import socket
s = [socket.socket() for _ in range(2)]
for one in s: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in s))')
        sshd_config >"$SSHD/config"
        "$SSHD_PROGRAM" -D -f "$SSHD/config" -E "$SSHD/log" &
        SSHD_PID=$!
        for _ in $(seq 400); do
            kill -0 "$SSHD_PID" 2>/dev/null || break
            ssh-keyscan -t ed25519 -p "$SSHD_PORT" 127.0.0.1 >"$SSHD/known_hosts" 2>/dev/null || :
            [ ! -s "$SSHD/known_hosts" ] || break 2
            sleep 0.025
        done
        [ "$try" -lt 3 ] || { cat "$SSHD/log" >&2 && exit 1; }
        sshd_stop
    done
    ssh-keyscan -t ed25519 -p "$SSHD_PORT_KEPT" 127.0.0.1 >>"$SSHD/known_hosts" 2>/dev/null
    ROOT=$SSHD/root
    # shellcheck disable=SC2034
    SSHD_OPTIONS=(--ssh-key "$SSHD/user" --known-hosts "$SSHD/known_hosts")
    # shellcheck disable=SC2034
    STORE_URL=sftp://$(id -un)@127.0.0.1:$SSHD_PORT$ROOT
    # shellcheck disable=SC2034
    STORE_URL_KEPT=sftp://$(id -un)@127.0.0.1:$SSHD_PORT_KEPT$ROOT
}
