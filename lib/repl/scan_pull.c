/* What this is: replies taken piece by piece, so that a value of any size goes through a small buffer.
 * Rests on: scan.h.
 * Does not: build replies. */
#include "repl/scan.h"

static int broken(const struct pull *p, const char *what)
{
    p->s->dead = RSP_EFORMAT;
    return fail(&p->s->env, RSP_EFORMAT, p->s->name, "%s: this is no Redis protocol, or an answer to another question",
                what);
}

int pull_init(struct pull *p, struct rsp_server *s)
{
    p->s = s;
    p->at = p->n = 0;
    p->p = mem_alloc(&s->env, PULL_BYTES);
    return p->p ? RSP_OK : RSP_ENOMEM;
}

void pull_free(struct pull *p)
{
    if (p->p) mem_free(&p->s->env, p->p, PULL_BYTES);
    p->p = NULL;
}

/* At least one byte more than there is. */
static int more(struct pull *p)
{
    size_t got = 0;
    int rc;
    if (p->at) {
        memmove(p->p, p->p + p->at, p->n - p->at);
        p->n -= p->at;
        p->at = 0;
    }
    rc = net_recv_some(p->s->conn, p->p + p->n, PULL_BYTES - p->n, &got, server_idle_ms(p->s));
    if (rc == RSP_END) {
        rc = fail(&p->s->env, RSP_ENET, p->s->name, "the server closed the connection while keys were read");
        if (p->s->env.error->code == rc) p->s->env.error->retryable = 1;
    }
    if (rc) p->s->dead = rc;
    p->n += rc ? 0 : got;
    return rc;
}

static int parse(struct rsp_span line, int64_t *number)
{
    uint64_t v = 0;
    size_t i = 1;
    int minus = i < line.n && line.p[i] == '-';
    i += (size_t)minus;
    if (i == line.n || line.n - i > 18) return 0;
    for (; i < line.n; i++) {
        if (line.p[i] < '0' || line.p[i] > '9') return 0;
        v = v * 10 + (uint64_t)(line.p[i] - '0');
    }
    *number = minus ? -(int64_t)v : (int64_t)v;
    return 1;
}

int pull_line(struct pull *p, struct rsp_span *line, int64_t *number)
{
    size_t from = 0;
    const uint8_t *end;
    *number = 0;
    for (;;) {
        size_t have = p->n - p->at;
        int rc;
        end = have > from ? memchr(p->p + p->at + from, '\n', have - from) : NULL;
        if (end) break;
        if (have > RESP_LINE) return broken(p, "a line without end");
        from = have;
        if ((rc = more(p))) return rc;
    }
    line->p = p->p + p->at;
    line->n = (size_t)(end - line->p);
    p->at += line->n + 1;
    if (line->n < 2 || line->p[line->n - 1] != '\r') return broken(p, "a line that does not end as lines do");
    line->n--;
    switch (*line->p) {
    case '+':
    case '-': return RSP_OK;
    case '_': *number = -1; return RSP_OK;
    case ':':
    case '$':
    case '*':
        if (!parse(*line, number) || (*line->p != ':' && *number < -1)) return broken(p, "a number that is none");
        return RSP_OK;
    default: return broken(p, "an answer of unknown type");
    }
}

int pull_some(struct pull *p, uint64_t most, struct rsp_span *bytes)
{
    if (p->at == p->n) {
        int rc = more(p);
        if (rc) return rc;
    }
    bytes->p = p->p + p->at;
    bytes->n = p->n - p->at;
    if (bytes->n > most) bytes->n = (size_t)most;
    p->at += bytes->n;
    return RSP_OK;
}

int pull_exact(struct pull *p, void *out, size_t n)
{
    uint8_t *to = out;
    while (n) {
        struct rsp_span some;
        int rc = pull_some(p, n, &some);
        if (rc) return rc;
        memcpy(to, some.p, some.n);
        to += some.n;
        n -= some.n;
    }
    return RSP_OK;
}

int pull_settled(const struct pull *p)
{
    return p->at == p->n ? RSP_OK : broken(p, "more than was asked for");
}
