/* What this is: what the tests of lib/rdb share: an allocator that counts and refuses, sources that
 *   drip, and the sum of what a reader hands out, however it was cut into parts.
 * Rests on: respite/rdb.h, base/crc64.h. MUST(condition) must be defined before.
 * Does not: use libcheck, so that the fuzz targets can have it, too. */
#ifndef TESTS_RDB_DRIVE_H
#define TESTS_RDB_DRIVE_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <respite/rdb.h>

#include "base/crc64.h"

/* ---- memory ---- */

/* Refuses request number `refuse` (0: none) and, with a ceiling, whatever goes past it. */
struct meter {
    _Atomic size_t requests, alive, peak, wrong_sizes, refused;
    size_t refuse, ceiling;
};

static inline void *meter_resize(void *opaque, void *ptr, size_t old_size, size_t new_size)
{
    struct meter *m = opaque;
    size_t *block = ptr ? (size_t *)ptr - 2 : NULL;
    size_t had = block ? block[0] : 0, now;
    if (had != old_size) m->wrong_sizes++;
    if (!new_size) {
        m->alive -= had;
        free(block);
        return NULL;
    }
    if (++m->requests == m->refuse || (m->ceiling && m->alive - had + new_size > m->ceiling)) {
        m->refused++;
        return NULL;
    }
    block = realloc(block, new_size + 2 * sizeof *block);
    MUST(block);
    block[0] = new_size;
    now = atomic_fetch_add(&m->alive, new_size - had) + new_size - had;
    for (size_t peak = m->peak; now > peak && !atomic_compare_exchange_weak(&m->peak, &peak, now);) {}
    return block + 2;
}

static inline struct rsp_env meter_env(struct meter *m, struct rsp_error *error)
{
    struct rsp_env e;
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    e.resize = meter_resize;
    e.resize_opaque = m;
    e.error = error;
    return e;
}

/* ---- sources ---- */

/* Hands out at most `step` bytes a read; with again, answers RSP_AGAIN before each of them; with open, it
 * does not end but has nothing more for now. */
struct drip {
    const uint8_t *p;
    size_t n, at, step;
    int again, dry, open;
};

static inline int drip_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct drip *d = opaque;
    size_t n = d->n - d->at < d->step ? d->n - d->at : d->step;
    *got = 0;
    if (d->again && (d->dry = !d->dry)) return RSP_AGAIN;
    if (!n) return d->open ? RSP_AGAIN : RSP_END;
    if (n > cap) n = cap;
    memcpy(out, d->p + d->at, n);
    d->at += n;
    *got = n;
    return RSP_OK;
}

static inline struct rsp_source *drip_source(const struct rsp_env *env, struct drip *d)
{
    struct rsp_source_ops ops = {sizeof ops, drip_read, NULL};
    struct rsp_source *s = NULL;
    return rsp_source_custom(env, &ops, d, "drip", &s) ? NULL : s;
}

/* ---- the sum ---- */

/* Strings that come in parts give the same sum as whole ones. */
struct trace {
    uint64_t crc, events, elements, last_offset;
    size_t n;
    uint8_t buf[4096];
    /* the element under way */
    int part_of, a_out, b_out, in_string;
    uint64_t string_n, string_all;
};

static inline void sum_bytes(struct trace *t, const void *p, size_t n)
{
    if (n > sizeof t->buf - t->n) {
        t->crc = crc64(t->crc, t->buf, t->n);
        t->n = 0;
    }
    if (n > sizeof t->buf) {
        t->crc = crc64(t->crc, p, n);
    } else if (n) {
        memcpy(t->buf + t->n, p, n);
        t->n += n;
    }
}

static inline void sum_number(struct trace *t, uint64_t v)
{
    sum_bytes(t, &v, sizeof v);
}

static inline void sum_span(struct trace *t, struct rsp_span s)
{
    MUST(s.p || !s.n);
    sum_bytes(t, s.p, s.n);
    sum_number(t, s.n);
}

static inline uint64_t trace_end(struct trace *t)
{
    t->crc = crc64(t->crc, t->buf, t->n);
    t->n = 0;
    return t->crc;
}

static inline void sum_id(struct trace *t, struct rsp_rdb_id id)
{
    sum_number(t, id.ms);
    sum_number(t, id.seq);
}

static inline void sum_part(struct trace *t, const struct rsp_rdb_element *e)
{
    MUST(e->part_slot <= 1);
    if (e->part_first) {
        MUST(!t->in_string);
        if (!t->part_of) sum_number(t, e->part_of);
        MUST(!t->part_of || t->part_of == e->part_of);
        t->part_of = e->part_of;
        if (e->part_slot == 1) {
            MUST((e->b.p != NULL) == !t->a_out);
            if (!t->a_out) sum_span(t, e->b);
            t->a_out = t->b_out = 1;
        } else {
            MUST(!t->a_out);
            t->a_out = 1;
        }
        t->in_string = 1;
        t->string_n = 0;
        t->string_all = e->number[0];
    }
    MUST(t->in_string && t->part_of == e->part_of && t->string_all == e->number[0]);
    sum_bytes(t, e->a.p, e->a.n);
    t->string_n += e->a.n;
    if (!e->part_last) return;
    MUST(t->string_all == UINT64_MAX || t->string_all == t->string_n);
    sum_number(t, t->string_n);
    t->in_string = 0;
}

static inline void sum_fields(struct trace *t, const struct rsp_rdb_element *e)
{
    sum_number(t, e->count);
    for (size_t i = 0; i < e->count; i++) sum_span(t, e->fields[i]);
}

static inline void sum_stream(struct trace *t, const struct rsp_rdb_element *e)
{
    sum_number(t, e->number[0]);
    sum_id(t, e->id);
    sum_number(t, (uint64_t)(e->has_first * 4 + e->has_max_deleted * 2 + e->has_entries_added));
    if (e->has_first) sum_id(t, e->first);
    if (e->has_max_deleted) sum_id(t, e->max_deleted);
    if (e->has_entries_added) sum_number(t, e->number[1]);
}

static inline void sum_element(struct trace *t, const struct rsp_rdb_element *e)
{
    uint64_t bits;
    int has_a, has_b = e->kind == RSP_ELEM_FIELD;
    if (e->kind == RSP_ELEM_PART) {
        sum_part(t, e);
        return;
    }
    MUST(!t->in_string && e->kind >= RSP_ELEM_STRING && e->kind < RSP_ELEM_PART);
    MUST(!t->part_of || t->part_of == e->kind);
    if (!t->part_of) sum_number(t, e->kind);
    has_a = e->kind <= RSP_ELEM_INDEXED || e->kind == RSP_ELEM_GROUP || e->kind == RSP_ELEM_CONSUMER ||
            e->kind == RSP_ELEM_IDMP_PRODUCER || e->kind == RSP_ELEM_IDMP_ENTRY || e->kind == RSP_ELEM_MODULE;
    if (has_a && !t->a_out) {
        MUST(e->a.p);
        sum_span(t, e->a);
    } else if (has_a && !t->b_out) {
        MUST(!e->a.p && !e->a.n);
    }
    if (has_b && !t->b_out) MUST(e->b.p);
    if (has_b && !t->b_out) sum_span(t, e->b);
    if (t->b_out) MUST(!e->b.p && !e->b.n);
    switch (e->kind) {
    case RSP_ELEM_SCORED:
        memcpy(&bits, &e->score, sizeof bits);
        sum_number(t, bits);
        break;
    case RSP_ELEM_FIELD:
        sum_number(t, (uint64_t)e->expire_ms);
        sum_fields(t, e);
        break;
    case RSP_ELEM_INDEXED: sum_number(t, e->index), sum_number(t, e->tag); break;
    case RSP_ELEM_ENTRY: sum_id(t, e->id), sum_fields(t, e); break;
    case RSP_ELEM_STREAM: sum_stream(t, e); break;
    case RSP_ELEM_GROUP: sum_id(t, e->id), sum_number(t, e->number[0]), sum_number(t, e->number[1]); break;
    case RSP_ELEM_PENDING: sum_id(t, e->id), sum_number(t, (uint64_t)e->time_ms), sum_number(t, e->number[0]); break;
    case RSP_ELEM_CONSUMER:
        sum_number(t, (uint64_t)e->time_ms), sum_number(t, e->has_active), sum_number(t, e->number[0]);
        if (e->has_active) sum_number(t, (uint64_t)e->time2_ms);
        break;
    case RSP_ELEM_OWNED:
    case RSP_ELEM_NACKED:
    case RSP_ELEM_IDMP_ENTRY: sum_id(t, e->id); break;
    case RSP_ELEM_IDMP: sum_number(t, e->number[0]), sum_number(t, e->number[1]), sum_number(t, e->number[2]); break;
    case RSP_ELEM_IDMP_PRODUCER:
    case RSP_ELEM_MODULE: sum_number(t, e->number[0]); break;
    case RSP_ELEM_IDMP_END: sum_number(t, e->number[0]), sum_number(t, e->number[1]); break;
    default: break;
    }
    t->part_of = t->a_out = t->b_out = 0;
    t->elements++;
}

static inline void sum_token(struct trace *t, const struct rsp_rdb_token *k)
{
    uint64_t bits;
    if (k->kind == RSP_TOK_PART || k->kind == RSP_TOK_STR) {
        if (k->kind == RSP_TOK_STR) MUST(k->part_first && k->part_last);
        MUST(k->part_first == !t->in_string);
        if (k->part_first) {
            sum_number(t, (uint64_t)k->role << 8 | k->enc);
            sum_number(t, k->offset);
            t->string_n = 0;
        } else {
            MUST(t->string_all == k->n + k->body.n);
        }
        sum_bytes(t, k->body.p, k->body.n);
        t->string_n += k->body.n;
        t->string_all = k->n;
        t->in_string = !k->part_last;
        if (k->part_last) sum_number(t, t->string_n);
        if (k->kind == RSP_TOK_STR && k->enc == RSP_STR_RAW) MUST(k->n == k->body.n);
        if (k->kind == RSP_TOK_STR && k->enc == RSP_STR_INT) sum_number(t, (uint64_t)k->i);
        return;
    }
    MUST(!t->in_string);
    sum_number(t, (uint64_t)k->kind << 16 | (uint64_t)k->role << 8);
    sum_number(t, k->offset);
    if (k->kind == RSP_TOK_LEN || k->kind == RSP_TOK_LOOP) {
        sum_number(t, k->n);
        return;
    }
    sum_span(t, k->body);
    if (k->kind == RSP_TOK_MODULE) sum_number(t, k->tag);
    memcpy(&bits, &k->d, sizeof bits);
    if (k->kind == RSP_TOK_SCORE) sum_number(t, k->tag ? 0 : bits);
}

static inline void sum_event(struct trace *t, const struct rsp_rdb_event *e)
{
    MUST(e->offset >= t->last_offset || e->kind == RSP_RDB_ELEMENT);
    if (e->kind != RSP_RDB_ELEMENT) t->last_offset = e->offset;
    t->events++;
    if (e->kind == RSP_RDB_TOKEN) {
        sum_token(t, e->token);
        return;
    }
    if (e->kind == RSP_RDB_ELEMENT) {
        sum_element(t, e->element);
        return;
    }
    if (e->kind == RSP_RDB_VALUE) {
        MUST(e->first == !t->in_string);
        sum_bytes(t, e->value.p, e->value.n);
        t->in_string = !e->last;
        return;
    }
    MUST(!t->in_string && !t->part_of);
    MUST(e->kind >= RSP_RDB_HEADER && e->kind <= RSP_RDB_EOF && e->dialect);
    sum_number(t, (uint64_t)e->kind | (uint64_t)e->type << 8 | (uint64_t)e->value_type << 16 |
                      (uint64_t)e->dialect << 24 | (uint64_t)e->has_idle << 32 | (uint64_t)e->has_freq << 33 |
                      (uint64_t)e->freq << 40);
    sum_number(t, e->db), sum_number(t, e->offset), sum_number(t, e->idle_s), sum_number(t, (uint64_t)e->expire_ms);
    sum_span(t, e->key), sum_span(t, e->value), sum_span(t, e->raw), sum_span(t, e->meta);
    sum_number(t, e->number), sum_number(t, e->number2), sum_number(t, e->number3);
}

/* Everything that a reader over source hands out, into t. RSP_OK after the end, or the fault.
 * most: no more calls than this. */
static inline int drive(const struct rsp_env *env, struct rsp_source *source, int depth, struct trace *t, uint64_t most)
{
    struct rsp_rdb_reader *r = NULL;
    struct rsp_rdb_event e = {.size = sizeof e};
    uint64_t calls = 0;
    int rc = rsp_rdb_reader_new(env, source, (enum rsp_rdb_depth)depth, &r);
    memset(t, 0, sizeof *t);
    if (rc) {
        MUST(!r);
        return rc;
    }
    for (;;) {
        rc = rsp_rdb_next(r, &e);
        MUST(calls++ < most);
        if (rc == RSP_AGAIN) continue;
        if (rc) break;
        sum_event(t, &e);
    }
    if (rc < 0) {
        MUST(rsp_rdb_next(r, &e) == RSP_ESTATE);
        MUST(rsp_rdb_skip(r) == RSP_ESTATE);
    } else {
        MUST(rc == RSP_END && e.kind == RSP_RDB_EOF && !t->in_string && !t->part_of);
        MUST(rsp_rdb_next(r, &e) == RSP_END);
        rc = RSP_OK;
    }
    trace_end(t);
    rsp_rdb_reader_free(r);
    return rc;
}

#endif
