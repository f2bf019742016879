/* What this is: one record as a row: its value digested as it will be afterwards, its expiry and its database changed.
 * Rests on: rows.h, respite/sys/resp.h (how expiries are changed).
 * Does not: put parts together: rows.c does. */
#include <string.h>

#include "base/bytes.h"
#include "job/rows.h"

int row_maker_init(struct row_maker *m, const struct rsp_env *env, const struct rsp_compare_side *side)
{
    int rc;
    memset(m, 0, sizeof *m);
    m->env = *env;
    m->env.error = &m->err;
    m->side = side;
    rc = rsp_rdb_value_new(&m->env, &m->value);
    if (!rc) rc = rsp_dd1_new(&m->env, &m->dd1);
    return rc;
}

void row_maker_free(struct row_maker *m)
{
    rsp_rdb_value_free(m->value);
    rsp_dd1_free(m->dd1);
    rsp_scratch_free(&m->env, &m->key);
    m->value = NULL;
    m->dd1 = NULL;
}

int row_maker_report(const struct row_maker *m, const struct rsp_env *env, int rc)
{
    if (rc < 0 && env->error && !env->error->code && m->err.code) *env->error = m->err;
    return rc;
}

struct sip128 row_key(uint32_t db, struct rsp_span key)
{
    static const uint8_t secret[17] = "respite row key.";
    uint8_t b[4];
    struct sip s;
    store_le32(b, db);
    sip_init(&s, secret, 1);
    sip_add(&s, b, sizeof b);
    sip_add(&s, key.p, key.n);
    return sip_end128(&s);
}

/* An expiry as it will be afterwards. */
static int64_t changed(const struct rsp_compare_side *side, int64_t ms)
{
    if (ms == RSP_RDB_NO_EXPIRE || side->ttl == RSP_TTL_PERSIST) return RSP_RDB_NO_EXPIRE;
    if (side->ttl != RSP_TTL_SHIFT) return ms;
    if (side->shift_ms > 0 && ms > INT64_MAX - side->shift_ms) return INT64_MAX;
    if (side->shift_ms < 0 && ms <= RSP_RDB_NO_EXPIRE - side->shift_ms) return RSP_RDB_NO_EXPIRE + 1;
    return ms + side->shift_ms;
}

static uint32_t db_of(const struct rsp_compare_side *side, uint32_t db)
{
    for (size_t i = 0; i < side->dbs_n; i++)
        if (side->dbs[i].from == db) return side->dbs[i].to;
    return db;
}

int row_elements(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int carry,
                 struct rsp_dd1_value *v, int64_t *fields_ms)
{
    struct rsp_rdb_element e;
    int rc;
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    if (carry) {
        rsp_rdb_value_continue(m->value, b, i);
    } else {
        rsp_rdb_value_open(m->value, b, i);
        rsp_dd1_begin(m->dd1);
    }
    while (!(rc = rsp_rdb_value_next(m->value, &e))) {
        if (e.kind == RSP_ELEM_FIELD && e.expire_ms != RSP_RDB_NO_EXPIRE) {
            e.expire_ms = changed(m->side, e.expire_ms);
            if (e.expire_ms != RSP_RDB_NO_EXPIRE && e.expire_ms < *fields_ms) *fields_ms = e.expire_ms;
        }
        rc = rsp_dd1_element(m->dd1, &e);
        if (rc) return rc;
    }
    return rc < 0 ? rc : rsp_dd1_take(m->dd1, v);
}

int row_of(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int64_t expire_ms,
           const struct rsp_dd1_value *v, int64_t fields_ms, struct row *row, uint32_t *db, struct rsp_span *key,
           int *out)
{
    struct rsp_dd1_sum without;
    int rc = rsp_rdb_batch_key(&m->env, b, i, &m->key, key);
    *out = 0;
    if (rc) return rc;
    if (m->side->ttl == RSP_TTL_DROP_EXPIRED && expire_ms != RSP_RDB_NO_EXPIRE && expire_ms <= m->side->now_ms) {
        *out = 1;
        return RSP_OK;
    }
    memset(row, 0, sizeof *row);
    *db = db_of(m->side, i->db);
    row->key = row_key(*db, *key);
    row->expire_ms = changed(m->side, expire_ms);
    row->fields_ms = fields_ms;
    rsp_dd1_record(v, rsp_rdb_value_type(b->dialect, i->type), *key, row->expire_ms, &row->r, &without);
    return RSP_OK;
}
