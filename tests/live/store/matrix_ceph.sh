# What this is: a few requests of the matrix on Ceph's S3: those that publish, retire and remove. tests/long has all of them.
# Rests on: _matrix.sh.
# Does not: look at what goes by TLS.
# TIMEOUT: 300
# LONG
. "$TESTS/live/store/_matrix.sh" ceph
matrix_start
hits backup 1 reply once 'PUT .*/log/'
hits backup 1 reply dead 'PUT .*/log/'
hits backup 1 lost dead 'PUT .*/log/'
hits large 1 reply once 'POST .*\?uploads'
hits large 1 reply once 'POST .*uploadId'
hits large 1 reply dead 'POST .*uploadId'
hits large 2 lost dead 'PUT .*partNumber'
hits prune 1 reply once 'DELETE .*uploadId'
hits expire 1 reply once 'PUT .*retire'
hits prune 2 reply dead DELETE
hits expire 1 reply dead 'PUT .*retire'
hits copy 1 reply once 'PUT .*/b/log/'
hits backup 1 lost once 'GET .*/log/'
hits copy 2 reply dead 'PUT .*/b/'
cat words >&2
