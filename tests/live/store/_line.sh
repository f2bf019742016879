# What this is: a private server of a kind (ceph, apache, sshd) with a line before it that breaks where the case says; source
#   it with the kind.
# Rests on: _ceph.sh, _dav.sh, _sshd.sh; tests/fault/store_proxy.py; BACKUPD.
# Does not: judge anything.
#
# line_start sets LINE_URL and CLEAN_URL (a storage by the line, and not by it: a repository's name comes behind,
# by place), SECRETS (what nobody may say), and in the environment whatever backupd needs to get in.
KIND=$1
case $KIND in
ceph) . "$TESTS/live/store/_ceph.sh" ;;
apache) . "$TESTS/live/store/_dav.sh" ;;
sshd) . "$TESTS/live/store/_sshd.sh" ;;
esac
LINE_PID=
wrong() {
    echo "${where:-preparation}: $*" >&2
    [ ! -s out ] || tail -n 12 out | sed 's/^/    /' >&2
    [ ! -s said ] || tail -n 12 said | sed 's/^/    /' >&2
    [ ! -s line.log ] || tail -n 25 line.log | cut -c 1-160 | sed 's/^/    /' >&2
    exit 1
}
# ends STATUS COMMAND...: runs it, output in out and said; nothing secret is in either
ends() {
    local want=$1 rc=0
    shift
    "$@" >out 2>said || rc=$?
    discreet
    [[ " $want " == *" $rc "* ]] || wrong "status $rc (not $want) of $*"
    RC=$rc
}
discreet() {
    local secret
    for secret in "${SECRETS[@]}"; do
        ! grep -qF -- "$secret" out said || wrong 'it tells a secret'
    done
}
# says ERE: a line of what was said has it
says() { grep -qE -- "$1" out said || wrong "it does not say: $1"; }

# place URL NAME: where the repository NAME is
place() {
    case $1 in *\?*) echo "${1%%\?*}/$2?${1#*\?}" ;; *) echo "$1/$2" ;; esac
}
PLAN=0
# plan FAULT N MODE [REGEX]: from now on
plan() {
    PLAN=$((PLAN + 1)) PLANNED=$1
    echo "$PLAN $*" >plan.new
    mv plan.new plan
}
heal() { plan none 0 once; }
# Did it happen?
reached() { grep "^$PLAN " line.log | grep -qv ' none$'; }

line_to() { # HOST:PORT [--raw]
    local i
    heal
    rm -f line.port
    python3 "$TESTS/fault/store_proxy.py" --to "$1" --port-file line.port --plan plan --log line.log "${@:2}" 2>line.err &
    LINE_PID=$!
    for ((i = 0; i < 400; i++)); do
        [ ! -s line.port ] || break
        sleep 0.025
    done
    LINE_PORT=$(<line.port)
}
line_start() {
    trap line_stop EXIT
    case $KIND in
    ceph)
        ceph_start
        s3 PUT /bucket-one >/dev/null
        export AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET
        SECRETS=("$S3_SECRET")
        line_to "${S3_ENDPOINT#http://}"
        LINE_URL="s3://bucket-one?endpoint=http://127.0.0.1:$LINE_PORT"
        CLEAN_URL="s3://bucket-one?endpoint=$S3_ENDPOINT"
        ;;
    apache)
        DAV_PASSWORD=CorrectHorse
        dav_apache
        export RESPITE_REPO_USER=$DAV_USER RESPITE_REPO_PASSWORD=$DAV_PASSWORD
        SECRETS=("$DAV_PASSWORD" "$(printf '%s:%s' "$DAV_USER" "$DAV_PASSWORD" | base64)")
        line_to "127.0.0.1:$DAV_PORT"
        LINE_URL=dav://127.0.0.1:$LINE_PORT/r CLEAN_URL=dav://127.0.0.1:$DAV_PORT/r
        ;;
    sshd)
        sshd_start
        line_to "127.0.0.1:$SSHD_PORT" --raw
        sed -n "s/^\[127.0.0.1\]:$SSHD_PORT /[127.0.0.1]:$LINE_PORT /p" "$SSHD/known_hosts" >line.known
        cat line.known >>"$SSHD/known_hosts"
        export RESPITE_SSH_KEY=$SSHD/user RESPITE_KNOWN_HOSTS=$SSHD/known_hosts
        SECRETS=("$(sed -n 2p "$SSHD/user")")
        LINE_URL=${STORE_URL/:$SSHD_PORT/:$LINE_PORT} CLEAN_URL=$STORE_URL
        ;;
    esac
}
line_stop() {
    [ -z "$LINE_PID" ] || { kill -KILL "$LINE_PID" && wait "$LINE_PID"; } 2>/dev/null || :
    case $KIND in
    ceph) ceph_stop ;;
    apache) dav_stop ;;
    sshd) sshd_stop ;;
    esac
}

# stored NAME: every file of the repository, uploads that nobody ended and empty folders among them, not by backupd
stored() {
    local page
    case $KIND in
    ceph)
        page=$(s3 GET "/bucket-one?list-type=2&prefix=$1/" 2>/dev/null)
        grep -o '<Key>[^<]*' <<<"$page" | sed "s|<Key>$1/||" || :
        page=$(s3 GET "/bucket-one?uploads&prefix=$1/" 2>/dev/null)
        grep -o '<Key>[^<]*' <<<"$page" | sed "s|<Key>$1/|upload.part of |" || :
        ;;
    apache) find "$DAV_ROOT/$1" -mindepth 1 -type f -printf '%P\n' ;; # a folder that was emptied goes with the next prune
    sshd) find "$ROOT/$1" -mindepth 1 \( -type f -o -empty \) -printf '%P\n' ;;
    esac
}

# dump_of MEGABYTES FILE: a dump that cannot be compressed
dump_of() {
    python3 - "$1" "$2" <<'PY'
import os, sys
with open(sys.argv[2], 'wb') as f:
    f.write(b'REDIS0009\xfe\x00')
    for i in range(int(sys.argv[1]) * 16):
        f.write(b'\x00\x06%06d\x80\x00\x01\x00\x00' % i + os.urandom(65536))
    f.write(b'\xff' + bytes(8))
PY
}
