/* What this is: the primaries that a dataset is written to, each with a connection and a pipe; in a cluster each command
 *   goes to the owner of its slot, and redirections are followed.
 * Rests on: pipe.h, respite/sys/topology.h.
 * Does not: know what commands do: who puts one says of which slot it is and whether it may be executed twice.
 *
 * Order: the commands of one key are executed as they were put. When something is redirected (MOVED, ASK, TRYAGAIN,
 * CLUSTERDOWN, LOADING), nothing more is put before that pipe has been drained, and what was redirected was sent again, in
 * its order, and answered. A put of several commands goes again from the first that was not executed; one that begins with
 * MULTI, which is executed whole or not at all, as a whole.
 *
 * A primary whose connection is lost: the cluster is looked at until somebody who answers owns its slots (up to the
 * patience). What was sent and not answered may have been executed or not: what does no harm twice is sent again (its note
 * says so: again), of the rest `gone` is told, and it is not sent any more. What was answered may be lost, too, when another
 * server has taken over or the old one was started again: routes_again tells of which slots that is. */
#ifndef REPL_ROUTES_H
#define REPL_ROUTES_H

#include <limits.h>

#include <respite/sys/topology.h>

#include "repl/pipe.h"

#define ROUTES_BYTES (8u << 20) /* kept, of all pipes of a cluster together */
#define ROUTES_NO_SLOT UINT16_MAX
#define ROUTES_PROBE UINT_MAX /* note.kind of a question of our own */
#define ROUTES_ASKING "*1\r\n$6\r\nASKING\r\n"
#define ROUTES_ASKING_BYTES (sizeof ROUTES_ASKING - 1)

enum routes_asking { ROUTES_ASKING_NO = 0, ROUTES_ASKING_ONCE = 1, ROUTES_ASKING_EACH = 2 };

/* Told of a put that was not answered and is not sent again. */
typedef int routes_gone(void *ctx, const struct pipe_note *note);

struct routes_node {
    struct rsp_server *server;
    struct pipe *pipe;
    struct routes *routes;
    char id[41], host[256], run_id[48];
    char lost_words[160]; /* why its connection is lost */
    uint32_t port;
    uint64_t calls; /* commands that it executed for us */
    int lost;       /* the fault that ended its connection */
    int used;       /* it owns slots */
    /* of the put whose replies come: */
    uint32_t stopped; /* index + 1 of the first command that was redirected */
    int disorder;     /* one behind it was executed */
    int ask_at;       /* it was ASK: the node's index; -1 */
};

struct routes_redo { /* what has to be sent again: its bytes follow in `bytes` */
    struct pipe_note note;
    size_t n;
    uint32_t replies;
    int ask_at; /* to that node, with ASKING; -1: to the slot's owner */
    size_t at;  /* where its bytes begin */
};

struct routes {
    struct rsp_env env; /* of the servers; with a record in any case */
    struct rsp_error spare;
    const struct rsp_place *place;
    struct rsp_place known; /* the place, with the nodes that were seen last as further seeds */
    volatile const int *cancel;
    int64_t patience_ms;
    int cluster, started;
    struct routes_node **nodes;
    size_t nodes_n;
    uint16_t owner[RSP_SLOTS];
    struct rsp_cluster_map *map;
    char hosts[RSP_SEEDS_MAX][256];
    pipe_told *told;
    routes_gone *gone;
    void *ctx;
    int fault;       /* of told or gone: it ends everything */
    int trouble;     /* a node is lost, or something was redirected */
    int look;        /* the map is not right any more */
    int wait;        /* what was redirected must wait a little */
    struct buf redo; /* struct routes_redo */
    struct buf bytes, scratch, polls;
    /* the command in pieces, and who was found to take it */
    struct routes_node *piece, *probed;
    int piece_gone, probed_asking;
    uint8_t again[RSP_SLOTS / 8], replaced[RSP_SLOTS / 8];
    const uint8_t *need; /* slots that must have an owner; NULL: not known */
    unsigned lost;       /* connections */
    int redirected;      /* something was, ever */
    uint64_t sent;       /* by pipes that are closed */
};

/* Finds and opens the primaries: a server, Sentinel's master, or all of a cluster, which must own all slots and be well.
 * place is borrowed. Faults as of rsp_server_open, rsp_sentinel_find and rsp_cluster_look; RSP_EBUSY: the cluster is not
 * well, and what is wrong. */
int routes_open(const struct rsp_env *env, const struct rsp_place *place, volatile const int *cancel,
                int64_t patience_ms, struct routes **ret);
size_t routes_n(const struct routes *r); /* that own slots */
struct routes_node *routes_node(const struct routes *r, size_t i);
struct rsp_server *routes_server(const struct routes *r, size_t i);
/* Slots (bits) that commands will be put for: RSP_EBUSY when one has no owner. Borrowed. */
int routes_need(struct routes *r, const uint8_t *slots);
/* Commands can be put from here to routes_stop; in between the servers are not to be asked. */
int routes_start(struct routes *r, pipe_told *told, routes_gone *gone, void *ctx);
void routes_stop(struct routes *r);
/* As pipe_put. slot is not looked at where there is no cluster. */
int routes_put(struct routes *r, const struct pipe_note *note, unsigned slot, const void *bytes, size_t n,
               uint32_t replies);
/* The same to every primary; note.index is the primary's. All is answered when it returns. */
int routes_put_each(struct routes *r, const struct pipe_note *note, const void *bytes, size_t n, uint32_t replies);
int routes_flush(struct routes *r);
int routes_poll(struct routes *r);
int routes_drain(struct routes *r);
/* What is answered when records up to `put` were put: the least `from` that is not, else put. */
uint64_t routes_done(const struct routes *r, uint64_t put);
uint64_t routes_sent_bytes(const struct routes *r);
/* 1: what was written of that slot may be lost. routes_mark_again says so. */
int routes_again(const struct routes *r, unsigned slot);
void routes_mark_again(struct routes *r, unsigned slot);
/* 1: another server has taken over, or the old one was started again. Never forgotten. */
int routes_replaced(const struct routes *r, unsigned slot);
/* Forgets what is to be written again. Returns whether there was any. */
int routes_take_again(struct routes *r, uint8_t slots[RSP_SLOTS / 8]);
void routes_free(struct routes *r);

/* ---- inside ---- */

int routes_look(struct routes *r, int64_t until_ms); /* routes_map.c: the map and the nodes anew */
/* A node by its address; -1: not known. routes_add: it is, afterwards; it may have no connection yet. */
int routes_find(const struct routes *r, const char *host, uint32_t port);
int routes_add(struct routes *r, const char *id, const char *host, uint32_t port, size_t *index);
int routes_connect(struct routes_node *x);
int64_t routes_now(void);
int routes_pipe(struct routes_node *x); /* a pipe on its connection */
void routes_close(struct routes_node *x);
int routes_settle(struct routes *r); /* routes_redo.c */
int routes_collect(struct routes_node *x, const struct pipe_put *put, uint32_t from_command, int ask_at);
int routes_told(void *ctx, const struct pipe_note *note, const struct pipe_reply *reply); /* routes_told.c */
/* The same put is waiting to be sent again, or one before it of its key. */
int routes_waits(const struct routes *r, const struct pipe_note *note);
/* A fault of a pipe: RSP_OK when it only means that the node is lost. */
int routes_broke(struct routes_node *x, int rc);
int routes_gone_put(struct routes *r, const struct pipe_note *note);

#endif
