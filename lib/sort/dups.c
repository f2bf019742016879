/* What this is: finding equal 64-bit hashes within a memory budget: 256 partitions by the top
 *   byte, written through small blocks; each partition then goes through a hash table.
 * Rests on: respite/sys/dups.h, sort/dups_impl.h, io/fdio.h.
 * Does not: find anything itself: dups_find.c does. */
#include "sort/dups_impl.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fdio.h"

#define LEAST_BUDGET ((size_t)1 << 20)
#define LEAST_BLOCK ((size_t)1 << 10)
#define MOST_BLOCK ((size_t)4 << 10)

int rsp_dups_new(const struct rsp_env *env, const char *tmpdir, size_t memory_bytes, struct rsp_dups **ret)
{
    struct rsp_env e;
    struct rsp_dups *d;
    *ret = NULL;
    env_init(&e, env);
    d = mem_zero(&e, sizeof *d);
    if (!d) return RSP_ENOMEM;
    d->env = e;
    d->fd = -1;
    d->budget = memory_bytes < LEAST_BUDGET ? LEAST_BUDGET : memory_bytes;
    d->block = LEAST_BLOCK;
    while (d->block < MOST_BLOCK && d->block < d->budget >> 10) d->block *= 2;
    d->per_block = (d->block - sizeof(struct block)) / sizeof(uint64_t);
    d->most_slabs = d->budget / 4 * 3 / (d->block * SLAB_BLOCKS);
    if (tmpdir) {
        d->tmpdir = mem_strdup(&e, tmpdir);
        if (!d->tmpdir) {
            mem_free(&e, d, sizeof *d);
            return RSP_ENOMEM;
        }
    }
    *ret = d;
    return RSP_OK;
}

static void free_slabs(struct rsp_dups *d)
{
    while (d->slabs) {
        struct slab *s = d->slabs;
        d->slabs = s->next;
        mem_free(&d->env, s, sizeof *s + d->block * SLAB_BLOCKS);
    }
    d->slab_count = 0;
    d->free = NULL;
    memset(d->part, 0, sizeof d->part);
}

static int new_slab(struct rsp_dups *d)
{
    struct slab *s = mem_alloc(&d->env, sizeof *s + d->block * SLAB_BLOCKS);
    uint8_t *p;
    if (!s) return RSP_ENOMEM;
    p = (uint8_t *)(s + 1);
    s->next = d->slabs;
    d->slabs = s;
    d->slab_count++;
    for (size_t i = 0; i < SLAB_BLOCKS; i++, p += d->block) {
        struct block *b = (struct block *)(void *)p;
        b->next = d->free;
        d->free = b;
    }
    return RSP_OK;
}

/* Hashes of partition p in the file's batch being written, and its blocks given back. */
static int spill_part(struct rsp_dups *d, struct part *p, uint64_t *offset)
{
    struct block *b = p->last;
    size_t n = b ? (size_t)(p->at - b->hashes) : 0;
    while (b) {
        struct block *before = b->next;
        int rc = fd_pwrite_all(&d->env, d->fd, SUBJECT, b->hashes, n * sizeof(uint64_t), *offset);
        if (rc) return rc;
        *offset += n * sizeof(uint64_t);
        b->next = d->free;
        d->free = b;
        b = before;
        n = d->per_block; /* all but the last are full */
    }
    p->last = NULL;
    p->at = p->end = NULL;
    return RSP_OK;
}

/* A batch in the file: the offset of the batch before it, where each partition begins (257
 * offsets), then the hashes. So memory does not grow with the number of batches. */
static int spill(struct rsp_dups *d)
{
    struct batch_head head;
    uint64_t offset = d->file_end + sizeof head;
    int rc = RSP_OK;
    if (d->fd < 0) rc = tmpfile_open(&d->env, d->tmpdir, &d->fd);
    if (rc) return rc;
    head.before = d->last_batch;
    for (size_t i = 0; i < PARTS; i++) {
        head.start[i] = offset;
        rc = spill_part(d, &d->part[i], &offset);
        if (rc) return rc;
    }
    head.start[PARTS] = offset;
    rc = fd_pwrite_all(&d->env, d->fd, SUBJECT, &head, sizeof head, d->file_end);
    if (rc) return rc;
    d->last_batch = d->file_end;
    d->batches++;
    d->file_end = offset;
    return RSP_OK;
}

int dups_spill_all(struct rsp_dups *d)
{
    int rc = spill(d);
    if (!rc) free_slabs(d);
    return rc;
}

/* Gives partition p a new block. */
static int more(struct rsp_dups *d, struct part *p)
{
    struct block *b;
    int rc = RSP_OK;
    if (!d->free) rc = d->slab_count < d->most_slabs ? new_slab(d) : spill(d);
    if (rc) return rc;
    b = d->free;
    d->free = b->next;
    b->next = p->last; /* NULL too when a spill has just emptied it */
    p->last = b;
    p->at = b->hashes;
    p->end = b->hashes + d->per_block;
    return RSP_OK;
}

int rsp_dups_add(struct rsp_dups *dups, const uint64_t *hashes, size_t count)
{
    struct rsp_dups *d = dups;
    if (d->dead) return fail(&d->env, RSP_ESTATE, SUBJECT, "add after a fault");
    for (size_t i = 0; i < count; i++) {
        uint64_t h = hashes[i];
        struct part *p = &d->part[h >> 56];
        if (p->at == p->end) {
            int rc = more(d, p);
            if (rc) {
                d->dead = 1;
                return rc;
            }
        }
        *p->at++ = h;
    }
    d->count += count;
    return RSP_OK;
}

void dups_clear(struct rsp_dups *d)
{
    free_slabs(d);
    d->count = 0;
    d->file_end = d->last_batch = d->batches = 0;
    if (d->fd >= 0 && ftruncate(d->fd, 0)) {
        close(d->fd); /* then its space is given back so */
        d->fd = -1;
    }
}

uint64_t rsp_dups_count(const struct rsp_dups *dups)
{
    return dups->count;
}

void rsp_dups_free(struct rsp_dups *dups)
{
    struct rsp_env env;
    if (!dups) return;
    env = dups->env;
    free_slabs(dups);
    if (dups->fd >= 0) close(dups->fd);
    if (dups->tmpdir) mem_free(&env, dups->tmpdir, strlen(dups->tmpdir) + 1);
    mem_free(&env, dups, sizeof *dups);
}
