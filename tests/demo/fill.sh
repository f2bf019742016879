#!/bin/sh
# What this is: fills a server with every data type, in every encoding that a small data set shows: fill.sh SOCKET.
# Rests on: redis-cli. Does not: start the server, or say anything when all went well.
set -eu
socket=$1
long=$(printf '%0100d' 0) # more than 64 bytes: no listpack

{
    cat <<'END'
SET greeting "hello, world"
SET counter 9007199254740993
SET binary "\x00\xff\xfe not text"
SET session:1 "{\"user\":1,\"name\":\"Ada\"}" EX 86400
SET session:2 "{\"user\":2,\"name\":\"Grace\"}" EX 86400
RPUSH queue job:1 job:2 job:3
SADD primes 2 3 5 7 11
SADD colours red green blue
ZADD scores 1.5 ada 2.25 grace inf linus
HSET user:1 name Ada born 1815
GEOADD cities 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
PFADD visitors a b c d e
SETBIT flags 7 1
XADD orders 1700000000000-0 item book price 12
XADD orders 1700000000000-1 item pen price 2
XADD orders 1700000001000-0 item cup price 7
XGROUP CREATE orders billing 0
XREADGROUP GROUP billing worker-1 COUNT 2 STREAMS orders >
XACK orders billing 1700000000000-0
XDEL orders 1700000000000-1
END
    echo "SET page $long$long$long$long" # repetitive: LZF
    i=0
    while [ $i -lt 600 ]; do
        echo "RPUSH log line:$i:$long"
        echo "HSET inventory item:$i $i"
        echo "ZADD ranking $i.5 player:$i"
        echo "SADD tags tag:$i"
        i=$((i + 1))
    done
    echo 'SELECT 1'
    echo 'SET other-db yes'
} | redis-cli -s "$socket" >"$socket.fill" 2>&1

# Functions came with 7.0; older servers refuse the command, which is no fault here.
printf '#!lua name=demo\nredis.register_function("hello", function() return "hello" end)\n' |
    redis-cli -s "$socket" -x FUNCTION LOAD >>"$socket.fill" 2>&1

if grep -E '^(ERR|WRONGTYPE|\(error\))' "$socket.fill" | grep -v 'unknown command'; then
    exit 1
fi
