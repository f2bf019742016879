# What this is: a few requests of the matrix on apache's WebDAV: those that publish, retire and remove. tests/long has all.
# Rests on: _matrix.sh.
# Does not: look at what goes by TLS.
# TIMEOUT: 300
# LONG
. "$TESTS/live/store/_matrix.sh" apache
matrix_start
hits backup 1 reply once 'MOVE .*/log/'
hits backup 1 reply dead 'MOVE .*/log/'
hits backup 1 lost dead 'MOVE .*/log/'
hits backup 1 reply once 'PUT .*/data/'
hits backup 1 reply once 'MKCOL .*/data/.'
hits large 1 reply dead 'PUT .*/data/'
hits prune 1 reply once 'DELETE .*part'
hits large 1 reply once 'MOVE .*/data/'
hits expire 1 reply once 'MOVE .*retire'
hits prune 2 reply dead DELETE
hits expire 1 reply dead 'MOVE .*retire'
hits copy 1 reply once 'MOVE .*/b/log/'
hits backup 1 lost once 'GET .*/log/'
hits copy 2 lost dead 'PUT .*/b/'
cat words >&2
