# What a check by Sentinel says: who answers, the quorum, who is the master and who would be taken; sentinels with users and
# passwords of their own, which never go to the servers, nor theirs to them.
# shellcheck source=tests/live/cluster/_sentinel.sh
. "$TESTS/live/cluster/_sentinel.sh"
sentinel_start s
ends 0 "$BACKUPD" check "$(sentinel_uri s)"
says '3 of 3 sentinels answered'
says "mymaster is redis://127.0.0.1:${PORT[s/0]}"
says 'would be captured: redis://127.0.0.1:'
ends 0 "$BACKUPD" check "$(sentinel_uri s)" --source-role master --json
[ "$(json "d['sentinel']['taken']")" = "redis://127.0.0.1:${PORT[s/0]}" ]
server_end s/s2 KILL
ends 0 "$BACKUPD" check "$(sentinel_uri s)"
says '2 of 3 sentinels answered'
# A password that sentinels ask for is not the servers'.
for i in 0 1; do
    at s/s$i ACL SETUSER sn on '>spw' +info '+sentinel|get-master-addr-by-name' '+sentinel|masters' >/dev/null
    at s/s$i ACL SETUSER less on '>lpw' +info '+sentinel|get-master-addr-by-name' >/dev/null
    at s/s$i ACL SETUSER default -@all +auth >/dev/null
done
for i in 0 1 2; do at s/$i ACL SETUSER bk on '>dpw' +psync +replconf +ping +info +role >/dev/null; done
two="sentinel://127.0.0.1:${PORT[s/s0]},127.0.0.1:${PORT[s/s1]}/mymaster"
ends 21 "$BACKUPD" check "$two"
says RESPITE_SENTINEL_AUTH
echo spw >pass && chmod 600 pass
export REDISCLI_AUTH=dpw
ends 0 "$BACKUPD" check "$two" --user bk --sentinel-user sn --sentinel-pass-file pass
says 'it sees us as user bk'
ends 0 env RESPITE_SENTINEL_AUTH=spw RESPITE_SENTINEL_USER=sn "$BACKUPD" check "$two" --user bk
ends 21 env RESPITE_SENTINEL_AUTH=dpw "$BACKUPD" check "$two" --user bk --sentinel-user sn
never dpw
ends 2 "$BACKUPD" check "$two" --sentinel-pass spw
says 'is not taken'
ends 2 "$BACKUPD" check "redis://127.0.0.1:${PORT[s/0]}" --sentinel-user sn
says 'without sentinel://'
printf '[source m]\nuri = %s\nuser = bk\nsentinel-user = sn\nsentinel-pass-file = %s\n' "$two" "$PWD/pass" >conf
ends 0 "$BACKUPD" check m --config conf
# A rule that is missing has its line.
ends 3 env RESPITE_SENTINEL_AUTH=lpw "$BACKUPD" check "$two" --user bk --sentinel-user less
says 'ACL SETUSER less +sentinel|masters'
