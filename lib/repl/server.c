/* What this is: opening a server: connect, authenticate, select, learn what it is; and waiting while it cannot answer.
 * Rests on: server_impl.h.
 * Does not: send anything that changes the server. */
#include "repl/server_impl.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"

static int64_t steady_ms(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t)) return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- one attempt ---- */

static int connect_to(struct rsp_server *s)
{
    const struct rsp_endpoint *e = &s->endpoint;
    struct net_target t;
    int rc;
    memset(&t, 0, sizeof t);
    t.name = s->name;
    t.host = e->host ? e->host : "127.0.0.1";
    t.port = e->port ? e->port : 6379;
    t.socket = e->socket;
    t.tls = e->tls;
    t.insecure = e->insecure;
    t.family = e->family;
    t.sni = e->sni;
    t.cacert = e->cacert;
    t.cacertdir = e->cacertdir;
    t.cert = e->cert;
    t.key = e->key;
    t.ciphers = e->ciphers;
    t.ciphersuites = e->ciphersuites;
    t.connect_ms = e->connect_ms ? e->connect_ms : 10000;
    rc = net_open(&s->env, &t, s->cancel, &s->conn);
    if (rc) return rc;
    resp_reader_init(&s->reader, &s->env, s->name, SERVER_ANSWER_BYTES);
    s->has_reader = 1;
    return RSP_OK;
}

static void disconnect(struct rsp_server *s)
{
    if (s->has_reader) resp_reader_free(&s->reader);
    s->has_reader = 0;
    net_close(s->conn);
    s->conn = NULL;
    s->dead = 0;
}

/* A text that repeats the password is cut to its first word, the code. Up to three characters stand in many a text. */
static struct rsp_span without(struct rsp_span text, const char *password)
{
    const uint8_t *blank = text.n ? memchr(text.p, ' ', text.n) : NULL;
    if (strlen(password) < 4 || !server_span_has(text, password)) return text;
    if (blank) text.n = (size_t)(blank - text.p);
    if (server_span_has(text, password)) text.n = 0;
    return text;
}

/* Servers repeat the arguments of a command that they do not know, whole or cut. */
static int auth_refused(struct rsp_server *s, struct rsp_span text)
{
    int told; /* nothing of the text is repeated */
    if (server_span_has(text, "no password is set") || server_span_has(text, "without any password configured")) {
        log_line(&s->env, RSP_LOG_WARN, "%s: a password was given, and the server asks for none", s->name);
        return RSP_OK;
    }
    if (server_span_has(text, "wrong number of arguments"))
        return fail(&s->env, RSP_EDENIED, s->name,
                    "the server is older than 6.0 and knows no users: give the password without a user");
    if (server_span_has(text, "unknown command"))
        return fail(&s->env, RSP_EDENIED, s->name,
                    "the server does not know AUTH: it has another name there (rename-command), or this is no Redis or "
                    "Valkey server");
    told = resp_error_is(text, "WRONGPASS") || resp_error_is(text, "NOAUTH") ||
           server_span_has(text, "ERR invalid password") || server_span_has(text, "ERR operation not permitted");
    return server_refused(s, "AUTH", told ? text : without(text, s->endpoint.password));
}

static int authenticate(struct rsp_server *s)
{
    const char *user = s->endpoint.user, *password = s->endpoint.password;
    const struct rsp_reply *r;
    struct buf out;
    int rc;
    if (!password) return RSP_OK;
    if (user && !*user) user = NULL;
    buf_init(&out, &s->env);
    rc = buf_reserve(&out,
                     strlen(password) + (user ? strlen(user) : 0) + 128); /* never moved: no copy is left behind */
    if (!rc) rc = resp_begin(&out, user ? 3 : 2);
    if (!rc) rc = resp_text(&out, "AUTH");
    if (!rc && user) rc = resp_text(&out, user);
    if (!rc) rc = resp_text(&out, password);
    if (!rc) rc = server_send(s, &out);
    if (out.p) sodium_memzero(out.p, out.cap);
    buf_free(&out);
    if (!rc) rc = server_reply(s, &r);
    if (!rc && r->type == RSP_REPLY_ERROR) rc = auth_refused(s, r->text);
    return rc;
}

/* ACL WHOAMI is asked only where the certificate may have chosen the user: a denied command stands in the server's log
 * of denied commands. */
static int learn_user(struct rsp_server *s)
{
    const struct rsp_endpoint *e = &s->endpoint;
    const struct rsp_reply *r;
    int named = e->password && e->user && *e->user, rc;
    if (named) printable(s->user, sizeof s->user, (const uint8_t *)e->user, strlen(e->user));
    else snprintf(s->user, sizeof s->user, "default");
    if (e->password || !e->cert || s->facts.version_n < 60000) return RSP_OK;
    rc = server_words(s, "ACL WHOAMI", &r);
    if (!rc && r->type == RSP_REPLY_BULK) printable(s->user, sizeof s->user, r->text.p, r->text.n);
    return rc;
}

static int select_db(struct rsp_server *s)
{
    const struct rsp_reply *r;
    char words[32];
    if (!s->endpoint.db) return RSP_OK;
    snprintf(words, sizeof words, "SELECT %u", s->endpoint.db);
    return rsp_server_do(s, words, &r);
}

static int attempt(struct rsp_server *s)
{
    int rc;
    if (!s->conn || s->dead) {
        disconnect(s);
        rc = connect_to(s);
        if (!rc) rc = authenticate(s);
        if (!rc) rc = select_db(s);
        if (!rc) rc = server_learn(s);
        if (s->conn && !s->endpoint.tls && (rc == RSP_ENET || rc == RSP_EFORMAT))
            trail(&s->env, rc, "if the server speaks TLS: rediss:// or --tls");
        if (rc) s->dead = rc; /* the next attempt begins anew */
        return rc;
    }
    return server_learn(s);
}

/* ---- patience ---- */

static int still_loading(struct rsp_server *s)
{
    int rc;
    char eta[48] = "";
    if (s->facts.load_eta_s >= 0) snprintf(eta, sizeof eta, ", about %lld s to go", (long long)s->facts.load_eta_s);
    rc = fail(&s->env, RSP_EBUSY, s->name, "the server is loading its data%s", eta);
    if (s->env.error->code == rc) s->env.error->retryable = 1;
    return rc;
}

/* A fault that was in the record before is left alone, and nothing is tried again. */
static int open_patiently(struct rsp_server *s, int64_t patience_ms)
{
    int64_t until = steady_ms() + (patience_ms < SERVER_TIME_MOST ? patience_ms : SERVER_TIME_MOST);
    int foreign = s->env.error->code != 0;
    for (unsigned n = 1;; n++) {
        int rc = attempt(s);
        if (!rc && s->facts.loading && patience_ms > 0) rc = still_loading(s);
        /* Only a server that answers is waited for: nobody at an address is more often a wrong address than a restart. */
        if (rc != RSP_EBUSY || foreign || steady_ms() >= until) return rc;
        log_line(&s->env, n > 1 ? RSP_LOG_INFO : RSP_LOG_WARN, "%s: waiting for the server: %s", s->name,
                 s->env.error->message);
        rsp_error_clear(s->env.error);
        rc = server_pause(&s->env, s->cancel, n);
        if (rc) return rc;
    }
}

/* ---- the handle ---- */

static int endpoint_ok(struct rsp_server *s)
{
    const struct rsp_endpoint *e = &s->endpoint;
    if (e->port > 65535) return fail(&s->env, RSP_EINVAL, s->name, "there is no port %u", e->port);
    if (e->connect_ms < 0 || e->idle_ms < 0) return fail(&s->env, RSP_EINVAL, s->name, "a time below 0");
    return RSP_OK;
}

static struct rsp_server *server_new(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                                     volatile const int *cancel)
{
    struct rsp_env e;
    struct rsp_server *s;
    env_init(&e, env);
    s = mem_zero(&e, sizeof *s);
    if (!s) return NULL;
    s->env = e;
    if (!s->env.error) s->env.error = &s->spare;
    memcpy(&s->endpoint, endpoint, endpoint->size < sizeof s->endpoint ? endpoint->size : sizeof s->endpoint);
    s->endpoint.size = sizeof s->endpoint;
    s->cancel = cancel;
    buf_init(&s->info, &s->env);
    return s;
}

static int server_start(struct rsp_server *s, int64_t patience_ms, struct rsp_server **ret)
{
    int rc;
    rsp_endpoint_text(&s->endpoint, s->name, sizeof s->name);
    snprintf(s->user, sizeof s->user, "%s", "default");
    if (s->endpoint.password && s->endpoint.user && *s->endpoint.user)
        printable(s->user, sizeof s->user, (const uint8_t *)s->endpoint.user, strlen(s->endpoint.user));
    rc = endpoint_ok(s);
    if (!rc) rc = open_patiently(s, patience_ms);
    if (!rc) rc = learn_user(s);
    if (rc) {
        rsp_server_free(s);
        return rc;
    }
    *ret = s;
    return RSP_OK;
}

int rsp_server_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                    const struct rsp_server_options *options, struct rsp_server **ret)
{
    struct rsp_server_options o;
    struct rsp_server *s;
    *ret = NULL;
    memset(&o, 0, sizeof o);
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    s = server_new(env, endpoint, o.cancel);
    return s ? server_start(s, o.patience_ms, ret) : RSP_ENOMEM;
}

int server_open_beside(struct rsp_server *s, const char *host, uint32_t port, int64_t connect_ms,
                       volatile const int *cancel, struct rsp_server **ret)
{
    struct rsp_env env = s->env;
    struct rsp_server *other;
    *ret = NULL;
    if (env.error == &s->spare) env.error = NULL;
    other = server_new(&env, &s->endpoint, cancel);
    if (!other) return RSP_ENOMEM;
    snprintf(other->own_host, sizeof other->own_host, "%s", host);
    other->endpoint.host = other->own_host;
    other->endpoint.port = port;
    other->endpoint.socket = NULL;
    other->endpoint.connect_ms = connect_ms;
    return server_start(other, 0, ret);
}

const struct rsp_server_facts *rsp_server_facts(const struct rsp_server *s)
{
    return &s->facts;
}

const struct rsp_endpoint *rsp_server_endpoint(const struct rsp_server *s)
{
    return &s->endpoint;
}

const char *rsp_server_name(const struct rsp_server *s)
{
    return s->name;
}

const char *rsp_server_user(const struct rsp_server *s)
{
    return s->user;
}

const struct rsp_server_replica *rsp_server_replica(const struct rsp_server *s, size_t i)
{
    return i < s->replicas_n ? &s->replicas[i] : NULL;
}

int rsp_server_refresh(struct rsp_server *s)
{
    return server_learn(s);
}

void rsp_server_free(struct rsp_server *s)
{
    struct rsp_env env;
    if (!s) return;
    disconnect(s);
    buf_free(&s->info);
    mem_free(&s->env, s->replicas, s->replicas_cap * sizeof *s->replicas);
    mem_free(&s->env, s->rights, s->rights_n * sizeof *s->rights);
    env = s->env;
    mem_free(&env, s, sizeof *s);
}
