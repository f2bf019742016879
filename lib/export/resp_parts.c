/* What this is: records that lie in many batches: what workers made of their parts, and what must be read in order.
 * Rests on: resp_join.h.
 * Does not: hold more of a record than one element of it; payloads are resp_collect.c's. */
#include "export/resp_join.h"

#define SPOOL_MEMORY ((size_t)4 << 20)

/* A unit that waits for the filter: this, then its bytes. */
struct held {
    size_t n;
    unsigned flags;
    uint32_t replies, keys;
};

static int hold(struct resp_join *j, const struct resp_unit *u)
{
    struct held h = {u->n, u->flags, u->replies, u->keys};
    int rc = rsp_spool_write(j->spool, &h, sizeof h);
    return rc || !u->n ? rc : rsp_spool_write(j->spool, u->p, u->n);
}

int resp_parts_put(struct resp_join *j, const uint8_t *p, size_t n, uint32_t replies, unsigned flags)
{
    struct resp_open *o = &j->open;
    int last = (flags & RESP_UNIT_LAST) != 0;
    struct resp_unit u = {.p = p, .n = n, .replies = replies, .db = o->db, .record = j->record};
    u.key = (struct rsp_span){j->key.p ? j->key.p : (const uint8_t *)"", j->key.n};
    u.flags = (o->begun ? 0u : RESP_UNIT_FIRST) | flags;
    if (o->plan.way != RESP_WAY_COLLECT) u.flags |= RESP_UNIT_SEVERAL;
    u.keys = o->plan.way == RESP_WAY_COLLECT ? (uint32_t)last : !o->begun;
    u.records = last != 0;
    o->begun = 1;
    if (o->skipped) return RSP_OK;
    return o->held ? hold(j, &u) : resp_join_emit(j, &u);
}

static int release(struct resp_join *j)
{
    struct resp_unit u = {.db = j->open.db, .record = j->record};
    uint64_t at = 0;
    u.key = (struct rsp_span){j->key.p ? j->key.p : (const uint8_t *)"", j->key.n};
    for (;;) {
        struct held h;
        size_t got;
        int rc = rsp_spool_read(j->spool, at, &h, sizeof h, &got);
        if (rc || !got) return rc;
        at += sizeof h;
        j->out.n = 0;
        rc = buf_reserve(&j->out, h.n + 1);
        if (!rc) rc = rsp_spool_read(j->spool, at, j->out.p, h.n, &got);
        if (rc) return rc;
        at += h.n;
        u.p = j->out.p;
        u.n = h.n;
        u.flags = h.flags;
        u.replies = h.replies;
        u.keys = h.keys;
        u.records = (h.flags & RESP_UNIT_LAST) != 0;
        rc = resp_join_emit(j, &u);
        if (rc) return rc;
    }
}

/* What native has gathered. */
static int push(struct resp_join *j)
{
    int rc = resp_native_flush(&j->native);
    if (rc || !j->out.n) return rc;
    rc = resp_parts_put(j, j->out.p, j->out.n, j->native.replies, 0);
    j->out.n = 0;
    j->native.replies = 0;
    j->native.key_at = SIZE_MAX;
    return rc;
}

/* ---- strings ---- */

static int put_string(struct resp_join *j)
{
    struct resp_native *n = &j->native;
    int rc = j->open.appending ? RESP_COMMAND(n, 3, "$6\r\nAPPEND\r\n") : RESP_COMMAND(n, 3, "$3\r\nSET\r\n");
    j->open.appending = 1;
    n->elements = 1;
    if (!rc) rc = resp_add_bulk(&j->out, (struct rsp_span){j->string.p, j->string.n});
    j->string.n = 0;
    return rc;
}

static int string_part(struct resp_join *j, const struct rsp_rdb_element *el)
{
    struct rsp_span s = el->a;
    size_t most = j->rules->bulk_max < RESP_PIECE_BYTES ? (size_t)j->rules->bulk_max : RESP_PIECE_BYTES;
    if (el->part_first && el->number[0] > j->rules->bulk_max) {
        j->open.plan.way = RESP_WAY_LOST;
        j->open.losses |= RESP_LOSS(OTHER);
        return RSP_OK;
    }
    while (s.n) {
        size_t k = most - j->string.n < s.n ? most - j->string.n : s.n;
        int rc = buf_add(&j->string, s.p, k);
        s.p += k, s.n -= k;
        if (!rc && j->string.n == most) rc = put_string(j);
        if (!rc && !j->string.n) rc = push(j);
        if (rc) return rc;
    }
    return RSP_OK;
}

/* ---- elements ---- */

static int element(struct resp_join *j, struct rsp_rdb_element *el)
{
    int rc = RSP_OK;
    if (el->kind == RSP_ELEM_PART && el->part_of == RSP_ELEM_STRING) return string_part(j, el);
    if (el->kind == RSP_ELEM_STRING) return j->string.n || !j->open.appending ? put_string(j) : RSP_OK;
    if (el->kind == RSP_ELEM_PART) {
        struct buf *b = &j->big[el->part_slot & 1];
        if (el->part_first) b->n = 0;
        j->big_open[el->part_slot & 1] = 1;
        return b->n > j->rules->bulk_max ? RSP_OK : buf_add(b, el->a.p, el->a.n);
    }
    for (int i = 0; i < 2; i++) {
        struct rsp_span *s = i ? &el->b : &el->a;
        if (j->big_open[i]) *s = (struct rsp_span){j->big[i].p ? j->big[i].p : (const uint8_t *)"", j->big[i].n};
        j->big_open[i] = 0;
    }
    if (j->open.tail && el->kind == RSP_ELEM_ENTRY) return RSP_OK; /* a worker has made it */
    rc = resp_native_element(&j->native, el);
    if (el->kind == RSP_ELEM_STREAM) j->open.tail = 1;
    return !rc && j->out.n >= RESP_PIECE_BYTES ? push(j) : rc;
}

/* More of the record need not be read: by the policy it is left out. */
static int lost(struct resp_join *j)
{
    struct resp_open *o = &j->open;
    if (resp_refused(j->rules, o->losses | j->native.losses)) o->plan.way = RESP_WAY_LOST;
    return o->plan.way == RESP_WAY_LOST;
}

/* A part that only a value carried on from part to part can read. */
int resp_parts_decode(struct resp_join *j, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    struct rsp_rdb_element el = {.size = sizeof el};
    int rc;
    if (j->open.live) rsp_rdb_value_continue(j->value, batch, item);
    else rsp_rdb_value_open(j->value, batch, item);
    j->open.live = 1;
    while (!(rc = rsp_rdb_value_next(j->value, &el))) {
        rc = element(j, &el);
        if (rc) return rc;
        if (lost(j)) return RSP_OK;
    }
    if (rc < 0) return rc;
    return item->flags & RSP_ITEM_LAST ? resp_native_flush(&j->native) : push(j); /* the last is finish's */
}

static int take_ids(struct resp_join *j, const struct resp_chunk *chunk, const struct resp_piece *piece)
{
    struct buf from = {resp_at(&chunk->ids, piece->ids_at), piece->ids_end - piece->ids_at, 0, NULL};
    struct rsp_rdb_id id = {0, 0};
    size_t at = 0;
    int rc = RSP_OK;
    while (!rc && resp_ids_next(&from, &at, &id)) rc = resp_ids_add(&j->native.stream.ids, id);
    return rc;
}

/* ---- the record ---- */

static int begin(struct resp_join *j, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item, int unsure,
                 int sequential)
{
    struct resp_open *o = &j->open;
    struct rsp_span key;
    int rc = rsp_rdb_batch_key(&j->env, batch, item, &j->rest.key, &key);
    memset(o, 0, sizeof *o);
    j->key.n = j->raw.n = j->string.n = j->out.n = 0;
    j->big_open[0] = j->big_open[1] = 0;
    if (!rc) rc = buf_add(&j->key, key.p, key.n);
    if (rc) return rc;
    o->active = 1;
    o->skipped = j->record < j->skip;
    o->db = resp_db(j->rules, item->db);
    o->item = *item;
    o->plan = resp_plan_of(j->rules, batch, item, 0);
    o->seek = resp_array_seek(batch, item);
    (void)resp_module_of(j->rules, batch, item, &o->module);
    o->held = unsure && !o->skipped;
    if (o->held) {
        if (!j->spool) rc = rsp_spool_new(&j->env, j->rules->o.tmpdir, SPOOL_MEMORY, &j->spool);
        else rsp_spool_reset(j->spool);
    }
    if (!rc && o->plan.way == RESP_WAY_COLLECT && !o->skipped) rc = resp_collect_begin(j, batch, item);
    if (rc) return rc;
    key.p = j->key.p;
    resp_native_begin(&j->native, &j->out, key);
    j->native.stream.can_ghost = 0;
    j->native.stream.ghosts.n = 0;
    if (o->plan.way == RESP_WAY_NATIVE && sequential && j->rules->o.existing == RSP_EXISTING_REPLACE)
        rc = resp_native_delete(&j->native);
    return rc;
}

/* What was sent of it goes again. */
static int undo(struct resp_join *j)
{
    struct rsp_span key = {j->key.p ? j->key.p : (const uint8_t *)"", j->key.n};
    int rc;
    if (!j->open.begun || j->open.held) return RSP_OK;
    j->out.n = 0;
    resp_native_begin(&j->native, &j->out, key);
    rc = resp_native_delete(&j->native);
    if (!rc) rc = resp_parts_put(j, j->out.p, j->out.n, j->native.replies, RESP_UNIT_LAST | RESP_UNIT_UNDONE);
    j->report.keys--;
    return rc;
}

static int finish(struct resp_join *j)
{
    struct resp_open *o = &j->open;
    struct rsp_span key = {j->key.p ? j->key.p : (const uint8_t *)"", j->key.n};
    int collect = o->plan.way == RESP_WAY_COLLECT;
    int rc = RSP_OK, sends = !collect && !lost(j) && o->plan.way != RESP_WAY_EXPIRED;
    o->losses |= j->native.losses | o->plan.losses;
    j->native.seek = o->seek;
    if (sends) rc = resp_native_seek(&j->native);
    if (!rc && sends && o->plan.has_expire) rc = resp_native_expire(&j->native, o->plan.expire_ms);
    if (!rc && sends && !o->ended) rc = resp_parts_put(j, j->out.p, j->out.n, j->native.replies, RESP_UNIT_LAST);
    if (rc) return rc;
    if (o->plan.way == RESP_WAY_EXPIRED) j->report.dropped++;
    rc = resp_join_losses(j, o->losses, o->db, key, 1, &o->module);
    if (!rc && o->plan.way == RESP_WAY_LOST) rc = undo(j);
    else if (!rc && o->held) rc = release(j);
    o->held = 0;
    if (!rc && collect) rc = resp_collect_end(j);
    j->report.expires += (sends || collect) && o->plan.has_expire;
    return rc;
}

/* The worker's commands of the part. */
static int put_worker(struct resp_join *j, const struct resp_chunk *chunk, const struct resp_piece *piece, int last)
{
    struct resp_open *o = &j->open;
    int rc;
    o->live = 0;
    o->losses |= piece->losses;
    if (lost(j)) return RSP_OK;
    if (piece->keys) j->native.elements = 1;
    o->ended = last && !piece->tail && !o->plan.has_expire && !o->seek;
    rc = take_ids(j, chunk, piece);
    if (!rc && (piece->end > piece->at || o->ended || !o->begun))
        rc = resp_parts_put(j, resp_at(&chunk->out, piece->at), piece->end - piece->at, piece->replies,
                            o->ended ? RESP_UNIT_LAST : 0);
    return rc;
}

static int put_part(struct resp_join *j, const struct resp_chunk *chunk, const struct resp_piece *piece,
                    const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    struct resp_open *o = &j->open;
    int rc = RSP_OK;
    switch (o->plan.way) {
    case RESP_WAY_SET: return resp_parts_decode(j, batch, item);
    case RESP_WAY_COLLECT: return resp_collect_part(j, batch, item);
    case RESP_WAY_NATIVE:
        if (!piece->sequential && !o->tail) rc = put_worker(j, chunk, piece, (item->flags & RSP_ITEM_LAST) != 0);
        if (rc || o->plan.way == RESP_WAY_LOST || !(piece->sequential || piece->tail || o->tail)) return rc;
        if (piece->tail) o->tail = 1;
        return resp_parts_decode(j, batch, item);
    default: return RSP_OK;
    }
}

int resp_join_part(struct resp_join *j, const struct resp_chunk *chunk, const struct resp_piece *piece,
                   const struct rsp_rdb_task *task)
{
    const struct rsp_rdb_batch *batch = task->batch;
    const struct rsp_rdb_item *item = &batch->items[piece->item];
    int unsure = task->verdicts && task->verdicts[piece->item] == RSP_FILTER_UNSURE, rc = RSP_OK;
    struct resp_open *o = &j->open;
    if (item->flags & RSP_ITEM_FIRST) rc = begin(j, batch, item, unsure, piece->sequential);
    if (rc || !o->active) return rc;
    if (piece->refused) {
        o->active = 0;
        return RSP_OK;
    }
    rc = o->skipped ? RSP_OK : put_part(j, chunk, piece, batch, item);
    if (rc || !(item->flags & RSP_ITEM_LAST)) return rc;
    o->active = 0;
    if (!o->skipped) rc = finish(j);
    j->record++;
    return rc;
}
