/* What this is: the source over SCAN and DUMP: an RDB from its header to its checksum.
 * Rests on: scan.h, base/crc64.h.
 * Does not: speak to the server itself. */
#include "repl/scan.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/crc64.h"

#define OUT_BYTES (64u << 10) /* made before the reader is served */

static int aux_number(struct buf *out, const char *name, int64_t v)
{
    char text[I64_TEXT + 1];
    text[i64_text(text, v)] = 0;
    return rdb_put_aux(out, name, text);
}

static int write_head(struct scan *c)
{
    const struct rsp_server_facts *facts = rsp_server_facts(c->s);
    struct rsp_span bits = rsp_server_info(c->s, "arch_bits");
    int aux = c->version >= 7;
    int rc = rdb_put_header(&c->out, c->version);
    if (!rc && aux && *facts->version)
        rc = rdb_put_aux(&c->out, strcmp(facts->kind, "valkey") ? "redis-ver" : "valkey-ver", facts->version);
    if (!rc && aux) rc = rdb_put_aux(&c->out, "redis-bits", server_span_is(bits, "32") ? "32" : "64");
    if (!rc && aux) rc = aux_number(&c->out, "ctime", c->env.now_ms(c->env.clock_opaque) / 1000);
    if (!rc && aux) rc = aux_number(&c->out, "used-mem", (int64_t)(facts->used_memory & INT64_MAX));
    if (!rc && c->functions.n) rc = buf_add(&c->out, c->functions.p, c->functions.n);
    return rc;
}

/* The checksum is that of everything before it: what lies in out is the rest of it. */
static int write_end(struct scan *c)
{
    uint8_t sum[8];
    int rc = rdb_put_end(&c->out);
    if (rc) return rc;
    store_le64(sum, crc64(c->crc, c->out.p + c->out_at, c->out.n - c->out_at));
    return buf_add(&c->out, sum, c->version >= 5 ? sizeof sum : 0);
}

static int step(struct scan *c)
{
    int rc = RSP_OK;
    switch (c->state) {
    case SCAN_HEAD:
        rc = write_head(c);
        c->state = SCAN_DB;
        return rc;
    case SCAN_DB:
        rc = scan_next_db(c);
        c->state = rc == RSP_END ? SCAN_END : SCAN_PAGE;
        break;
    case SCAN_PAGE:
        rc = scan_next_page(c);
        c->state = rc == RSP_END ? SCAN_DB : SCAN_KEYS;
        break;
    case SCAN_KEYS:
        rc = scan_next_key(c);
        if (rc == RSP_END) c->state = SCAN_PAGE;
        else if (!rc) c->state = SCAN_VALUE;
        break;
    case SCAN_VALUE:
        rc = scan_value_more(c);
        if (rc != RSP_END) break;
        c->key++;
        c->state = SCAN_KEYS;
        break;
    case SCAN_END:
        rc = write_end(c);
        c->state = SCAN_DONE;
        break;
    case SCAN_DONE: break;
    }
    return rc < 0 ? rc : RSP_OK;
}

static int scan_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct scan *c = opaque;
    size_t n;
    if (c->out_at == c->out.n) c->out_at = c->out.n = 0;
    while (c->state != SCAN_DONE && c->out.n - c->out_at < OUT_BYTES && !c->out_at) {
        int rc;
        if (is_canceled(c->cancel)) return fail(&c->env, RSP_ECANCELED, c->s->name, "cancelled while keys were read");
        rc = step(c);
        if (rc) return trail(&c->env, rc, "reading keys by SCAN and DUMP");
    }
    n = c->out.n - c->out_at;
    if (!n) return RSP_END;
    if (n > cap) n = cap;
    memcpy(out, c->out.p + c->out_at, n);
    c->crc = crc64(c->crc, out, n);
    c->out_at += n;
    *got = n;
    return RSP_OK;
}

static void scan_close(void *opaque)
{
    struct scan *c = opaque;
    struct rsp_env env = c->env;
    if (c->state != SCAN_DONE && !c->s->dead) c->s->dead = RSP_ESTATE; /* answers are under way that nobody takes */
    buf_free(&c->out);
    buf_free(&c->functions);
    buf_free(&c->dbs);
    buf_free(&c->page);
    buf_free(&c->keys);
    buf_free(&c->command);
    buf_free(&c->head);
    seen_free(&c->seen);
    pull_free(&c->in);
    mem_free(&env, c, sizeof *c);
}

static struct scan *made(struct rsp_server *s, const struct rsp_capture_options *o)
{
    const struct rsp_env *env = server_env(s);
    struct scan *c = mem_zero(env, sizeof *c);
    if (!c) return NULL;
    c->env = *env;
    c->s = s;
    c->cancel = o->cancel;
    c->db = SIZE_MAX;
    c->seen.fd = -1;
    buf_init(&c->out, &c->env);
    buf_init(&c->functions, &c->env);
    buf_init(&c->dbs, &c->env);
    buf_init(&c->page, &c->env);
    buf_init(&c->keys, &c->env);
    buf_init(&c->command, &c->env);
    buf_init(&c->head, &c->env);
    return c;
}

int scan_open(struct rsp_server *s, const struct rsp_capture_options *o, struct rsp_source **source)
{
    static const struct rsp_source_ops ops = {sizeof ops, scan_read, scan_close};
    struct scan *c = made(s, o);
    int rc;
    *source = NULL;
    if (!c) return RSP_ENOMEM;
    rc = pull_init(&c->in, s);
    if (!rc) rc = seen_init(&c->seen, &c->env, o->spool);
    if (!rc) rc = scan_ask(c);
    if (!rc && resp_reader_rest(server_reader(s)).n)
        rc = fail(&c->env, RSP_EFORMAT, s->name, "the server sent more than was asked for");
    if (!rc) rc = rsp_source_custom(&c->env, &ops, c, rsp_server_name(s), source);
    if (rc) scan_close(c);
    return rc;
}
