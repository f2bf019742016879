# Of several files the worst status counts, and every one is looked at.
# shellcheck disable=SC2015,SC2164
cd "$DATA"
try() { # status, lines on stdout, files
    local rc=0 status=$1 lines=$2
    shift 2
    "$RDBTOOL" check "$@" >"$HOME/out" 2>"$HOME/err" || rc=$?
    [ $rc = "$status" ] && [ "$(wc -l <"$HOME/out")" = "$lines" ] || { echo "$*: $rc" && cat "$HOME/out" && exit 1; }
}
try 0 2 hand/keys.rdb hand/expiry.rdb
try 3 3 bad/crc-wrong.rdb hand/keys.rdb
try 23 3 bad/crc-wrong.rdb bad/not-rdb-text.rdb hand/keys.rdb
try 23 2 hand/keys.rdb nothing.rdb bad/not-rdb-text.rdb hand/keys.rdb
try 21 1 nothing.rdb hand/keys.rdb
