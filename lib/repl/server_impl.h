/* What this is: a connection to a server from inside, for the parts of repl/ whose protocol is not command and reply.
 * Rests on: net/net.h, resp/resp.h, respite/sys/server.h.
 * Does not: leave lib/repl and lib/job. */
#ifndef REPL_SERVER_IMPL_H
#define REPL_SERVER_IMPL_H

#include <respite/sys/server.h>

#include "net/net.h"
#include "resp/resp.h"

#define SERVER_ANSWER_BYTES (64u << 20) /* longest answer of a command that tells facts */

/* Its transport and its reader: whoever takes them over speaks through them alone from then on. */
struct net_conn *server_conn(struct rsp_server *s);
struct resp_reader *server_reader(struct rsp_server *s);
struct rsp_env *server_env(struct rsp_server *s);
volatile const int *server_cancel(const struct rsp_server *s);
int64_t server_idle_ms(const struct rsp_server *s);

/* Commands that stand in out are sent; replies are read by the caller, one server_reply each. */
int server_send(struct rsp_server *s, const struct buf *out);
int server_reply(struct rsp_server *s, const struct rsp_reply **reply);

/* The fault that an error reply means, with words: what was asked, the server's text, what to do. NOPERM and NOAUTH:
 * RSP_EDENIED and the rule ("ACL SETUSER bk +psync"); LOADING, BUSY, NOMASTERLINK, MASTERDOWN, TRYAGAIN, "failing over",
 * "background save already in progress": RSP_EBUSY with error.retryable set; OOM: RSP_ENOSPACE; else RSP_EDENIED. */
int server_refused(struct rsp_server *s, const char *what, struct rsp_span text);

/* Waits before the n-th try again (1, 2...): 0.2 s, doubled up to 5 s, with jitter; RSP_ECANCELED. */
int server_pause(const struct rsp_env *env, volatile const int *cancel, unsigned n);

#endif
