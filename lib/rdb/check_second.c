/* What this is: the second look: which of the candidates are duplicates, and where the later ones stand.
 * Rests on: check_second.h.
 * Does not: hold more than the candidates: at most CANDIDATES_MAX hash values are followed up. */
#include "base/mix.h"
#include "rdb/check_second.h"

#include <stdio.h>
#include <string.h>

#define CANDIDATES_MAX 100000u
#define KEYS_MAX (24u << 20) /* bytes of candidate keys that are held */
#define NONE UINT32_MAX

/* Keys (or members) seen so far that have one hash; nearly always one. */
struct seen {
    uint64_t hash, hi, record, offset; /* keys: record is the db, hi unused */
    size_t key_at, key_n;
    uint32_t next;
    int member;
};

struct slot {
    uint64_t hash;
    uint32_t head;
    uint32_t used;
};

struct second_look {
    struct slot *slot;
    size_t slots;
    size_t n;
    struct buf seen, keys;
    int more; /* not all could be followed up */
};

static struct slot *place(const struct second_look *s, uint64_t hash)
{
    size_t i = (size_t)(hash >> 7) & (s->slots - 1);
    while (s->slot[i].used && s->slot[i].hash != hash) i = (i + 1) & (s->slots - 1);
    return &s->slot[i];
}

int dups_candidate(const struct check *c, uint64_t hash)
{
    return place(c->second, hash)->used != 0;
}

void second_free(struct check *c)
{
    struct second_look *s = c->second;
    if (!s) return;
    mem_free(&c->env, s->slot, s->slots * sizeof *s->slot);
    buf_free(&s->seen);
    buf_free(&s->keys);
    mem_free(&c->env, s, sizeof *s);
    c->second = NULL;
}

static int candidate(void *ctx, uint64_t hash, uint64_t times)
{
    struct check *c = ctx;
    struct second_look *s = c->second;
    struct slot *p;
    (void)times;
    if (s->n == CANDIDATES_MAX) {
        s->more = 1;
        return RSP_OK;
    }
    p = place(s, hash);
    p->hash = hash;
    p->head = NONE;
    p->used = 1;
    s->n++;
    return RSP_OK;
}

static int second_new(struct check *c)
{
    struct second_look *s = mem_zero(&c->env, sizeof *s);
    if (!s) return RSP_ENOMEM;
    c->second = s;
    buf_init(&s->seen, &c->env);
    buf_init(&s->keys, &c->env);
    s->slots = 1u << 18;
    s->slot = mem_zero(&c->env, s->slots * sizeof *s->slot);
    if (!s->slot) {
        s->slots = 0;
        return RSP_ENOMEM;
    }
    return RSP_OK;
}

static int remember(struct second_look *s, struct slot *slot, struct seen *x, struct rsp_span key)
{
    int rc;
    if (key.n > KEYS_MAX - s->keys.n || s->seen.n / sizeof *x >= 4 * CANDIDATES_MAX) {
        s->more = 1;
        return RSP_OK;
    }
    x->key_at = s->keys.n;
    x->key_n = key.n;
    x->next = slot->head;
    rc = buf_add(&s->keys, key.p, key.n);
    if (rc) return rc;
    slot->head = (uint32_t)(s->seen.n / sizeof *x);
    return buf_add(&s->seen, x, sizeof *x);
}

/* *first: file offset of the one that came before, when there is one (RSP_END). */
static int seen_before(struct check *c, struct seen *x, struct rsp_span key, uint64_t *first)
{
    struct second_look *s = c->second;
    struct slot *slot = place(s, x->hash);
    if (!slot->used) return RSP_OK;
    for (uint32_t i = slot->head; i != NONE;) {
        const struct seen *y = (const struct seen *)(const void *)s->seen.p + i;
        if (y->member == x->member && y->record == x->record && y->hi == x->hi && y->key_n == key.n &&
            (!key.n || !memcmp(s->keys.p + y->key_at, key.p, key.n))) {
            *first = y->offset;
            return RSP_END;
        }
        i = y->next;
    }
    return remember(s, slot, x, key);
}

static int key_seen(struct check *c, uint64_t hash, uint32_t db, uint64_t offset, struct rsp_span key, uint64_t *first)
{
    struct seen x;
    memset(&x, 0, sizeof x);
    x.hash = hash;
    x.record = db;
    x.offset = offset;
    return seen_before(c, &x, key, first);
}

static int member_seen(struct check *c, const struct big_member *m, uint64_t *first)
{
    static const struct rsp_span none = {NULL, 0};
    struct seen x;
    memset(&x, 0, sizeof x);
    x.member = 1;
    x.hash = m->h.lo;
    x.hi = m->h.hi;
    x.record = m->record;
    x.offset = m->offset;
    return seen_before(c, &x, none, first);
}

#define KEY_REASON "this key is in the database already, at offset %llu"
#define MEMBER_REASON "this member or field is there twice: first at offset %llu"

/* ---- a second pass over the file ---- */

static void stand_on(struct looker *l, uint32_t item)
{
    l->item = &l->batch->items[item];
    l->item_no = item;
    l->key_noted = 0;
}

static int join_hit(struct check *c, const struct key_hit *h)
{
    struct looker *l = c->join;
    struct rsp_span key;
    uint64_t first = 0;
    uint64_t offset;
    int rc;
    stand_on(l, h->item);
    offset = record_offset(l->batch, h->item);
    rc = rsp_rdb_batch_key(&l->env, l->batch, l->item, &l->key, &key);
    if (rc) return rc;
    rc = key_seen(c, h->hash, l->item->db, offset, key, &first);
    return rc == RSP_END ? check_note(l, offset, "duplicate-key", KEY_REASON, (unsigned long long)first) : rc;
}

/* The batch's item that belongs to a large record. */
static uint32_t item_of(const struct rsp_rdb_batch *b, const struct check_result *r, uint64_t record)
{
    const struct part_info *p = (const struct part_info *)(const void *)r->parts.p;
    for (size_t i = 0; i < r->parts.n / sizeof *p; i++) {
        if (record_offset(b, p[i].item) == record) return p[i].item;
    }
    return NO_ITEM;
}

static int join_member(struct check *c, struct check_result *r, const struct big_member *m)
{
    struct looker *l = c->join;
    uint64_t first = 0;
    uint32_t item;
    int rc;
    if (!dups_is_big(c, m->record)) return RSP_OK;
    rc = member_seen(c, m, &first);
    if (rc != RSP_END) return rc;
    item = item_of(l->batch, r, m->record);
    if (item == NO_ITEM) return RSP_OK;
    stand_on(l, item);
    return check_note(l, m->offset, "duplicate-member", MEMBER_REASON, (unsigned long long)first);
}

int second_join(struct check *c, struct check_result *r)
{
    const struct key_hit *h = (const struct key_hit *)(const void *)r->hits.p;
    const struct big_member *m = (const struct big_member *)(const void *)r->members.p;
    struct looker *l = c->join;
    int rc = RSP_OK;
    l->mute = 0;
    for (size_t i = 0; i < r->members.n / sizeof *m && !rc; i++) rc = join_member(c, r, &m[i]);
    for (size_t i = 0; i < r->hits.n / sizeof *h && !rc; i++) rc = join_hit(c, &h[i]);
    l->mute = 1;
    return rc;
}

/* ---- or over what was written down ---- */

static int spooled_members(struct check *c)
{
    struct big_member m[256];
    uint64_t at = 0;
    for (;;) {
        size_t got = 0;
        int rc = rsp_spool_read(c->members_spool, at, m, sizeof m, &got);
        if (rc || got < sizeof *m) return rc;
        for (size_t i = 0; i < got / sizeof *m; i++) {
            const struct big_record *b;
            struct rsp_finding f;
            uint64_t first = 0;
            char reason[128];
            if (!dups_candidate(c, m[i].h.lo) || !(b = big_find(c, m[i].record))) continue;
            rc = member_seen(c, &m[i], &first);
            if (rc == RSP_OK) continue;
            if (rc < 0) return rc;
            snprintf(reason, sizeof reason, MEMBER_REASON, (unsigned long long)first);
            f = (struct rsp_finding){sizeof f,           m[i].offset, b->db, {c->big_keys.p + b->key_at, b->key_n},
                                     "duplicate-member", reason};
            rc = check_tell(c, &f);
            if (rc) return rc;
        }
        at += got / sizeof *m * sizeof *m;
    }
}

static int spooled_key(struct check *c, uint64_t offset, uint32_t db, struct rsp_span key)
{
    struct looker *l = c->join;
    struct rsp_finding f;
    uint64_t hash, first = 0;
    char reason[128];
    int rc;
    if (l->db != db) dups_key_ready(l, db);
    hash = mix64(l->db_key, key.p, key.n);
    if (!dups_candidate(c, hash)) return RSP_OK;
    rc = key_seen(c, hash, db, offset, key, &first);
    if (rc != RSP_END) return rc;
    snprintf(reason, sizeof reason, KEY_REASON, (unsigned long long)first);
    f = (struct rsp_finding){sizeof f, offset, db, key, "duplicate-key", reason};
    return check_tell(c, &f);
}

static int spooled_keys(struct check *c)
{
    struct buf b;
    uint64_t at = 0, size = rsp_spool_size(c->keys_spool);
    int rc;
    buf_init(&b, &c->env);
    rc = buf_reserve(&b, 256u << 10);
    while (!rc && at < size) {
        size_t got = 0, p = 0, need = KEY_LOG_HEAD;
        rc = rsp_spool_read(c->keys_spool, at, b.p, b.cap, &got);
        while (!rc && got - p >= KEY_LOG_HEAD) {
            struct rsp_span key = {b.p + p + KEY_LOG_HEAD, load_le32(b.p + p + 12)};
            need = KEY_LOG_HEAD + key.n;
            if (got - p < need) break;
            rc = spooled_key(c, load_le64(b.p + p), load_le32(b.p + p + 8), key);
            p += need;
            need = KEY_LOG_HEAD;
        }
        at += p;
        if (!rc && !p) {
            if (got < b.cap) break; /* the end, in the middle of nothing */
            rc = buf_reserve(&b, need);
        }
    }
    buf_free(&b);
    return rc;
}

static int tell_more(struct check *c)
{
    struct rsp_finding f = {
        sizeof f,
        0,
        0,
        {NULL, 0},
        "duplicate-key",
        "there are more duplicates than are told here: only the first 100000 different ones were followed up"};
    return check_tell(c, &f);
}

int dups_finish(struct check *c, int complete)
{
    int rc;
    if (!c->dups_on) return RSP_OK;
    rc = second_new(c);
    if (!rc) rc = rsp_dups_find(c->dups, candidate, c);
    rsp_dups_free(c->dups);
    c->dups = NULL;
    if (rc) return rc;
    if (c->second->n) {
        if (c->spooling) {
            rc = spooled_members(c);
            if (!rc) rc = spooled_keys(c);
        } else {
            rc = check_again(c);
        }
        if (!rc && c->second->more) rc = tell_more(c);
    }
    if (!rc) c->report->duplicates_done = complete;
    return rc;
}
