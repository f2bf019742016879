/* What this is: the check of streams: nodes, counters, groups with their pending entries, IDMP.
 * Rests on: check_impl.h, enc/listpack.h; rdb.md section 12.
 * Does not: join parts (check_parts.c). */
#include <string.h>

#include "enc/listpack.h"
#include "rdb/check_impl.h"

#define NAMES_KEPT (1u << 20) /* names compared; past that only the rest is checked */
#define OWNED (1ULL << 63)

static int id_cmp(struct stream_id a, struct stream_id b)
{
    if (a.ms != b.ms) return a.ms < b.ms ? -1 : 1;
    return a.seq < b.seq ? -1 : a.seq > b.seq;
}

static struct stream_id id_load(const uint8_t *p)
{
    struct stream_id id = {load_be64(p), load_be64(p + 8)};
    return id;
}

/* ---- a node's listpack ---- */

struct node {
    struct looker *l;
    const struct stored *s;
    struct listpack lp;
    uint64_t at; /* file offset of the element read last */
    struct entry e;
    int ended;
};

static int bad(struct node *n, uint64_t offset, const char *why)
{
    int rc;
    n->l->st.faulty = 1;
    rc = check_note(n->l, offset, "stream", "%s", why);
    return rc ? rc : RSP_END;
}

/* The next element: RSP_OK; RSP_END when the node is broken (noted) or, with n->ended set, complete. */
static int element(struct node *n)
{
    struct blob_fault f = {0, ""};
    size_t at = n->lp.at;
    int rc = listpack_next(&n->lp, &n->e, &f);
    n->at = n->s->body == NO_OFFSET ? n->s->offset : n->s->body + (rc < 0 ? f.offset : at);
    if (rc == RSP_END) n->ended = 1;
    if (rc >= 0) return rc;
    n->l->st.faulty = 1;
    rc = check_note(n->l, n->at, "listpack", "%s", f.reason);
    return rc ? rc : RSP_END;
}

static int must_element(struct node *n, const char *what)
{
    int rc = element(n);
    return rc == RSP_END && n->ended ? bad(n, n->at, what) : rc;
}

static int integer(struct node *n, const char *ends, const char *no_integer, int64_t *v)
{
    int rc = must_element(n, ends);
    if (rc) return rc;
    if (n->e.is_int) {
        *v = n->e.i;
        return RSP_OK;
    }
    return i64_parse(n->e.p, n->e.n, v) ? RSP_OK : bad(n, n->at, no_integer);
}

/* Strings of the master entry, or of an entry, to to[0], to[step]..., as far as there is room. */
static int pass(struct node *n, uint64_t elements, struct entry_text *to, size_t room, size_t step)
{
    for (uint64_t i = 0; i < elements; i++) {
        int rc = must_element(n, "the node ends within an entry's fields: their count is too high");
        if (rc) return rc;
        if (n->l->feed == FEED_ON && i * step < room) to[i * step].text = entry_text(&n->e, to[i * step].digits);
    }
    return RSP_OK;
}

struct master {
    int64_t count, deleted, fields;
    uint64_t count_at, deleted_at;
    struct stream_id id;
};

static int master_entry(struct node *n, struct master *m)
{
    int64_t zero = 0;
    uint64_t fields_at;
    int rc = integer(n, "an empty listpack: no master entry", "the master entry's count is not an integer", &m->count);
    if (rc) return rc;
    m->count_at = n->at;
    if (m->count < 0) return bad(n, n->at, "the master entry's count is negative");
    if (!m->count) return bad(n, n->at, "a node without live entries: its count is zero");
    rc = integer(n, "the master entry ends early", "the count of deleted entries is not an integer", &m->deleted);
    if (rc) return rc;
    m->deleted_at = n->at;
    if (m->deleted < 0) return bad(n, n->at, "the count of deleted entries is negative");
    rc = integer(n, "the master entry ends early", "the master entry's field count is not an integer", &m->fields);
    if (rc) return rc;
    fields_at = n->at;
    if (m->fields < 0) return bad(n, fields_at, "the master entry's field count is negative");
    rc = pass(n, (uint64_t)m->fields, n->l->master, FEED_STRINGS / 2, 1);
    if (!rc)
        rc = integer(n, "the node ends within the master entry", "the master entry is not terminated by a zero", &zero);
    if (rc) return rc;
    return zero ? bad(n, n->at, "the master entry is not terminated by a zero") : RSP_OK;
}

/* An entry's id, put behind those before it. */
static int entry_id(struct node *n, struct stream_id id, uint64_t at, int deleted)
{
    struct value_state *st = &n->l->st;
    int rc = RSP_OK;
    if (st->has_entry && id_cmp(id, st->last) <= 0)
        rc = check_note(n->l, at, "stream",
                        id_cmp(id, st->last)
                            ? "an entry's id is not in ascending order: %llu-%llu comes behind a greater one"
                            : "the entry id %llu-%llu is there twice: ids are not ascending",
                        (unsigned long long)id.ms, (unsigned long long)id.seq);
    if (!st->has_entry) st->first = id, st->first_at = at;
    if (!st->has_entry || id_cmp(id, st->greatest) > 0) st->greatest = id;
    st->last = id;
    st->has_entry = 1;
    if (!deleted) {
        if (!st->has_live) st->first_live = id;
        st->has_live = 1;
        st->live++;
    }
    return rc;
}

/* The master entry's fields, for an entry of the same ones. */
static void names(struct looker *l, uint64_t n)
{
    if (l->feed != FEED_ON) return;
    for (size_t i = 0; i < n && i < FEED_STRINGS / 2; i++) l->string[2 * i].text = l->master[i].text;
}

static int one_entry(struct node *n, const struct master *m, uint64_t *gone)
{
    static const char ends[] = "the node ends within an entry";
    int64_t ms = 0, seq = 0, num = 0, lp_count = 0, want;
    struct stream_id id;
    uint64_t at = n->at;
    int64_t flags = n->e.i;
    int rc;
    if (!n->e.is_int && !i64_parse(n->e.p, n->e.n, &flags)) return bad(n, at, "an entry's flags are not an integer");
    if (flags & ~(int64_t)3) return bad(n, at, "an entry has unknown flags");
    rc = integer(n, ends, "an entry's id delta is not an integer", &ms);
    if (!rc) rc = integer(n, ends, "an entry's id delta is not an integer", &seq);
    if (rc) return rc;
    id.ms = m->id.ms + (uint64_t)ms;
    id.seq = m->id.seq + (uint64_t)seq;
    rc = entry_id(n, id, at, flags & 1);
    if (rc) return rc;
    *gone += (uint64_t)flags & 1;
    if (flags & 2) {
        names(n->l, (uint64_t)m->fields);
        num = m->fields;
        rc = pass(n, (uint64_t)m->fields, n->l->string + 1, FEED_STRINGS - 1, 2);
        want = m->fields + 3; /* fields were walked, so they are few */
    } else {
        rc = integer(n, ends, "an entry's field count is not an integer", &num);
        if (rc) return rc;
        if (num < 0 || num > INT64_MAX / 2 - 4) return bad(n, n->at, "an entry's field count is out of range");
        rc = pass(n, 2 * (uint64_t)num, n->l->string, FEED_STRINGS, 1);
        want = 2 * num + 4;
    }
    if (!rc) rc = integer(n, ends, "an entry's element count (lp_count) is not an integer", &lp_count);
    if (rc) return rc;
    if (lp_count != want) return bad(n, n->at, "an entry's element count (lp_count) is wrong");
    return flags & 1 ? RSP_OK : feed_entry(n->l, id, 2 * (uint64_t)num);
}

static int node_entries(struct node *n, const struct master *m)
{
    uint64_t total = (uint64_t)m->count + (uint64_t)m->deleted, gone = 0;
    int rc;
    for (uint64_t i = 0; i < total; i++) {
        rc = element(n);
        if (rc == RSP_END && n->ended) return bad(n, m->count_at, "fewer entries than the master entry counts");
        if (rc) return rc;
        rc = one_entry(n, m, &gone);
        if (rc) return rc;
    }
    rc = element(n);
    if (!rc) return bad(n, n->at, "more elements behind the last entry that the master entry counts");
    if (rc < 0 || !n->ended) return rc;
    if (gone != (uint64_t)m->deleted) return bad(n, m->deleted_at, "the count of deleted entries is wrong");
    return RSP_OK;
}

static int stream_node(struct looker *l, const struct stored *s)
{
    struct blob_fault f = {0, ""};
    struct node n;
    struct master m;
    int rc;
    memset(&n, 0, sizeof n);
    memset(&m, 0, sizeof m);
    n.l = l;
    n.s = s;
    m.id = l->st.node_last;
    rc = listpack_open(&n.lp, s->text, &f);
    if (rc) {
        l->st.faulty = 1;
        return check_note(l, s->body == NO_OFFSET ? s->offset : s->body + f.offset, "listpack", "%s", f.reason);
    }
    rc = master_entry(&n, &m);
    if (!rc) rc = node_entries(&n, &m);
    return rc == RSP_END ? RSP_OK : rc;
}

static int node_key(struct looker *l, const struct stored *s)
{
    struct value_state *st = &l->st;
    struct stream_id id;
    int rc = RSP_OK;
    if (s->text.n != 16) {
        st->faulty = 1;
        st->container = 1; /* its node cannot be judged */
        return check_note(l, s->offset, "stream", "a node's key is not an id: its length is not 16 bytes");
    }
    st->container = 0;
    id = id_load(s->text.p);
    if (st->has_node && id_cmp(id, st->node_last) <= 0)
        rc = check_note(l, s->offset, "stream", "a node's key is not in ascending order, or is there twice");
    if (!st->has_node) st->node_first = id, st->node_first_at = s->offset;
    st->node_last = id;
    st->has_node = 1;
    return rc;
}

int stream_merge(struct looker *l, const struct value_state *p)
{
    struct value_state *st = &l->st;
    int rc = RSP_OK;
    if (st->has_node && p->has_node && id_cmp(p->node_first, st->node_last) <= 0)
        rc = check_note(l, p->node_first_at, "stream", "a node's key is not in ascending order, or is there twice");
    if (!rc && st->has_entry && p->has_entry && id_cmp(p->first, st->last) <= 0)
        rc = check_note(l, p->first_at, "stream",
                        "an entry's id is not in ascending order behind those of the nodes before");
    if (p->has_node) st->node_last = p->node_last, st->has_node = 1;
    if (p->has_entry) {
        if (!st->has_entry || id_cmp(p->greatest, st->greatest) > 0) st->greatest = p->greatest;
        st->last = p->last;
        st->has_entry = 1;
    }
    if (!st->has_live && p->has_live) st->first_live = p->first_live, st->has_live = 1;
    st->live += p->live;
    st->faulty |= p->faulty;
    return rc;
}

/* ---- the tail ---- */

void stream_tail_init(struct stream_tail *t, const struct rsp_env *env)
{
    memset(t, 0, sizeof *t);
    buf_init(&t->pel, env);
    members_init(&t->names, env);
}

void stream_tail_reset(struct stream_tail *t)
{
    t->open = 0;
    t->pel.n = 0;
    t->pel_n = t->owned_n = 0;
    t->group_no = t->producer_no = 0;
    memset(&t->pel_sum, 0, sizeof t->pel_sum);
    memset(&t->owned_sum, 0, sizeof t->owned_sum);
}

void stream_tail_free(struct stream_tail *t)
{
    buf_free(&t->pel);
    members_free(&t->names);
}

static void sum_add(struct sip128 *sum, struct sip128 h)
{
    sum->hi += h.hi + (sum->lo + h.lo < h.lo);
    sum->lo += h.lo;
}

static struct sip128 id_hash(const struct looker *l, const uint8_t id[16])
{
    return sip128_of(l->member_key, id, 16);
}

/* Names are told apart by what they belong to: kind, and the number of the owner. */
static int name(struct looker *l, const struct stored *s, uint64_t kind, uint64_t owner, const char *why)
{
    struct members *m = &l->tail.names;
    struct sip128 h = s->hashed ? s->h : sip128_of(l->member_key, s->text.p, s->text.n);
    int rc;
    if (m->n > NAMES_KEPT) return RSP_OK;
    h.lo += (owner * 4 + kind) * 0x9E3779B97F4A7C15ULL;
    h.hi ^= owner * 4 + kind;
    rc = members_add(m, h);
    return rc == RSP_END ? check_note(l, s->offset, "stream", "%s", why) : rc;
}

/* Every pending entry must have had its owner by now. */
static int group_close(struct looker *l)
{
    struct stream_tail *t = &l->tail;
    const struct pel_entry *p = (const struct pel_entry *)(const void *)t->pel.p;
    int rc = RSP_OK;
    if (!t->open) return RSP_OK;
    t->open = 0;
    if (t->pel_n <= PEL_KEPT) {
        for (uint64_t i = 0; i < t->pel_n && !rc; i++)
            if (!(p[i].offset & OWNED))
                rc = check_note(l, p[i].offset, "stream", "a pending entry of the group that no consumer owns");
    } else if (t->pel_n != t->owned_n || t->pel_sum.lo != t->owned_sum.lo || t->pel_sum.hi != t->owned_sum.hi) {
        rc = check_note(l, t->group_at, "stream",
                        "the consumers of this group do not own its pending entries once each");
    }
    t->pel.n = 0;
    t->pel_n = t->owned_n = 0;
    memset(&t->pel_sum, 0, sizeof t->pel_sum);
    memset(&t->owned_sum, 0, sizeof t->owned_sum);
    return rc;
}

static int pel_id(struct looker *l, const struct rsp_rdb_token *t)
{
    struct stream_tail *g = &l->tail;
    struct pel_entry p = {id_load(t->body.p), t->offset};
    int rc = RSP_OK, d = g->pel_n ? id_cmp(p.id, g->last_pel) : 1;
    if (d == 0) return check_note(l, t->offset, "stream", "an entry is pending twice in the group");
    if (d < 0) {
        rc = check_note(l, t->offset, "stream", "the group's pending entries are not in ascending order");
        if (rc) return rc;
        return RSP_OK; /* kept out of the list, which is searched by order */
    }
    g->last_pel = p.id;
    g->pel_n++;
    sum_add(&g->pel_sum, id_hash(l, t->body.p));
    if (g->pel_n > PEL_KEPT) {
        g->pel.n = 0;
        return RSP_OK;
    }
    return buf_add(&g->pel, &p, sizeof p);
}

/* An id that a consumer owns, or that is in the NACK zone. */
static int owned_id(struct looker *l, const struct rsp_rdb_token *t, int nacked)
{
    struct stream_tail *g = &l->tail;
    struct pel_entry *p = (struct pel_entry *)(void *)g->pel.p;
    struct stream_id id = id_load(t->body.p);
    uint64_t low = 0, high = g->pel_n;
    if (g->pel_n > PEL_KEPT) {
        g->owned_n++;
        sum_add(&g->owned_sum, id_hash(l, t->body.p));
        return RSP_OK;
    }
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (id_cmp(p[mid].id, id) < 0) low = mid + 1;
        else high = mid;
    }
    if (low == g->pel_n || id_cmp(p[low].id, id))
        return check_note(l, t->offset, "stream", "%s is not pending in its group",
                          nacked ? "a NACKed entry" : "an entry of a consumer's pending list");
    if (p[low].offset & OWNED)
        return check_note(l, t->offset, "stream",
                          nacked ? "a NACKed entry that a consumer owns, or that is there twice"
                                 : "a pending entry that is owned twice");
    p[low].offset |= OWNED;
    return RSP_OK;
}

int check_stream_string(struct looker *l, int role, const struct stored *s)
{
    struct stream_tail *t = &l->tail;
    int rc;
    switch (role) {
    case RSP_ROLE_NODE_ID: return node_key(l, s);
    case RSP_ROLE_STREAM_NODE: return l->st.container ? RSP_OK : stream_node(l, s);
    case RSP_ROLE_GROUP_NAME:
        rc = group_close(l);
        if (rc) return rc;
        t->open = 1;
        t->group_at = s->offset;
        t->group_no++;
        return name(l, s, 0, 0, "a group of this name is there already");
    case RSP_ROLE_CONSUMER_NAME:
        return name(l, s, 1, t->group_no, "a consumer of this name is there already in the group");
    case RSP_ROLE_PRODUCER: t->producer_no++; return name(l, s, 2, 0, "a producer of this name is there already");
    case RSP_ROLE_IID: return name(l, s, 3, t->producer_no, "this id of the producer is there already");
    default: return RSP_OK;
    }
}

static int counter(struct looker *l, const struct rsp_rdb_token *t)
{
    struct value_state *st = &l->st;
    struct stream_tail *g = &l->tail;
    struct stream_id id = {g->ms, t->n};
    switch (t->role) {
    case RSP_ROLE_LENGTH:
        st->length = t->n;
        if (st->faulty || st->live == t->n) return RSP_OK;
        return check_note(l, t->offset, "stream", "the stream's length is %llu, but its nodes hold %llu entries",
                          (unsigned long long)t->n, (unsigned long long)st->live);
    case RSP_ROLE_LAST_MS:
    case RSP_ROLE_FIRST_MS:
        g->ms = t->n;
        g->ms_at = t->offset;
        return RSP_OK;
    case RSP_ROLE_LAST_SEQ:
        if (!st->has_entry || id_cmp(st->greatest, id) <= 0) return RSP_OK;
        return check_note(l, g->ms_at, "stream", "the last id is smaller than the id of an entry");
    case RSP_ROLE_FIRST_SEQ:
        if (st->faulty || !st->has_live || !id_cmp(st->first_live, id)) return RSP_OK;
        return check_note(l, g->ms_at, "stream", "the first id is not that of the first live entry");
    case RSP_ROLE_ENTRIES_ADDED:
        if (t->n >= st->length) return RSP_OK;
        return check_note(l, t->offset, "stream", "fewer entries were ever added than the stream holds");
    default: return RSP_OK;
    }
}

int check_stream_token(struct looker *l, const struct rsp_rdb_token *t)
{
    int rc;
    switch (t->role) {
    case RSP_ROLE_LENGTH:
        if (t->kind == RSP_TOK_LOOP) return RSP_OK;
        rc = members_clear(&l->tail.names, 0);
        return rc ? rc : counter(l, t);
    case RSP_ROLE_PEL_ID: return pel_id(l, t);
    case RSP_ROLE_CPEL_ID: return owned_id(l, t, 0);
    case RSP_ROLE_NACKED_ID: return owned_id(l, t, 1);
    case RSP_ROLE_IDMP_DURATION:
        rc = group_close(l);
        if (rc || (t->n >= 1 && t->n <= 86400)) return rc;
        return check_note(l, t->offset, "stream", "the IDMP duration is out of range (1 to 86400 seconds)");
    case RSP_ROLE_IDMP_MAX:
        if (t->n >= 1 && t->n <= 10000) return RSP_OK;
        return check_note(l, t->offset, "stream", "the IDMP entries' maximum is out of range (1 to 10000)");
    default: return counter(l, t);
    }
}

int check_stream_end(struct looker *l)
{
    return group_close(l);
}
