# Dialect and version, the server that wrote the file, and what protects it.
line() { "$RDBTOOL" info "$DATA/$1" | sed -n 's/^\(format\|written by\|checksum\|slot info\|templates\|module data\|updates\|slot imports\)  */\1: /p' | paste -sd ';'; }
for f in redis-2.4.18/strings redis-2.6.17/empty redis-2.8.24/empty redis-6.2.16/empty redis-8.6.3/module valkey-9.1.2/empty hand/empty-01 \
    hand/empty-05 hand/empty-valkey-81 hand/aux-valkey-cluster hand/templates hand/modules; do
    [ ! -e "$DATA/$f.rdb" ] || echo "$f: $(line "$f.rdb")"
done
