# What this is: each way by which keys for S3 are found, on Ceph: environment, file, command, profile, session token, role
#   of an instance and of a container; and that no secret is seen in output, in logs or in the list of processes.
# Rests on: _ceph.sh, _roles.py, _sts.py, python3.
# Does not: renew keys that run out (the unit tests do).
# TIMEOUT: 120
. "$TESTS/live/store/_ceph.sh"
ROLES=
children_stop() { [ -z "$ROLES" ] || kill -KILL "$ROLES" 2>/dev/null || :; }
die() { echo "$*" >&2 && exit 1; }
SECRET='Plus/And+Slash=0123456789'
# ends STATUS COMMAND...: output in out and err, all of it in said
: >said
ends() {
    local want=$1 rc=0
    "${@:2}" >out 2>err </dev/null || rc=$?
    cat out err >>said
    [ "$rc" = "$want" ] || { cat out err >&2 && die "exit status $rc, expected $want: ${*:2}"; }
}
# lists: with the keys at hand the repository is read; "-v" says all there is to say
lists() { ends 0 "$@" "$BACKUPD" list --repo "$url" --identity sheet -v; }
refused() { # WORDS COMMAND...
    local rc=0
    "${@:2}" >out 2>err </dev/null || rc=$?
    cat out err >>said
    [ "$rc" != 0 ] || die "taken: ${*:2}"
    grep -q -e "$1" err || { cat err >&2 && die "no word of '$1': ${*:2}"; }
}
ceph_start
s3_user owner OWNERKEY "$SECRET"
url="s3://bucket-one/repo?endpoint=${GATE_HTTP[main]}"
list=("$BACKUPD" list --repo "$url" --identity sheet)

# The environment.
own=(env AWS_ACCESS_KEY_ID=OWNERKEY "AWS_SECRET_ACCESS_KEY=$SECRET")
ends 0 "${own[@]}" "$BACKUPD" init --repo "$url" --create-bucket --recovery-out sheet
ends 0 "${own[@]}" "$BACKUPD" backup --repo "$url" --from "$DATA/packed/cluster.rdb" -v
lists "${own[@]}"
refused 'AWS_SECRET_ACCESS_KEY is not' env AWS_ACCESS_KEY_ID=OWNERKEY "${list[@]}"
refused SignatureDoesNotMatch env AWS_ACCESS_KEY_ID=OWNERKEY "AWS_SECRET_ACCESS_KEY=$SECRET-not" "${list[@]}"
refused InvalidAccessKeyId env AWS_ACCESS_KEY_ID=NOBODY "AWS_SECRET_ACCESS_KEY=$SECRET" "${list[@]}"
refused . env "${list[@]}"

# A file, a command.
(umask 077 && printf '%s\n' "$SECRET" >secret)
lists env RESPITE_S3_KEY_ID=OWNERKEY "RESPITE_S3_SECRET_FILE=$PWD/secret"
ends 0 "${list[@]}" --s3-key-id OWNERKEY --s3-secret-file secret
ends 0 "${list[@]}" --s3-key-id OWNERKEY --s3-secret-command "cat $PWD/secret"
refused 'where is its secret key' "${list[@]}" --s3-key-id OWNERKEY
refused . "${list[@]}" --s3-key-id OWNERKEY --s3-secret-command false
# There is no option that takes a secret, nor may a URL hold one.
refused 'unknown option' "${list[@]}" --s3-key-id OWNERKEY --s3-secret "in-clear"
refused 'keys do not stand in a URL\|password\|the bucket alone' "$BACKUPD" list --repo "s3://OWNERKEY:in-clear@bucket-one/repo"
refused . "$BACKUPD" list --repo "s3://bucket-one/repo?endpoint=http://OWNERKEY:in-clear@127.0.0.1"
! grep -q 'in-clear@\|:in-clear' said || die 'what stands in the place of a secret is repeated'

# Profiles.
mkdir -p ~/.aws
(umask 077 && printf '[default]\naws_access_key_id = NOBODY\naws_secret_access_key = x\n[mine]\naws_access_key_id = OWNERKEY
aws_secret_access_key = %s\n[half]\naws_access_key_id = OWNERKEY\n' "$SECRET" >~/.aws/credentials)
lists env AWS_PROFILE=mine
ends 0 "${list[@]}" --s3-profile mine
refused InvalidAccessKeyId "${list[@]}"
refused 'lacks aws_access_key_id or aws_secret_access_key' "${list[@]}" --s3-profile half
refused "has no profile 'none'" "${list[@]}" --s3-profile none
mv ~/.aws/credentials elsewhere
lists env "AWS_SHARED_CREDENTIALS_FILE=$PWD/elsewhere" AWS_PROFILE=mine
ends 0 "${list[@]}" --s3-credentials-file elsewhere --s3-profile mine
chmod 644 elsewhere
refused 'chmod 600' "${list[@]}" --s3-credentials-file elsewhere --s3-profile mine
chmod 600 elsewhere

# Temporary keys: a session's, then the same by the services of an instance and a container.
gate sts --rgw_s3_auth_use_sts=true
radosgw-admin -n client.rgw caps add --uid=owner "--caps=user-policy=*;roles=*" >caps.out 2>caps.err || {
    cat caps.err >&2
    exit 1
}
mkdir roles
S3_ENDPOINT=${GATE_HTTP[sts]} S3_ACCESS=OWNERKEY S3_SECRET=$SECRET S3_USER=owner python3 "$TESTS/live/store/_sts.py" >roles/keys
{ read -r key && read -r hidden && read -r token; } <roles/keys
url="s3://bucket-one/repo?endpoint=${GATE_HTTP[sts]}"
list=("$BACKUPD" list --repo "$url" --identity sheet)
session=(env "AWS_ACCESS_KEY_ID=$key" "AWS_SECRET_ACCESS_KEY=$hidden")
lists "${session[@]}" "AWS_SESSION_TOKEN=$token"
refused . "${session[@]}" "${list[@]}"
python3 "$TESTS/live/store/_roles.py" "$PWD/roles" &
ROLES=$!
ceph_wait 'no service of roles' test -e roles/port
near=http://127.0.0.1:$(<roles/port)
ends 0 env "AWS_EC2_METADATA_SERVICE_ENDPOINT=$near" "${list[@]}" --s3-instance-role
grep -q '^GET .*/a-role 200' roles/log || { cat roles/log >&2 && die 'the instance was not asked'; }
lists env "AWS_CONTAINER_CREDENTIALS_FULL_URI=$near/container" AWS_CONTAINER_AUTHORIZATION_TOKEN=token-of-the-container
refused 'answers 401' env "AWS_CONTAINER_CREDENTIALS_FULL_URI=$near/container" AWS_CONTAINER_AUTHORIZATION_TOKEN=other "${list[@]}"
for far in http://example.org/role http://127.0.0.1.example.org/ "http://localhost:80@example.org/"; do
    refused 'in clear only on this machine' env "AWS_CONTAINER_CREDENTIALS_FULL_URI=$far" "${list[@]}"
done

# Nobody sees one: while it waits for a store that stands still, the arguments are those that were given.
url="s3://bucket-one/repo?endpoint=${GATE_HTTP[main]}"
ceph_halt
"$BACKUPD" backup --repo "$url" --from "$DATA/packed/cluster.rdb" --s3-key-id OWNERKEY --s3-secret-command "cat $PWD/secret" -v \
    >out 2>err </dev/null &
pid=$!
sockets() { [ -n "$(find "/proc/$pid/fd" -lname 'socket:*' 2>/dev/null)" ]; }
ceph_wait 'it asks nobody' sockets
tr '\0' '\n' <"/proc/$pid/cmdline" >>said
ceph_go
wait $pid || { cat err >&2 && die 'the backup after the halt'; }
cat out err >>said
for word in "$SECRET" "$hidden" "$token" token-of-the-container session-of-the-instance; do
    ! grep -qF -e "$word" said || die 'a secret was said'
    ! grep -rqF -e "$word" "$RESPITE_STATE" || die 'a secret is kept in the state'
done
