# Filters restrict what is counted, and the report says so.
# shellcheck disable=SC2015
fail() { echo "line $1" && exit 1; }
f=$DATA/redis-8.6.3/everything.rdb
keys() { "$RDBTOOL" info "$f" "$@" | sed -n 's/^keys  *\([0-9]*\), .*/\1/p'; }
all=$(keys)
[ "$all" = 253 ]
[ "$(keys --db 0)" = 214 ] && [ "$(keys --db 0,1)" = 217 ] && [ "$(keys --db 1~15)" = 39 ] || fail $LINENO
[ "$(keys --type stream)" = 12 ] && [ "$(keys --type stream,hash)" = 33 ] || fail $LINENO
[ $(($(keys --ttl any) + $(keys --ttl none))) = "$all" ] && [ "$(keys --ttl any)" = 22 ] && [ "$(keys --ttl expired)" = 0 ] || fail $LINENO
[ "$(keys --ttl expired --now 9000000000000)" -gt 0 ]
[ $(($(keys --key 'l:*') + $(keys --not-key 'l:*'))) = "$all" ] && [ "$(keys --key 'l:*')" -gt 1 ] || fail $LINENO
[ "$(keys --key-regex '^l:')" = "$(keys --key 'l:*')" ] && [ "$(keys --not-key-regex '^l:')" = "$(keys --not-key 'l:*')" ] || fail $LINENO
[ $(($(keys --size 0~999) + $(keys --size 1000~))) = "$all" ]
[ $(($(keys --slot 0-8191) + $(keys --slot 8192-16383))) = "$all" ]
[ "$(keys --limit 7)" = 7 ]
"$RDBTOOL" info "$f" --db 1 | grep -q '^keys .* (only those that the filters let pass)$'
"$RDBTOOL" info "$f" --limit 7 | grep -q '^keys .* (stopped by --limit)$'
"$RDBTOOL" info "$f" --json --db 1 | grep -q '"filtered": true'
