/* What this is: one record as a row: its value digested as it will be afterwards, its expiry and its database changed.
 * Rests on: rows.h, respite/sys/resp.h (how expiries are changed).
 * Does not: put parts together: rows.c does. */
#include <string.h>

#include "base/bytes.h"
#include "job/rows.h"

static int init_rules(struct row_maker *m)
{
    const struct rsp_compare_side *side = m->side;
    struct rsp_resp_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.target = *side->target;
    o.payloads = 1;
    o.existing = RSP_EXISTING_REPLACE;
    o.ttl = side->ttl;
    o.shift_ms = side->shift_ms;
    o.now_ms = side->now_ms;
    o.dbs = side->dbs;
    o.dbs_n = side->dbs_n;
    o.losses = side->losses;
    m->has_rules = 1;
    resp_native_init(&m->native, &m->rules, &m->env);
    return resp_rules_init(&m->rules, &m->env, &o);
}

int row_maker_init(struct row_maker *m, const struct rsp_env *env, const struct rsp_compare_side *side)
{
    int rc;
    memset(m, 0, sizeof *m);
    m->env = *env;
    m->env.error = &m->err;
    m->side = side;
    buf_init(&m->commands, &m->env);
    buf_init(&m->name, &m->env);
    rc = rsp_rdb_value_new(&m->env, &m->value);
    if (!rc) rc = rsp_dd1_new(&m->env, &m->dd1);
    if (!rc) rc = rsp_dd1_new(&m->env, &m->loose);
    return !rc && side->target ? init_rules(m) : rc;
}

void row_maker_free(struct row_maker *m)
{
    rsp_rdb_value_free(m->value);
    rsp_dd1_free(m->dd1);
    rsp_dd1_free(m->loose);
    rsp_scratch_free(&m->env, &m->key);
    if (m->has_rules) resp_native_free(&m->native);
    if (m->side) {
        buf_free(&m->commands);
        buf_free(&m->name);
    }
    m->value = NULL;
    m->dd1 = m->loose = NULL;
    m->has_rules = 0;
}

void row_value_init(struct row_value *v)
{
    memset(v, 0, sizeof *v);
    v->v.power.lo = v->loose.power.lo = 1;
    v->fields_ms = ROWS_NEVER;
    v->last_ms = INT64_MIN;
}

void row_value_join(struct row_value *v, const struct row_value *later)
{
    rsp_dd1_join(&v->v, &later->v);
    rsp_dd1_join(&v->loose, &later->loose);
    if (later->fields_ms < v->fields_ms) v->fields_ms = later->fields_ms;
    if (later->last_ms > v->last_ms) v->last_ms = later->last_ms;
    v->lost |= later->lost;
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

/* ---- what the target holds of it ---- */

static int is_stream(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    return rsp_rdb_value_type(b->dialect, i->type) == RSP_RDB_STREAM;
}

/* Hashes whose fields may expire; the other types are of servers that did not know that. */
static int may_fade(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    return rsp_rdb_value_type(b->dialect, i->type) == RSP_RDB_HASH && i->type != 4 && i->type != 9 && i->type != 13 &&
           i->type != 16;
}

int row_begin(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int *out)
{
    int whole = (i->flags & RSP_ITEM_LAST) != 0;
    struct rsp_span key = {NULL, 0};
    int rc = RSP_OK;
    *out = 0;
    m->asked = 0;
    if (!m->has_rules) return RSP_OK;
    m->plan = resp_plan_of(&m->rules, b, i, whole);
    *out = m->plan.way == RESP_WAY_LOST || m->plan.way == RESP_WAY_EXPIRED;
    /* One that is collected may become too large for that. */
    if (*out || (m->plan.way != RESP_WAY_NATIVE && m->plan.way != RESP_WAY_COLLECT) || !is_stream(b, i)) return RSP_OK;
    rc = rsp_rdb_batch_key(&m->env, b, i, &m->key, &key);
    m->name.n = m->commands.n = 0;
    if (!rc && key.n) rc = buf_add(&m->name, key.p, key.n);
    if (rc) return rc;
    resp_native_begin(&m->native, &m->commands, (struct rsp_span){m->name.p, m->name.n});
    m->native.stream.can_ghost = (uint8_t)whole;
    m->native.stream.ghosts.n = 0;
    m->asked = 1;
    return RSP_OK;
}

void row_part(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, struct row_value *v)
{
    if (!m->has_rules) return;
    resp_plan_more(&m->rules, &m->plan, b->dialect, i->type, i->end - i->value);
    v->lost |= m->plan.way == RESP_WAY_LOST;
}

/* A stream's element as the commands that would be sent, which are forgotten. */
static int ask(struct row_maker *m, const struct rsp_rdb_element *e)
{
    int rc = e->kind == RSP_ELEM_PART ? RSP_OK : resp_native_element(&m->native, e);
    if (rc || m->commands.n < RESP_PIECE_BYTES) return rc;
    rc = resp_native_flush(&m->native);
    m->commands.n = 0;
    return rc;
}

static int asked_all(struct row_maker *m, struct row_value *v)
{
    int rc = resp_native_flush(&m->native);
    m->commands.n = 0;
    if (!rc) rc = resp_stream_end(&m->native);
    m->commands.n = 0;
    /* What is pending without its message is not there afterwards, as was told; no digest knows a stream without it. */
    if (m->plan.way == RESP_WAY_NATIVE)
        v->lost |= resp_refused(&m->rules, m->native.losses) != 0 || m->native.stream.lost_ghosts;
    m->asked = 0;
    return rc == RSP_AGAIN ? RSP_OK : rc; /* would be made again with what is missing */
}

/* A string that is longer than the target takes. */
static int too_long(const struct row_maker *m, const struct rsp_rdb_element *e)
{
    uint64_t most = m->rules.bulk_max;
    if (e->kind == RSP_ELEM_PART) return e->part_of != RSP_ELEM_MODULE && e->part_first && e->number[0] > most;
    return e->kind != RSP_ELEM_MODULE && (e->a.n > most || e->b.n > most);
}

/* ---- elements ---- */

static int no_counters(const struct row_maker *m)
{
    const struct rsp_target *t = m->side->target ? m->side->target : m->side->held_by;
    return t && !(t->can >> RSP_CAN_STREAM_COUNTERS & 1);
}

/* What no command carries: a stream's consumers' times, its groups' entries_read, its producers, and who gave a message
 * back; for a server that has no counters of streams, these. */
static int loosely(struct row_maker *m, const struct rsp_rdb_element *e)
{
    struct rsp_rdb_element x = *e;
    if (x.kind == RSP_ELEM_NACKED || (x.kind >= RSP_ELEM_IDMP && x.kind <= RSP_ELEM_IDMP_END)) return RSP_OK;
    if (x.kind == RSP_ELEM_STREAM && no_counters(m)) {
        x.number[1] = 0;
        x.has_first = x.has_max_deleted = x.has_entries_added = 0;
    }
    if (x.kind == RSP_ELEM_FIELD && x.expire_ms != RSP_RDB_NO_EXPIRE) return RSP_OK;
    if (x.kind == RSP_ELEM_GROUP) x.number[0] = 0;
    if (x.kind == RSP_ELEM_CONSUMER) {
        x.time_ms = x.time2_ms = 0;
        x.has_active = 0;
    }
    return rsp_dd1_element(m->loose, &x);
}

static int element(struct row_maker *m, struct rsp_rdb_element *e, int twice, struct row_value *v)
{
    int rc = RSP_OK;
    if (e->kind == RSP_ELEM_FIELD && e->expire_ms != RSP_RDB_NO_EXPIRE) {
        if (m->has_rules && !m->rules.field_ttl && m->side->ttl != RSP_TTL_PERSIST)
            v->lost |= resp_refused(&m->rules, RESP_LOSS(FIELD_TTL)) != 0;
        e->expire_ms = m->has_rules && !m->rules.field_ttl ? RSP_RDB_NO_EXPIRE : changed(m->side, e->expire_ms);
        if (e->expire_ms != RSP_RDB_NO_EXPIRE && e->expire_ms < v->fields_ms) v->fields_ms = e->expire_ms;
    }
    if (e->kind == RSP_ELEM_FIELD) {
        int64_t ms = e->expire_ms == RSP_RDB_NO_EXPIRE ? ROWS_NEVER : e->expire_ms;
        if (ms > v->last_ms) v->last_ms = ms;
    }
    if (m->has_rules && too_long(m, e)) v->lost = 1;
    if (m->asked) rc = ask(m, e);
    if (!rc && twice) rc = loosely(m, e);
    return rc ? rc : rsp_dd1_element(m->dd1, e);
}

int row_elements(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int carry,
                 struct row_value *v)
{
    struct rsp_rdb_element e;
    int rc, twice = is_stream(b, i) || may_fade(b, i);
    row_value_init(v);
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    if (carry) {
        rsp_rdb_value_continue(m->value, b, i);
    } else {
        rsp_rdb_value_open(m->value, b, i);
        rsp_dd1_begin(m->dd1);
        if (twice) rsp_dd1_begin(m->loose);
    }
    while (!(rc = rsp_rdb_value_next(m->value, &e))) {
        rc = element(m, &e, twice, v);
        if (rc) return rc;
    }
    if (rc < 0) return rc;
    rc = m->asked && i->flags & RSP_ITEM_LAST ? asked_all(m, v) : RSP_OK;
    if (!rc) rc = rsp_dd1_take(m->dd1, &v->v);
    v->loose = v->v;
    return !rc && twice ? rsp_dd1_take(m->loose, &v->loose) : rc;
}

static int is_module(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    return rsp_rdb_value_type(b->dialect, i->type) == RSP_RDB_MODULE;
}

/* Streams of before 7.0 have no entries_read: servers guess it when they load them. A module may write what it was given
 * in another way (a vector set numbers its elements anew). */
static int only_loosely(const struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    if (is_module(b, i)) return m->has_rules ? ROWS_OPAQUE : 0;
    return is_stream(b, i) && (i->type == 15 || (m->has_rules && m->plan.way == RESP_WAY_NATIVE));
}

int row_of(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int64_t expire_ms,
           const struct row_value *v, struct row *row, uint32_t *db, struct rsp_span *key, int *out)
{
    int type = rsp_rdb_value_type(b->dialect, i->type);
    struct rsp_dd1_sum without;
    int rc = rsp_rdb_batch_key(&m->env, b, i, &m->key, key);
    *out = v->lost;
    if (m->side->ttl == RSP_TTL_DROP_EXPIRED && expire_ms != RSP_RDB_NO_EXPIRE && expire_ms <= m->side->now_ms)
        *out = 1;
    if (rc || *out) return rc;
    memset(row, 0, sizeof *row);
    *db = db_of(m->side, i->db);
    row->key = row_key(*db, *key);
    row->expire_ms = changed(m->side, expire_ms);
    row->fields_ms = v->fields_ms;
    row->last_ms = v->last_ms;
    rsp_dd1_record(&v->v, type, *key, row->expire_ms, &row->r, &without);
    row->loose = row->r;
    if (is_stream(b, i) || may_fade(b, i)) rsp_dd1_record(&v->loose, type, *key, row->expire_ms, &row->loose, &without);
    if (is_module(b, i)) {
        struct row_value nothing;
        row_value_init(&nothing);
        rsp_dd1_record(&nothing.v, type, *key, row->expire_ms, &row->loose, &without);
    }
    row->loosely = only_loosely(m, b, i);
    return RSP_OK;
}
