/* What this is: a hash set of 16-byte rows in blocks, in memory or in a nameless file.
 * Rests on: scan_seen.h.
 * Does not: delete rows. */
#include "repl/scan_seen.h"

#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/fdio.h"

#define ROW 16u
#define ROWS (SEEN_BLOCK / ROW)
#define BLOCKS_MOST (UINT64_C(1) << 40)

static const char *const file_name = "temporary file of keys seen";

int seen_init(struct seen *s, const struct rsp_env *env, const char *tmpdir)
{
    memset(s, 0, sizeof *s);
    s->env = *env;
    s->tmpdir = tmpdir;
    s->fd = -1;
    s->memory = SEEN_MEMORY;
    if (env->random(env->random_opaque, s->secret, sizeof s->secret))
        return fail(env, RSP_EIO, NULL, "no randomness to be had");
    s->block = mem_alloc(env, SEEN_BLOCK);
    return s->block ? RSP_OK : RSP_ENOMEM;
}

static void drop(const struct seen *s, uint8_t *table, uint64_t blocks, int fd)
{
    mem_free(&s->env, table, (size_t)blocks * SEEN_BLOCK);
    if (fd >= 0) close(fd);
}

/* An empty table of that many blocks in place of what there is, which the caller has kept. */
static int make(struct seen *s, uint64_t blocks)
{
    s->table = NULL;
    s->fd = -1;
    s->blocks = 0;
    if (blocks > BLOCKS_MOST) return fail(&s->env, RSP_ELIMIT, NULL, "more keys than can be told apart");
    if (blocks <= s->memory / SEEN_BLOCK) {
        s->table = mem_zero(&s->env, (size_t)blocks * SEEN_BLOCK);
        if (!s->table) return RSP_ENOMEM;
    } else {
        uint8_t zero = 0;
        int rc = tmpfile_open(&s->env, s->tmpdir, &s->fd);
        if (!rc) rc = fd_pwrite_all(&s->env, s->fd, file_name, &zero, 1, blocks * SEEN_BLOCK - 1);
        if (rc) {
            drop(s, NULL, 0, s->fd);
            s->fd = -1;
            return rc;
        }
    }
    s->blocks = blocks;
    return RSP_OK;
}

static int show(struct seen *s, uint64_t at, uint8_t **block)
{
    *block = s->table ? s->table + at * SEEN_BLOCK : s->block;
    return s->table ? RSP_OK : fd_pread_all(&s->env, s->fd, file_name, s->block, SEEN_BLOCK, at * SEEN_BLOCK);
}

/* hash * blocks / 2^64: ascending hashes lie in ascending blocks, whatever their number. */
static uint64_t block_of(const struct seen *s, uint64_t hash)
{
    __extension__ unsigned __int128 product = (unsigned __int128)hash * s->blocks;
    return (uint64_t)(product >> 64);
}

static int put(struct seen *s, const uint8_t row[ROW], int *fresh)
{
    static const uint8_t empty[ROW];
    uint64_t at = block_of(s, load_le64(row));
    for (uint64_t tries = 0; tries < s->blocks; tries++) {
        uint8_t *b;
        int rc = show(s, at, &b);
        if (rc) return rc;
        for (unsigned i = 0; i < ROWS; i++) {
            uint8_t *have = b + i * ROW;
            if (!memcmp(have, row, ROW)) {
                *fresh = 0;
                return RSP_OK;
            }
            if (memcmp(have, empty, ROW) != 0) continue;
            *fresh = 1;
            memcpy(have, row, ROW);
            return s->table ? RSP_OK : fd_pwrite_all(&s->env, s->fd, file_name, row, ROW, at * SEEN_BLOCK + i * ROW);
        }
        at = at + 1 == s->blocks ? 0 : at + 1;
    }
    return fail(&s->env, RSP_ESTATE, NULL, "the table of keys seen is full");
}

/* Everything into a table of twice the size. */
static int grow(struct seen *s)
{
    static const uint8_t empty[ROW];
    struct seen old = *s;
    uint8_t *copy = mem_alloc(&s->env, SEEN_BLOCK);
    int rc = copy ? make(s, old.blocks * 2) : RSP_ENOMEM;
    for (uint64_t at = 0; !rc && at < old.blocks; at++) {
        uint8_t *b;
        rc = show(&old, at, &b);
        if (!rc) memcpy(copy, b, SEEN_BLOCK);
        for (unsigned i = 0; !rc && i < ROWS; i++) {
            int fresh;
            if (memcmp(copy + i * ROW, empty, ROW) != 0) rc = put(s, copy + i * ROW, &fresh);
        }
    }
    mem_free(&s->env, copy, SEEN_BLOCK);
    if (copy) drop(s, old.table, old.blocks, old.fd);
    return rc;
}

int seen_begin(struct seen *s, uint64_t expect)
{
    uint64_t blocks = 4;
    drop(s, s->table, s->blocks, s->fd);
    s->keys = 0;
    /* what a server promises reserves no more than memory: a file may be large, and a lie must not fill a disk */
    while (blocks < s->memory / SEEN_BLOCK && blocks * ROWS / 4 * 3 < expect) blocks *= 2;
    return make(s, blocks);
}

int seen_add(struct seen *s, struct rsp_span key, int *fresh)
{
    struct sip128 h = sip128_of(s->secret, key.p, key.n);
    uint8_t row[ROW];
    int rc = RSP_OK;
    store_le64(row, h.lo);
    store_le64(row + 8, h.hi | 1); /* never the empty row; 127 bits then */
    if (s->keys >= s->blocks * ROWS / 4 * 3) rc = grow(s);
    if (!rc) rc = put(s, row, fresh);
    if (!rc) s->keys += (uint64_t)*fresh;
    return rc;
}

void seen_free(struct seen *s)
{
    if (!s->block) return;
    drop(s, s->table, s->blocks, s->fd);
    mem_free(&s->env, s->block, SEEN_BLOCK);
    memset(s, 0, sizeof *s);
    s->fd = -1;
}
