# The lines for people, several files, the worst exit status of them.
# shellcheck disable=SC2164
cd "$DATA"
"$RDBTOOL" check hand/keys.rdb bad/crc-wrong.rdb bad/cut-in-list.rdb hand/empty-01.rdb bad/duplicate-key.rdb bad/trailing-text.rdb
