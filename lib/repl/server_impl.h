/* What this is: a connection to a server from inside, for the parts of repl/ whose protocol is not command and reply.
 * Rests on: net/net.h, resp/resp.h, respite/sys/server.h.
 * Does not: leave lib/repl and lib/job. */
#ifndef REPL_SERVER_IMPL_H
#define REPL_SERVER_IMPL_H

#include <respite/sys/server.h>

#include "net/net.h"
#include "resp/resp.h"

#define SERVER_ANSWER_BYTES (64u << 20)     /* longest answer of a command that tells facts */
#define SERVER_TIME_MOST (INT64_C(1) << 52) /* ms: what waits longer waits for ever, and adds up all the same */
#define SERVER_REPLICAS 1024                /* of a master, that are remembered */

struct rsp_server {
    struct rsp_env env; /* with an error record in any case: spare, when the caller has none */
    struct rsp_error spare;
    struct rsp_endpoint endpoint; /* its texts are the caller's, but for own_host */
    char own_host[256];           /* of a server that another server named */
    char name[320];
    char user[128];
    volatile const int *cancel;
    struct net_conn *conn;
    struct resp_reader reader;
    int has_reader;
    int dead; /* the fault after which nothing can be asked any more */
    struct rsp_server_facts facts;
    struct buf info; /* INFO's reply */
    struct rsp_server_replica *replicas;
    size_t replicas_n, replicas_cap;
    struct rsp_server_right *rights;
    size_t rights_n;
};

/* The flag is set by a signal's handler or another thread. */
static inline int is_canceled(volatile const int *cancel)
{
    return cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED);
}

/* Its transport and its reader: whoever takes them over speaks through them alone from then on. */
struct net_conn *server_conn(struct rsp_server *s);
struct resp_reader *server_reader(struct rsp_server *s);
struct rsp_env *server_env(struct rsp_server *s);
volatile const int *server_cancel(const struct rsp_server *s);
int64_t server_idle_ms(const struct rsp_server *s);

/* Another server with the credentials and TLS settings of this one; host is copied. Other faults than those of
 * rsp_server_open: RSP_EINVAL when host is no host's name. */
int server_open_beside(struct rsp_server *s, const char *host, uint32_t port, int64_t connect_ms,
                       volatile const int *cancel, struct rsp_server **ret);

/* Commands that stand in out are sent; replies are read by the caller, one server_reply each. */
int server_send(struct rsp_server *s, const struct buf *out);
int server_reply(struct rsp_server *s, const struct rsp_reply **reply);
/* One command of words and its reply, an error reply too. */
int server_words(struct rsp_server *s, const char *words, const struct rsp_reply **reply);

/* The fault that an error reply means, with words: what was asked, the server's text, what to do. NOPERM and NOAUTH:
 * RSP_EDENIED and the rule ("ACL SETUSER bk +psync"); LOADING, BUSY, NOMASTERLINK, MASTERDOWN, TRYAGAIN, CLUSTERDOWN,
 * "failing over", "background save already in progress": RSP_EBUSY with error.retryable set; OOM: RSP_ENOSPACE; else
 * RSP_EDENIED. */
int server_refused(struct rsp_server *s, const char *what, struct rsp_span text);
/* What ACL SETUSER has to be told, of a NOPERM's text: "+config|get", "~*". */
void server_rule(const char *what, struct rsp_span text, char *out, size_t size);

/* Waits before the n-th try again (1, 2...): 0.2 s, doubled up to 5 s, with jitter; RSP_ECANCELED. */
int server_pause(const struct rsp_env *env, volatile const int *cancel, unsigned n);

/* ---- facts ---- */

/* INFO, and HELLO and ROLE where it does not tell: s->facts, s->info, s->replicas. */
int server_learn(struct rsp_server *s);
/* The facts that an INFO text tells; into s->facts and s->replicas, which are cleared before. */
int server_info_parse(struct rsp_server *s, const uint8_t *p, size_t n);
/* "7.0.15" as 70015; parts above 99 count as 99. 0: not a version. */
uint32_t server_version_n(const char *text);
/* The n-th element's text of an array, "" when it is none. */
struct rsp_span server_element(const struct rsp_reply *array, size_t i);
/* The value that stands behind name in a flat array of names and values; NULL: not there. */
const struct rsp_reply *server_member(const struct rsp_reply *array, const char *name);
int server_span_is(struct rsp_span span, const char *text);    /* but for case */
int server_span_has(struct rsp_span span, const char *needle); /* but for case */
/* Copies into a text; what does not fit is cut. */
void server_span_copy(char *out, size_t size, struct rsp_span span);

/* ---- rights ---- */

/* By ACL GETUSER's reply, of commands and their categories: allowed of each right (1, 0, -1). */
int server_getuser(struct rsp_server *s, struct rsp_server_right *rights, size_t n);

#endif
