# What this is: the conformance suite on apache's WebDAV, over TLS and plain.
# Rests on: _dav.sh, backupd probe.
# Does not: look at credentials that may not delete.
# TIMEOUT: 600
. "$TESTS/live/store/_dav.sh"
. "$TESTS/live/store/_conformance.sh"
dav_apache
printf '%s\n' "$DAV_PASSWORD" >password
chmod 600 password
conform "$STORE_URL" 'note clean
note rights' --repo-cacert "$DAV_CA" --repo-user "$DAV_USER" --repo-password-file password
conform "$STORE_PLAIN" 'note clean
note rights' --repo-user "$DAV_USER" --repo-password-file password --part-size 5M
