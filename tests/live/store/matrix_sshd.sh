# What this is: a few places of the matrix on sshd, where the line knows only pieces: the nth that a client sends is lost, or
#   what comes back. tests/long has all of them.
# Rests on: _matrix.sh.
# Does not: know what a piece asks for.
# TIMEOUT: 300
# LONG
. "$TESTS/live/store/_matrix.sh" sshd
matrix_start
hits backup 1 lost dead
hits backup 3 reply once
hits backup 40 lost dead
hits backup 81 reply dead
hits large 90 lost dead
hits large 70 reply once
hits prune 60 reply dead
hits expire 60 reply once
hits copy 130 reply dead
cat words >&2
