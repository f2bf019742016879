# What this is: reading one chunk from S3 is one GET with a range, once an object's head and table are known: the requests
#   of a test that reads ten chunks, counted on their way.
# Rests on: _line.sh, _ceph.sh; $B/tests/unit/repo/test_chunk_gets.
# Does not: break anything.
[ -x "$B/tests/unit/repo/test_chunk_gets" ] || { echo "tests/unit is not built under $B" >&2 && exit 77; }
. "$TESTS/live/store/_line.sh" ceph
line_start
export RESPITE_TEST_STORE_URL=$LINE_URL RESPITE_TEST_STORE_ACCESS=$S3_ACCESS RESPITE_TEST_STORE_SECRET=$S3_SECRET
ends 0 "$B/tests/unit/repo/test_chunk_gets"
says '100%: Checks: 1,'
# Of the snapshot's object: one for its table, ten for chunks, none for the whole.
sed -n 's|^[0-9]* [0-9]* \([A-Z]*\) [^ ]*/data/[^ ]* \([0-9]*\) .*|\1 \2|p' line.log | sort | uniq -c >counted
cat counted >&2
[ "$(awk '$2 == "GET"' counted)" = "$(printf '%7d GET 206' 11)" ] || wrong 'not 11 GET with a range'
