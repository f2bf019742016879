/* What this is: the public reader: batches of a feed, handed out event by event.
 * Rests on: sys/rdb_batch.h.
 * Does not: use threads. */
#include <respite/sys/rdb_batch.h>

#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "rdb/feed.h"

enum reader_at { AT_START, AT_ITEMS, IN_TOKENS, IN_ELEMENTS, AT_EOF, AT_END };

struct rsp_rdb_reader {
    struct rsp_env env;
    enum rsp_rdb_depth depth;
    struct rsp_rdb_feed *feed;
    struct rsp_rdb_batch *batch;
    size_t item; /* next of the batch */
    enum reader_at at;
    int dead, skipping, said_key, value_due;
    uint64_t offset;
    const struct rsp_rdb_item *now;
    struct rsp_rdb_walk walk;
    uint32_t walk_at;
    struct rsp_rdb_value *value;
    struct rsp_rdb_token token;
    struct rsp_rdb_element element;
    struct rsp_scratch key, text;
};

int rsp_rdb_reader_new(const struct rsp_env *env, struct rsp_source *source, enum rsp_rdb_depth depth,
                       struct rsp_rdb_reader **ret)
{
    struct rsp_rdb_feed_options o = {.size = sizeof o, .blocks = 2};
    struct rsp_rdb_reader *r;
    struct rsp_env e;
    int rc;
    env_init(&e, env);
    r = mem_zero(&e, sizeof *r);
    if (!r) return RSP_ENOMEM;
    r->env = e;
    r->depth = depth;
    rc = rsp_rdb_feed_new(&e, source, &o, &r->feed);
    if (!rc) rc = rsp_rdb_value_new(&e, &r->value);
    if (rc) {
        rsp_rdb_reader_free(r);
        return rc;
    }
    *ret = r;
    return RSP_OK;
}

void rsp_rdb_reader_free(struct rsp_rdb_reader *r)
{
    if (!r) return;
    rsp_rdb_batch_release(r->batch);
    rsp_rdb_value_free(r->value);
    rsp_rdb_feed_free(r->feed);
    rsp_scratch_free(&r->env, &r->key);
    rsp_scratch_free(&r->env, &r->text);
    mem_free(&r->env, r, sizeof *r);
}

uint64_t rsp_rdb_offset(const struct rsp_rdb_reader *r)
{
    return r->offset;
}

int rsp_rdb_rest(struct rsp_rdb_reader *r, struct rsp_span *view)
{
    return r->at == AT_END ? feed_drawn(r->feed, view) : RSP_ESTATE;
}

static struct rsp_span raw(const struct rsp_rdb_reader *r, uint32_t from, uint32_t to)
{
    struct rsp_span s = {r->batch->p + from, to - from};
    return s;
}

static int string_at(struct rsp_rdb_reader *r, uint32_t at, struct rsp_scratch *scratch, struct rsp_span *text)
{
    return rsp_rdb_batch_string(&r->env, r->batch, at, scratch, text);
}

/* An opcode of its own. */
static int opcode_event(struct rsp_rdb_reader *r, const struct rsp_rdb_item *i, struct rsp_rdb_event *e)
{
    int rc = RSP_OK;
    uint64_t v;
    e->kind = i->kind;
    e->db = i->db;
    e->number = (uint64_t)i->expire_ms;
    e->number2 = i->idle_s;
    e->raw = raw(r, i->start, i->end);
    switch (i->kind) {
    case RSP_RDB_AUX:
        rc = string_at(r, i->key, &r->key, &e->key);
        if (!rc) rc = string_at(r, i->value, &r->text, &e->value);
        break;
    case RSP_RDB_FUNCTION:
        if (i->key) rc = string_at(r, i->key, &r->key, &e->key);
        if (!rc) rc = string_at(r, i->value, &r->text, &e->value);
        break;
    case RSP_RDB_SLOT_IMPORT: rc = string_at(r, i->key, &r->key, &e->key); break;
    case RSP_RDB_SLOT_INFO:
        if (len_read(r->batch->p + i->value, i->end - i->value, &v) > 0) e->number3 = v;
        break;
    case RSP_RDB_UPDATE: e->value = raw(r, i->value, i->end); break;
    default: break;
    }
    return rc;
}

static int key_event(struct rsp_rdb_reader *r, const struct rsp_rdb_item *i, struct rsp_rdb_event *e)
{
    int rc = string_at(r, i->key, &r->key, &e->key);
    if (rc) return rc;
    e->kind = RSP_RDB_KEY;
    e->type = i->type;
    e->value_type = (uint8_t)rsp_rdb_value_type(r->batch->dialect, i->type);
    e->db = i->db;
    e->expire_ms = i->expire_ms;
    e->has_idle = (i->flags & RSP_ITEM_IDLE) != 0;
    e->has_freq = (i->flags & RSP_ITEM_FREQ) != 0;
    e->idle_s = e->has_idle ? i->idle_s : 0;
    e->freq = e->has_freq ? i->freq : 0;
    e->raw = raw(r, i->start, i->value);
    if (i->flags & RSP_ITEM_META) e->meta = raw(r, i->meta, i->key - 1);
    return RSP_OK;
}

/* The part that r->now is, at the reader's depth. RSP_AGAIN: nothing of it is left. */
static int part_event(struct rsp_rdb_reader *r, struct rsp_rdb_event *e)
{
    const struct rsp_rdb_item *i = r->now;
    int rc;
    if (r->depth == RSP_RDB_RAW) {
        if (!r->value_due) return RSP_AGAIN;
        r->value_due = 0;
        e->kind = RSP_RDB_VALUE;
        e->value = raw(r, i->value, i->end);
        e->raw = e->value;
        e->first = (i->flags & RSP_ITEM_FIRST) != 0;
        e->last = (i->flags & RSP_ITEM_LAST) != 0;
        e->offset = r->batch->offset + i->value;
        r->offset = r->batch->offset + i->end;
        return RSP_OK;
    }
    if (r->depth == RSP_RDB_ENCODED) {
        rc = rsp_rdb_walk_next(&r->env, &r->walk, r->batch, &r->walk_at, i->end, &r->token);
        e->kind = RSP_RDB_TOKEN;
        e->token = &r->token;
        e->offset = r->token.offset;
        r->offset = r->batch->offset + r->walk_at;
    } else {
        r->element.size = sizeof r->element;
        rc = rsp_rdb_value_next(r->value, &r->element);
        e->kind = RSP_RDB_ELEMENT;
        e->element = &r->element;
        e->offset = rsp_rdb_value_offset(r->value);
    }
    if (rc == RSP_END) {
        e->kind = RSP_RDB_KEY_END;
        e->token = NULL;
        e->element = NULL;
        e->offset = r->offset = r->batch->offset + i->end;
        r->now = NULL;
        return RSP_OK;
    }
    if (rc == RSP_AGAIN && (i->flags & RSP_ITEM_LAST))
        return fail_at(&r->env, RSP_EFORMAT, NULL, r->batch->offset + i->end, "a value ends too early");
    return rc;
}

static void part_begin(struct rsp_rdb_reader *r, const struct rsp_rdb_item *i)
{
    int on = !(i->flags & RSP_ITEM_FIRST);
    r->now = i;
    r->value_due = 1;
    r->walk_at = i->value;
    if (!on) rsp_rdb_walk_init(&r->walk, r->batch, i);
    if (on) rsp_rdb_value_continue(r->value, r->batch, i);
    else rsp_rdb_value_open(r->value, r->batch, i);
}

static int eof_event(struct rsp_rdb_reader *r, struct rsp_rdb_event *e)
{
    struct rsp_rdb_feed_info info = {.size = sizeof info};
    rsp_rdb_feed_tell(r->feed, &info);
    e->kind = RSP_RDB_EOF;
    e->number = info.crc_stored;
    e->number2 = info.crc_computed;
    e->number3 = info.crc_state;
    e->dialect = info.dialect;
    e->offset = info.crc_offset - 1;
    r->offset = info.offset;
    r->at = AT_END;
    return RSP_OK;
}

static int next_batch(struct rsp_rdb_reader *r)
{
    int rc;
    rsp_rdb_batch_release(r->batch);
    r->batch = NULL;
    r->item = 0;
    rc = rsp_rdb_feed_next(r->feed, &r->batch);
    if (rc == RSP_END) r->at = AT_EOF;
    return rc;
}

static int item_event(struct rsp_rdb_reader *r, struct rsp_rdb_event *e)
{
    const struct rsp_rdb_item *i = &r->batch->items[r->item++];
    e->offset = r->batch->offset + i->start;
    r->offset = r->batch->offset + i->end;
    if (i->kind != RSP_RDB_KEY) return opcode_event(r, i, e);
    if (i->flags & RSP_ITEM_FIRST) {
        r->skipping = 0;
        r->offset = r->batch->offset + i->value;
        part_begin(r, i);
        return key_event(r, i, e);
    }
    if (!r->skipping) part_begin(r, i);
    return RSP_AGAIN;
}

static int next(struct rsp_rdb_reader *r, struct rsp_rdb_event *e)
{
    struct rsp_rdb_feed_info info = {.size = sizeof info};
    int rc;
    for (;;) {
        if (r->at == AT_EOF) return eof_event(r, e);
        if (r->at == AT_END) return RSP_END;
        if (r->now && r->batch) {
            rc = part_event(r, e);
            if (rc != RSP_AGAIN) return rc;
            r->now = NULL;
        }
        if (r->batch && r->item < r->batch->count) {
            rc = item_event(r, e);
            if (rc != RSP_AGAIN) return rc;
            continue;
        }
        rc = next_batch(r);
        if (rc < 0 || rc == RSP_AGAIN) return rc;
        rsp_rdb_feed_tell(r->feed, &info);
        e->dialect = info.dialect;
        if (r->at != AT_START && !(r->at == AT_EOF && !r->said_key)) continue;
        r->said_key = 1; /* the header has been told */
        if (r->at == AT_START) r->at = AT_ITEMS;
        e->kind = RSP_RDB_HEADER;
        e->number = info.version;
        r->offset = 9;
        return RSP_OK;
    }
}

int rsp_rdb_next(struct rsp_rdb_reader *r, struct rsp_rdb_event *event)
{
    struct rsp_rdb_event e;
    int rc;
    if (r->dead) return RSP_ESTATE;
    memset(&e, 0, sizeof e);
    e.size = event->size;
    e.expire_ms = RSP_RDB_NO_EXPIRE;
    if (r->batch) e.dialect = r->batch->dialect;
    rc = next(r, &e);
    if (rc < 0) r->dead = 1;
    if (rc) return rc;
    if (r->batch) e.dialect = r->batch->dialect;
    memcpy(event, &e, event->size < sizeof e ? event->size : sizeof e);
    return RSP_OK;
}

int rsp_rdb_skip(struct rsp_rdb_reader *r)
{
    if (r->dead) return RSP_ESTATE;
    if (r->now) r->offset = r->batch->offset + r->now->end;
    r->now = NULL;
    r->skipping = 1;
    return RSP_OK;
}
