/* What this is: the search for equal hashes, partition by partition.
 * Rests on: sort/dups_impl.h, io/fdio.h.
 * Does not: hold a partition in memory: its hashes stream into a table of distinct values. When
 *   they are too many for the budget, the partition is read again for each half of its range, by
 *   the next bit, until they fit; one value alone always fits. */
#include "sort/dups_impl.h"

#include <string.h>

#include "base/mem.h"
#include "io/fdio.h"

#define READ_HASHES ((size_t)8 << 10)
#define LEAST_SLOTS ((size_t)256)
#define FULL 1 /* the table cannot take another value */

struct table {
    uint64_t *keys;     /* 0: empty */
    uint32_t *repeats;  /* beyond the first */
    size_t room;        /* slots that keys and repeats have */
    size_t slots, used; /* of which this many serve the range; a power of two */
    unsigned shift;
    uint64_t repeated; /* values with repeats */
    uint64_t zeros;    /* how often 0 itself came */
};

struct range { /* hashes whose top bits are those of prefix */
    uint64_t prefix;
    unsigned bits;
};

struct finder {
    struct rsp_dups *d;
    struct table t;
    uint64_t *buffer; /* READ_HASHES */
    size_t part;
    struct range range;
    int (*found)(void *ctx, uint64_t hash, uint64_t times);
    void *ctx;
};

static void table_begin(struct table *t, uint64_t expected)
{
    if (t->repeated) memset(t->repeats, 0, t->slots * sizeof *t->repeats); /* all others are 0 still */
    t->slots = LEAST_SLOTS;
    t->shift = 64 - 8;
    while (t->slots < t->room && t->slots / 3 * 2 < expected) {
        t->slots *= 2;
        t->shift--;
    }
    t->used = 0;
    t->repeated = t->zeros = 0;
    memset(t->keys, 0, t->slots * sizeof *t->keys);
}

static int table_add(struct finder *f, const uint64_t *hashes, size_t n)
{
    struct table *t = &f->t;
    size_t mask = t->slots - 1, most = t->slots / 4 * 3;
    unsigned drop = 64 - f->range.bits; /* 8..64 bits of prefix: 0..56 */
    uint64_t prefix = f->range.prefix;
    for (size_t i = 0; i < n; i++) {
        uint64_t h = hashes[i];
        size_t k;
        if (h >> drop != prefix) continue;
        if (!h) {
            t->zeros++;
            continue;
        }
        k = (size_t)((h * 0x9e3779b97f4a7c15u) >> t->shift);
        while (t->keys[k] != h && t->keys[k]) k = (k + 1) & mask;
        if (!t->keys[k]) {
            if (t->used == most) return FULL;
            t->used++;
            t->keys[k] = h;
        } else {
            if (!t->repeats[k]) t->repeated++;
            if (t->repeats[k] < UINT32_MAX) t->repeats[k]++;
        }
    }
    return RSP_OK;
}

static int tell(struct finder *f)
{
    struct table *t = &f->t;
    uint64_t left = t->repeated;
    int rc = RSP_OK;
    if (t->zeros > 1) rc = f->found(f->ctx, 0, t->zeros);
    for (size_t k = 0; !rc && left && k < t->slots; k++) {
        if (!t->repeats[k]) continue;
        rc = f->found(f->ctx, t->keys[k], (uint64_t)t->repeats[k] + 1);
        left--;
    }
    return rc;
}

/* The partition's hashes of one batch in the file: RSP_OK, FULL or a fault. */
static int add_batch(struct finder *f, uint64_t batch, uint64_t *before)
{
    struct rsp_dups *d = f->d;
    uint64_t at[2];
    int rc = fd_pread_all(&d->env, d->fd, SUBJECT, before, sizeof *before, batch);
    if (!rc) rc = fd_pread_all(&d->env, d->fd, SUBJECT, at, sizeof at, batch + (1 + f->part) * sizeof(uint64_t));
    while (!rc && at[0] < at[1]) {
        uint64_t left = (at[1] - at[0]) / sizeof(uint64_t);
        size_t n = left < READ_HASHES ? (size_t)left : READ_HASHES;
        rc = fd_pread_all(&d->env, d->fd, SUBJECT, f->buffer, n * sizeof(uint64_t), at[0]);
        if (!rc) rc = table_add(f, f->buffer, n);
        at[0] += n * sizeof(uint64_t);
    }
    return rc;
}

/* All hashes of the range go into the table: RSP_OK, FULL or a fault. */
static int pass(struct finder *f, uint64_t expected)
{
    struct part *p = &f->d->part[f->part];
    struct block *b = p->last;
    size_t n = b ? (size_t)(p->at - b->hashes) : 0;
    uint64_t batch = f->d->last_batch;
    int rc = RSP_OK;
    table_begin(&f->t, expected);
    for (; b && !rc; b = b->next, n = f->d->per_block) rc = table_add(f, b->hashes, n);
    for (uint64_t k = 0; k < f->d->batches && !rc; k++) rc = add_batch(f, batch, &batch);
    return rc;
}

/* How many hashes the partition has, repeats included. */
static int part_size(struct finder *f, uint64_t *total)
{
    struct rsp_dups *d = f->d;
    struct part *p = &d->part[f->part];
    uint64_t batch = d->last_batch;
    *total = 0;
    for (struct block *b = p->last; b; b = b->next)
        *total += b == p->last ? (uint64_t)(p->at - b->hashes) : d->per_block;
    for (uint64_t k = 0; k < d->batches; k++) {
        uint64_t before, at[2];
        int rc = fd_pread_all(&d->env, d->fd, SUBJECT, &before, sizeof before, batch);
        if (!rc) rc = fd_pread_all(&d->env, d->fd, SUBJECT, at, sizeof at, batch + (1 + f->part) * sizeof(uint64_t));
        if (rc) return rc;
        *total += (at[1] - at[0]) / sizeof(uint64_t);
        batch = before;
    }
    return RSP_OK;
}

static int search_part(struct finder *f)
{
    struct range todo[64]; /* each split adds one and the depth is 56 */
    size_t n = 1;
    uint64_t total;
    int rc = part_size(f, &total);
    if (rc || !total) return rc;
    todo[0] = (struct range){f->part, 8};
    while (n) {
        f->range = todo[--n];
        rc = pass(f, total >> (f->range.bits - 8));
        if (rc == RSP_OK) rc = tell(f);
        else if (rc == FULL) {
            uint64_t half = f->range.prefix << 1;
            unsigned bits = f->range.bits + 1;
            todo[n++] = (struct range){half | 1, bits};
            todo[n++] = (struct range){half, bits};
            continue;
        }
        if (rc) return rc;
    }
    return RSP_OK;
}

/* Slots, a power of two, that the budget leaves beside the blocks, as far as the hashes can need them. */
static size_t table_room(const struct rsp_dups *d)
{
    size_t held = sizeof *d + READ_HASHES * sizeof(uint64_t) + d->slab_count * d->block * SLAB_BLOCKS;
    size_t most = (d->budget > held ? d->budget - held : 0) / (sizeof(uint64_t) + sizeof(uint32_t));
    size_t room = LEAST_SLOTS;
    while (room <= most / 2 && room / 2 < d->count) room *= 2;
    return room;
}

static int table_make(struct finder *f)
{
    struct rsp_dups *d = f->d;
    f->t.room = table_room(d);
    if (d->batches && d->count / PARTS > f->t.room / 2) {
        /* Reading every partition twice costs more than writing the rest out as well. */
        int rc = dups_spill_all(d);
        if (rc) return rc;
        f->t.room = table_room(d);
    }
    f->t.keys = mem_alloc(&d->env, f->t.room * sizeof *f->t.keys);
    if (!f->t.keys) return RSP_ENOMEM;
    f->t.repeats = mem_zero(&d->env, f->t.room * sizeof *f->t.repeats);
    return f->t.repeats ? RSP_OK : RSP_ENOMEM;
}

static int search(struct finder *f)
{
    struct rsp_dups *d = f->d;
    int rc = table_make(f);
    if (rc) return rc;
    f->buffer = mem_alloc(&d->env, READ_HASHES * sizeof(uint64_t));
    if (!f->buffer) return RSP_ENOMEM;
    for (f->part = 0; f->part < PARTS && !rc; f->part++) rc = search_part(f);
    return rc;
}

int rsp_dups_find(struct rsp_dups *dups, int (*found)(void *ctx, uint64_t hash, uint64_t times), void *ctx)
{
    struct finder f;
    int rc;
    if (dups->dead) return fail(&dups->env, RSP_ESTATE, SUBJECT, "find after a fault");
    if (!dups->count) return RSP_OK;
    memset(&f, 0, sizeof f);
    f.d = dups;
    f.found = found;
    f.ctx = ctx;
    rc = search(&f);
    mem_free(&dups->env, f.buffer, READ_HASHES * sizeof(uint64_t));
    mem_free(&dups->env, f.t.repeats, f.t.room * sizeof *f.t.repeats);
    mem_free(&dups->env, f.t.keys, f.t.room * sizeof *f.t.keys);
    dups_clear(dups);
    return rc;
}
