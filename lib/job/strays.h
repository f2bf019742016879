/* What this is: keys of a shard's stream that are none of its slots: looked for by the check's own threads.
 * Rests on: respite/sys/rdb_run.h, sys/topology.h.
 * Does not: judge what they mean. */
#ifndef JOB_STRAYS_H
#define JOB_STRAYS_H

#include <pthread.h>

#include <respite/sys/rdb_run.h>
#include <respite/sys/topology.h>

struct strays {
    const uint8_t *slots; /* its own, bits; NULL: no cluster */
    pthread_mutex_t lock;
    uint64_t keys;
    unsigned slot;  /* of one of them */
    char first[80]; /* and its name */
};

void strays_init(struct strays *s);
/* For rsp_check_options.beside, the struct being its ctx. */
extern const struct rsp_rdb_run_ops strays_ops;
void strays_free(struct strays *s);

#endif
