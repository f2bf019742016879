/* What this is: the hash templates that a file has defined so far (RDB 15).
 * Rests on: base/mem.h.
 * Does not: forget one before the feed is freed: workers may hold it. */
#ifndef RDB_TEMPLATES_H
#define RDB_TEMPLATES_H

#include <respite/sys/rdb_batch.h>

struct rdb_template {
    struct rdb_template *next;
    uint64_t id;
    size_t count;
    size_t bytes;            /* of this allocation */
    struct rsp_span *fields; /* count names, in the template's order */
};

int templates_new(const struct rsp_env *env, struct rsp_rdb_templates **ret);
/* Copies names. RSP_EFORMAT (no words) when the id is taken. One writer. */
int templates_add(struct rsp_rdb_templates *t, uint64_t id, const struct rsp_span *fields, size_t count);
/* NULL when there is none. From any thread. */
const struct rdb_template *templates_find(const struct rsp_rdb_templates *t, uint64_t id);
void templates_free(struct rsp_rdb_templates *t);

/* Fields of the template hash (types 29 to 32) that value reads: known with its first element. */
size_t templates_fields_of(const struct rsp_rdb_value *value);

#endif
