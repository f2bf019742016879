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

static int is_paths(int dialect, int type)
{
    return dialect == RSP_RDB_VALKEY && type == 23;
}

enum resp_way resp_way_of_parts(const struct resp_rules *r, int dialect, int type, unsigned *losses)
{
    int vt = rsp_rdb_value_type(dialect, type), collect = resp_payload_version(r, dialect, type, 0) != 0;
    int why;
    switch (vt) {
    case RSP_RDB_STRING: return RESP_WAY_SET;
    case RSP_RDB_MODULE: why = RSP_LOSS_MODULE; break;
    case RSP_RDB_ARRAY:
        if (!collect && r->arrays) return RESP_WAY_NATIVE;
        why = RSP_LOSS_ARRAY;
        break;
    case RSP_RDB_STREAM:
        if (r->streams) return RESP_WAY_NATIVE;
        collect = 0;
        why = RSP_LOSS_STREAM;
        break;
    default:
        if (!is_paths(dialect, type)) return RESP_WAY_NATIVE;
        why = RSP_LOSS_OTHER;
    }
    if (collect) return RESP_WAY_COLLECT;
    *losses |= 1u << why;
    return RESP_WAY_LOST;
}

static enum resp_way way_of_whole(const struct resp_rules *r, const struct rsp_rdb_batch *batch,
                                  const struct rsp_rdb_item *item, struct resp_plan *p)
{
    int string = rsp_rdb_value_type(batch->dialect, item->type) == RSP_RDB_STRING;
    int meta = (item->flags & RSP_ITEM_META) != 0;
    int attributes = r->restore_absttl && item->flags & (RSP_ITEM_IDLE | RSP_ITEM_FREQ);
    enum resp_way way;
    if (!string || attributes || meta) {
        p->version = resp_payload_version(r, batch->dialect, item->type, meta);
        if (!p->version && meta) { /* the value may be taken all the same */
            p->losses |= 1u << RSP_LOSS_MODULE;
            if (!string || attributes) p->version = resp_payload_version(r, batch->dialect, item->type, 0);
        }
        if (item->end - item->value + 64 + (item->key - item->start) > r->bulk_max) p->version = 0;
        if (has_field_ttl(batch->dialect, item->type) && (r->o.ttl == RSP_TTL_SHIFT || r->o.ttl == RSP_TTL_PERSIST))
            p->version = 0;
        if (p->version) return RESP_WAY_RESTORE;
    }
    way = resp_way_of_parts(r, batch->dialect, item->type, &p->losses);
    if (way != RESP_WAY_COLLECT) return way;
    p->losses |= 1u << RSP_LOSS_OTHER; /* larger than the target takes */
    return RESP_WAY_LOST;
}

struct resp_plan resp_plan_of(const struct resp_rules *r, const struct rsp_rdb_batch *batch,
                              const struct rsp_rdb_item *item, int whole)
{
    struct resp_plan p = {RESP_WAY_NATIVE, 0, 0, 0, 0};
    if (item->flags & RSP_ITEM_EXPIRE && r->o.ttl != RSP_TTL_PERSIST) {
        if (r->o.ttl == RSP_TTL_DROP_EXPIRED && item->expire_ms <= r->o.now_ms) {
            p.way = RESP_WAY_EXPIRED;
            return p;
        }
        p.has_expire = 1;
        p.expire_ms = resp_shifted(r, item->expire_ms);
    }
    if (whole) {
        p.way = way_of_whole(r, batch, item, &p);
        return p;
    }
    p.way = resp_way_of_parts(r, batch->dialect, item->type, &p.losses);
    if (p.way == RESP_WAY_COLLECT) {
        p.version = resp_payload_version(r, batch->dialect, item->type, (item->flags & RSP_ITEM_META) != 0);
        if (p.version) return p;
        p.version = resp_payload_version(r, batch->dialect, item->type, 0);
    }
    if (item->flags & RSP_ITEM_META) p.losses |= 1u << RSP_LOSS_MODULE;
    return p;
}

/* Type, value, version and checksum. */
static void put_payload(struct buf *b, struct rsp_span meta, uint8_t type, struct rsp_span value, unsigned version)
{
    uint8_t *from;
    size_t n = meta.n + 1 + value.n + 2;
    resp_put_number(b, '$', n + 8);
    from = b->p + b->n;
    if (meta.n) memcpy(from, meta.p, meta.n);
    from[meta.n] = type;
    if (value.n) memcpy(from + meta.n + 1, value.p, value.n);
    from[n - 2] = (uint8_t)version;
    from[n - 1] = (uint8_t)(version >> 8);
    store_le64(from + n, crc64(0, from, n));
    memcpy(from + n + 8, "\r\n", 2);
    b->n += n + 10;
}

int resp_put_restore(const struct resp_rules *r, struct buf *out, struct rsp_span key, const struct resp_plan *plan,
                     const struct rsp_rdb_item *item, struct rsp_span meta, uint8_t type, struct rsp_span value,
                     size_t *key_at, uint32_t *replies)
{
    int replace = r->o.existing == RSP_EXISTING_REPLACE, absttl = plan->has_expire && r->restore_absttl;
    int idle = r->restore_absttl && item->flags & RSP_ITEM_IDLE && item->idle_s <= INT64_MAX;
    int freq = r->restore_absttl && !idle && item->flags & RSP_ITEM_FREQ;
    int64_t ttl = plan->has_expire ? plan->expire_ms : 0;
    int rc = resp_room(out, 2 * key.n + meta.n + value.n + 8 * RESP_SLACK);
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
    resp_put_number(out, '*', 4u + (replace != 0) + (absttl != 0) + 2u * (idle || freq));
    RESP_PUT(out, "$7\r\nRESTORE\r\n");
    resp_put_bulk(out, key.p, key.n);
    *key_at = out->n - 2 - key.n;
    if (ttl) resp_put_i64(out, ttl);
    else RESP_PUT(out, "$1\r\n0\r\n");
    put_payload(out, meta, type, value, plan->version);
    if (replace) RESP_PUT(out, "$7\r\nREPLACE\r\n");
    if (absttl) RESP_PUT(out, "$6\r\nABSTTL\r\n");
    if (idle) {
        RESP_PUT(out, "$8\r\nIDLETIME\r\n");
        resp_put_u64(out, item->idle_s);
    } else if (freq) {
        RESP_PUT(out, "$4\r\nFREQ\r\n");
        resp_put_u64(out, item->freq);
    }
    return RSP_OK;
}
