/* What this is: how a record travels: SET, RESTORE, native commands, or not at all; and the text of RESTORE.
 * Rests on: resp_impl.h, base/crc64.h, rdb.md section 16.
 * Does not: look into values. */
#include "base/crc64.h"
#include "export/resp_impl.h"

int64_t resp_shifted(const struct resp_rules *r, int64_t ms)
{
    int64_t sum = ms;
    if (r->o.ttl == RSP_TTL_SHIFT && __builtin_add_overflow(ms, r->o.shift_ms, &sum))
        sum = r->o.shift_ms < 0 ? INT64_MIN : INT64_MAX;
    return sum < 1 ? 1 : sum; /* servers take no other times; both are long ago */
}

uint32_t resp_db(const struct resp_rules *r, uint32_t db)
{
    for (size_t i = 0; i < r->o.dbs_n; i++)
        if (r->o.dbs[i].from == db) return r->o.dbs[i].to;
    return db;
}

static int has_field_ttl(int dialect, int type)
{
    return dialect == RSP_RDB_REDIS ? type == 24 || type == 25 : type == 22;
}

/* The target has it, behind the map of databases. */
static int has_database(const struct resp_rules *r, uint32_t db)
{
    const struct rsp_target *t = &r->o.target;
    db = resp_db(r, db);
    return !(t->cluster && db) && !(t->databases && db >= t->databases);
}

/* The one attribute that RESTORE takes along: RSP_ITEM_IDLE, RSP_ITEM_FREQ or 0. */
static int attribute(const struct resp_rules *r, const struct rsp_rdb_item *item)
{
    if (!r->eviction || !r->restore_absttl) return 0;
    return item->flags & RSP_ITEM_IDLE && item->idle_s <= INT64_MAX ? RSP_ITEM_IDLE : item->flags & RSP_ITEM_FREQ;
}

/* What it says of the key's use, and no RESTORE carries. */
static unsigned use_losses(const struct resp_rules *r, const struct rsp_rdb_item *item, enum resp_way way)
{
    int carried = way == RESP_WAY_RESTORE || way == RESP_WAY_COLLECT ? attribute(r, item) : 0;
    if (way == RESP_WAY_LOST || way == RESP_WAY_EXPIRED) return 0;
    return item->flags & (RSP_ITEM_IDLE | RSP_ITEM_FREQ) & ~carried ? RESP_LOSS(EVICTION) : 0;
}

static int is_paths(int dialect, int type)
{
    return dialect == RSP_RDB_VALKEY && type == 23;
}

/* Without a payload. */
static enum resp_way way_of_commands(const struct resp_rules *r, int dialect, int type, unsigned *losses)
{
    unsigned why;
    switch (rsp_rdb_value_type(dialect, type)) {
    case RSP_RDB_STRING: return RESP_WAY_SET;
    case RSP_RDB_MODULE: why = RESP_LOSS(MODULE); break;
    case RSP_RDB_ARRAY:
        if (r->arrays) return RESP_WAY_NATIVE;
        why = RESP_LOSS(ARRAY);
        break;
    case RSP_RDB_STREAM:
        if (r->streams) return RESP_WAY_NATIVE;
        why = RESP_LOSS(STREAM);
        break;
    default:
        if (!is_paths(dialect, type)) return RESP_WAY_NATIVE;
        why = RESP_LOSS(OTHER);
    }
    *losses |= why;
    return RESP_WAY_LOST;
}

enum resp_way resp_way_of_parts(const struct resp_rules *r, int dialect, int type, unsigned *losses)
{
    int vt = rsp_rdb_value_type(dialect, type);
    int collect = vt == RSP_RDB_MODULE || vt == RSP_RDB_ARRAY || vt == RSP_RDB_STREAM || is_paths(dialect, type);
    if (collect && resp_payload_version(r, dialect, type, 0)) return RESP_WAY_COLLECT;
    return way_of_commands(r, dialect, type, losses);
}

/* Of what is too large for a payload. */
static enum resp_way way_of_large(const struct resp_rules *r, int dialect, int type, unsigned *losses)
{
    unsigned why = 0;
    enum resp_way way = way_of_commands(r, dialect, type, &why);
    if (way == RESP_WAY_LOST) *losses |= RESP_LOSS(OTHER);
    return way;
}

void resp_plan_more(const struct resp_rules *r, struct resp_plan *plan, int dialect, int type, uint64_t n)
{
    int stream = rsp_rdb_value_type(dialect, type) == RSP_RDB_STREAM;
    uint64_t most = stream && r->bulk_max > RESP_STREAM_PAYLOAD ? RESP_STREAM_PAYLOAD : r->bulk_max;
    if (plan->way != RESP_WAY_COLLECT) return;
    plan->payload += n;
    if (most > 64 && plan->payload <= most - 64) return;
    plan->losses |= plan->by_commands;
    plan->way = way_of_large(r, dialect, type, &plan->losses);
    if (resp_refused(r, plan->losses)) plan->way = RESP_WAY_LOST;
}

static enum resp_way way_of_whole(const struct resp_rules *r, const struct rsp_rdb_batch *batch,
                                  const struct rsp_rdb_item *item, struct resp_plan *p)
{
    int string = rsp_rdb_value_type(batch->dialect, item->type) == RSP_RDB_STRING;
    int meta = (item->flags & RSP_ITEM_META) != 0;
    int attributes = attribute(r, item);
    enum resp_way way;
    if (!string || attributes || meta) {
        p->version = resp_payload_version(r, batch->dialect, item->type, meta);
        if (!p->version && meta && (!string || attributes)) { /* the value may be taken all the same */
            p->losses |= RESP_LOSS(KEY_META);
            p->version = resp_payload_version(r, batch->dialect, item->type, 0);
        }
        if (item->end - item->value + 64 + (item->key - item->start) > r->bulk_max) p->version = 0;
        if (has_field_ttl(batch->dialect, item->type) && (r->o.ttl == RSP_TTL_SHIFT || r->o.ttl == RSP_TTL_PERSIST))
            p->version = 0;
        if (p->version) return RESP_WAY_RESTORE;
    }
    if (meta) p->losses |= RESP_LOSS(KEY_META); /* no command sets it */
    way = resp_way_of_parts(r, batch->dialect, item->type, &p->losses);
    return way == RESP_WAY_COLLECT ? way_of_large(r, batch->dialect, item->type, &p->losses) : way;
}

static enum resp_way way_of_first(const struct resp_rules *r, const struct rsp_rdb_batch *batch,
                                  const struct rsp_rdb_item *item, struct resp_plan *p)
{
    enum resp_way way = resp_way_of_parts(r, batch->dialect, item->type, &p->losses);
    int meta = (item->flags & RSP_ITEM_META) != 0;
    if (way == RESP_WAY_COLLECT) {
        p->version = resp_payload_version(r, batch->dialect, item->type, meta);
        if (p->version && meta) {
            p->payload = p->meta_n = item->key - 1 - item->meta;
            p->by_commands = RESP_LOSS(KEY_META);
            meta = 0;
        }
        if (!p->version) p->version = resp_payload_version(r, batch->dialect, item->type, 0);
        p->by_commands |= use_losses(r, item, RESP_WAY_NATIVE);
    }
    if (meta) p->losses |= RESP_LOSS(KEY_META);
    return way;
}

struct resp_plan resp_plan_of(const struct resp_rules *r, const struct rsp_rdb_batch *batch,
                              const struct rsp_rdb_item *item, int whole)
{
    struct resp_plan p = {.way = RESP_WAY_LOST};
    struct resp_module module;
    if (item->flags & RSP_ITEM_EXPIRE && r->o.ttl != RSP_TTL_PERSIST) {
        if (r->o.ttl == RSP_TTL_DROP_EXPIRED && item->expire_ms <= r->o.now_ms) {
            p.way = RESP_WAY_EXPIRED;
            return p;
        }
        p.has_expire = 1;
        p.expire_ms = resp_shifted(r, item->expire_ms);
    }
    if (!has_database(r, item->db)) {
        p.losses = RESP_LOSS(DATABASE);
        return p;
    }
    if (resp_module_of(r, batch, item, &module) != TARGET_MODULE_TAKEN) {
        p.losses = RESP_LOSS(MODULE);
        return p;
    }
    p.way = whole ? way_of_whole(r, batch, item, &p) : way_of_first(r, batch, item, &p);
    p.losses |= use_losses(r, item, p.way);
    if (resp_refused(r, p.losses)) p.way = RESP_WAY_LOST;
    return p;
}

int resp_restore_begin(const struct resp_rules *r, struct buf *out, struct rsp_span key, const struct resp_plan *plan,
                       const struct rsp_rdb_item *item, uint64_t n, size_t *key_at, uint32_t *replies)
{
    int replace = r->o.existing == RSP_EXISTING_REPLACE, absttl = plan->has_expire && r->restore_absttl;
    int64_t ttl = plan->has_expire ? plan->expire_ms : 0;
    int rc = resp_room(out, 2 * key.n + 4 * RESP_SLACK);
    if (rc) return rc;
    *replies = 1;
    if (replace && !r->restore_replace) {
        RESP_PUT(out, "*2\r\n$3\r\nDEL\r\n");
        resp_put_bulk(out, key.p, key.n);
        *replies = 2;
        replace = 0;
    }
    if (plan->has_expire && !absttl && __builtin_sub_overflow(ttl, r->o.now_ms, &ttl)) ttl = 1;
    if (plan->has_expire && ttl < 1) ttl = 1;
    resp_put_number(out, '*', 4u + (replace != 0) + (absttl != 0) + 2u * (attribute(r, item) != 0));
    RESP_PUT(out, "$7\r\nRESTORE\r\n");
    resp_put_bulk(out, key.p, key.n);
    *key_at = out->n - 2 - key.n;
    if (ttl) resp_put_i64(out, ttl);
    else RESP_PUT(out, "$1\r\n0\r\n");
    resp_put_number(out, '$', n);
    return RSP_OK;
}

int resp_restore_end(const struct resp_rules *r, struct buf *out, const struct resp_plan *plan,
                     const struct rsp_rdb_item *item, uint64_t crc)
{
    int with = attribute(r, item);
    uint8_t *p;
    int rc = resp_room(out, 2 * RESP_SLACK);
    if (rc) return rc;
    p = out->p + out->n;
    p[0] = (uint8_t)plan->version;
    p[1] = (uint8_t)(plan->version >> 8);
    store_le64(p + 2, crc64(crc, p, 2));
    memcpy(p + 10, "\r\n", 2);
    out->n += 12;
    if (r->o.existing == RSP_EXISTING_REPLACE && r->restore_replace) RESP_PUT(out, "$7\r\nREPLACE\r\n");
    if (plan->has_expire && r->restore_absttl) RESP_PUT(out, "$6\r\nABSTTL\r\n");
    if (with == RSP_ITEM_IDLE) {
        RESP_PUT(out, "$8\r\nIDLETIME\r\n");
        resp_put_u64(out, item->idle_s);
    } else if (with) {
        RESP_PUT(out, "$4\r\nFREQ\r\n");
        resp_put_u64(out, item->freq);
    }
    return RSP_OK;
}

int resp_put_restore(const struct resp_rules *r, struct buf *out, struct rsp_span key, const struct resp_plan *plan,
                     const struct rsp_rdb_item *item, struct rsp_span meta, uint8_t type, struct rsp_span value,
                     size_t *key_at, uint32_t *replies)
{
    size_t n = meta.n + 1 + value.n;
    uint8_t *from;
    int rc = resp_room(out, 2 * key.n + n + 8 * RESP_SLACK);
    if (!rc) rc = resp_restore_begin(r, out, key, plan, item, n + 10, key_at, replies);
    if (rc) return rc;
    from = out->p + out->n;
    if (meta.n) memcpy(from, meta.p, meta.n);
    from[meta.n] = type;
    if (value.n) memcpy(from + meta.n + 1, value.p, value.n);
    out->n += n;
    return resp_restore_end(r, out, plan, item, crc64(0, from, n));
}
