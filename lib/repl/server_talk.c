/* What this is: commands out, replies in, on a server's connection.
 * Rests on: server_impl.h.
 * Does not: judge error replies (server_refused.c). */
#include "repl/server_impl.h"

#include <time.h>

#include "base/mem.h"

struct net_conn *server_conn(struct rsp_server *s)
{
    return s->conn;
}

struct resp_reader *server_reader(struct rsp_server *s)
{
    return &s->reader;
}

struct rsp_env *server_env(struct rsp_server *s)
{
    return &s->env;
}

volatile const int *server_cancel(const struct rsp_server *s)
{
    return s->cancel;
}

int64_t server_idle_ms(const struct rsp_server *s)
{
    int64_t ms = s->endpoint.idle_ms ? s->endpoint.idle_ms : 60000;
    return ms < SERVER_TIME_MOST ? ms : SERVER_TIME_MOST;
}

static int usable(struct rsp_server *s)
{
    if (!s->dead && s->conn) return RSP_OK;
    return fail(&s->env, RSP_ESTATE, s->name, "the connection has failed before");
}

/* A server that turns us away says why and closes, which may be seen before our words are out: then its own count. */
static int last_words(struct rsp_server *s, int rc)
{
    const struct rsp_reply *reply = NULL;
    struct rsp_error was = *s->env.error;
    size_t cap, got;
    uint8_t *p;
    int rc2;
    rsp_error_clear(s->env.error);
    while ((rc2 = resp_reader_next(&s->reader, &reply)) == RSP_AGAIN) {
        rc2 = resp_reader_room(&s->reader, 1, &p, &cap);
        if (!rc2) rc2 = net_recv(s->conn, p, cap, &got);
        if (rc2) break;
        resp_reader_fed(&s->reader, got);
    }
    rsp_error_clear(s->env.error);
    if (!rc2 && reply->type == RSP_REPLY_ERROR) return server_refused(s, "the connection", reply->text);
    *s->env.error = was;
    return rc;
}

int server_send(struct rsp_server *s, const struct buf *out)
{
    int rc = usable(s), foreign = s->env.error->code != 0;
    if (rc) return rc;
    rc = net_send_all(s->conn, out->p, out->n, server_idle_ms(s));
    if (rc == RSP_ENET && !foreign) rc = last_words(s, rc);
    if (rc) s->dead = rc;
    return rc;
}

int server_reply(struct rsp_server *s, const struct rsp_reply **reply)
{
    int rc = usable(s);
    if (rc) return rc;
    while ((rc = resp_reader_next(&s->reader, reply)) == RSP_AGAIN) {
        uint8_t *p;
        size_t cap, got = 0;
        rc = resp_reader_room(&s->reader, 1, &p, &cap);
        if (!rc) rc = net_recv_some(s->conn, p, cap, &got, server_idle_ms(s));
        if (rc == RSP_END) {
            rc = fail(&s->env, RSP_ENET, s->name, "the server closed the connection before it answered");
            if (s->env.error->code == rc) s->env.error->retryable = 1;
        }
        if (rc) break;
        resp_reader_fed(&s->reader, got);
    }
    if (rc) s->dead = rc;
    return rc;
}

int rsp_server_ask(struct rsp_server *s, size_t argc, const struct rsp_span *argv, const struct rsp_reply **reply)
{
    struct buf out;
    int rc;
    buf_init(&out, &s->env);
    rc = argc ? resp_begin(&out, argc) : fail(&s->env, RSP_EINVAL, s->name, "a command without a word");
    for (size_t i = 0; !rc && i < argc; i++) rc = resp_bulk(&out, argv[i].p, argv[i].n);
    if (!rc) rc = server_send(s, &out);
    if (!rc) rc = server_reply(s, reply);
    buf_free(&out);
    return rc;
}

int server_words(struct rsp_server *s, const char *words, const struct rsp_reply **reply)
{
    struct buf out;
    int rc;
    buf_init(&out, &s->env);
    rc = resp_words(&out, words);
    if (!rc) rc = server_send(s, &out);
    if (!rc) rc = server_reply(s, reply);
    buf_free(&out);
    return rc;
}

int rsp_server_do(struct rsp_server *s, const char *words, const struct rsp_reply **reply)
{
    int rc = server_words(s, words, reply);
    if (!rc && (*reply)->type == RSP_REPLY_ERROR) return server_refused(s, words, (*reply)->text);
    return rc;
}

int server_pause(const struct rsp_env *env, volatile const int *cancel, unsigned n)
{
    uint8_t dice = 128;
    int64_t ms = 200, t;
    for (unsigned i = 1; i < n && ms < 5000; i++) ms *= 2;
    if (ms > 5000) ms = 5000;
    if (env->random(env->random_opaque, &dice, 1)) dice = 128;
    ms = ms * 3 / 4 + ms * dice / 512; /* 75 to 125 in the hundred */
    while (ms > 0) {
        struct timespec ts = {0, 0};
        if (is_canceled(cancel)) return fail(env, RSP_ECANCELED, NULL, "cancelled while waiting for the server");
        t = ms < 100 ? ms : 100;
        ts.tv_nsec = (long)(t * 1000000);
        nanosleep(&ts, NULL);
        ms -= t;
    }
    return is_canceled(cancel) ? fail(env, RSP_ECANCELED, NULL, "cancelled while waiting for the server") : RSP_OK;
}

/* ---- texts of replies ---- */

struct rsp_span server_element(const struct rsp_reply *array, size_t i)
{
    static const struct rsp_span none = {(const uint8_t *)"", 0};
    const struct rsp_reply *r = array->type == RSP_REPLY_ARRAY ? array->child : NULL;
    while (r && i--) r = r->next;
    if (!r || (r->type != RSP_REPLY_BULK && r->type != RSP_REPLY_STATUS)) return none;
    return r->text;
}

const struct rsp_reply *server_member(const struct rsp_reply *array, const char *name)
{
    const struct rsp_reply *r = array->type == RSP_REPLY_ARRAY ? array->child : NULL;
    for (; r && r->next; r = r->next->next)
        if ((r->type == RSP_REPLY_BULK || r->type == RSP_REPLY_STATUS) && server_span_is(r->text, name)) return r->next;
    return NULL;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

int server_span_is(struct rsp_span span, const char *text)
{
    for (size_t i = 0; i < span.n; i++, text++)
        if (!*text || lower(span.p[i]) != lower((unsigned char)*text)) return 0;
    return !*text;
}

int server_span_has(struct rsp_span span, const char *needle)
{
    size_t n = strlen(needle);
    for (size_t i = 0; n <= span.n && i <= span.n - n; i++) {
        size_t k = 0;
        while (k < n && lower(span.p[i + k]) == lower((unsigned char)needle[k])) k++;
        if (k == n) return 1;
    }
    return 0;
}

void server_span_copy(char *out, size_t size, struct rsp_span span)
{
    size_t n = span.n < size ? span.n : size - 1;
    if (n) memcpy(out, span.p, n);
    out[n] = 0;
}
