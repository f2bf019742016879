# What this is: every command and configuration of the section WEBDAV of respite-stores(7), on apache and nginx; what a
#   writer cannot do there, by curl.
# Rests on: _man.sh, _dav.sh, htpasswd.
# Does not: start anything of the system: functions stand for its programs.
# TIMEOUT: 600
# LONG
# shellcheck disable=SC2034,SC2154,SC2016
. "$TESTS/live/store/_man.sh"
. "$TESTS/live/store/_dav.sh"
for tool in apache2 nginx; do
    command -v $tool >/dev/null || { echo "$tool is not installed" >&2 && exit 77; }
done
command -v htpasswd >/dev/null || { echo 'htpasswd is not installed' >&2 && exit 77; }
[ -e /usr/lib/nginx/modules/ngx_http_dav_ext_module.so ] || { echo "nginx's dav_ext is not installed" >&2 && exit 77; }
SERVES=$(id -un)
[ "$(id -u)" != 0 ] || SERVES=nobody
GROUP=$(id -gn "$SERVES")
places() {
    PLACES=(-e "s|/etc/respite|$PWD/own|g; s|/etc/apache2/|$DAV_HERE/|g; s|/etc/nginx/|$DAV_HERE/|g"
        -e "s|/var/lib/apache2/|$DAV_HERE/lib/|g; s|/srv|$DAV_HERE/www|g; s|-o www-data -g www-data|-o $SERVES -g $GROUP|"
        -e "s|HOST:PORT|localhost:${DAV_TLS-}|; s|SHEET|SHEET.$1|")
}
# What the page's programs do, on the servers of this case.
MODULES=
a2enmod() { MODULES="$*"; }
apachectl() { [ "$*" = configtest ] && apache2 -f "$DAV_HERE/conf" -t; }
nginx() {
    case $* in
    -t) command nginx -t -c "$DAV_HERE/conf" -e "$DAV_HERE/run/error.log" ;;
    *) command nginx "$@" ;;
    esac
}
RESTARTED=
systemctl() { [ "$1" = restart ] && RESTARTED=$2; }

apache_page() {
    local m=/usr/lib/apache2/modules x
    {
        # What Debian has turned on already, and what the page turns on.
        for x in mpm_event authn_core authz_core setenvif socache_shmcb $MODULES; do
            [ ! -e "$m/mod_$x.so" ] || echo "LoadModule ${x}_module $m/mod_$x.so"
        done
        printf '%s\n' "ServerRoot $DAV_HERE" 'ServerName localhost' "Listen 127.0.0.1:$DAV_PORT" \
            "Listen 127.0.0.1:$DAV_TLS" "PidFile $DAV_HERE/run/pid" "ErrorLog $DAV_HERE/run/error.log" \
            "DefaultRuntimeDir $DAV_HERE/run" "Mutex file:$DAV_HERE/lock default" "<VirtualHost 127.0.0.1:$DAV_TLS>" \
            'SSLEngine on' "SSLCertificateFile $DAV_HERE/cert.pem" "SSLCertificateKeyFile $DAV_HERE/key.pem"
        cat snippet
        echo '</VirtualHost>'
    } >"$DAV_HERE/conf"
}
nginx_page() {
    local r=$DAV_HERE
    {
        printf '%s\n' 'load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;' 'daemon off;' \
            "pid $r/run/pid;" "error_log $r/run/error.log;" 'worker_processes 1;' 'events { }' 'http {' 'access_log off;'
        printf '%s_temp_path %s/tmp;\n' client_body "$r" proxy "$r" fastcgi "$r" uwsgi "$r" scgi "$r"
        cat in_http
        printf '%s\n' 'server {' "listen 127.0.0.1:$DAV_PORT;" "listen 127.0.0.1:$DAV_TLS ssl;" \
            "ssl_certificate $r/cert.pem;" "ssl_certificate_key $r/key.pem;"
        cat in_server
        echo '} }'
    } >"$DAV_HERE/conf"
}

# attack KIND: with the writer's password, against two objects of the repository
attack() {
    local a b it u=https://localhost:$DAV_TLS/respite/redis code
    a=$(cd "$DAV_HERE/www/respite/redis" && find data -type f | sort | head -n 1)
    b=$(cd "$DAV_HERE/www/respite/redis" && find log -type f | sort | head -n 1)
    [ -n "$a$b" ] || die "no objects"
    echo garbage >garbage
    (umask 077 && printf 'user = "writer:%s"\ncacert = "%s"\n' "$(<own/dav.writer)" "$DAV_CA" >curlrc)
    while read -r it; do
        it=${it//A/$u/$a} it=${it//B/$u/$b} it=${it//U/$u}
        # shellcheck disable=SC2086
        code=$(curl -s -K curlrc -o answer -w '%{http_code}' $it) || :
        echo "$code $it" >>attacks
    done <<'END'
-T garbage A
-X delete A
-X DELETE A
-X DELETE -H depth:0 A
-X DELETE U/data/
-X DELETE U/
-X MOVE -H destination:U/gone A
-X MOVE -H overwrite:F -H destination:U/gone A
-X MOVE -H overwrite:F -H destination:U/gone.respite.part~00000000 A
-X MOVE -H overwrite:F -H destination:U/gone/ U/data/
-X COPY -H destination:A B
-X COPY -H overwrite:T -H destination:A B
-X LOCK A
-X PROPPATCH A
-X POST -d x A
-X PATCH -d x A
-X MOVE -H overwrite:T -H destination:A B
-T garbage U/x.respite.part~00000000
-X MOVE -H overwrite:T -H destination:A U/x.respite.part~00000000
-X MOVE -H destination:A U/x.respite.part~00000000
-X MOVE -H overwrite:f -H destination:A U/x.respite.part~00000000
-X MOVE -H overwrite:F -H destination:A U/x.respite.part~00000000
-X MKCOL U/dir.respite.part~00000000/
-X MOVE -H overwrite:F -H destination:A U/dir.respite.part~00000000
-X MOVE -H overwrite:F -H destination:U/data U/dir.respite.part~00000000
-X MOVE -H overwrite:F -H destination:B A%2erespite.part~00000000
-T garbage A/x.respite.part~00000000
-T garbage A%00.respite.part~00000000
-T garbage A?x.respite.part~00000000
-T garbage --path-as-is U/x.respite.part~00000000/../../redis/data
-T garbage -H X-HTTP-Method-Override:DELETE A
-X DELETE -u keeper: A
-X DELETE -u keeper:wrong A
-X DELETE -u nobody:x A
-X MKCOL A
END
    [ "$(wc -l <attacks)" = 35 ] || die 'not all attacks were tried'
}

# server KIND
try_server() {
    local url=davs://localhost:$DAV_TLS/respite/redis writer keeper before after
    export RESPITE_REPO_CACERT=$DAV_CA
    places "$1"
    run 9
    mv "SHEET.$1" SHEET
    writer=(--repo-user writer --repo-password-file own/dav.writer)
    keeper=(--repo-user keeper --repo-password-file own/dav.keeper)
    works "$url" writer keeper
    creates "$url" OK "${writer[@]}"
    before=$(cd "$DAV_HERE/www/respite/redis" && find . -type f ! -name '*.part~*' -exec sha256sum {} + | sort)
    : >attacks
    attack
    after=$(cd "$DAV_HERE/www/respite/redis" && find . -type f ! -name '*.part~*' -exec sha256sum {} + | sort)
    [ "$before" = "$after" ] || { cat attacks >&2 && die "$1: a writer changed something"; }
    stays "$url" "${writer[@]}"
    ends 22 backupd prune --repo "$url" --quarantine 0s --debris-age 0s "${writer[@]}"
    ends 0 backupd prune --repo "$url" --quarantine 0s --debris-age 0s "${keeper[@]}"
    left=$(cd "$DAV_HERE/www/respite/redis" && find . -name '*.part~*')
    [ -z "$left" ] || { cat attacks >&2 && die "$1: prune leaves what the writer left: $left"; }
    stays "$url" "${writer[@]}"
}

page WEBDAV
dav_folder apache
places apache
run 1
[ "$(stat -c %a own/dav.writer own/dav.keeper | sort -u)" = 600 ]
mkdir -p "$DAV_HERE/lib"
run 2
text 3 >snippet
dav_try apache2 apache_page apache2 -f "$DAV_HERE/conf" -DFOREGROUND
run 4
[ "$RESTARTED" = apache2 ]
sed -n '/AuthzSend/,$p' snippet | sed '$d' >rule
rules rule
try_server apache

dav_folder nginx
places nginx
run 5
text 6 >in_http
text 7 >in_server
dav_try nginx nginx_page nginx -e "$DAV_HERE/run/error.log" -c "$DAV_HERE/conf"
run 8
[ "$RESTARTED" = nginx ]
rules in_http
grep -e dav_methods -e return in_server >rule
rules rule
try_server nginx
page_end
