/* What this is: the elements of one value as commands, in batches.
 * Rests on: resp_impl.h, json_text.h for scores.
 * Does not: know streams (resp_stream.c). */
#include "export/json_text.h"
#include "export/resp_impl.h"

#define HEAD 6 /* "*514\r\n": the largest head of a command that is counted at its end */

void resp_native_init(struct resp_native *n, const struct resp_rules *rules, const struct rsp_env *env)
{
    memset(n, 0, sizeof *n);
    n->rules = rules;
    n->env = env;
    buf_init(&n->later, env);
    resp_stream_init(&n->stream, env);
}

void resp_native_free(struct resp_native *n)
{
    if (!n->env) return;
    buf_free(&n->later);
    resp_stream_free(&n->stream);
}

void resp_native_begin(struct resp_native *n, struct buf *out, struct rsp_span key)
{
    n->out = out;
    n->key = key;
    n->key_at = SIZE_MAX;
    n->replies = 0;
    n->losses = 0;
    n->elements = 0;
    n->items = n->args = 0;
    n->seek = 0;
    n->later.n = 0;
    resp_stream_begin(&n->stream);
}

static void put_key(struct resp_native *n)
{
    resp_put_bulk(n->out, n->key.p, n->key.n);
    if (n->key_at == SIZE_MAX) n->key_at = n->out->n - 2 - n->key.n;
}

int resp_native_command(struct resp_native *n, unsigned argc, const char *word, size_t word_n)
{
    int rc = resp_room(n->out, n->key.n + word_n + RESP_SLACK * 4);
    if (rc) return rc;
    resp_put_number(n->out, '*', argc);
    memcpy(n->out->p + n->out->n, word, word_n);
    n->out->n += word_n;
    put_key(n);
    n->replies++;
    return RSP_OK;
}

int resp_native_open(struct resp_native *n, const char *word, size_t word_n)
{
    int rc = resp_room(n->out, n->key.n + word_n + RESP_SLACK * 4);
    if (rc) return rc;
    n->head = n->out->n;
    n->out->n += HEAD;
    memcpy(n->out->p + n->out->n, word, word_n);
    n->out->n += word_n;
    put_key(n);
    n->args = 2;
    n->items = 0;
    n->replies++;
    return RSP_OK;
}

void resp_native_close(struct resp_native *n)
{
    struct buf *b = n->out;
    char text[U64_TEXT];
    size_t k = u64_text(text, n->args), gap = HEAD - 3 - k;
    if (!n->args) return;
    if (gap) {
        memmove(b->p + n->head + HEAD - gap, b->p + n->head + HEAD, b->n - n->head - HEAD);
        b->n -= gap;
        if (n->key_at != SIZE_MAX && n->key_at > n->head) n->key_at -= gap;
    }
    b->p[n->head] = '*';
    memcpy(b->p + n->head + 1, text, k);
    memcpy(b->p + n->head + 1 + k, "\r\n", 2);
    n->args = n->items = 0;
}

int resp_native_delete(struct resp_native *n)
{
    return RESP_COMMAND(n, 2, "$3\r\nDEL\r\n");
}

int resp_native_expire(struct resp_native *n, int64_t ms)
{
    int rc = RESP_COMMAND(n, 3, "$9\r\nPEXPIREAT\r\n");
    if (!rc) resp_put_i64(n->out, ms);
    return rc;
}

/* ---- the cursor of an array, behind its elements ---- */

static size_t read_length(const uint8_t *p, size_t n, uint64_t *v)
{
    size_t size = !n ? 1 : *p == 0x80 ? 5 : *p == 0x81 ? 9 : *p < 0x40 ? 1 : 2;
    *v = 0;
    if (n < size) return 0;
    switch (size) {
    case 1: *v = *p; break;
    case 2: *v = (uint64_t)(*p & 0x3f) << 8 | p[1]; break;
    default:
        for (size_t i = 1; i < size; i++) *v = *v << 8 | p[i];
    }
    return size;
}

/* The dump has where ARINSERT wrote last, UINT64_MAX for nowhere. */
uint64_t resp_array_seek(const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    const uint8_t *p = batch->p + item->value, *end = batch->p + item->end;
    uint64_t v;
    if (rsp_rdb_value_type(batch->dialect, item->type) != RSP_RDB_ARRAY || !(item->flags & RSP_ITEM_FIRST)) return 0;
    p += read_length(p, (size_t)(end - p), &v);
    if (p >= end || *p != 1 || !read_length(p + 1, (size_t)(end - p) - 1, &v)) return 0;
    return v + 1;
}

int resp_native_seek(struct resp_native *n)
{
    int rc;
    if (!n->seek || !n->elements) return RSP_OK;
    rc = RESP_COMMAND(n, 3, "$6\r\nARSEEK\r\n");
    if (!rc) resp_put_u64(n->out, n->seek);
    return rc;
}

/* ---- expiries of fields, behind the fields ---- */

struct later {
    int64_t ms;
    size_t n;
};

static int add_later(struct resp_native *n, struct rsp_span field, int64_t ms)
{
    struct later l = {ms, field.n};
    int rc = buf_reserve(&n->later, sizeof l + field.n);
    if (!rc) rc = buf_add(&n->later, &l, sizeof l);
    return rc ? rc : buf_add(&n->later, field.p, field.n);
}

/* HPEXPIREAT for each run of fields that go at the same time. */
static int put_later(struct resp_native *n)
{
    const uint8_t *p = n->later.p, *end = p + n->later.n, *q;
    struct later first, l;
    while (p < end) {
        unsigned count = 0;
        int rc;
        memcpy(&first, p, sizeof first);
        for (q = p; q < end; q += sizeof l + l.n, count++) {
            memcpy(&l, q, sizeof l);
            if (l.ms != first.ms) break;
        }
        rc = RESP_COMMAND(n, 5 + count, "$10\r\nHPEXPIREAT\r\n");
        if (rc) return rc;
        resp_put_i64(n->out, first.ms);
        RESP_PUT(n->out, "$6\r\nFIELDS\r\n");
        resp_put_u64(n->out, count);
        for (; p < q; p += sizeof l + l.n) {
            memcpy(&l, p, sizeof l);
            rc = resp_add_bulk(n->out, (struct rsp_span){p + sizeof l, l.n});
            if (rc) return rc;
        }
    }
    n->later.n = 0;
    return RSP_OK;
}

int resp_native_flush(struct resp_native *n)
{
    int rc = resp_stream_close_claim(n);
    resp_native_close(n);
    return rc || !n->later.n ? rc : put_later(n);
}

/* ---- elements ---- */

/* Before an element: the command is open, and not full. */
static int ready(struct resp_native *n, const char *word, size_t word_n)
{
    int rc;
    if (n->args && n->items < RESP_BATCH && n->out->n - n->head < RESP_BATCH_BYTES) return RSP_OK;
    rc = resp_native_flush(n);
    return rc ? rc : resp_native_open(n, word, word_n);
}
#define READY(n, word) ready((n), "" word, sizeof(word) - 1)

static int add(struct resp_native *n, struct rsp_span a, const struct rsp_span *b)
{
    int rc = resp_add_bulk(n->out, a);
    if (!rc && b) rc = resp_add_bulk(n->out, *b);
    n->args += b ? 2 : 1;
    n->items++;
    n->elements = 1;
    return rc;
}

static int put_scored(struct resp_native *n, const struct rsp_rdb_element *el)
{
    char text[JSON_DOUBLE_TEXT];
    struct rsp_span score = {(const uint8_t *)text, json_double_text(text, el->score)};
    int rc = READY(n, "$4\r\nZADD\r\n");
    if (rc) return rc;
    if (text[0] == '"') score.p++, score.n -= 2;
    return add(n, score, &el->a);
}

static int put_field(struct resp_native *n, const struct rsp_rdb_element *el)
{
    const struct resp_rules *r = n->rules;
    int expires = el->expire_ms != RSP_RDB_NO_EXPIRE && r->o.ttl != RSP_TTL_PERSIST, rc;
    if (expires && r->o.ttl == RSP_TTL_DROP_EXPIRED && el->expire_ms <= r->o.now_ms) return RSP_OK;
    rc = r->hset_many ? READY(n, "$4\r\nHSET\r\n") : READY(n, "$5\r\nHMSET\r\n");
    if (!rc) rc = add(n, el->a, &el->b);
    if (rc || !expires) return rc;
    if (r->field_ttl) return add_later(n, el->a, resp_shifted(r, el->expire_ms));
    n->losses |= RESP_LOSS(FIELD_TTL);
    return RSP_OK;
}

static int put_indexed(struct resp_native *n, const struct rsp_rdb_element *el)
{
    char text[U64_TEXT];
    struct rsp_span index = {(const uint8_t *)text, u64_text(text, el->index)};
    int rc = READY(n, "$6\r\nARMSET\r\n");
    return rc ? rc : add(n, index, &el->a);
}

int resp_native_element(struct resp_native *n, const struct rsp_rdb_element *el)
{
    int rc;
    if (el->a.n > n->rules->bulk_max || el->b.n > n->rules->bulk_max) {
        n->losses |= RESP_LOSS(OTHER);
        return RSP_OK;
    }
    switch (el->kind) {
    case RSP_ELEM_ITEM: rc = READY(n, "$5\r\nRPUSH\r\n"); return rc ? rc : add(n, el->a, NULL);
    case RSP_ELEM_MEMBER: rc = READY(n, "$4\r\nSADD\r\n"); return rc ? rc : add(n, el->a, NULL);
    case RSP_ELEM_SCORED: return put_scored(n, el);
    case RSP_ELEM_FIELD: return put_field(n, el);
    case RSP_ELEM_INDEXED: return put_indexed(n, el);
    default: return resp_stream_element(n, el);
    }
}
