/* What this is: which keys of a database have been written already: an exact set in bounded memory.
 * Rests on: base/sip.h, io/fdio.h.
 * Does not: keep the keys.
 *
 * Why: SCAN gives a key again when the table is resized meanwhile, at any distance, and a dump that has a key twice
 * stops a server. A key counts as seen by 127 bits of SipHash under a random key: two keys that agree there (2^-127
 * for a pair) are beyond what anybody can make or meet. 16 bytes a key: in memory up to SEEN_MEMORY, then in a
 * nameless file of blocks, of which one is read, and perhaps written, for each key. A block is chosen by the hash's
 * upper bits, so that the file doubles by going through the old one in order. */
#ifndef REPL_SCAN_SEEN_H
#define REPL_SCAN_SEEN_H

#include "base/mem.h"
#include "base/sip.h"

#define SEEN_MEMORY ((size_t)16 << 20)
#define SEEN_BLOCK 4096u

struct seen {
    struct rsp_env env;
    const char *tmpdir;
    uint8_t secret[16];
    uint8_t *table; /* blocks, while they are in memory */
    uint64_t blocks, keys;
    size_t memory; /* what the table may have at most; SEEN_MEMORY */
    int fd;        /* the file; -1 */
    uint8_t *block;
};
int seen_init(struct seen *s, const struct rsp_env *env, const char *tmpdir);
/* Forgets everything; expect keys. */
int seen_begin(struct seen *s, uint64_t expect);
/* *fresh: 1 when it was not there; it is now. */
int seen_add(struct seen *s, struct rsp_span key, int *fresh);
void seen_free(struct seen *s);

#endif
