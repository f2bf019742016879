# Wrong use is exit status 2, one message on stderr and nothing on stdout.
# shellcheck disable=SC2015
f=$DATA/hand/keys.rdb
bad() {
    rc=0
    "$RDBTOOL" "$@" >out 2>err || rc=$?
    [ $rc = 2 ] || { echo "rdbtool $*: exit status $rc" && exit 1; }
    [ ! -s out ] && [ "$(wc -l <err)" -ge 1 ] || { echo "rdbtool $*: no message on stderr alone" && exit 1; }
}
bad
bad nothing
bad info
bad info "$f" "$f"
bad check
bad export "$f" --no-such-option
bad export "$f" --bytes utf16
bad export "$f" --format csv
bad export "$f" --limit 0
bad export "$f" --limit -1
bad export "$f" --limit 1x
bad export "$f" --threads 0
bad export "$f" --threads 257
bad export "$f" --threads
bad export "$f" --type strings
bad export "$f" --db -1
bad export "$f" --size 10
bad export "$f" --size x~y
bad export "$f" --ttl soon
bad export "$f" --slot 16384
bad export "$f" --now yesterday
bad export "$f" --key-regex '('
bad export "$f" --force
bad check "$f" --quick --digest
bad get "$f"
bad get "$f" k --key-base64 aw==
bad get "$f" --key-base64 '!'
bad get "$f" --key-base64 a
bad get "$f" --key-base64 aw=
bad get "$f" k --quick
grep -q 'get:' err
