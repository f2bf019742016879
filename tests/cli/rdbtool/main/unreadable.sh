# What cannot be read is exit status 21, for every verb.
# shellcheck disable=SC2015
try() {
    rc=0
    "$RDBTOOL" "$@" >out 2>err || rc=$?
    [ $rc = 21 ] || { echo "rdbtool $*: exit status $rc" && cat err && exit 1; }
    [ ! -s out ] && [ "$(wc -l <err)" = 1 ] || { echo "rdbtool $*: not one line on stderr" && cat out err && exit 1; }
}
for verb in info check export; do
    try $verb nothing.rdb
    try $verb .
done
try get nothing.rdb k
"$RDBTOOL" check --json nothing.rdb 2>err | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["file"] == "nothing.rdb" and d["ok"] is False and "No such file" in d["error"], d' || exit 1
if [ "$(id -u)" != 0 ]; then
    cp "$DATA/hand/keys.rdb" closed.rdb
    chmod 0 closed.rdb
    try check closed.rdb
fi
