# What this is: every command of the sections S3 and EXAMPLES of respite-stores(7) on Ceph; a writer deletes nothing, and
#   what it overwrites is found again.
# Rests on: _man.sh, _ceph.sh, python3.
# Does not: use AWS, or its program: a function stands for that.
# TIMEOUT: 600
# LONG
# shellcheck disable=SC2034
. "$TESTS/live/store/_man.sh"
. "$TESTS/live/store/_ceph.sh"
ceph_start
HOST=${GATE_HTTPS[main]#https://}
export RESPITE_REPO_CACERT=$S3_CA
# Our sed in place of the user's hands.
PLACES=(-e "s|/etc/respite/ca.pem|$S3_CA|; s|/etc/respite|$PWD/etc|g; s|/var/lib/redis/dump.rdb|$DATA/packed/cluster.rdb|"
    -e "s|HOST:PORT|$HOST|; s|ACCESSKEY|$S3_ACCESS|; s|SECRETKEY|$S3_SECRET|")
mkdir etc
# aws s3api VERB --bucket BUCKET --OPTION file://FILE
aws() {
    [ "$1 $3" = 's3api --bucket' ] || die "aws $*: not understood"
    case $2 in
    put-bucket-policy)
        [ "$5" = --policy ]
        s3 PUT "/$4?policy" -f "${6#file://}"
        ;;
    put-bucket-lifecycle-configuration)
        [ "$5" = --lifecycle-configuration ]
        s3 PUT "/$4?lifecycle" -d "$(as_xml "${6#file://}")"
        ;;
    *) die "aws $2: not known" ;;
    esac
}
as_xml() {
    python3 - "$1" <<'PY'
import json, sys
def xml(x):
    return ''.join(f'<{k}>{xml(v)}</{k}>' for k, v in x.items()) if isinstance(x, dict) else str(x)
rules = json.load(open(sys.argv[1]))['Rules']
print('<LifecycleConfiguration>' + ''.join(f'<Rule>{xml(r)}</Rule>' for r in rules) + '</LifecycleConfiguration>')
PY
}

page S3
# AWS: with locks.
mkdir -p ~/.aws
text 1 >~/.aws/credentials
PLACES+=(-e "s|?region=eu-central-1|?endpoint=https://$HOST|; s|BUCKET/redis|locked/redis|; s|SHEET|SHEET.locked|")
run 2
locked="s3://locked/redis?endpoint=https://$HOST"
ends 0 backupd backup --repo "$locked" --from "$DATA/packed/cluster.rdb" --lock governance:30d
ends 0 backupd verify --repo "$locked" --read-data --identity SHEET.locked
grep -q . < <(s3 GET '/locked?object-lock' 2>/dev/null)
unset 'PLACES[-1]' 'PLACES[-1]'
rm ~/.aws/credentials

# Others: with a secret file, and a writer of its own.
PLACES+=(-e "s|BUCKET|backups|")
printf '%s\n' "$S3_SECRET" >given
GIVEN=$PWD/given
run 3
GIVEN=/dev/null
[ "$(stat -c %a etc/s3.secret)" = 600 ]
s3 PUT '/backups?versioning' -d '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' >answer
s3_user writer-one WRITERKEY WRITERSECRET
s3_user keeper-one KEEPERKEY KEEPERSECRET
run 4
sed -i 's|WRITER|arn:aws:iam:::user/writer-one|; s|KEEPER|arn:aws:iam:::user/keeper-one|; s|BUCKET|backups|; s|PREFIX|redis|' writer.json
run 5
text 6 >lifecycle.json
run 7
s3 GET '/backups?lifecycle' 2>/dev/null | grep -q '<NoncurrentDays>60<' || die 'the rule is not there'
page_end

url="s3://backups/redis?endpoint=https://$HOST"
(umask 077 && echo WRITERSECRET >etc/writer.secret && echo KEEPERSECRET >etc/keeper.secret)
keeper=(--s3-key-id KEEPERKEY --s3-secret-file etc/keeper.secret)
writer=(--s3-key-id WRITERKEY --s3-secret-file etc/writer.secret)
works "$url" writer keeper
creates "$url" note "${writer[@]}"
# A thief of the writer: nothing is deleted, in no version; what is overwritten is there in its oldest version.
object=$(s3 GET '/backups?list-type=2&prefix=redis/data/' 2>/dev/null | sed -n 's|.*<Key>\([^<]*\)</Key>.*|\1|p' | head -n 1)
[ -n "$object" ] || die 'no object'
version=$(s3 GET "/backups?versions&prefix=$object" 2>/dev/null | sed -n 's|.*<VersionId>\([^<]*\)<.*|\1|p' | head -n 1)
thief() { S3_ACCESS=WRITERKEY S3_SECRET=WRITERSECRET s3 "$@"; }
refused() {
    ! thief "$@" >answer 2>code || die "a writer may: $*"
    grep -q '^403 AccessDenied' code || { cat code >&2 && die "$*"; }
}
refused DELETE "/backups/$object"
refused DELETE "/backups/$object?versionId=$version"
refused POST '/backups?delete' -d "<Delete><Object><Key>$object</Key></Object></Delete>"
refused PUT '/backups?versioning' -d '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>'
refused PUT '/backups?policy' -d '{}'
refused PUT '/backups?lifecycle' -d "$(as_xml lifecycle.json)"
refused PUT '/backups/elsewhere' -d x
s3 GET '/backups?uploads' 2>/dev/null | grep -q '<ListMultipartUploadsResult'
stays "$url" "${writer[@]}"
# All of them: which of them a snapshot still needs, their names do not tell.
for object in $(s3 GET '/backups?list-type=2&prefix=redis/data/' 2>/dev/null | sed 's|<Key>|\n&|g' | sed -n 's|^<Key>\([^<]*\)</Key>.*|\1|p'); do
    thief PUT "/backups/$object" -d garbage >answer 2>code
done
ends 24 backupd verify --repo "$url" --read-data --identity SHEET "${writer[@]}"
stays "$url" --oldest-versions "${writer[@]}"

page EXAMPLES
PLACES+=(-e "s|SHEET|SHEET.away|; s|/redis?|/away?|")
text 1 >backupd.conf
export RESPITE_CONFIG=$PWD/backupd.conf
run 2
page_end
