/* What this is: the tree that an expression is parsed into.
 * Rests on: base/mem.h.
 * Does not: run anything. */
#ifndef MATCH_ERE_TREE_H
#define MATCH_ERE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include <respite/env.h>

enum ere_kind { ERE_EMPTY, ERE_SET, ERE_BEGIN, ERE_END, ERE_CAT, ERE_ALT, ERE_REPEAT };

#define ERE_NONE UINT32_MAX
#define ERE_NO_MAX UINT32_MAX

struct ere_node {
    uint8_t kind;
    uint32_t child; /* CAT: the last member; ALT: any; REPEAT: the only one */
    uint32_t next;  /* the sibling before it */
    uint32_t min, max;
    uint32_t states; /* how many it expands to, at least 1 */
    uint32_t depth;
    uint64_t set[4]; /* SET: the bytes that it takes */
};

struct ere_tree {
    const struct rsp_env *env;
    const char *subject;
    struct ere_node *node;
    size_t n, cap;
    uint32_t root;
};

int ere_parse(struct ere_tree *tree, const char *pattern, size_t n);
void ere_tree_free(struct ere_tree *tree);

static inline void ere_set_add(uint64_t set[4], unsigned byte)
{
    set[byte >> 6] |= 1ULL << (byte & 63);
}
static inline int ere_set_has(const uint64_t set[4], unsigned byte)
{
    return (int)(set[byte >> 6] >> (byte & 63) & 1);
}

#endif
