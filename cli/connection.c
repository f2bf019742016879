/* What this is: the place that options, environment and configuration name, and its passwords.
 * Rests on: connection.h, cli/exit.h, cli/print.h, cli/terminal.h, mlock(2).
 * Does not: keep a password in memory that may be swapped or dumped. */
#include "cli/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/signal.h"
#include "cli/terminal.h"

#define URI_ROOM 8192
#define PASSWORD_MAX 4096
#define ROOM (URI_ROOM + 2 * (PASSWORD_MAX + 2))

static const struct opt_value *value(const struct options *o, const int *ids, enum connection_id id)
{
    static const struct opt_value none;
    return ids[id] < 0 ? &none : &o->value[ids[id]];
}

static enum opt_from from_of(const struct opt_value *v)
{
    return v && v->count ? v->from : OPT_FROM_NONE;
}

static enum opt_from nearer(enum opt_from a, enum opt_from b)
{
    return a > b ? a : b;
}

/* Of host, port and socket. */
static enum opt_from address_from(const struct options *o, const int *ids)
{
    return nearer(nearer(from_of(value(o, ids, N_HOST)), from_of(value(o, ids, N_PORT))),
                  from_of(value(o, ids, N_SOCKET)));
}

/* The URI that counts: the one handed in, or --uri; NULL when host, port or socket are named nearer, or there is none. */
static const struct opt_value *uri_of(const struct options *o, const int *ids, const struct opt_value *uri)
{
    const struct opt_value *own = value(o, ids, N_URI);
    if (!uri || from_of(own) > from_of(uri)) uri = own;
    return uri->count && uri->from >= address_from(o, ids) ? uri : NULL;
}

/* ---- texts ---- */

/* User and password of a URI: from behind "://" to the last '@'; NULL when it has none. */
static const char *user_part(const char *uri, size_t *n)
{
    const char *at = strstr(uri, "://"), *end;
    if (!at || (at[3] == '/' && !strncmp(uri, "unix:", 5))) return NULL;
    at += 3;
    end = strrchr(at, '@');
    if (!end) return NULL;
    *n = (size_t)(end - at);
    return at;
}

int connection_has_password(const char *uri)
{
    size_t n = 0;
    /* As redis-cli has it, what stands alone before the @ is the password. */
    return user_part(uri, &n) && n;
}

void connection_hide(const char *uri, char *out, size_t size)
{
    size_t n;
    const char *part = user_part(uri, &n);
    if (part) snprintf(out, size, "%.*s***%s", (int)(part - uri), uri, part + n);
    else snprintf(out, size, "%s", uri);
}

/* ":6379" when the address has no port of its own: an IPv6 address is in brackets. */
static int has_port(const char *at, size_t n)
{
    while (n && at[n - 1] >= '0' && at[n - 1] <= '9') n--;
    return n && at[n - 1] == ':';
}

/* Of a URI: its address, or what Sentinel calls the master. */
static void name_of_uri(const char *uri, char out[CONNECTION_NAME])
{
    const char *at = strstr(uri, "://"), *part, *slash;
    size_t n = 0;
    int local = !strncasecmp(uri, "unix:", 5), cluster = !strncasecmp(uri, "cluster", 7);
    part = user_part(uri, &n);
    at = part ? part + n + 1 : at ? at + 3 : uri;
    slash = strchr(at, '/');
    if (!strncasecmp(uri, "sentinel", 8) && slash) {
        snprintf(out, CONNECTION_NAME, "%s", slash + 1);
        return;
    }
    n = strcspn(at, local ? "?" : cluster ? "/,?" : "/?");
    snprintf(out, CONNECTION_NAME, "%s%.*s%s", cluster ? "cluster-" : "",
             n < CONNECTION_NAME ? (int)n : CONNECTION_NAME, at, local || has_port(at, n) ? "" : ":6379");
}

void connection_name(const struct options *o, const int *ids, const struct opt_value *uri, char out[CONNECTION_NAME])
{
    const char *cluster = value(o, ids, N_CLUSTER)->count ? "cluster-" : "";
    const struct opt_value *v = uri_of(o, ids, uri), *host = value(o, ids, N_HOST), *port = value(o, ids, N_PORT),
                           *path = value(o, ids, N_SOCKET);
    if (v) {
        name_of_uri(v->text, out);
        if (*cluster && strncmp(out, cluster, strlen(cluster)) != 0) {
            char bare[CONNECTION_NAME];
            memcpy(bare, out, sizeof bare);
            snprintf(out, CONNECTION_NAME, "%s%.*s", cluster, CONNECTION_NAME - 9, bare);
        }
    } else if (path->count && path->from >= nearer(from_of(host), from_of(port))) {
        snprintf(out, CONNECTION_NAME, "%s", path->text);
    } else {
        snprintf(out, CONNECTION_NAME, "%s%s:%s", cluster, host->count ? host->text : "127.0.0.1",
                 port->count ? port->text : "6379");
    }
    for (char *p = out, *colon = strrchr(out, ':'); *p; p++) {
        int legal = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '.' ||
                    *p == '-' || *p == '_';
        if (!legal) *p = p == colon ? '-' : '_';
    }
}

int connection_exit(int status, int io)
{
    switch (status) {
    case RSP_EAUTH:   /* a certificate */
    case RSP_EFORMAT: /* no such protocol */
    case RSP_ETRUNCATED:
    case RSP_EVERSION:
    case RSP_EUNSUPPORTED: return io;
    default: return exit_of_fault(status, io);
    }
}

/* ---- refusals ---- */

static const char instead[] = "arguments are seen by every user of the host: set REDISCLI_AUTH, or use --askpass or "
                              "--pass-file FILE";

int connection_refuse(const struct options *o, const int *ids, const struct opt_value *uri)
{
    const struct opt_value *own = value(o, ids, N_URI);
    if (from_of(value(o, ids, N_PASS)) == OPT_FROM_ARGV)
        return options_usage(o, "-a and --pass are not taken: %s", instead);
    if (from_of(value(o, ids, N_SENTINEL_PASS)) == OPT_FROM_ARGV)
        return options_usage(o, "--sentinel-pass is not taken: arguments are seen by every user of the host: set "
                                "RESPITE_SENTINEL_AUTH, or use --sentinel-pass-file FILE");
    if ((from_of(own) == OPT_FROM_ARGV && connection_has_password(own->text)) ||
        (from_of(uri) == OPT_FROM_ARGV && connection_has_password(uri->text)))
        return options_usage(o, "a password in a URI (all before the @) is not taken from an argument: %s; --user NAME",
                             instead);
    return -1;
}

enum opt_from connection_named(const struct options *o, const int *ids, const struct opt_value *uri)
{
    return nearer(nearer(from_of(uri), from_of(value(o, ids, N_URI))), address_from(o, ids));
}

/* TLS by its scheme. */
static int is_secure(const char *uri)
{
    static const char *const schemes[] = {"rediss:", "valkeys:", "sentinels:", "clusters:"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (!strncasecmp(uri, schemes[i], strlen(schemes[i]))) return 1;
    return 0;
}

static int usage(const struct options *o, const int *ids, const struct opt_value *uri)
{
    static const enum connection_id tls[] = {N_SNI,     N_CACERT,  N_CACERTDIR,    N_CERT,
                                             N_TLS_KEY, N_CIPHERS, N_CIPHERSUITES, N_INSECURE};
    const struct opt_value *own = value(o, ids, N_URI), *v = uri_of(o, ids, uri);
    int secure = value(o, ids, N_TLS)->count || (v && is_secure(v->text));
    if (from_of(uri) != OPT_FROM_NONE && from_of(own) == from_of(uri))
        return options_usage(o, "the server is named twice: by '%s' and by --uri",
                             connection_has_password(uri->text) ? "a URI" : uri->text);
    if (v && v->from == address_from(o, ids))
        return options_usage(o, "the server is named twice: by a URI, and by host, port or socket");
    if (value(o, ids, N_IPV4)->count && value(o, ids, N_IPV6)->count)
        return options_usage(o, "-4 and -6 exclude each other");
    if (!value(o, ids, N_CERT)->count != !value(o, ids, N_TLS_KEY)->count)
        return options_usage(o, "--cert and --tls-key need each other");
    for (size_t i = 0; !secure && i < sizeof tls / sizeof tls[0]; i++) {
        const struct opt *opt = o->program->opts;
        if (!value(o, ids, tls[i])->count) continue;
        while (opt->id != ids[tls[i]]) opt++;
        return options_usage(
            o, "--%s: without --tls or a URI for TLS (rediss, clusters, sentinels) nothing is encrypted", opt->name);
    }
    return -1;
}

/* ---- the password ---- */

static int password_fault(const char *subject, const char *words, int err)
{
    print_err("%s: %s%s%s", subject, words, err ? ": " : "", err ? strerror(err) : "");
    return EXIT_USAGE;
}

static int read_password(const char *path, char *out)
{
    struct stat st;
    size_t n = 0;
    ssize_t got = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return password_fault(path, "cannot open the file of the password", errno);
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)))
        print_warn("%s: others may read this password; 'chmod 600' it", path);
    while (n <= PASSWORD_MAX && (got = read(fd, out + n, PASSWORD_MAX + 1 - n)) != 0) {
        if (got > 0) n += (size_t)got;
        else if (errno != EINTR || signal_caught()) break;
    }
    close(fd);
    if (got < 0) return password_fault(path, "the password cannot be read", errno);
    if (n > PASSWORD_MAX) return password_fault(path, "is longer than a password can be", 0);
    if (n && out[n - 1] == '\n') n--;
    out[n] = 0;
    if (!n) return password_fault(path, "the password is empty", 0);
    if (strlen(out) != n) return password_fault(path, "the password holds a byte of zero", 0);
    return -1;
}

static int ask_password(const struct rsp_place *named, char *out)
{
    char place[320], prompt[400];
    size_t n = 0;
    rsp_place_text(named, place, sizeof place);
    if (!terminal_there())
        return password_fault("--askpass", "there is no terminal to ask at; set REDISCLI_AUTH, or use --pass-file FILE",
                              0);
    snprintf(prompt, sizeof prompt, "password of %s: ", place);
    if (terminal_line(prompt, out, PASSWORD_MAX, &n)) return password_fault("--askpass", "no password was typed", 0);
    out[n] = 0;
    return -1;
}

/* The nearest of --pass-file, the URI's own and REDISCLI_AUTH; --askpass before all. */
static int take_password(struct connection *n, const struct options *o, const int *ids, enum opt_from uri)
{
    const struct opt_value *file = value(o, ids, N_PASS_FILE), *env = value(o, ids, N_PASS);
    char *out = n->room + URI_ROOM;
    enum opt_from own = n->place.endpoint.password ? uri : OPT_FROM_NONE;
    int code = -1;
    if (value(o, ids, N_ASKPASS)->count) code = ask_password(&n->place, out);
    else if (file->count && file->from >= own && file->from >= from_of(env)) code = read_password(file->text, out);
    else if (env->count && env->from > own) {
        size_t length = strlen(env->text);
        if (length > PASSWORD_MAX) return password_fault("REDISCLI_AUTH", "is longer than a password can be", 0);
        memcpy(out, env->text, length + 1);
    } else return -1;
    n->place.endpoint.password = code < 0 ? out : NULL;
    if (code >= 0 && file->from == OPT_FROM_CONFIG && !value(o, ids, N_ASKPASS)->count) return EXIT_CONFIG;
    return code;
}

/* The nearer of --sentinel-pass-file and RESPITE_SENTINEL_AUTH. */
static int take_sentinel(struct connection *n, const struct options *o, const int *ids)
{
    const struct opt_value *file = value(o, ids, N_SENTINEL_PASS_FILE), *env = value(o, ids, N_SENTINEL_PASS),
                           *user = value(o, ids, N_SENTINEL_USER);
    char *out = n->room + URI_ROOM + PASSWORD_MAX + 2;
    int code = -1;
    if (n->place.kind != RSP_PLACE_SENTINEL) {
        if (from_of(file) == OPT_FROM_ARGV || from_of(user) == OPT_FROM_ARGV)
            return options_usage(o, "--%s: without sentinel:// no sentinel is asked",
                                 from_of(user) == OPT_FROM_ARGV ? "sentinel-user" : "sentinel-pass-file");
        return -1;
    }
    if (value(o, ids, N_TLS)->count) n->place.sentinel_tls = 1;
    n->place.sentinel_user = user->text;
    if (file->count && file->from >= from_of(env)) {
        code = read_password(file->text, out);
        if (code >= 0 && file->from == OPT_FROM_CONFIG) return EXIT_CONFIG;
    } else if (env->count) {
        size_t length = strlen(env->text);
        if (length > PASSWORD_MAX)
            return password_fault("RESPITE_SENTINEL_AUTH", "is longer than a password can be", 0);
        memcpy(out, env->text, length + 1);
    } else return -1;
    if (code < 0) n->place.sentinel_password = out;
    return code;
}

/* ---- the place ---- */

static int take_uri(struct connection *n, const struct rsp_env *env, const struct opt_value *v)
{
    char words[600];
    int rc;
    if (strlen(v->text) >= URI_ROOM) return password_fault("URI", "is too long", 0);
    rc = rsp_place_parse(env, v->text, n->room, URI_ROOM, &n->place);
    if (!rc) return -1;
    rsp_error_format(env->error, words, sizeof words);
    rsp_error_clear(env->error);
    if (v->from == OPT_FROM_CONFIG) print_err("%s: %s", v->where, words);
    else print_err("%s", words);
    if (rc != RSP_EINVAL) return exit_of_fault(rc, EXIT_INTERNAL);
    return v->from == OPT_FROM_CONFIG ? EXIT_CONFIG : EXIT_USAGE;
}

static void take_address(struct rsp_endpoint *e, const struct options *o, const int *ids)
{
    const struct opt_value *host = value(o, ids, N_HOST), *port = value(o, ids, N_PORT),
                           *path = value(o, ids, N_SOCKET);
    if (path->count && path->from >= nearer(from_of(host), from_of(port))) {
        e->socket = path->text;
        return;
    }
    if (host->count) e->host = host->text;
    if (port->count) e->port = (uint32_t)port->number;
}

static void take_rest(struct rsp_endpoint *e, const struct options *o, const int *ids, enum opt_from uri)
{
    const struct opt_value *user = value(o, ids, N_USER), *db = value(o, ids, N_DB);
    if (user->count && (!e->user || user->from >= uri)) e->user = user->text;
    if (db->count && (!e->db || db->from >= uri)) e->db = (uint32_t)db->number;
    if (value(o, ids, N_TLS)->count) e->tls = 1;
    e->sni = value(o, ids, N_SNI)->text;
    e->cacert = value(o, ids, N_CACERT)->text;
    e->cacertdir = value(o, ids, N_CACERTDIR)->text;
    e->cert = value(o, ids, N_CERT)->text;
    e->key = value(o, ids, N_TLS_KEY)->text;
    e->ciphers = value(o, ids, N_CIPHERS)->text;
    e->ciphersuites = value(o, ids, N_CIPHERSUITES)->text;
    e->insecure = value(o, ids, N_INSECURE)->count != 0;
    e->family = value(o, ids, N_IPV4)->count ? 4 : value(o, ids, N_IPV6)->count ? 6 : 0;
    e->connect_ms = value(o, ids, N_CONNECT_TIMEOUT)->number;
    e->idle_ms = value(o, ids, N_IDLE_TIMEOUT)->number;
}

/* -c: the server that is named is a node of a cluster. Its URI may say so too. */
static int take_cluster(struct rsp_place *p, const struct options *o, const int *ids)
{
    struct rsp_endpoint *e = &p->endpoint;
    if (!value(o, ids, N_CLUSTER)->count || p->kind == RSP_PLACE_CLUSTER) return -1;
    if (p->kind == RSP_PLACE_SENTINEL) return options_usage(o, "--cluster: Sentinel watches no cluster");
    if (e->socket)
        return options_usage(o, "--cluster: the nodes of a cluster are reached by host and port, not by a unix socket");
    p->kind = RSP_PLACE_CLUSTER;
    p->seeds[0] = (struct rsp_seed){e->host ? e->host : "127.0.0.1", e->port ? e->port : 6379};
    p->seeds_n = 1;
    e->host = NULL;
    e->port = 0;
    return -1;
}

int connection_open(struct connection *n, const struct rsp_env *env, const struct options *o, const int *ids,
                    const struct opt_value *uri)
{
    const struct opt_value *v;
    enum opt_from from;
    int code = connection_refuse(o, ids, uri);
    memset(n, 0, sizeof *n);
    n->place.size = sizeof n->place;
    n->place.endpoint.size = sizeof n->place.endpoint;
    if (code < 0) code = usage(o, ids, uri);
    if (code >= 0) return code;
    n->room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (n->room == MAP_FAILED) {
        n->room = NULL;
        print_err("%s", rsp_status_text(RSP_ENOMEM));
        return EXIT_CAPACITY;
    }
    (void)mlock(n->room, ROOM);
    (void)madvise(n->room, ROOM, MADV_DONTDUMP);
    v = uri_of(o, ids, uri);
    from = v ? v->from : OPT_FROM_NONE;
    if (v) code = take_uri(n, env, v);
    else take_address(&n->place.endpoint, o, ids);
    if (code < 0) code = take_cluster(&n->place, o, ids);
    if (code >= 0) return code;
    take_rest(&n->place.endpoint, o, ids, from);
    code = take_sentinel(n, o, ids);
    return code < 0 ? take_password(n, o, ids, from) : code;
}

void connection_close(struct connection *n)
{
    if (n->room) {
        explicit_bzero(n->room, ROOM);
        munmap(n->room, ROOM);
    }
    memset(n, 0, sizeof *n);
}
