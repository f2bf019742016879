/* What this is: the last pass of a reshard, in order: bytes into the sinks, by way of a buffer each.
 * Rests on: reshard_impl.h, rdb/write.h, base/crc64.h.
 * Does not: commit the sinks. */
#include <inttypes.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/crc64.h"
#include "base/mem.h"
#include "flow/reshard_impl.h"
#include "rdb/write.h"

#define ROOM_ALL (16u << 20) /* of all buffers */
#define ROOM_MOST (256u << 10)

static int put_out(struct reshard_out *o, const uint8_t *p, size_t n)
{
    o->crc = crc64(o->crc, p, n);
    o->bytes += n;
    return rsp_sink_write(o->sink, p, n);
}

static int flush(struct reshard_out *o)
{
    int rc = o->n ? put_out(o, o->p, o->n) : RSP_OK;
    o->n = 0;
    return rc;
}

static int put(struct reshard *r, struct reshard_out *o, const uint8_t *p, size_t n)
{
    int rc = RSP_OK;
    if (n > r->room_each - o->n) rc = flush(o);
    if (rc || !n) return rc;
    if (n >= r->room_each) return put_out(o, p, n);
    memcpy(o->p + o->n, p, n);
    o->n += n;
    return RSP_OK;
}

static int put_buf(struct reshard *r, struct reshard_out *o, struct buf *b)
{
    int rc = put(r, o, b->p, b->n);
    b->n = 0;
    return rc;
}

/* ---- the beginning and the end ---- */

static int head(struct reshard *r, struct reshard_out *o)
{
    int rc = rdb_put_header(&r->made, r->version);
    if (!rc) rc = put_buf(r, o, &r->made);
    if (!rc && r->version >= RDB_WITH_AUX) rc = put(r, o, r->aux.p, r->aux.n);
    return rc ? rc : put(r, o, r->before.p, r->before.n);
}

int reshard_write_begin(struct reshard *r, struct rsp_sink *const *sinks)
{
    int rc = RSP_OK;
    r->room_each = ROOM_ALL / r->sinks < ROOM_MOST ? ROOM_ALL / r->sinks : ROOM_MOST;
    r->outs = mem_zero(&r->env, r->sinks * sizeof *r->outs);
    r->room = r->outs ? mem_alloc(&r->env, r->sinks * r->room_each) : NULL;
    if (!r->room) return RSP_ENOMEM;
    for (size_t k = 0; k < r->sinks && !rc; k++) {
        r->outs[k].sink = sinks[k];
        r->outs[k].p = r->room + k * r->room_each;
        rc = head(r, &r->outs[k]);
    }
    return rc;
}

static int finish(struct reshard *r, struct reshard_out *o)
{
    uint8_t sum[8];
    int rc = put(r, o, r->after.p, r->after.n);
    if (!rc) rc = rdb_put_end(&r->made);
    if (!rc) rc = put_buf(r, o, &r->made);
    if (!rc) rc = flush(o);
    if (rc || r->version < RDB_WITH_CRC) return rc;
    store_le64(sum, o->crc);
    o->bytes += sizeof sum;
    return rsp_sink_write(o->sink, sum, sizeof sum);
}

int reshard_write_end(struct reshard *r)
{
    int rc = RSP_OK;
    for (size_t k = 0; k < r->sinks && !rc; k++) {
        struct reshard_out *o = &r->outs[k];
        if (o->keys != r->files[k].keys || o->expires != r->files[k].expires)
            return fail(&r->env, RSP_EINTEGRITY, NULL,
                        "a dump gave other data when it was read again: %" PRIu64 " keys instead of %" PRIu64, o->keys,
                        r->files[k].keys);
        rc = finish(r, o);
        r->files[k].bytes = o->bytes;
    }
    return rc;
}

void reshard_write_free(struct reshard *r)
{
    mem_free(&r->env, r->room, r->sinks * r->room_each);
    mem_free(&r->env, r->outs, r->sinks * sizeof *r->outs);
}

/* ---- records ---- */

static int select_db(struct reshard *r, const struct rsp_env *env, struct reshard_out *o, uint32_t db)
{
    uint64_t keys, expires;
    struct reshard_db *d = NULL;
    int rc, first = !o->selected;
    if (o->selected && o->db == db) return RSP_OK;
    o->selected = 1;
    o->db = db;
    rc = rdb_put_select(&r->made, db);
    if (r->o.all) {
        d = reshard_db(r, db, 0);
        if (!d) return fail(env, RSP_EINTEGRITY, NULL, "a dump gave other data when it was read again");
        keys = d->keys, expires = d->expires;
        first = !d->told;
        d->told = 1;
    } else {
        size_t k = (size_t)(o - r->outs);
        keys = r->files[k].keys, expires = r->files[k].expires;
    }
    if (!rc && first && r->version >= RDB_WITH_AUX) rc = rdb_put_resize(&r->made, keys, expires);
    return rc ? rc : put_buf(r, o, &r->made);
}

/* What of the item's part goes there, whatever it is. */
static int put_part(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_task *task, size_t k)
{
    const struct rsp_rdb_item *i = &task->batch->items[k];
    const struct reshard_result *x = task->result;
    const struct reshard_item *t = &x->items[k];
    struct reshard_out *o = &r->outs[r->open_sink];
    int rc = t->made_n ? put(r, o, x->made.p + t->made_at, t->made_n) : RSP_OK;
    if (rc || !r->open_plain) return rc || !t->rest ? rc : put(r, o, task->batch->p + t->from, i->end - t->from);
    if (i->flags & RSP_ITEM_FIRST) { /* a template hash in parts: one after the other */
        if (!r->value) rc = rsp_rdb_value_new(env, &r->value);
        if (!rc) rsp_rdb_value_open(r->value, task->batch, i);
        r->plain = PLAIN_NEW;
    } else {
        rsp_rdb_value_continue(r->value, task->batch, i);
    }
    if (!rc) rc = reshard_plain(env, r->value, &r->plain, &r->made);
    return rc ? rc : put_buf(r, o, &r->made);
}

/* Whether the record that begins goes into a file. */
static int keeps(struct reshard *r, const struct rsp_rdb_task *task, size_t k)
{
    const struct rsp_rdb_item *i = &task->batch->items[k];
    const struct reshard_result *x = task->result;
    int verdict = task->verdicts ? task->verdicts[k] : RSP_FILTER_ACCEPT, loss;
    unsigned strip;
    if (verdict == RSP_FILTER_UNSURE)
        verdict = r->unsure_at < r->unsure.n && r->unsure.p[r->unsure_at++] ? RSP_FILTER_ACCEPT : RSP_FILTER_REFUSE;
    if (verdict != RSP_FILTER_ACCEPT || !reshard_fate(r, task->batch, i, &strip, &loss)) return 0;
    return !x->items[k].hashed || !reshard_written(r, &x->items[k].hash);
}

static int record(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_task *task, size_t k)
{
    const struct rsp_rdb_item *i = &task->batch->items[k];
    const struct reshard_result *x = task->result;
    struct reshard_out *o;
    int rc;
    if (!(i->flags & RSP_ITEM_FIRST)) return r->open_keep ? put_part(r, env, task, k) : RSP_OK;
    r->open_keep = keeps(r, task, k);
    if (!r->open_keep) return RSP_OK;
    r->open_plain = reshard_is_template(task->batch, i) && !(i->flags & RSP_ITEM_LAST);
    r->open_sink = reshard_sink_of(r, x->items[k].slot);
    if (r->open_sink == r->sinks)
        return fail(env, RSP_EINTEGRITY, NULL, "a dump gave other data when it was read again");
    o = &r->outs[r->open_sink];
    rc = select_db(r, env, o, i->db);
    o->keys++;
    o->expires += (i->flags & RSP_ITEM_EXPIRE) != 0;
    return rc ? rc : put_part(r, env, task, k);
}

/* Records that are copied as they stand, one behind the other, into the same place: how many items from k on. */
static size_t run_of(struct reshard *r, const struct rsp_rdb_task *task, size_t k)
{
    const struct rsp_rdb_batch *b = task->batch;
    const struct reshard_result *x = task->result;
    const struct reshard_out *o;
    size_t sink = reshard_sink_of(r, x->items[k].slot), n = 0;
    if (task->verdicts || sink == r->sinks) return 0;
    o = &r->outs[sink];
    if (!o->selected) return 0;
    for (; k + n < b->count; n++) {
        const struct rsp_rdb_item *i = &b->items[k + n];
        const struct reshard_item *t = &x->items[k + n];
        const int whole = RSP_ITEM_FIRST | RSP_ITEM_LAST;
        unsigned strip;
        int loss;
        if (i->kind != RSP_RDB_KEY || (i->flags & whole) != whole || i->db != o->db || t->made_n || !t->rest ||
            t->hashed)
            break;
        if (t->from != i->start || (n && i->start != i[-1].end) || reshard_sink_of(r, t->slot) != sink) break;
        if (!reshard_fate(r, b, i, &strip, &loss)) break;
    }
    return n;
}

static int put_run(struct reshard *r, const struct rsp_rdb_task *task, size_t k, size_t n)
{
    const struct rsp_rdb_item *i = &task->batch->items[k];
    const struct reshard_result *x = task->result;
    struct reshard_out *o = &r->outs[reshard_sink_of(r, x->items[k].slot)];
    o->keys += n;
    for (size_t j = 0; j < n; j++) o->expires += (i[j].flags & RSP_ITEM_EXPIRE) != 0;
    return put(r, o, task->batch->p + i->start, i[n - 1].end - i->start);
}

int reshard_write(struct reshard *r, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    const struct rsp_rdb_batch *b = task->batch;
    int rc = RSP_OK;
    for (size_t k = 0; k < b->count && !rc;) {
        size_t n;
        if (b->items[k].kind != RSP_RDB_KEY) {
            k++;
            continue;
        }
        n = run_of(r, task, k);
        rc = n ? put_run(r, task, k, n) : record(r, env, task, k);
        k += n ? n : 1;
    }
    return rc;
}
