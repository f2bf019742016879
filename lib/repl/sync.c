/* What this is: the handshake of a replica and what the server announces.
 * Rests on: sync.h, resp/resp.h.
 * Does not: receive the dataset (sync_drain.c). */
#include "repl/sync.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define NEWLINES_MOST 1000000 /* a server sends one a second while it saves */
#define LINE_MOST 1024

/* ---- the options of a replica, each by itself: one that is unknown must not spoil the others ---- */

/* 1: taken; 0: the server does not know it. Below zero: a fault. */
static int option(struct sync *y, const char *words)
{
    const struct rsp_reply *reply = NULL;
    struct buf out;
    int rc;
    buf_init(&out, &y->env);
    rc = resp_words(&out, words);
    if (!rc) rc = server_send(y->server, &out);
    buf_free(&out);
    if (!rc) rc = server_reply(y->server, &reply);
    if (rc) return rc;
    if (reply->type != RSP_REPLY_ERROR) return 1;
    if (resp_error_is(reply->text, "NOPERM") || resp_error_is(reply->text, "NOAUTH"))
        return server_refused(y->server, words, reply->text);
    return 0;
}

static int tell_options(struct sync *y)
{
    const struct rsp_server_facts *f = rsp_server_facts(y->server);
    char version[64];
    size_t n = strspn(f->version, "0123456789."); /* the server's own text: no more of it becomes words of ours */
    int rc = option(y, "REPLCONF capa eof capa psync2");
    if (rc < 0) return rc;
    /* Without its version a Valkey 9 speaks RDB 11, and cannot send one expiry of a hash field. */
    if (!strcmp(f->kind, "valkey") && n) {
        snprintf(version, sizeof version, "REPLCONF version %.*s", (int)n, f->version);
        rc = option(y, version);
        if (rc < 0) return rc;
    }
    if (!y->o.stream) {
        rc = option(y, "REPLCONF rdb-only 1");
        if (rc < 0) return rc;
        y->rdb_only = rc;
    }
    return RSP_OK;
}

/* ---- lines behind PSYNC ---- */

/* One byte of what was read ahead, or from the connection. */
static int next_byte(struct sync *y, int64_t until_ms, uint8_t *byte)
{
    struct rsp_env *env = &y->env;
    int64_t left = until_ms - sync_clock_ms(), idle = server_idle_ms(y->server);
    size_t got;
    if (left <= 0)
        return fail(env, RSP_ETIMEOUT, rsp_server_name(y->server), "the dataset was not announced within %" PRId64 " s",
                    y->o.announce_ms / 1000);
    return net_recv_some(server_conn(y->server), byte, 1, &got, left < idle ? left : idle);
}

/* A line without its end; newlines before it are keepalives. */
static int read_line(struct sync *y, char out[LINE_MOST], size_t *n)
{
    struct rsp_env *env = &y->env;
    int64_t until = sync_clock_ms() + y->o.announce_ms;
    uint64_t newlines = 0;
    *n = 0;
    for (;;) {
        uint8_t c = 0;
        int rc = next_byte(y, until, &c);
        if (rc == RSP_END)
            return fail(env, RSP_ENET, rsp_server_name(y->server),
                        "the server closed the connection instead of announcing its dataset; its log tells why");
        if (rc) return rc;
        if (c == '\n' && !*n) {
            if (++newlines <= NEWLINES_MOST) continue;
            return fail(env, RSP_EFORMAT, rsp_server_name(y->server), "nothing but newlines came");
        }
        if (c == '\n') break;
        if (*n == LINE_MOST - 1)
            return fail(env, RSP_EFORMAT, rsp_server_name(y->server),
                        "instead of the dataset's announcement came a line without an end");
        out[(*n)++] = (char)c;
    }
    if (*n && out[*n - 1] == '\r') --*n;
    out[*n] = 0;
    return RSP_OK;
}

static int strange(struct sync *y, const char *line, size_t n)
{
    char text[80];
    printable(text, sizeof text, (const uint8_t *)line, n);
    return fail(&y->env, RSP_EFORMAT, rsp_server_name(y->server),
                "'%s' is no answer to a replica that asks for the dataset", text);
}

static int is_hex40(const char *s)
{
    for (int i = 0; i < 40; i++)
        if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f') && !(s[i] >= 'A' && s[i] <= 'F')) return 0;
    return 1;
}

/* Decimal digits to the end of the line. */
static int number(const char *s, uint64_t *v)
{
    *v = 0;
    if (!*s) return 0;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || *v > (UINT64_MAX - 9) / 10) return 0;
        *v = *v * 10 + (uint64_t)(*s - '0');
    }
    return 1;
}

/* "+FULLRESYNC <replid> <offset>" */
static int full_resync(struct sync *y, const char *line, size_t n)
{
    static const char word[] = "+FULLRESYNC ";
    const size_t w = sizeof word - 1;
    if (n < w + 42 || strncmp(line, word, w) || line[w + 40] != ' ' || !is_hex40(line + w) ||
        !number(line + w + 41, &y->offset))
        return strange(y, line, n);
    memcpy(y->replid, line + w, 40);
    y->has_offset = 1;
    y->taken_ms = y->env.now_ms(y->env.clock_opaque);
    return RSP_OK;
}

static int refused(struct sync *y, const char *what, const char *line, size_t n)
{
    struct rsp_span text = {(const uint8_t *)line + 1, n - 1};
    return server_refused(y->server, what, text);
}

/* "$<length>" or "$EOF:<mark>" */
static int announcement(struct sync *y, const char *line, size_t n)
{
    if (line[0] == '-') return refused(y, "SYNC", line, n);
    if (n == 5 + SYNC_MARK && !memcmp(line, "$EOF:", 5)) {
        y->has_mark = 1;
        memcpy(y->mark, line + 5, SYNC_MARK);
        return RSP_OK;
    }
    if (line[0] != '$' || !number(line + 1, &y->length)) return strange(y, line, n);
    if (!y->length) return fail(&y->env, RSP_EFORMAT, rsp_server_name(y->server), "a dataset of 0 bytes was announced");
    return RSP_OK;
}

static int ask(struct sync *y, const char *words)
{
    struct rsp_span rest = resp_reader_rest(server_reader(y->server));
    struct buf out;
    int rc;
    /* Behind an answered command nothing may wait: what does is no answer to anything. */
    if (rest.n) return strange(y, (const char *)rest.p, rest.n);
    buf_init(&out, &y->env);
    rc = resp_words(&out, words);
    if (!rc) rc = server_send(y->server, &out);
    buf_free(&out);
    return rc;
}

int sync_begin(struct sync *y, const struct rsp_env *env, struct rsp_server *server, const struct sync_options *o)
{
    char line[LINE_MOST];
    size_t n = 0;
    int rc;
    memset(y, 0, sizeof *y);
    env_init(&y->env, env);
    y->server = server;
    y->o = *o;
    y->cancel = server_cancel(server);
    rc = tell_options(y);
    if (!rc) rc = ask(y, "PSYNC ? -1");
    if (!rc) rc = read_line(y, line, &n);
    if (rc) return rc;
    snprintf(y->method, sizeof y->method, "psync%s", y->rdb_only ? ", rdb-only" : "");
    if (line[0] == '-' && strstr(line, "unknown command")) { /* before 2.8 */
        if (o->stream)
            return fail(&y->env, RSP_EUNSUPPORTED, rsp_server_name(server),
                        "the server does not know PSYNC: its stream cannot be followed");
        snprintf(y->method, sizeof y->method, "sync");
        y->rdb_only = 0;
        y->taken_ms = y->env.now_ms(y->env.clock_opaque);
        rc = ask(y, "SYNC");
        if (!rc) rc = read_line(y, line, &n);
        return rc ? rc : announcement(y, line, n);
    }
    if (line[0] == '-') return refused(y, "PSYNC", line, n);
    rc = full_resync(y, line, n);
    if (!rc) rc = read_line(y, line, &n);
    return rc ? rc : announcement(y, line, n);
}
