/* What this is: a stream's counters, groups and IDMP state as JSON.
 * Rests on: json_stream.h, json_impl.h.
 * Does not: keep more than one group. */
#include "export/json_impl.h"

void json_stream_init(struct json_stream *s, const struct rsp_env *env, const struct json_style *style)
{
    memset(s, 0, sizeof *s);
    s->style = style;
    buf_init(&s->head, env), buf_init(&s->pending, env), buf_init(&s->order, env);
    buf_init(&s->names, env), buf_init(&s->consumers, env);
}

void json_stream_free(struct json_stream *s)
{
    buf_free(&s->head), buf_free(&s->pending), buf_free(&s->order), buf_free(&s->names), buf_free(&s->consumers);
}

void json_stream_begin(struct json_stream *s)
{
    s->head.n = s->pending.n = s->order.n = s->names.n = s->consumers.n = s->owner = 0;
    s->unsorted = s->ordered = s->consumer_open = s->groups_closed = s->idmp_open = s->producer_open = 0;
    s->groups = s->producers = 0;
}

int json_stream_head(struct buf *out, const struct rsp_rdb_element *el)
{
    int rc = json_room(out, 320);
    if (rc) return rc;
    JSON_PUT(out, "{\"length\":");
    json_put_u64(out, el->number[0]);
    JSON_PUT(out, ",\"last_id\":");
    json_put_id(out, el->id);
    if (el->has_first) {
        JSON_PUT(out, ",\"first_id\":");
        json_put_id(out, el->first);
    }
    if (el->has_max_deleted) {
        JSON_PUT(out, ",\"max_deleted_id\":");
        json_put_id(out, el->max_deleted);
    }
    if (el->has_entries_added) {
        JSON_PUT(out, ",\"entries_added\":");
        json_put_u64(out, el->number[1]);
    }
    JSON_PUT(out, ",\"entries\":");
    return RSP_OK;
}

int json_stream_groups(struct buf *out)
{
    return buf_add(out, ",\"groups\":[", 11);
}

static int id_less(struct rsp_rdb_id a, struct rsp_rdb_id b)
{
    return a.ms < b.ms || (a.ms == b.ms && a.seq < b.seq);
}

static struct json_pending *pending_of(const struct json_stream *s)
{
    return (struct json_pending *)(void *)s->pending.p;
}

static int put_group(struct json_stream *s, const struct rsp_rdb_element *el)
{
    struct buf *b = &s->head;
    int rc;
    b->n = s->pending.n = s->order.n = s->names.n = s->consumers.n = s->owner = 0;
    s->unsorted = s->ordered = s->consumer_open = 0;
    rc = json_room(b, 64);
    if (rc) return rc;
    if (s->groups++) b->p[b->n++] = ',';
    JSON_PUT(b, "{\"name\":");
    rc = json_put_data(s->style, b, el->a);
    if (!rc) rc = json_room(b, 128);
    if (rc) return rc;
    JSON_PUT(b, ",\"last_id\":");
    json_put_id(b, el->id);
    if (el->number[0] != UINT64_MAX) {
        JSON_PUT(b, ",\"entries_read\":");
        json_put_u64(b, el->number[0]);
    }
    return RSP_OK;
}

static int add_pending(struct json_stream *s, const struct rsp_rdb_element *el)
{
    struct json_pending e = {el->id, el->time_ms, el->number[0], 0};
    size_t n = s->pending.n / sizeof e;
    if (n && !id_less(pending_of(s)[n - 1].id, e.id)) s->unsorted = 1;
    return buf_add(&s->pending, &e, sizeof e);
}

static void sift(size_t *order, const struct json_pending *e, size_t root, size_t n)
{
    size_t child, x = order[root];
    while ((child = 2 * root + 1) < n) {
        if (child + 1 < n && id_less(e[order[child]].id, e[order[child + 1]].id)) child++;
        if (!id_less(e[x].id, e[order[child]].id)) break;
        order[root] = order[child];
        root = child;
    }
    order[root] = x;
}

/* Heap sort: no worst case for a hostile file, no memory but the index. */
static int sort_pending(struct json_stream *s)
{
    size_t n = s->pending.n / sizeof(struct json_pending), *order;
    int rc = buf_reserve(&s->order, n * sizeof *order);
    if (rc) return rc;
    order = (size_t *)(void *)s->order.p;
    for (size_t i = 0; i < n; i++) order[i] = i;
    for (size_t i = n / 2; i-- > 0;) sift(order, pending_of(s), i, n);
    for (size_t i = n; i-- > 1;) {
        size_t x = order[0];
        order[0] = order[i];
        order[i] = x;
        sift(order, pending_of(s), 0, i);
    }
    s->ordered = 1;
    return RSP_OK;
}

static int set_owner(struct json_stream *s, struct rsp_rdb_id id)
{
    struct json_pending *e = pending_of(s);
    size_t low = 0, high = s->pending.n / sizeof *e, n = high;
    const size_t *order;
    int rc;
    if (s->unsorted && !s->ordered) {
        rc = sort_pending(s);
        if (rc) return rc;
    }
    order = (const size_t *)(const void *)s->order.p;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (id_less(e[s->unsorted ? order[mid] : mid].id, id)) low = mid + 1;
        else high = mid;
    }
    if (low == n) return RSP_OK; /* an entry that the group does not have: check's business */
    e += s->unsorted ? order[low] : low;
    if (e->id.ms == id.ms && e->id.seq == id.seq) e->owner = s->owner;
    return RSP_OK;
}

static int close_consumer(struct json_stream *s)
{
    if (!s->consumer_open) return RSP_OK;
    s->consumer_open = 0;
    return buf_add(&s->consumers, "]}", 2);
}

static int put_consumer(struct json_stream *s, const struct rsp_rdb_element *el)
{
    struct buf *b = &s->consumers;
    size_t at = s->names.n;
    int rc = close_consumer(s);
    if (!rc) rc = json_room(b, 64);
    if (!rc) rc = json_put_data(s->style, &s->names, el->a);
    if (!rc) rc = buf_byte(&s->names, 0);
    if (rc) return rc;
    s->owner = at + 1;
    if (b->n) b->p[b->n++] = ',';
    JSON_PUT(b, "{\"name\":");
    rc = buf_add(b, s->names.p + at, s->names.n - at - 1);
    if (!rc) rc = json_room(b, 128);
    if (rc) return rc;
    JSON_PUT(b, ",\"seen_ms\":");
    json_put_i64(b, el->time_ms);
    if (el->has_active) {
        JSON_PUT(b, ",\"active_ms\":");
        json_put_i64(b, el->time2_ms);
    }
    JSON_PUT(b, ",\"pending\":[");
    s->consumer_open = 1;
    return RSP_OK;
}

static int put_owned(struct json_stream *s, struct rsp_rdb_id id)
{
    struct buf *b = &s->consumers;
    int rc = json_room(b, 64);
    if (rc) return rc;
    if (b->p[b->n - 1] != '[') b->p[b->n++] = ',';
    json_put_id(b, id);
    return set_owner(s, id);
}

static int end_group(struct json_stream *s, struct buf *out, int (*flush)(void *, struct buf *), void *opaque)
{
    const struct json_pending *e = pending_of(s);
    size_t n = s->pending.n / sizeof *e;
    int rc = close_consumer(s);
    if (!rc) rc = buf_add(out, s->head.p, s->head.n);
    if (!rc) rc = buf_add(out, ",\"pending\":[", 12);
    for (size_t i = 0; !rc && i < n; i++, e++) {
        rc = json_room(out, 64);
        if (rc) break;
        if (i) out->p[out->n++] = ',';
        out->p[out->n++] = '[';
        json_put_id(out, e->id);
        out->p[out->n++] = ',';
        if (e->owner) {
            const char *name = (const char *)s->names.p + e->owner - 1;
            rc = buf_add(out, name, strlen(name));
        } else {
            JSON_PUT(out, "null");
        }
        if (!rc) rc = json_room(out, 64);
        if (rc) break;
        out->p[out->n++] = ',';
        json_put_i64(out, e->time_ms);
        out->p[out->n++] = ',';
        json_put_u64(out, e->count);
        out->p[out->n++] = ']';
        if (flush && out->n >= JSON_STAGE_BYTES) rc = flush(opaque, out);
    }
    if (!rc) rc = buf_add(out, "],\"consumers\":[", 15);
    if (!rc) rc = buf_add(out, s->consumers.p, s->consumers.n);
    return rc ? rc : buf_add(out, "]}", 2);
}

static int put_idmp(struct json_stream *s, struct buf *out, const struct rsp_rdb_element *el)
{
    int rc = json_room(out, 128);
    if (rc) return rc;
    if (!s->groups_closed) out->p[out->n++] = ']';
    s->groups_closed = 1;
    JSON_PUT(out, ",\"idmp\":{\"duration_s\":");
    json_put_u64(out, el->number[0]);
    JSON_PUT(out, ",\"max_entries\":");
    json_put_u64(out, el->number[1]);
    JSON_PUT(out, ",\"producers\":[");
    s->idmp_open = 1;
    return RSP_OK;
}

static int put_producer(struct json_stream *s, struct buf *out, const struct rsp_rdb_element *el)
{
    int rc = json_room(out, 64);
    if (rc) return rc;
    if (s->producer_open) JSON_PUT(out, "]}");
    if (s->producers++) out->p[out->n++] = ',';
    s->producer_open = 1;
    JSON_PUT(out, "{\"id\":");
    rc = json_put_data(s->style, out, el->a);
    return rc ? rc : buf_add(out, ",\"entries\":[", 12);
}

static int put_iid(struct json_stream *s, struct buf *out, const struct rsp_rdb_element *el, int first)
{
    int rc = json_room(out, 64);
    if (rc) return rc;
    if (!first) out->p[out->n++] = ',';
    out->p[out->n++] = '[';
    rc = json_put_data(s->style, out, el->a);
    if (!rc) rc = json_room(out, 64);
    if (rc) return rc;
    out->p[out->n++] = ',';
    json_put_id(out, el->id);
    out->p[out->n++] = ']';
    s->producer_open = 2; /* it has entries */
    return RSP_OK;
}

static int end_idmp(struct json_stream *s, struct buf *out, const struct rsp_rdb_element *el)
{
    int rc = json_room(out, 128);
    if (rc) return rc;
    if (s->producer_open) JSON_PUT(out, "]}");
    s->producer_open = 0;
    JSON_PUT(out, "],\"iids_added\":");
    json_put_u64(out, el->number[0]);
    JSON_PUT(out, ",\"iids_duplicates\":");
    json_put_u64(out, el->number[1]);
    out->p[out->n++] = '}';
    return RSP_OK;
}

int json_stream_element(struct json_stream *s, struct buf *out, const struct rsp_rdb_element *el,
                        int (*flush)(void *opaque, struct buf *out), void *opaque)
{
    switch (el->kind) {
    case RSP_ELEM_GROUP: return put_group(s, el);
    case RSP_ELEM_PENDING: return add_pending(s, el);
    case RSP_ELEM_CONSUMER: return put_consumer(s, el);
    case RSP_ELEM_OWNED: return put_owned(s, el->id);
    case RSP_ELEM_NACKED: return RSP_OK; /* its pending entry has no owner: that says it */
    case RSP_ELEM_GROUP_END: return end_group(s, out, flush, opaque);
    case RSP_ELEM_IDMP: return put_idmp(s, out, el);
    case RSP_ELEM_IDMP_PRODUCER: return put_producer(s, out, el);
    case RSP_ELEM_IDMP_ENTRY: return put_iid(s, out, el, s->producer_open != 2);
    case RSP_ELEM_IDMP_END: return end_idmp(s, out, el);
    default: return fail(out->env, RSP_ESTATE, NULL, "no text for a stream's element of kind %d", el->kind);
    }
}

int json_stream_end(struct json_stream *s, struct buf *out)
{
    int rc = json_room(out, 4);
    if (rc) return rc;
    if (!s->groups_closed) out->p[out->n++] = ']';
    out->p[out->n++] = '}';
    return RSP_OK;
}
