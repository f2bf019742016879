# Two writers of a source, one of another, a reader and a pruner at once for eight seconds: all verifies.
# shellcheck source=tests/live/backupd/_together.sh
. "$TESTS/live/backupd/_together.sh"
together "${TOGETHER_SECONDS:-8}"
