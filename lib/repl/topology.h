/* What this is: what looking for a master and looking at a cluster share: endpoints of who is asked, and faults that are a
 *   reason to ask another.
 * Rests on: respite/sys/topology.h, server_impl.h.
 * Does not: leave lib/repl. */
#ifndef REPL_TOPOLOGY_H
#define REPL_TOPOLOGY_H

#include <respite/sys/topology.h>

#include "repl/server_impl.h"

#define LOOK_CONNECT_MS 3000 /* unless the caller says how long connecting may take */
#define LOOK_IDLE_MS 10000   /* a server that hangs is passed over */

/* Servers that are only looked at: their faults are a reason, and not a fault of the look. */
struct look {
    struct rsp_env env;  /* the caller's: for the fault that the look ends with */
    struct rsp_env mine; /* with a record of its own */
    struct rsp_error words;
    volatile const int *cancel;
    int64_t until;  /* of sync_clock_ms: patience ends there */
    char last[256]; /* the last reason, for words */
    int fault;      /* and its status */
    char best[256]; /* of those that were kept the one that tells most */
    int best_fault;
};

/* A look stays where it was begun. */
void look_begin(struct look *k, const struct rsp_env *env, const struct rsp_server_options *options);
/* The fault of a server that was asked as a reason: k->last, k->fault, the record cleared; RSP_AGAIN. RSP_ENOMEM and
 * RSP_ECANCELED go on as they are, with their words in the caller's record. */
int look_reason(struct look *k, int rc, const char *name);
/* A reason in words. */
void look_say(struct look *k, int status, const char *format, ...) RSP_PRINTF(3, 4);
/* Several are asked: the last reason is kept when it tells more than those before, and is the last one again. One that is
 * not there tells less than one that answers and refuses. */
void look_forget(struct look *k);
void look_keep(struct look *k);
void look_best(struct look *k);
/* RSP_OK: patience is left, and some time has gone by; RSP_END: it is over; RSP_ECANCELED. */
int look_wait(struct look *k, unsigned tries);
/* Times for somebody who is only looked at. */
void look_times(struct rsp_endpoint *endpoint);
/* "[::1]:7000" */
void look_host_port(const char *host, uint32_t port, char *out, size_t size);
/* A host that a server names: 1 to 255 bytes that a host's name or an address may have. 0: it is none, out is empty. */
int look_host(struct rsp_span text, char out[256]);

#endif
