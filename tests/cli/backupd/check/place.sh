# URIs of Sentinel and of a cluster: what is refused before anybody is asked, what nobody at the address is (21), and the names that
# a configuration gives such places.
. "$TESTS/cli/backupd/_repo.sh"
for uri in sentinel://127.0.0.1 'sentinel://a,' cluster://a,,b cluster://a/1 cluster://a:0 "sentinel://a/%00" cluster://; do
    ends 2 "$BACKUPD" check "$uri"
    says ://
done
ends 2 "$BACKUPD" check cluster://bk:secret@127.0.0.1:1
says REDISCLI_AUTH
never secret
ends 2 "$BACKUPD" check sentinel://:secret@127.0.0.1:1/m
never secret
ends 2 "$BACKUPD" check sentinel://127.0.0.1:1/m --sentinel-pass secret
says RESPITE_SENTINEL_AUTH
never secret
ends 2 "$BACKUPD" check sentinel://127.0.0.1:1/m --cluster
says 'Sentinel watches no cluster'
ends 2 "$BACKUPD" check -s none -c
says 'unix socket'
ends 2 "$BACKUPD" check cluster://a -p 1
says 'named twice'
ends 2 "$BACKUPD" check cluster://127.0.0.1:1 --sentinel-user u
ends 2 "$BACKUPD" check cluster://127.0.0.1:1 --cacert x
says '--cacert: without'
ends 2 "$BACKUPD" check sentinel://127.0.0.1:1/m --sentinel-pass-file none
says none
: >empty
ends 2 "$BACKUPD" check sentinel://127.0.0.1:1/m --sentinel-pass-file empty
says empty
ends 21 "$BACKUPD" check sentinel://127.0.0.1:1,127.0.0.1:2/m
says 'no sentinel answers'
ends 21 "$BACKUPD" check cluster://127.0.0.1:1,127.0.0.1:2 --json
ends 21 env REDISCLI_AUTH=secret RESPITE_SENTINEL_AUTH=secret2 "$BACKUPD" check -c -p 1
never secret
printf '[source c]\nuri = cluster://bk:secret@127.0.0.1:1\n[source s]\nuri = sentinel://127.0.0.1:1/m\nsentinel-user = u\n' >conf
printf '[source n]\nhost = 127.0.0.1\nport = 1\ncluster = yes\n[source bad]\nuri = clusters:/a\n' >>conf
ends 20 "$BACKUPD" check c --config conf
says 'conf:11: uri: is no URI'
sed -i '/bad/,$d' conf
chmod 600 conf
for name in c s n; do ends 21 "$BACKUPD" check $name --config conf; done
never secret
ends 0 "$BACKUPD" check c --config conf --print-config --repo file:/none
says 'cluster://***@127.0.0.1:1'
never secret
chmod 644 conf
ends 20 "$BACKUPD" check c --config conf
says 'everybody may read it'
