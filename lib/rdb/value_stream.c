/* What this is: streams: entries out of their listpacks, then counters, groups and producers.
 * Rests on: value_impl.h; rdb.md section 12.
 * Does not: compare one entry with another (check_stream.c does). */
#include <string.h>

#include "rdb/value_impl.h"

int stream_inside_group(const struct rsp_rdb_walk *w)
{
    const struct walk_step *prog = rdb_type(w->dialect, w->type)->program;
    if (!w->depth || prog[w->loop_op[0]].role != RSP_ROLE_GROUP_NAME) return 0;
    return !(w->depth == 1 && w->op == w->loop_op[0]);
}

static int node_fault(struct rsp_rdb_value *v, const char *why)
{
    return value_fault(v, RSP_EFORMAT, v->offset, why);
}

/* The next element of the node, which must be there. */
static int need(struct rsp_rdb_value *v, struct entry *e)
{
    struct blob_fault f = {0, ""};
    int rc = listpack_next(&v->it.lp, e, &f);
    if (rc < 0) return blob_fault(v, "a stream's listpack", &f);
    return rc ? node_fault(v, "a stream's listpack ends inside an entry") : RSP_OK;
}

static int need_int(struct rsp_rdb_value *v, int64_t *i)
{
    struct entry e;
    int rc = need(v, &e);
    if (rc) return rc;
    if (!e.is_int && !i64_parse(e.p, e.n, &e.i)) return node_fault(v, "text where a stream's listpack needs a number");
    *i = e.i;
    return RSP_OK;
}

/* Both grow as elements are met, not by what a count claims. */
static int grow_master(struct rsp_rdb_value *v, size_t n)
{
    size_t cap = v->master_cap ? v->master_cap * 2 : 16;
    struct entry *m;
    if (n <= v->master_cap) return RSP_OK;
    m = mem_resize(&v->env, v->master, v->master_cap * sizeof *m, cap * sizeof *m);
    if (!m) return RSP_ENOMEM;
    v->master = m;
    v->master_cap = cap;
    return RSP_OK;
}

static int grow_fields(struct rsp_rdb_value *v, size_t n)
{
    size_t cap = v->fields_cap ? v->fields_cap * 2 : 16;
    struct rsp_span *fields;
    void *digits;
    if (n > v->fields_cap) {
        fields = mem_resize(&v->env, v->fields, v->fields_cap * sizeof *fields, cap * sizeof *fields);
        if (!fields) return RSP_ENOMEM;
        v->fields = fields;
        v->fields_cap = cap;
    }
    if (v->fields_cap > v->digits_cap) {
        digits = mem_resize(&v->env, v->digits, v->digits_cap * I64_TEXT, v->fields_cap * I64_TEXT);
        if (!digits) return RSP_ENOMEM;
        v->digits = digits;
        v->digits_cap = v->fields_cap;
    }
    return RSP_OK;
}

int stream_open(struct rsp_rdb_value *v)
{
    struct blob_fault f = {0, ""};
    int64_t live, deleted, n, end;
    int rc = listpack_open(&v->it.lp, v->blob_bytes, &f);
    if (rc) return blob_fault(v, "a stream's listpack", &f);
    v->offset = v->blob_raw ? v->blob_offset + 6 : v->blob_offset;
    if ((rc = need_int(v, &live)) || (rc = need_int(v, &deleted)) || (rc = need_int(v, &n))) return rc;
    if (live < 0 || deleted < 0 || live > INT32_MAX || deleted > INT32_MAX)
        return node_fault(v, "a stream's listpack has an impossible number of entries");
    if (n < 0 || (uint64_t)n > v->blob_bytes.n) return node_fault(v, "more master fields than the listpack can hold");
    for (int64_t i = 0; i < n && !rc; i++) {
        rc = grow_master(v, (size_t)i + 1);
        if (!rc) rc = need(v, &v->master[i]);
    }
    if (!rc) rc = need_int(v, &end);
    if (rc) return rc;
    v->master_n = (uint64_t)n;
    v->node_left = (uint64_t)live + (uint64_t)deleted;
    v->number[2] = (uint64_t)live;
    v->number[3] = (uint64_t)deleted;
    v->blob = BLOB_STREAM;
    return RSP_OK;
}

/* p stays NULL when the text stands in v->digits, which may still move. */
static void set_text(struct rsp_rdb_value *v, size_t i, const struct entry *e)
{
    v->fields[i] = entry_text(e, v->digits[i]);
    if (e->is_int) v->fields[i].p = NULL;
}

static int entry_fields(struct rsp_rdb_value *v, int same, size_t *count)
{
    int64_t n = (int64_t)v->master_n;
    int rc = RSP_OK;
    if (!same) rc = need_int(v, &n);
    if (rc) return rc;
    if (n < 0 || (uint64_t)n > v->blob_bytes.n) return node_fault(v, "more fields than the listpack can hold");
    for (size_t i = 0; i < (size_t)n && !rc; i++) {
        struct entry field, value;
        rc = grow_fields(v, 2 * i + 2);
        if (rc) break;
        if (same) field = v->master[i];
        else rc = need(v, &field);
        if (!rc) rc = need(v, &value);
        if (rc) break;
        set_text(v, 2 * i, &field);
        set_text(v, 2 * i + 1, &value);
    }
    if (rc) return rc;
    *count = 2 * (size_t)n;
    for (size_t i = 0; i < *count; i++)
        if (!v->fields[i].p) v->fields[i].p = (const uint8_t *)v->digits[i];
    return RSP_OK;
}

int stream_next(struct rsp_rdb_value *v, struct rsp_rdb_element *e)
{
    struct blob_fault f = {0, ""};
    struct entry x;
    for (; v->node_left; v->node_left--) {
        int64_t flags, ms, seq, lp_count;
        size_t count = 0;
        int rc;
        v->offset = v->blob_raw ? v->blob_offset + v->it.lp.at : v->blob_offset;
        if ((rc = need_int(v, &flags)) || (rc = need_int(v, &ms)) || (rc = need_int(v, &seq))) return rc;
        if (flags & ~3) return node_fault(v, "unknown flags of a stream's entry");
        rc = entry_fields(v, (flags & 2) != 0, &count);
        if (!rc) rc = need_int(v, &lp_count);
        if (rc) return rc;
        if (lp_count != (int64_t)(flags & 2 ? count / 2 + 3 : count + 4))
            return node_fault(v, "a stream's entry has a wrong element count");
        if (flags & 1) continue;
        v->node_left--;
        e->kind = RSP_ELEM_ENTRY;
        e->id.ms = v->node.ms + (uint64_t)ms;
        e->id.seq = v->node.seq + (uint64_t)seq;
        e->fields = v->fields;
        e->count = count;
        return RSP_OK;
    }
    switch (listpack_next(&v->it.lp, &x, &f)) {
    case RSP_END: return RSP_END;
    case RSP_OK: return node_fault(v, "elements behind the last entry of a stream's listpack");
    default: return blob_fault(v, "a stream's listpack", &f);
    }
}

static struct rsp_rdb_id id_of(const uint8_t *p)
{
    struct rsp_rdb_id id = {load_be64(p), load_be64(p + 8)};
    return id;
}

static int name_token(struct rsp_rdb_value *v, const struct rsp_rdb_token *t)
{
    int rc = value_text(v, t, &v->a);
    if (rc) return rc;
    if (t->role != RSP_ROLE_NODE_ID) {
        v->offset = t->offset;
        return RSP_AGAIN;
    }
    if (v->a.text.n != 16) return value_fault(v, RSP_EFORMAT, t->offset, "the id of a stream's node is not 16 bytes");
    v->node = id_of(v->a.text.p);
    return RSP_AGAIN;
}

static int fixed(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct rsp_rdb_element *e)
{
    switch (t->role) {
    case RSP_ROLE_PEL_ID:
        v->id = id_of(t->body.p);
        v->offset = t->offset;
        return RSP_AGAIN;
    case RSP_ROLE_PEL_TIME:
    case RSP_ROLE_SEEN: v->times[0] = as_i64(load_le64(t->body.p)); return RSP_AGAIN;
    case RSP_ROLE_ACTIVE: v->times[1] = as_i64(load_le64(t->body.p)); return RSP_AGAIN;
    default:
        v->offset = t->offset;
        e->kind = t->role == RSP_ROLE_CPEL_ID ? RSP_ELEM_OWNED : RSP_ELEM_NACKED;
        e->id = id_of(t->body.p);
        return RSP_OK;
    }
}

static int stream_counters(struct rsp_rdb_value *v, struct rsp_rdb_element *e, int more)
{
    *e = v->meta;
    memset(&v->meta, 0, sizeof v->meta);
    e->size = sizeof *e;
    e->kind = RSP_ELEM_STREAM;
    e->expire_ms = RSP_RDB_NO_EXPIRE;
    e->has_first = e->has_max_deleted = e->has_entries_added = (uint8_t)more;
    return RSP_OK;
}

static int loop_token(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct rsp_rdb_element *e)
{
    switch (t->role) {
    case RSP_ROLE_PEL:
        e->kind = RSP_ELEM_GROUP;
        e->a = v->a.text;
        e->id = v->id;
        e->number[0] = v->type == 15 ? UINT64_MAX : v->number[0];
        e->number[1] = t->n;
        v->group_open = 1;
        return RSP_OK;
    case RSP_ROLE_CPEL:
        e->kind = RSP_ELEM_CONSUMER;
        e->a = v->a.text;
        e->time_ms = v->times[0];
        e->has_active = v->type != 15 && v->type != 19;
        e->time2_ms = e->has_active ? v->times[1] : 0;
        e->number[0] = t->n;
        return RSP_OK;
    case RSP_ROLE_PRODUCERS:
        e->kind = RSP_ELEM_IDMP;
        e->number[0] = v->number[0];
        e->number[1] = v->number[1];
        e->number[2] = t->n;
        return RSP_OK;
    case RSP_ROLE_IIDS:
        e->kind = RSP_ELEM_IDMP_PRODUCER;
        e->a = v->a.text;
        e->number[0] = t->n;
        return RSP_OK;
    default: return RSP_AGAIN;
    }
}

static int number(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct rsp_rdb_element *e)
{
    uint64_t n = t->n;
    switch (t->role) {
    case RSP_ROLE_LENGTH: v->meta.number[0] = n, v->offset = t->offset; break;
    case RSP_ROLE_LAST_MS: v->meta.id.ms = n; break;
    case RSP_ROLE_LAST_SEQ:
        v->meta.id.seq = n;
        if (v->type == 15) return stream_counters(v, e, 0);
        break;
    case RSP_ROLE_FIRST_MS: v->meta.first.ms = n; break;
    case RSP_ROLE_FIRST_SEQ: v->meta.first.seq = n; break;
    case RSP_ROLE_MAXDEL_MS: v->meta.max_deleted.ms = n; break;
    case RSP_ROLE_MAXDEL_SEQ: v->meta.max_deleted.seq = n; break;
    case RSP_ROLE_ENTRIES_ADDED: v->meta.number[1] = n; return stream_counters(v, e, 1);
    case RSP_ROLE_GROUP_MS:
    case RSP_ROLE_IID_MS: v->id.ms = n; break;
    case RSP_ROLE_GROUP_SEQ: v->id.seq = n; break;
    case RSP_ROLE_ENTRIES_READ: v->number[0] = n; break;
    case RSP_ROLE_PEL_COUNT:
        e->kind = RSP_ELEM_PENDING;
        e->id = v->id;
        e->time_ms = v->times[0];
        e->number[0] = n;
        return RSP_OK;
    case RSP_ROLE_IDMP_DURATION: v->number[0] = n, v->offset = t->offset; break;
    case RSP_ROLE_IDMP_MAX: v->number[1] = n; break;
    case RSP_ROLE_IID_SEQ:
        e->kind = RSP_ELEM_IDMP_ENTRY;
        e->a = v->a.text;
        e->id.ms = v->id.ms;
        e->id.seq = n;
        return RSP_OK;
    case RSP_ROLE_IIDS_ADDED: v->number[0] = n, v->offset = t->offset; break;
    case RSP_ROLE_IIDS_DUPLICATES:
        e->kind = RSP_ELEM_IDMP_END;
        e->number[0] = v->number[0];
        e->number[1] = n;
        return RSP_OK;
    default: break;
    }
    return RSP_AGAIN;
}

int stream_token(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct rsp_rdb_element *e)
{
    switch (t->kind) {
    case RSP_TOK_STR: return name_token(v, t);
    case RSP_TOK_FIX: return fixed(v, t, e);
    case RSP_TOK_LOOP: return loop_token(v, t, e);
    default: return number(v, t, e);
    }
}
