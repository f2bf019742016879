/* What this is: what the tests of units share: a run that looks at each unit, files with records in parts.
 * Rests on: test_resp_lines.h, export/resp_make.h.
 * Does not: test. */
#ifndef TEST_RESP_RUN_H
#define TEST_RESP_RUN_H

#include "test_resp_lines.h"

struct seen {
    struct resp_maker *maker;
    struct made keys; /* one a line, without the parts behind the first */
    uint64_t next;    /* record that must come */
    uint64_t stop;    /* units to go before a fault; 0: none */
    uint64_t units, in_parts, pieces;
    int open;
    struct made begun; /* of a command in pieces */
};

static inline int on_unit(void *ctx, const struct resp_unit *u)
{
    struct seen *s = ctx;
    struct made text = {NULL, 0, 0};
    uint32_t replies = 0;
    int in_pieces = s->begun.n || u->flags & RESP_UNIT_PIECE;
    if (in_pieces) put_bytes(&s->begun, u->p, u->n);
    if (u->flags & RESP_UNIT_PIECE) {
        ck_assert(u->n > 0 && u->n < (2u << 20));
        ck_assert(!(u->flags & (RESP_UNIT_LAST | RESP_UNIT_SEVERAL)));
        s->pieces++;
        lines(&text, NULL, 0);
    } else if (in_pieces) {
        ck_assert_uint_gt(s->begun.n, 0);
        lines(&text, s->begun.p, s->begun.n);
        free(s->begun.p);
        memset(&s->begun, 0, sizeof s->begun);
    } else {
        lines(&text, u->p, u->n);
    }
    for (size_t i = 0; i < text.n; i++) replies += text.p[i] == '\n';
    ck_assert_uint_eq(replies, u->replies);
    if (u->flags & RESP_UNIT_FUNCTION) {
        ck_assert_uint_eq(u->records, 0);
        free(text.p);
        return RSP_OK;
    }
    ck_assert_uint_ge(u->record, s->next);
    ck_assert_int_eq(s->open, !(u->flags & RESP_UNIT_FIRST));
    ck_assert_int_eq((u->flags & RESP_UNIT_LAST) != 0, u->records > 0);
    if (in_pieces) ck_assert_uint_eq(u->keys, !(u->flags & RESP_UNIT_PIECE));
    else if (u->flags & RESP_UNIT_FIRST) ck_assert_uint_gt(u->keys, 0);
    else ck_assert_uint_eq(u->keys, 0);
    if (u->flags & RESP_UNIT_MSET) {
        ck_assert_uint_eq(u->keys, u->records);
        put_bytes(&s->keys, text.p, text.n);
    } else if (u->flags & RESP_UNIT_FIRST) {
        put_bytes(&s->keys, u->key.p, u->key.n);
        put_byte(&s->keys, '\n');
    }
    s->open = !(u->flags & RESP_UNIT_LAST);
    s->in_parts += s->open != 0;
    s->next = u->record + u->records;
    s->units++;
    free(text.p);
    return s->units == s->stop ? RSP_ECANCELED : RSP_OK;
}

static inline int on_work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    return resp_maker_work(((struct seen *)ctx)->maker, worker, env, task);
}
static inline int on_join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    return resp_maker_join(((struct seen *)ctx)->maker, env, task, on_unit, ctx);
}
static inline void on_drop(void *ctx, struct rsp_rdb_task *task)
{
    resp_maker_drop(((struct seen *)ctx)->maker, task);
}

static inline int run_units(const struct made *f, const struct rsp_resp_options *o, uint64_t skip, struct seen *s,
                            struct rsp_resp_report *report)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, on_work, on_join, on_drop};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_source *source;
    int rc;
    memset(s, 0, sizeof *s);
    s->next = skip;
    ck_assert_int_eq(rsp_source_memory(NULL, f->p, f->n, &source), RSP_OK);
    ck_assert_int_eq(resp_maker_new(NULL, o, &s->maker), RSP_OK);
    resp_maker_skip(s->maker, skip);
    rc = rsp_rdb_run(NULL, source, &o->run, &ops, s, &result);
    if (report) resp_maker_report(s->maker, report);
    resp_maker_free(s->maker);
    rsp_source_free(source);
    put_byte(&s->keys, 0);
    return rc;
}

/* ---- records in parts ---- */

#define MANY 60000
static inline void parts_file(struct made *m)
{
    static char big[3u << 20];
    char text[32];
    unsigned x = 1;
    for (size_t i = 0; i < sizeof big; i++) big[i] = (char)((x = x * 1103515245u + 12345u) >> 24);
    begin(m, "REDIS0011");
    PUT(m, "\x00\x01"
           "a\x01x");
    PUT(m, "\x01\x01l");
    put_len(m, MANY);
    for (int i = 0; i < MANY; i++) put_str(m, text, (size_t)snprintf(text, sizeof text, "element number %d", i));
    PUT(m, "\xfc\x00\x00\x00\x00\x00\x01\0\0\x00\x01s"); /* a string of many batches */
    put_str(m, big, sizeof big);
    PUT(m, "\x04\x01h\x02\x01"
           "f");
    put_str(m, big, sizeof big); /* a field of many batches */
    PUT(m, "\x01g\x01v");
    PUT(m, "\x07\x01m\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x05");
    put_str(m, big, sizeof big);
    PUT(m, "\x00");
    PUT(m, "\x00\x01z\x01x");
    finish(m);
}

/* Stream 19 of nodes entries from 2-0 on, of 4000 bytes each; a group with one who has `pending`-0 pending. */
static inline void stream_file(struct made *m, unsigned nodes, unsigned pending)
{
    struct made lp = {NULL, 0, 0};
    static char value[4000];
    memset(value, 'v', sizeof value);
    begin(m, "REDIS0010");
    PUT(m, "\x00\x01"
           "a\x01x\xfc\x00\x00\x00\x00\x00\x01\0\0\x13\x01s");
    put_len(m, nodes);
    for (unsigned i = 0; i < nodes; i++) {
        put_len(m, 16);
        put_pel_id(m, i + 2);
        lp_begin(&lp);
        lp_int(&lp, 1), lp_int(&lp, 0), lp_int(&lp, 1);
        lp_str(&lp, "f", 1);
        lp_int(&lp, 0), lp_int(&lp, 2), lp_int(&lp, 0), lp_int(&lp, 0);
        lp_str(&lp, value, sizeof value);
        lp_int(&lp, 4);
        lp_end(&lp, 10);
        put_str(m, (const char *)lp.p, lp.n);
    }
    put_len(m, nodes), put_len(m, nodes + 1), put_len(m, 0);
    put_len(m, 2), put_len(m, 0), put_len(m, 0), put_len(m, 0), put_len(m, nodes + 1);
    put_len(m, 1);
    put_text(m, "g");
    put_len(m, pending), put_len(m, 0), put_len(m, 1);
    put_len(m, 1);
    put_pel_id(m, pending), put_le(m, 70, 8), put_len(m, 1);
    put_len(m, 1);
    put_text(m, "c");
    put_le(m, 80, 8);
    put_len(m, 1), put_pel_id(m, pending);
    PUT(m, "\x00\x01z\x01x");
    finish(m);
    free(lp.p);
}

#endif
