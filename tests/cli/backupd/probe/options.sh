# How a remote storage is reached: secrets never as arguments, refused files, what stands before what, per repository.
# Nothing listens at the addresses; every case ends before a request, or at the first one that finds nobody.
. "$TESTS/cli/backupd/_repo.sh"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE https_proxy HTTPS_PROXY all_proxy ALL_PROXY
vacant=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
s3="s3://bucket/x?endpoint=http://127.0.0.1:$vacant"
probe() { ends "$1" "$BACKUPD" probe "${@:2}" --retries 0; }

probe 2 --repo "$s3" --repo-password hidden
says 'arguments are seen by every user'
never hidden
probe 2 --repo "$s3" --repo-proxy http://me:hidden@proxy
says 'RESPITE_REPO_PROXY'
never hidden
probe 2 --repo "s3://key:hidden@bucket"
never hidden
probe 2 --repo "$s3" --s3-key-id AKIA
says 'where is its secret key?'
echo secret >secret
chmod 644 secret
probe 2 --repo "$s3" --s3-key-id AKIA --s3-secret-file secret
says 'everybody may read this secret key'
chmod 600 secret
probe 2 --repo "$s3" --s3-secret-file secret
says 'without its name'
probe 2 --repo "$s3" --s3-key-id AKIA --s3-secret-file secret --s3-secret-command 'cat secret'
says 'named twice'
probe 2 --repo "$s3" --s3-key-id AKIA --s3-secret-command false
says 'the secret key command failed'
: >empty
chmod 600 empty
probe 2 --repo "$s3" --s3-key-id AKIA --s3-secret-file empty
says 'the secret key is empty'
probe 22 --repo "$s3" --s3-key-id AKIA --s3-secret-file secret
probe 22 --repo "$s3" --s3-key-id AKIA --s3-secret-command 'cat secret'
export AWS_ACCESS_KEY_ID=AKIA
probe 2 --repo "$s3"
says 'AWS_SECRET_ACCESS_KEY is not'
AWS_SECRET_ACCESS_KEY=x probe 22 --repo "$s3"
AWS_SECRET_ACCESS_KEY=x probe 2 --repo "$s3" --s3-key-id OTHER
says 'where is its secret key?'
unset AWS_ACCESS_KEY_ID

for bad in week governance: governance:x locked:30d compliance:-1d; do
    probe 2 --repo "$s3" --lock "$bad"
    says 'such as governance:30d'
done
ends 2 "$BACKUPD" list --repo "$s3" --part-size 4M
ends 2 "$BACKUPD" list --repo "$s3" --parallel 0
ends 2 "$BACKUPD" list --repo "$s3" --create-bucket
says "of 'init'"
ends 2 "$BACKUPD" backup --repo "$s3" --from "$DUMP" --oldest-versions

cat >conf <<C
[global]
retries = 0
s3-key-id = GLOBAL
[repo a]
url = $s3
s3-key-id = A
s3-secret-file = secret
[repo b]
url = $s3
repo-password-file = missing
[repo c]
url = davs://127.0.0.1:$vacant/x
repo-user = me
repo-password-file = missing
C
export RESPITE_CONFIG=$PWD/conf
ends 22 "$BACKUPD" probe --repo a
ends 20 "$BACKUPD" probe --repo b
says "GLOBAL"
ends 20 "$BACKUPD" probe --repo c
says 'cannot open the file of the password'
RESPITE_REPO_PASSWORD=x ends 22 "$BACKUPD" probe --repo c
never 'me:x'
ends 0 "$BACKUPD" check --print-config --repo a
says "$PWD/conf:6"
says 's3-key-id            = A '
for bad in 'lock = never' 's3-secret = x' 'repo-password = x' 'part-size = 1' 'create-bucket = yes'; do
    printf '[repo a]\nurl = %s\n%s\n' "$s3" "$bad" >bad
    ends 20 "$BACKUPD" list --config bad --repo a
    says "bad:3"
done
