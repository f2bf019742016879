/* What this is: the choice of the server to capture: the one given, one of its replicas, or its master.
 * Rests on: respite/sys/server.h.
 * Does not: start a capture; ask Sentinel or Cluster. */
#ifndef REPL_CHOOSE_H
#define REPL_CHOOSE_H

#include <respite/sys/server.h>

#define CHOOSE_LAG_S 10
#define CHOOSE_CONNECT_MS 3000
#define CHOOSE_TRIES 8 /* replicas that are asked */
#define CHOOSE_HOPS 4  /* from a replica up to its master */

/* role is an enum rsp_capture_role. *chosen may be given itself; else it is another handle, that the caller frees too.
 * why: "a replica of redis://a:6379, lag 0 s". RSP_ENOTFOUND or RSP_EBUSY: no replica (RSP_CAPTURE_REPLICA), or no
 * master that answers (RSP_CAPTURE_AT_MASTER); RSP_EINVAL: given is a Sentinel. */
int choose_server(const struct rsp_env *env, struct rsp_server *given, int role, volatile const int *cancel,
                  struct rsp_server **chosen, char *why, size_t why_n);

#endif
