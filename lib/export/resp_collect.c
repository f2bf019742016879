/* What this is: a record in parts that travels as one payload: collected, then sent in pieces.
 * Rests on: resp_join.h, respite/sys/spool.h, base/crc64.h.
 * Does not: keep more of it in memory than the spool does, and one piece. */
#include "base/crc64.h"
#include "export/resp_join.h"

#define COLLECT_MEMORY ((size_t)1 << 20)

static int add(struct resp_join *j, const uint8_t *p, size_t n)
{
    if (!n) return RSP_OK;
    j->crc = crc64(j->crc, p, n);
    return rsp_spool_write(j->payload, p, n);
}

int resp_collect_begin(struct resp_join *j, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    const struct resp_plan *plan = &j->open.plan;
    int rc = RSP_OK;
    j->kept.n = 0;
    j->crc = 0;
    if (j->payload) rsp_spool_reset(j->payload);
    else rc = rsp_spool_new(&j->env, j->rules->o.tmpdir, COLLECT_MEMORY, &j->payload);
    if (!rc && plan->meta_n) rc = add(j, batch->p + item->meta, plan->meta_n);
    return rc ? rc : add(j, &item->type, 1);
}

/* ---- too large ---- */

/* What was collected of a stream as commands: its parts as they were. */
static int read_again(struct resp_join *j, const struct rsp_rdb_batch *now)
{
    const struct resp_kept *k = (const struct resp_kept *)(const void *)j->kept.p;
    uint64_t at = j->open.plan.meta_n + 1;
    int rc = j->rules->o.existing == RSP_EXISTING_REPLACE ? resp_native_delete(&j->native) : RSP_OK;
    for (size_t i = 0; i < j->kept.n / sizeof *k && !rc && j->open.plan.way == RESP_WAY_NATIVE; i++) {
        struct rsp_rdb_item item = {.kind = RSP_RDB_KEY, .type = j->open.item.type, .flags = k[i].flags, .end = k[i].n};
        struct rsp_rdb_batch batch = {.n = k[i].n, .offset = k[i].offset, .items = &item, .count = 1};
        size_t got = 0;
        batch.dialect = now->dialect;
        batch.version = now->version;
        batch.templates = now->templates;
        j->raw.n = 0;
        rc = buf_reserve(&j->raw, (size_t)k[i].n + 1);
        if (!rc) rc = rsp_spool_read(j->payload, at, j->raw.p, k[i].n, &got);
        batch.p = j->raw.p;
        at += got;
        if (!rc) rc = resp_parts_decode(j, &batch, &item);
    }
    rsp_spool_reset(j->payload);
    return rc;
}

int resp_collect_part(struct resp_join *j, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    struct resp_open *o = &j->open;
    struct resp_kept k = {batch->offset + item->value, item->end - item->value, item->flags};
    int rc;
    resp_plan_more(j->rules, &o->plan, batch->dialect, o->item.type, k.n);
    if (o->plan.way == RESP_WAY_NATIVE) {
        rc = read_again(j, batch);
        return rc || o->plan.way != RESP_WAY_NATIVE ? rc : resp_parts_decode(j, batch, item);
    }
    if (o->plan.way != RESP_WAY_COLLECT) {
        rsp_spool_reset(j->payload);
        return RSP_OK;
    }
    rc = add(j, batch->p + item->value, k.n);
    return rc ? rc : buf_add(&j->kept, &k, sizeof k);
}

/* ---- complete ---- */

int resp_collect_end(struct resp_join *j)
{
    struct resp_open *o = &j->open;
    struct rsp_span key = {j->key.p ? j->key.p : (const uint8_t *)"", j->key.n};
    uint64_t size = rsp_spool_size(j->payload), at = 0;
    uint32_t replies = 0;
    size_t key_at;
    int rc;
    j->out.n = 0;
    rc = resp_restore_begin(j->rules, &j->out, key, &o->plan, &o->item, size + 10, &key_at, &replies);
    while (!rc && at < size) {
        size_t n = size - at < RESP_PIECE_BYTES ? (size_t)(size - at) : RESP_PIECE_BYTES, got = 0;
        rc = resp_room(&j->out, n);
        if (!rc) rc = rsp_spool_read(j->payload, at, j->out.p + j->out.n, n, &got);
        if (rc) break;
        j->out.n += got;
        at += got;
        if (at == size) rc = resp_restore_end(j->rules, &j->out, &o->plan, &o->item, j->crc);
        if (rc) break;
        rc = resp_parts_put(j, j->out.p, j->out.n, at == size ? replies : 0,
                            at == size ? RESP_UNIT_LAST : RESP_UNIT_PIECE);
        j->out.n = 0;
    }
    rsp_spool_reset(j->payload);
    return rc;
}
