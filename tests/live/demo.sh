# The demonstration ends well and leaves nothing behind.
command -v redis-server >/dev/null || { echo 'redis-server is not installed' >&2 && exit 77; }
"$TESTS/demo/demo.sh" >out 2>&1 || { cat out && exit 1; }
rm out
ls -A
