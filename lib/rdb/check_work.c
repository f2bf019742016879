/* What this is: what a worker does with a batch in a check: keys, values, opcodes.
 * Rests on: check_impl.h.
 * Does not: report (check.c). */
#include <string.h>

#include "rdb/check_impl.h"

#define WHOLE (RSP_ITEM_FIRST | RSP_ITEM_LAST)

static int look_key(struct looker *l)
{
    const struct rsp_rdb_item *i = l->item;
    struct rsp_span key;
    int rc;
    if (!l->c->dups_on && (!(i->flags & RSP_ITEM_FIRST) || l->batch->p[i->key] != 0xc3)) return RSP_OK;
    rc = rsp_rdb_batch_key(&l->env, l->batch, i, &l->key, &key);
    if (rc == RSP_EFORMAT) {
        uint64_t at = i->flags & RSP_ITEM_FIRST ? l->batch->offset + i->key : l->record;
        rc = check_note(l, at, "lzf", "the key: %s", l->err.message);
        rsp_error_clear(&l->err);
        return rc;
    }
    if (rc || !(i->flags & RSP_ITEM_LAST) || !l->c->dups_on) return rc;
    return dups_key(l, key);
}

static int look_whole(struct looker *l)
{
    struct rsp_rdb_walk walk;
    uint32_t at = l->item->value;
    int rc = value_begin(l);
    if (rc) return rc;
    l->whole = 1;
    memcpy(l->member_key, l->c->member_key, sizeof l->member_key);
    memcpy(l->mix_key, l->c->whole_key, sizeof l->mix_key);
    rsp_rdb_walk_init(&walk, l->batch, l->item);
    rc = value_walk(l, &walk, &at, NULL);
    return rc ? rc : value_end(l);
}

static int look_value(struct looker *l)
{
    const struct rsp_rdb_item *i = l->item;
    int whole = (i->flags & WHOLE) == WHOLE;
    if (l->c->confirm) return l->c->big.n && dups_is_big(l->c, l->record) ? look_part(l) : RSP_OK;
    return whole ? look_whole(l) : look_part(l);
}

/* A string of which nothing can be wrong: its bytes stand there as they are. */
static int plain_string(struct looker *l)
{
    const uint8_t *p = l->batch->p + l->item->value;
    struct rsp_span text = {NULL, 0};
    struct rdb_str s;
    if (l->feed != FEED_ON) return RSP_OK;
    if (p[0] >= 0xc0 || str_head(p, l->item->end - l->item->value, &s) != 1) return look_value(l);
    text.p = p + s.head;
    text.n = (size_t)s.body;
    return dd1_text(l->dd1, 's', text);
}

/* The value, and its dd1 along with it when that can be. */
static int look_record(struct looker *l)
{
    const struct rsp_rdb_item *i = l->item;
    int whole = (i->flags & WHOLE) == WHOLE, digest = l->dd1 && !l->c->confirm, rc = RSP_OK;
    if (digest && feed_can(l)) {
        l->feed = FEED_ON;
        rc = dd1_open(l->dd1, l->item_no);
    }
    if (!rc) rc = i->type == 0 && whole && l->batch->p[i->value] != 0xc3 ? plain_string(l) : look_value(l);
    if (rc || !digest) return rc;
    if (l->feed == FEED_ON) {
        if (rsp_rdb_value_type(l->dialect, l->type) == RSP_RDB_STREAM) return dd1_close_stream(l->dd1);
        dd1_close(l->dd1);
        return RSP_OK;
    }
    if (l->feed == FEED_SPOILT) dd1_abandon(l->dd1);
    return dd1_record(l->dd1, l->item_no);
}

int work_batch(struct looker *l, struct rsp_rdb_task *task)
{
    const struct rsp_rdb_batch *b = task->batch;
    struct rsp_error *err = &l->err;
    int rc = RSP_OK;
    rsp_error_clear(err);
    l->batch = b;
    l->dialect = b->dialect;
    l->feed = FEED_OFF;
    if (l->dd1 && !l->c->confirm) rc = dd1_begin(l->dd1, b, &l->out->dd1);
    if (!rc && l->c->dups_on && !l->c->confirm) rc = buf_reserve(&l->out->hashes, b->count * sizeof(uint64_t));
    for (size_t k = 0; k < b->count && !rc; k++) {
        const struct rsp_rdb_item *i = &b->items[k];
        l->item = i;
        l->item_no = (uint32_t)k;
        l->key_noted = 0;
        if (i->kind != RSP_RDB_KEY) {
            if (!l->c->confirm) rc = look_opcode(l);
            continue;
        }
        if (task->verdicts && task->verdicts[k] == RSP_FILTER_REFUSE) continue;
        l->type = i->type;
        l->record = record_offset(b, k);
        rc = look_key(l);
        if (!rc) rc = look_record(l);
        l->feed = FEED_OFF;
    }
    return !rc && l->dd1 && !l->c->confirm ? dd1_end(l->dd1) : rc;
}
