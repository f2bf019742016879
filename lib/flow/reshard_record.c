/* What this is: what workers do for a reshard: slots of keys, and those records that are not copied as they stand: hashes
 *   by template, and heads of which something goes.
 * Rests on: reshard_impl.h, rdb/write.h, rdb/templates.h.
 * Does not: know the order of things: join does. */
#include "base/bytes.h"
#include "base/mem.h"
#include "flow/reshard_impl.h"
#include "rdb/templates.h"
#include "rdb/write.h"

#define TYPE_HASH 4

int reshard_is_template(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    return b->dialect == RSP_RDB_REDIS && i->type >= 29 && i->type <= 32;
}

static int can(const struct reshard *r, int feature)
{
    return !r->has_target || (r->target.can >> feature & 1);
}

int reshard_fate(const struct reshard *r, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, unsigned *strip,
                 int *loss)
{
    uint64_t id;
    *strip = 0;
    *loss = -1;
    if (!r->o.all && i->db) {
        *loss = RSP_LOSS_DATABASE;
        return 0;
    }
    if (r->has_target && i->flags & RSP_ITEM_FIRST && target_takes_item(&r->target, b, i, &id) != TARGET_MODULE_TAKEN) {
        *loss = RSP_LOSS_MODULE;
        return 0;
    }
    if (i->flags & (RSP_ITEM_IDLE | RSP_ITEM_FREQ) && !can(r, RSP_CAN_EVICTION)) {
        *loss = RSP_LOSS_EVICTION;
        *strip |= STRIP_RANKS;
        if (r->o.losses.action[RSP_LOSS_EVICTION] != RSP_LOSS_CONVERT) return 0;
    }
    if (i->flags & RSP_ITEM_META && !can(r, RSP_CAN_KEY_META)) {
        *loss = RSP_LOSS_KEY_META;
        *strip |= STRIP_META;
        if (r->o.losses.action[RSP_LOSS_KEY_META] != RSP_LOSS_CONVERT) return 0;
    }
    return 1;
}

/* ---- heads ---- */

/* Whether all of the key's attributes are among its bytes: an opcode between them and the key takes them along. */
static int head_is_whole(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    const unsigned want = i->flags & (RSP_ITEM_EXPIRE | RSP_ITEM_IDLE | RSP_ITEM_FREQ);
    size_t at = i->start, end = i->flags & RSP_ITEM_META ? i->meta : i->key - 1;
    unsigned have = 0;
    while (at < end) {
        switch (b->p[at]) {
        case 0xfc: at += 9, have |= RSP_ITEM_EXPIRE; break;
        case 0xfd: at += 5, have |= RSP_ITEM_EXPIRE; break;
        case 0xf9: at += 2, have |= RSP_ITEM_FREQ; break;
        case 0xf8:
            have |= RSP_ITEM_IDLE;
            at++;
            at += b->p[at] >> 6 == 1 ? 2 : b->p[at] == 0x80 ? 5 : b->p[at] == 0x81 ? 9 : 1;
            break;
        default: return 0;
        }
    }
    return have == want;
}

/* Attributes, type and key, as they are to be; the value follows. */
static int make_head(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, unsigned strip, uint8_t type,
                     struct buf *out)
{
    int rc = RSP_OK;
    if (i->flags & RSP_ITEM_EXPIRE) rc = rdb_put_expiry(out, i->expire_ms);
    if (!rc && i->flags & RSP_ITEM_IDLE && !(strip & STRIP_RANKS)) rc = rdb_put_idle(out, i->idle_s);
    if (!rc && i->flags & RSP_ITEM_FREQ && !(strip & STRIP_RANKS)) rc = rdb_put_freq(out, i->freq);
    if (!rc && i->flags & RSP_ITEM_META && !(strip & STRIP_META))
        rc = buf_add(out, b->p + i->meta, i->key - 1 - i->meta);
    if (!rc) rc = buf_byte(out, type);
    return rc ? rc : buf_add(out, b->p + i->key, i->value - i->key);
}

/* ---- hashes by template ---- */

/* A value that comes in parts is written with them; the field that they are of comes behind the last. */
static int put_part(const struct rsp_rdb_element *e, struct buf *out)
{
    int rc = RSP_OK;
    if (e->part_first) rc = rdb_put_string(out, e->b.p, e->b.n);
    if (!rc && e->part_first) rc = rdb_put_length(out, e->number[0]);
    return rc || !e->a.n ? rc : buf_add(out, e->a.p, e->a.n);
}

static int put_element(const struct rsp_env *env, const struct rsp_rdb_element *e, enum reshard_plain *state,
                       struct buf *out)
{
    int rc, of_parts = *state == PLAIN_PARTS;
    if (e->kind == RSP_ELEM_PART) {
        *state = PLAIN_PARTS;
        return e->part_slot == 1 ? put_part(e, out) : fail(env, RSP_EFORMAT, NULL, "a field's name of many megabytes");
    }
    *state = PLAIN_BEGUN;
    if (of_parts) return RSP_OK;
    rc = rdb_put_string(out, e->a.p, e->a.n);
    return rc ? rc : rdb_put_string(out, e->b.p, e->b.n);
}

int reshard_plain(const struct rsp_env *env, struct rsp_rdb_value *value, enum reshard_plain *state, struct buf *out)
{
    for (;;) {
        struct rsp_rdb_element e = {.size = sizeof e};
        int rc = rsp_rdb_value_next(value, &e);
        if (rc == RSP_END && *state == PLAIN_NEW) return rdb_put_length(out, 0); /* a hash of nothing says so, too */
        if (rc == RSP_AGAIN || rc == RSP_END) return RSP_OK;
        if (!rc && *state == PLAIN_NEW) rc = rdb_put_length(out, templates_fields_of(value));
        if (!rc) rc = put_element(env, &e, state, out);
        if (rc) return rc;
    }
}

/* ---- a batch ---- */

static int value_of(struct reshard_worker *w, const struct rsp_env *env)
{
    return w->value ? RSP_OK : rsp_rdb_value_new(env, &w->value);
}

static int make(const struct reshard *r, struct reshard_worker *w, const struct rsp_env *env,
                const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, struct reshard_item *x, struct buf *made)
{
    unsigned strip;
    enum reshard_plain state = PLAIN_NEW;
    int loss, plain = reshard_is_template(b, i), rc;
    x->from = i->start;
    x->rest = !plain;
    if (!(i->flags & RSP_ITEM_FIRST) || !reshard_fate(r, b, i, &strip, &loss)) return RSP_OK;
    if (!plain && !strip && head_is_whole(b, i)) return RSP_OK;
    if (made->n > UINT32_MAX / 2)
        return fail(env, RSP_ELIMIT, NULL, "hashes by template are too large when written in full");
    x->made_at = (uint32_t)made->n;
    x->from = i->value;
    rc = make_head(b, i, strip, plain ? TYPE_HASH : i->type, made);
    if (!rc && plain && i->flags & RSP_ITEM_LAST) {
        rc = value_of(w, env);
        if (!rc) rsp_rdb_value_open(w->value, b, i);
        if (!rc) rc = reshard_plain(env, w->value, &state, made);
    }
    if (!rc && made->n > UINT32_MAX)
        rc = fail(env, RSP_ELIMIT, NULL, "hashes by template are too large when written in full");
    x->made_n = (uint32_t)(made->n - x->made_at);
    return rc;
}

static void hash_key(const struct reshard *r, struct rsp_span key, uint32_t db, struct reshard_item *x)
{
    struct sip s;
    uint8_t number[4];
    store_le32(number, db);
    sip_init(&s, r->key, 1);
    sip_add(&s, number, sizeof number);
    if (key.n) sip_add(&s, key.p, key.n);
    x->hash = sip_end128(&s);
    x->hashed = 1;
}

static int look_at(const struct reshard *r, struct reshard_worker *w, const struct rsp_env *env,
                   const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, struct reshard_item *x)
{
    struct rsp_span key;
    int rc = rsp_rdb_batch_key(env, b, i, &w->scratch, &key);
    if (rc) return rc;
    x->slot = (uint16_t)rsp_key_slot(key);
    if (r->pass != PASS_LOOK && r->any_shared && r->shared[x->slot]) hash_key(r, key, i->db, x);
    return RSP_OK;
}

int reshard_work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct reshard *r = ctx;
    const struct rsp_rdb_batch *b = task->batch;
    struct reshard_result *out = mem_zero(env, sizeof *out);
    int rc = RSP_OK;
    if (!out) return RSP_ENOMEM;
    task->result = out;
    buf_init(&out->made, env);
    if (worker >= r->threads) return fail(env, RSP_ESTATE, NULL, "there is no worker %u", worker);
    if (!b->count) return RSP_OK;
    out->items = mem_zero(env, b->count * sizeof *out->items);
    if (!out->items) return RSP_ENOMEM;
    out->n = b->count;
    for (size_t k = 0; k < b->count && !rc; k++) {
        const struct rsp_rdb_item *i = &b->items[k];
        if (i->kind != RSP_RDB_KEY) continue;
        out->items[k].refused = task->verdicts && task->verdicts[k] == RSP_FILTER_REFUSE;
        if (out->items[k].refused) continue;
        rc = look_at(r, &r->workers[worker], env, b, i, &out->items[k]);
        if (!rc && r->pass == PASS_WRITE) rc = make(r, &r->workers[worker], env, b, i, &out->items[k], &out->made);
    }
    return rc;
}

void reshard_result_free(const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct reshard_result *x = task->result;
    if (!x) return;
    x->made.env = env;
    buf_free(&x->made);
    mem_free(env, x->items, x->n * sizeof *x->items);
    mem_free(env, x, sizeof *x);
    task->result = NULL;
}
