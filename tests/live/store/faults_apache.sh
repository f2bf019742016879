# What this is: single faults of a WebDAV storage, apache's: wrong password and path, certificates, refusals, a server that is
#   busy, stuck, full, or cuts its answers: the right status, words that help, nothing half-published, no secret told.
# Rests on: _faults.sh.
# Does not: look at every request (matrix_apache.sh).
# TIMEOUT: 300
# LONG
. "$TESTS/live/store/_faults.sh" apache
faults_start

# Who asks, and where.
password() { RESPITE_REPO_PASSWORD=$1 "${@:2}"; }
SECRETS+=(NotThisOneAtAll)
fails 'wrong password' 22 '401' password NotThisOneAtAll backup_at "$A"
fails 'wrong path' 10 'no such collection' backup_at "$(place "$LINE_URL" none)"
fails 'no DAV there' 10 'no such collection' backup_at "dav://127.0.0.1:$DAV_PORT/elsewhere"
fails 'nobody listens' 22 'refused' backup_at dav://127.0.0.1:1/r/a
fails 'the password in clear' 2 'dav:' backup_at dav://10.0.0.1/r/a
untouched

# Whom we meant.
secure=$(place "$STORE_URL" a)
fails 'unknown CA' 22 'certificate' backup_at "$secure"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other -keyout other.key \
    -out other.pem 2>/dev/null
fails 'wrong CA' 22 'certificate' backup_at "$secure" --repo-cacert other.pem
fails 'no TLS there' 22 'TLS' backup_at "davs://127.0.0.1:$DAV_PORT/r/a" --repo-cacert "$DAV_CA"
untouched

# Refusals.
for n in 403 500 503 507; do
    plan "status:$n" 1 always 'PUT .*/data/'
    fails "$n" "$([ $n = 507 ] && echo 25 || echo 22)" "$n" backup_at "$A"
done
plan status:404 1 always 'MOVE .*/log/'
fails '404 of a move' '22 26' '404|not there' backup_at "$A"
for what in roles/0 log/ data/; do
    plan status:500 1 always "GET .*/a/$what"
    fails "500 of $what" 22 '500' "$BACKUPD" verify --read-stored --repo "$A" --retries 0
    plan short 1 always "GET .*/a/$what"
    fails "short $what" 22 'ended too early' "$BACKUPD" verify --read-stored --repo "$A" --retries 0
done
for n in 500 503; do
    plan "status:$n" 1 once 'MOVE .*/log/'
    passes "$n once" backup_at "$A"
    plan "after:$n" 1 once 'MOVE .*/log/'
    passes "$n once, carried out" backup_at "$A"
done

# Lines and answers.
plan short 1 once 'PROPFIND .*/roles/'
passes 'a listing cut short once' backup_at "$A"
plan short 1 always 'PROPFIND .*/log/'
fails 'a listing cut short' 22 'ended too early' "$BACKUPD" list --repo "$A" --retries 0
plan reset 1 once 'GET .*/roles/0'
passes 'reset once' backup_at "$A"
plan reset 1 always 'PUT .*/data/'
fails 'reset of a put' 22 'broke|reset|closed' backup_at "$A"
plan stall 1 always 'PUT .*/data/'
fails 'no answer' 22 'no byte moved' backup_at "$A" --repo-stall-timeout 500ms
plan stall 1 once 'PUT .*/data/'
passes 'no answer once' backup_at "$A" --repo-stall-timeout 1s
plan slow 1 always /data/
passes 'slow' backup_at "$A" --repo-stall-timeout 2s
plan date 1 always .
passes 'a server whose Date is late' backup_at "$A"

where='apache stands still'
kill -STOP -- "-$DAV_PID"
ends 22 backup_at "$A_CLEAN" --repo-stall-timeout 700ms --repo-connect-timeout 2s
kill -CONT -- "-$DAV_PID"
said_well "$where" 'no byte moved'
same
where='pruning what is left'
pruned "$A" "$A_CLEAN" a

where='a certificate that has expired'
DAV_DAYS=-1 dav_apache
ends 22 backup_at "$(place "$STORE_URL" a)" --repo-cacert "$DAV_CA"
said_well "$where" expired
cat words >&2
