/* What this is: what the files of `backupd check` share: a point that was looked at, and its verdict.
 * Rests on: context.h, cli/connection.h.
 * Does not: know what is looked at. */
#ifndef BACKUPD_CHECK_H
#define BACKUPD_CHECK_H

#include "backupd/context.h"
#include "cli/connection.h"

/* What a shard's capture would take. */
struct check_taken {
    char place[320]; /* "": nothing */
    struct rsp_server_facts facts;
};
struct check {
    struct context *c;
    struct json *j;
    int findings;
    struct connection connection;
    struct rsp_server *server; /* NULL: none was named, or a cluster */
    struct check_taken taken;  /* by the last check_whom */
    const char *node;          /* "10.0.0.1:7000: " before rights; NULL: there is but one server */
    int quiet;                 /* 1: nothing is said of what is good; 2: nor are notes */
    size_t said;               /* points so far */
    /* of a place that had to be looked for (check_place.c) */
    struct rsp_sentinel_found found;
    unsigned answered;           /* sentinels */
    char why_not[512];           /* it is there, and cannot be used now */
    struct rsp_cluster_map *map; /* NULL: no cluster */
    struct check_taken *shards;  /* one for each of the map's */
};

/* RISK: a set-up that works, and should be chosen with open eyes; BAD: a finding. */
enum level { GOOD, NOTE, RISK, BAD };

void check_say(struct check *k, enum level level, const char *what, const char *format, ...) RSP_PRINTF(4, 5);
/* Nothing that ends the run: the next point is looked at all the same. */
void check_fault(struct check *k, int rc, const char *what, const char *words);

/* Connects to the server, or looks for the place, that operand, options or configuration name, if any. -1, or the exit
 * status after words. */
int check_server_open(struct check *k);
/* How it sees us, and what a capture would do to it. */
void check_server(struct check *k);
/* The rights, and what its configuration says of replicas (check_capture.c). */
void check_capture(struct check *k);
void check_server_close(struct check *k);
/* Whom a capture would take: k->taken. */
void check_whom(struct check *k, const struct rsp_server_facts *f);
void check_user(struct check *k);
void check_memory(struct check *k, const struct rsp_server_facts *f);
void check_sync(struct check *k, const struct rsp_server_facts *f); /* output buffer, diskless, timeouts */
/* Those of k->server; only_needed: nothing is said of the purposes that this configuration has not. */
void check_rules(struct check *k, int only_needed);

/* The connection names a Sentinel's master or a cluster: looks for it; k->server is the master. As check_server_open. */
int check_place_open(struct check *k, const struct rsp_server_options *options);
/* What the sentinels, or the cluster's nodes, say (check_place.c, check_cluster.c). */
void check_sentinels(struct check *k);
void check_cluster(struct check *k);
void check_place_json(const struct check *k, struct json *j);
void check_place_close(struct check *k);

#endif
