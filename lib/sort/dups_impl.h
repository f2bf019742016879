/* What this is: the shape of a set of hashes being searched for equal ones.
 * Rests on: respite/sys/dups.h.
 * Does not: leave this folder. */
#ifndef SORT_DUPS_IMPL_H
#define SORT_DUPS_IMPL_H

#include <respite/sys/dups.h>

#define PARTS 256
#define SLAB_BLOCKS 16
#define SUBJECT "temporary file"

struct block {
    struct block *next; /* the one filled before it, or the next free one */
    uint64_t hashes[];
};

struct slab {
    struct slab *next;
    uint64_t unused; /* keeps the blocks aligned */
};

struct part {
    uint64_t *at, *end; /* room in the last block */
    struct block *last;
};

struct batch_head {
    uint64_t before; /* offset of the batch before this one, when there is any */
    uint64_t start[PARTS + 1];
};

struct rsp_dups {
    struct part part[PARTS];
    struct rsp_env env;
    char *tmpdir;
    size_t budget, block, per_block;
    size_t slab_count, most_slabs;
    struct slab *slabs;
    struct block *free;
    uint64_t count;
    int dead;
    int fd; /* -1: nothing spilled yet */
    uint64_t file_end, last_batch, batches;
};

int dups_spill_all(struct rsp_dups *d); /* everything goes to the file, and memory is given back */
void dups_clear(struct rsp_dups *d);

#endif
