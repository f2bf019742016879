# What this is: private WebDAV servers for the cases of remote stores, with an authority of their own; source it.
# Rests on: apache2 (mod_dav), nginx with its dav_ext module, openssl, python3, curl, setpriv and setsid (util-linux).
# Does not: listen anywhere but on loopback, run as root, or outlive the case.
#
# dav_apache and dav_nginx start one and set STORE_URL (davs:), STORE_PLAIN (dav:), DAV_USER, DAV_PASSWORD, DAV_CA (a
# file), DAV_ROOT (the served folder), DAV_LOG, DAV_PID (its process group: kill -STOP -- -$DAV_PID stalls it). Before:
# DAV_RULES: lines of that server's own configuration for the served place; DAV_HTTP: for nginx's http block;
# DAV_METHODS: in place of nginx's dav_methods line. DAV_SIZE (MB; root only): the served folder is a file system of
# that size. DAV_DAYS: of the certificate; -1: it has expired. DAV_AUTH=Digest: of apache.
# shellcheck disable=SC2034 # what is set here is used by those who source it
for tool in curl openssl setpriv setsid; do
    command -v $tool >/dev/null || { echo "$tool is not installed" >&2 && exit 77; }
done
PATH=$PATH:/usr/sbin
DAV_USER=u DAV_PASSWORD=secret DAV_RULES=${DAV_RULES-} DAV_SIZE=${DAV_SIZE-}
DAV_PIDS=() DAV_MOUNTS=()
# Not in the case's own folder: the user whom the servers run as might not get there.
DAV_HOME=$(mktemp -d /tmp/respite-dav.XXXXXX)
dav_stop() {
    local x
    for x in "${DAV_PIDS[@]}"; do kill -KILL -- "-$x" 2>/dev/null || :; done
    wait 2>/dev/null || :
    for x in "${DAV_MOUNTS[@]}"; do umount -l "$x" || :; done
    rm -rf "$DAV_HOME"
}
trap 'dav_stop' EXIT
DAV_AS=()
if [ "$(id -u)" = 0 ]; then
    DAV_AS=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
    chmod 711 "$DAV_HOME"
fi
dav_ports() {
    python3 -c 'import socket
s = [socket.socket() for i in range(2)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])'
}

# dav_certificate FOLDER [DAYS]: key.pem and cert.pem for localhost, by the authority in $DAV_HOME
dav_certificate() {
    if [ ! -e "$DAV_HOME/ca.pem" ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=respite test CA' \
            -keyout "$DAV_HOME/ca.key" -out "$DAV_HOME/ca.pem" 2>/dev/null
    fi
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout "$1/key.pem" \
        -out "$1/request.pem" 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n' >"$1/ext"
    openssl x509 -req -in "$1/request.pem" -CA "$DAV_HOME/ca.pem" -CAkey "$DAV_HOME/ca.key" -CAcreateserial \
        -days "${2:-2}" -extfile "$1/ext" -out "$1/cert.pem" 2>/dev/null
    chmod 644 "$1/key.pem"
    DAV_CA=$DAV_HOME/ca.pem
}

# dav_folder NAME: DAV_HERE with what every server needs
dav_folder() {
    DAV_HERE=$DAV_HOME/$1
    DAV_ROOT=$DAV_HERE/www/r
    mkdir -p "$DAV_HERE"/{run,tmp,lock,www}
    printf '%s:%s\n' "$DAV_USER" "$(openssl passwd -apr1 "$DAV_PASSWORD")" >"$DAV_HERE/users"
    dav_certificate "$DAV_HERE" "${DAV_DAYS:-2}"
    if [ -n "$DAV_SIZE" ]; then
        mount -t tmpfs -o "size=${DAV_SIZE}m" tmpfs "$DAV_HERE/www"
        DAV_MOUNTS+=("$DAV_HERE/www")
    fi
    mkdir "$DAV_ROOT"
    [ "$(id -u)" != 0 ] || chown -R 65534:65534 "$DAV_HERE"
}

# dav_up NAME COMMAND...: starts it and waits for its first answer
dav_up() {
    local i
    setsid "${DAV_AS[@]}" "${@:2}" >"$DAV_HERE/run/out" 2>&1 &
    DAV_PID=$!
    DAV_PIDS+=("$DAV_PID")
    DAV_LOG=$DAV_HERE/run/error.log
    STORE_URL=davs://localhost:$DAV_TLS/r STORE_PLAIN=dav://localhost:$DAV_PORT/r
    for ((i = 0; i < 400; i++)); do
        ! curl -s -o /dev/null "http://127.0.0.1:$DAV_PORT/" || return 0
        kill -0 "$DAV_PID" 2>/dev/null || break
        sleep 0.025
    done
    cat "$DAV_HERE/run/out" "$DAV_LOG" >&2 || :
    return 1
}

# dav_try NAME CONFIGURE COMMAND...: with other ports when somebody else took ours in between
dav_try() {
    local i
    for i in 1 2 3; do
        read -r DAV_PORT DAV_TLS < <(dav_ports)
        "$2"
        ! dav_up "$1" "${@:3}" || return 0
        grep -qi 'address already in use' "$DAV_HERE/run/out" "$DAV_HERE/run/error.log" 2>/dev/null || break
    done
    echo "$1 does not start (try $i)" >&2
    exit 1
}

apache_configure() {
    local m=/usr/lib/apache2/modules x
    {
        for x in mpm_event authn_core authn_file authz_core authz_user auth_basic auth_digest dav dav_fs setenvif \
            socache_shmcb ssl; do
            echo "LoadModule ${x}_module $m/mod_$x.so"
        done
        cat <<C
ServerRoot $DAV_HERE
ServerName localhost
Listen 127.0.0.1:$DAV_PORT
Listen 127.0.0.1:$DAV_TLS
PidFile $DAV_HERE/run/pid
ErrorLog $DAV_HERE/run/error.log
DefaultRuntimeDir $DAV_HERE/run
Mutex file:$DAV_HERE/lock default
DavLockDB $DAV_HERE/lock/db
DocumentRoot $DAV_HERE/www
Timeout 60
<Directory $DAV_HERE/www>
  Dav On
  AuthType ${DAV_AUTH:-Basic}
  AuthName respite
  AuthUserFile $DAV_HERE/users
  Require valid-user
$DAV_RULES
</Directory>
<VirtualHost 127.0.0.1:$DAV_TLS>
  SSLEngine on
  SSLCertificateFile $DAV_HERE/cert.pem
  SSLCertificateKeyFile $DAV_HERE/key.pem
</VirtualHost>
C
    } >"$DAV_HERE/conf"
}
dav_apache() {
    [ -e /usr/lib/apache2/modules/mod_dav_fs.so ] || { echo 'apache2 is not installed' >&2 && exit 77; }
    dav_folder "apache${#DAV_PIDS[@]}"
    dav_try apache2 apache_configure apache2 -f "$DAV_HERE/conf" -DFOREGROUND
}

nginx_configure() {
    local r=$DAV_HERE
    cat >"$r/conf" <<C
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
daemon off;
pid $r/run/pid;
error_log $r/run/error.log;
worker_processes 1;
events { worker_connections 128; }
http {
  access_log off;
  client_body_temp_path $r/tmp; proxy_temp_path $r/tmp; fastcgi_temp_path $r/tmp; uwsgi_temp_path $r/tmp;
  scgi_temp_path $r/tmp;
  client_max_body_size 0;
  dav_ext_lock_zone zone=z:1m;
${DAV_HTTP-}
  server {
    listen 127.0.0.1:$DAV_PORT;
    listen 127.0.0.1:$DAV_TLS ssl;
    ssl_certificate $r/cert.pem;
    ssl_certificate_key $r/key.pem;
    root $r/www;
    auth_basic respite;
    auth_basic_user_file $r/users;
    location / {
      ${DAV_METHODS:-dav_methods PUT DELETE MKCOL COPY MOVE;}
      dav_ext_methods PROPFIND OPTIONS;
      dav_access user:rw group:rw;
$DAV_RULES
    }
  }
}
C
}
dav_nginx() {
    if ! command -v nginx >/dev/null || [ ! -e /usr/lib/nginx/modules/ngx_http_dav_ext_module.so ]; then
        echo 'nginx (with its dav_ext module) is not installed' >&2
        exit 77
    fi
    dav_folder "nginx${#DAV_PIDS[@]}"
    dav_try nginx nginx_configure nginx -e "$DAV_HERE/run/error.log" -c "$DAV_HERE/conf"
}
