/* What this is: a stream by native commands: entries, counters, groups, consumers and what they have pending.
 * Rests on: resp_impl.h; aof-replication.md A10.
 * Does not: set when a consumer was last seen: no command does.
 *
 * From 7.0 on a pending entry whose message is gone cannot be claimed. Where the whole stream lies before us, such a
 * message ("ghost") is added in its place and deleted again behind the claims. */
#include "export/resp_impl.h"

static int compare(struct rsp_rdb_id a, struct rsp_rdb_id b)
{
    if (a.ms != b.ms) return a.ms < b.ms ? -1 : 1;
    return a.seq == b.seq ? 0 : a.seq < b.seq ? -1 : 1;
}

void resp_stream_init(struct resp_stream *s, const struct rsp_env *env)
{
    resp_ids_init(&s->ids, env);
    buf_init(&s->pending, env), buf_init(&s->group, env), buf_init(&s->consumer, env);
    buf_init(&s->ghosts, env), buf_init(&s->set_ids, env);
}

void resp_stream_free(struct resp_stream *s)
{
    buf_free(&s->ids.bytes), buf_free(&s->pending), buf_free(&s->group), buf_free(&s->consumer);
    buf_free(&s->ghosts), buf_free(&s->set_ids);
}

void resp_stream_begin(struct resp_stream *s)
{
    s->ids.bytes.n = s->pending.n = s->group.n = s->consumer.n = s->set_ids.n = 0;
    s->ids.last.ms = s->ids.last.seq = 0;
    s->ghost_at = 0;
    s->has_ghosts = s->ghosts.n != 0;
    s->has_first = 0;
    s->judged = s->found_ghosts = s->lost_ghosts = s->has_counters = s->claiming = 0;
}

static struct resp_pending *pending_of(const struct resp_stream *s)
{
    return (struct resp_pending *)(void *)s->pending.p;
}

static struct rsp_rdb_id *ghosts_of(const struct resp_stream *s)
{
    return (struct rsp_rdb_id *)(void *)s->ghosts.p;
}

static size_t ghosts_n(const struct resp_stream *s)
{
    return s->ghosts.n / sizeof(struct rsp_rdb_id);
}

static struct rsp_span span_of(const struct buf *b)
{
    return (struct rsp_span){b->p ? b->p : (const uint8_t *)"", b->n};
}

static int set_text(struct buf *b, struct rsp_span s)
{
    b->n = 0;
    return buf_add(b, s.p, s.n);
}

/* ---- entries ---- */

static int add_entry(struct resp_native *n, struct rsp_rdb_id id, const struct rsp_span *fields, size_t count)
{
    int rc = resp_native_command(n, (unsigned)(3 + count), "$4\r\nXADD\r\n", 10);
    if (rc) return rc;
    resp_put_id(n->out, id);
    for (size_t i = 0; i < count && !rc; i++) rc = resp_add_bulk(n->out, fields[i]);
    if (!rc && n->rules->claim_needs_entry) rc = resp_ids_add(&n->stream.ids, id);
    n->elements = 1;
    return rc;
}

/* Ghosts that come before an id; NULL: all that are left. */
static int add_ghosts(struct resp_native *n, const struct rsp_rdb_id *before)
{
    static const struct rsp_span nothing[2] = {{(const uint8_t *)"-", 1}, {(const uint8_t *)"-", 1}};
    struct resp_stream *s = &n->stream;
    int rc = RSP_OK;
    for (; !rc && s->ghost_at < ghosts_n(s); s->ghost_at++) {
        struct rsp_rdb_id id = ghosts_of(s)[s->ghost_at];
        if (before && compare(id, *before) >= 0) break;
        rc = add_entry(n, id, nothing, 2);
    }
    return rc;
}

static int put_entry(struct resp_native *n, const struct rsp_rdb_element *el)
{
    int rc = n->stream.has_ghosts ? add_ghosts(n, &el->id) : RSP_OK;
    if (!n->stream.has_first) n->stream.first = el->id;
    n->stream.has_first = 1;
    for (size_t i = 0; i < el->count; i++) {
        if (el->fields[i].n <= n->rules->bulk_max) continue;
        n->losses |= RESP_LOSS(OTHER);
        return rc;
    }
    return rc ? rc : add_entry(n, el->id, el->fields, el->count);
}

static int set_id(struct resp_native *n)
{
    const struct rsp_rdb_element *c = &n->stream.counters;
    int known = c->has_entries_added && c->has_max_deleted, all = n->rules->stream_counters;
    int rc = RESP_COMMAND(n, all ? 7 : 3, "$6\r\nXSETID\r\n");
    if (rc) return rc;
    resp_put_id(n->out, c->id);
    if (!all) {
        if (known && (c->max_deleted.ms || c->max_deleted.seq || c->number[1] != c->number[0]))
            n->losses |= RESP_LOSS(STREAM_COUNTERS);
        return RSP_OK;
    }
    if (known && c->number[1] > INT64_MAX) { /* no command takes that */
        n->losses |= RESP_LOSS(STREAM_COUNTERS);
        known = 0;
    }
    RESP_PUT(n->out, "$12\r\nENTRIESADDED\r\n");
    resp_put_u64(n->out, known ? c->number[1] : c->number[0]); /* as a server that loads it would take it */
    rc = resp_room(n->out, RESP_SLACK * 2);
    if (rc) return rc;
    RESP_PUT(n->out, "$12\r\nMAXDELETEDID\r\n");
    resp_put_id(n->out, c->max_deleted);
    return RSP_OK;
}

static int put_counters(struct resp_native *n, const struct rsp_rdb_element *el)
{
    int rc = RSP_OK;
    n->stream.counters = *el;
    n->stream.has_counters = 1;
    if (n->stream.has_ghosts) return add_ghosts(n, NULL); /* the counters come when these are gone again */
    if (!n->elements) {
        rc = RESP_COMMAND(n, 7, "$4\r\nXADD\r\n");
        if (rc) return rc;
        RESP_PUT(n->out, "$6\r\nMAXLEN\r\n$1\r\n0\r\n$3\r\n0-1\r\n$1\r\n-\r\n$1\r\n-\r\n");
        n->elements = 1;
    }
    return set_id(n);
}

/* ---- groups ---- */

struct set_id {
    struct rsp_rdb_id id;
    uint64_t read;
    size_t name_n;
};

/* What a group has read is a number that servers of before 7.0 do not know; later ones would find these themselves. */
static int guessed(const struct resp_stream *s, const struct rsp_rdb_element *group)
{
    const struct rsp_rdb_element *c = &s->counters;
    uint64_t added = c->has_entries_added ? c->number[1] : c->number[0];
    return !group->number[0] || (!compare(group->id, c->id) && group->number[0] == added);
}

static int put_group(struct resp_native *n, const struct rsp_rdb_element *el)
{
    struct resp_stream *s = &n->stream;
    int read = n->rules->stream_counters && el->number[0] <= INT64_MAX, later = read && s->has_ghosts, rc;
    if (!read && el->number[0] != UINT64_MAX && !guessed(s, el)) n->losses |= RESP_LOSS(STREAM_COUNTERS);
    s->pending.n = 0;
    s->judged = 0;
    rc = set_text(&s->group, el->a);
    if (!rc) rc = RESP_COMMAND(n, read && !later ? 7 : 5, "$6\r\nXGROUP\r\n$6\r\nCREATE\r\n");
    if (!rc) rc = resp_add_bulk(n->out, el->a);
    if (!rc) rc = resp_room(n->out, RESP_SLACK * 2);
    if (rc) return rc;
    resp_put_id(n->out, el->id);
    if (later) {
        struct set_id set = {el->id, el->number[0], el->a.n};
        rc = buf_add(&s->set_ids, &set, sizeof set);
        return rc ? rc : buf_add(&s->set_ids, el->a.p, el->a.n);
    }
    if (read) {
        RESP_PUT(n->out, "$11\r\nENTRIESREAD\r\n");
        resp_put_u64(n->out, el->number[0]);
    }
    return RSP_OK;
}

static int add_pending(struct resp_native *n, const struct rsp_rdb_element *el)
{
    struct resp_stream *s = &n->stream;
    struct resp_pending e = {el->id, el->time_ms, el->number[0] > INT64_MAX ? INT64_MAX : el->number[0], 0};
    size_t count = s->pending.n / sizeof e;
    if (count && compare(pending_of(s)[count - 1].id, e.id) >= 0)
        return fail(n->env, RSP_EFORMAT, NULL, "pending entries of a stream's group are not in ascending order");
    return buf_add(&s->pending, &e, sizeof e);
}

static int find_ghost(const struct resp_stream *s, struct rsp_rdb_id id)
{
    size_t low = 0, high = ghosts_n(s);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = compare(ghosts_of(s)[mid], id);
        if (!c) return 1;
        if (c < 0) low = mid + 1;
        else high = mid;
    }
    return 0;
}

/* The missing ones among the ghosts, which stay in order: from the back, as in a merge. */
static int merge_ghosts(struct resp_stream *s, size_t missing)
{
    size_t count = s->pending.n / sizeof(struct resp_pending), old = ghosts_n(s), add = 0, to;
    struct resp_pending *e = pending_of(s);
    struct rsp_rdb_id *g;
    int rc = buf_reserve(&s->ghosts, missing * sizeof *g);
    if (rc) return rc;
    g = ghosts_of(s);
    for (size_t i = 0; i < count; i++) {
        if (e[i].missing && find_ghost(s, e[i].id)) e[i].missing = 2;
        add += e[i].missing == 1;
    }
    to = old + add;
    s->ghosts.n = to * sizeof *g;
    for (size_t i = count; i-- > 0;) {
        if (e[i].missing != 1) continue;
        while (old && compare(g[old - 1], e[i].id) > 0) {
            old--;
            g[--to] = g[old];
        }
        g[--to] = e[i].id;
    }
    return RSP_OK;
}

/* Which pending entries have no message any more: both lists ascend. */
static int judge(struct resp_native *n)
{
    struct resp_stream *s = &n->stream;
    struct resp_pending *e = pending_of(s);
    size_t count = s->pending.n / sizeof *e, at = 0, missing = 0;
    struct rsp_rdb_id id = {0, 0};
    int more;
    if (s->judged) return RSP_OK;
    s->judged = 1;
    if (!n->rules->claim_needs_entry || !count) return RSP_OK;
    more = resp_ids_next(&s->ids.bytes, &at, &id);
    for (size_t i = 0; i < count; i++) {
        while (more && compare(id, e[i].id) < 0) more = resp_ids_next(&s->ids.bytes, &at, &id);
        e[i].missing = !more || compare(id, e[i].id) != 0;
        missing += e[i].missing != 0;
    }
    if (!missing) return RSP_OK;
    if (!s->can_ghost) {
        n->losses |= RESP_LOSS(STREAM_NACK);
        s->lost_ghosts = 1;
        return RSP_OK;
    }
    s->found_ghosts = 1;
    return merge_ghosts(s, missing);
}

/* Ends the claim under way, if any. */
int resp_stream_close_claim(struct resp_native *n)
{
    struct resp_stream *s = &n->stream;
    int rc;
    if (!s->claiming) return RSP_OK;
    rc = resp_room(n->out, RESP_SLACK * 3);
    if (rc) return rc;
    s->claiming = 0;
    RESP_PUT(n->out, "$4\r\nTIME\r\n");
    resp_put_i64(n->out, s->claim_time);
    RESP_PUT(n->out, "$10\r\nRETRYCOUNT\r\n");
    resp_put_u64(n->out, s->claim_count);
    RESP_PUT(n->out, "$5\r\nFORCE\r\n$6\r\nJUSTID\r\n");
    n->args += 6;
    resp_native_close(n);
    return RSP_OK;
}

static int put_consumer(struct resp_native *n, const struct rsp_rdb_element *el)
{
    struct resp_stream *s = &n->stream;
    int rc = judge(n);
    if (!rc) rc = resp_stream_close_claim(n);
    if (!rc) rc = set_text(&s->consumer, el->a);
    if (rc) return rc;
    n->losses |= RESP_LOSS(CONSUMER_TIMES);        /* no command sets them */
    if (!n->rules->create_consumer) return RSP_OK; /* a claim makes it; without one it is nothing but its times */
    rc = RESP_COMMAND(n, 5, "$6\r\nXGROUP\r\n$14\r\nCREATECONSUMER\r\n");
    if (!rc) rc = resp_add_bulk(n->out, span_of(&s->group));
    return rc ? rc : resp_add_bulk(n->out, el->a);
}

static const struct resp_pending *find_pending(const struct resp_stream *s, struct rsp_rdb_id id)
{
    const struct resp_pending *e = pending_of(s);
    size_t low = 0, high = s->pending.n / sizeof *e;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = compare(e[mid].id, id);
        if (!c) return e + mid;
        if (c < 0) low = mid + 1;
        else high = mid;
    }
    return NULL;
}

static int put_owned(struct resp_native *n, struct rsp_rdb_id id)
{
    struct resp_stream *s = &n->stream;
    const struct resp_pending *e = find_pending(s, id);
    int rc = RSP_OK;
    if (!e || e->missing) return RSP_OK;
    if (s->claiming && (e->time_ms != s->claim_time || e->count != s->claim_count || n->items >= RESP_BATCH))
        rc = resp_stream_close_claim(n);
    if (!rc && !s->claiming) {
        rc = RESP_OPEN(n, "$6\r\nXCLAIM\r\n");
        if (!rc) rc = resp_add_bulk(n->out, span_of(&s->group));
        if (!rc) rc = resp_add_bulk(n->out, span_of(&s->consumer));
        if (!rc) rc = resp_room(n->out, RESP_SLACK * 2);
        if (rc) return rc;
        RESP_PUT(n->out, "$1\r\n0\r\n");
        n->args += 3;
        s->claiming = 1;
        s->claim_time = e->time_ms;
        s->claim_count = e->count;
    }
    if (!rc) rc = resp_room(n->out, RESP_SLACK * 2);
    if (rc) return rc;
    resp_put_id(n->out, id);
    n->args++;
    n->items++;
    return RSP_OK;
}

static int put_config(struct resp_native *n, const struct rsp_rdb_element *el)
{
    int rc;
    if (el->number[2]) n->losses |= RESP_LOSS(STREAM_IDMP);          /* what its producers have sent */
    if (el->number[0] == 100 && el->number[1] == 100) return RSP_OK; /* every stream begins so */
    if (!n->rules->stream_config) {
        n->losses |= RESP_LOSS(STREAM_IDMP);
        return RSP_OK;
    }
    rc = RESP_COMMAND(n, 6, "$7\r\nXCFGSET\r\n");
    if (rc) return rc;
    RESP_PUT(n->out, "$13\r\nIDMP-DURATION\r\n");
    resp_put_u64(n->out, el->number[0]);
    rc = resp_room(n->out, RESP_SLACK * 2);
    if (rc) return rc;
    RESP_PUT(n->out, "$12\r\nIDMP-MAXSIZE\r\n");
    resp_put_u64(n->out, el->number[1]);
    return RSP_OK;
}

int resp_stream_element(struct resp_native *n, const struct rsp_rdb_element *el)
{
    int rc;
    switch (el->kind) {
    case RSP_ELEM_ENTRY: return put_entry(n, el);
    case RSP_ELEM_STREAM: return put_counters(n, el);
    case RSP_ELEM_GROUP: return put_group(n, el);
    case RSP_ELEM_PENDING: return add_pending(n, el);
    case RSP_ELEM_CONSUMER: return put_consumer(n, el);
    case RSP_ELEM_OWNED: return put_owned(n, el->id);
    case RSP_ELEM_NACKED: n->losses |= RESP_LOSS(STREAM_NACK); return RSP_OK;
    case RSP_ELEM_GROUP_END: rc = judge(n); return rc ? rc : resp_stream_close_claim(n);
    case RSP_ELEM_IDMP: return put_config(n, el);
    case RSP_ELEM_IDMP_PRODUCER:
    case RSP_ELEM_IDMP_ENTRY: return RSP_OK; /* counted by put_config */
    case RSP_ELEM_IDMP_END:
        if (el->number[0] || el->number[1]) n->losses |= RESP_LOSS(STREAM_IDMP);
        return RSP_OK;
    default: return fail(n->env, RSP_ESTATE, NULL, "no command for an element of kind %d", el->kind);
    }
}

/* ---- the end ---- */

/* Those before the first message go by XTRIM, which leaves alone the highest id that was deleted: they may have been
 * trimmed, too. The others cannot have been. */
static int trim_ghosts(struct resp_native *n)
{
    const struct resp_stream *s = &n->stream;
    int rc;
    if (s->has_first && compare(ghosts_of(s)[0], s->first) > 0) return RSP_OK;
    rc = RESP_COMMAND(n, 4, "$5\r\nXTRIM\r\n");
    if (rc) return rc;
    if (s->has_first) {
        RESP_PUT(n->out, "$5\r\nMINID\r\n");
        resp_put_id(n->out, s->first);
    } else {
        RESP_PUT(n->out, "$6\r\nMAXLEN\r\n$1\r\n0\r\n");
    }
    return RSP_OK;
}

static int delete_ghosts(struct resp_native *n)
{
    struct resp_stream *s = &n->stream;
    int rc = trim_ghosts(n);
    for (size_t i = 0; i < ghosts_n(s) && !rc; i++) {
        if (!s->has_first || compare(ghosts_of(s)[i], s->first) < 0) continue;
        if (n->items >= RESP_BATCH) resp_native_close(n);
        if (!n->args) rc = RESP_OPEN(n, "$4\r\nXDEL\r\n");
        if (!rc) rc = resp_room(n->out, RESP_SLACK * 2);
        if (rc) break;
        resp_put_id(n->out, ghosts_of(s)[i]);
        n->args++;
        n->items++;
    }
    resp_native_close(n);
    return rc;
}

static int set_groups(struct resp_native *n)
{
    const struct buf *b = &n->stream.set_ids;
    struct set_id set;
    for (size_t at = 0; at < b->n; at += sizeof set + set.name_n) {
        int rc = RESP_COMMAND(n, 7, "$6\r\nXGROUP\r\n$5\r\nSETID\r\n");
        memcpy(&set, b->p + at, sizeof set);
        if (!rc) rc = resp_add_bulk(n->out, (struct rsp_span){b->p + at + sizeof set, set.name_n});
        if (!rc) rc = resp_room(n->out, RESP_SLACK * 2);
        if (rc) return rc;
        resp_put_id(n->out, set.id);
        RESP_PUT(n->out, "$11\r\nENTRIESREAD\r\n");
        resp_put_u64(n->out, set.read);
    }
    return RSP_OK;
}

int resp_stream_end(struct resp_native *n)
{
    struct resp_stream *s = &n->stream;
    int rc;
    if (!s->has_counters) return RSP_OK;
    if (s->found_ghosts) {
        s->can_ghost = 0;
        return RSP_AGAIN;
    }
    if (!s->has_ghosts) return RSP_OK;
    rc = delete_ghosts(n);
    if (!rc) rc = set_id(n);
    return rc ? rc : set_groups(n);
}
