# Every file of data/bad: exit status, and a finding at the offset, with the key and the reason of EXPECT.
python3 "$TESTS/bad-compare.py" "$RDBTOOL" "$DATA/bad"
