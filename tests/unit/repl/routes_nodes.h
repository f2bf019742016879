/* What this is: nodes of a cluster, just enough to be written to: each knows who owns which slot, answers MOVED, ASK and the
 *   like, hangs up when it is told, and notes what it has executed; and the map of them, in place of rsp_cluster_look.
 * Rests on: pthread; the program is linked with --wrap=rsp_cluster_look.
 * Does not: keep values. */
#ifndef TESTS_ROUTES_NODES_H
#define TESTS_ROUTES_NODES_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <respite/sys/filter.h>
#include <respite/sys/topology.h>

#include "base/mem.h"

#define NODES 4
#define NODE_ARGS 16
#define NODE_CONNECTIONS 64

struct node {
    int listener, run;
    uint32_t port;
    pthread_t thread;
    unsigned long seen, hang_at; /* writes; at that one it hangs up, executed or not */
    int executes_last, refuses;  /* refuses: takes no connections any more */
};
struct node_client {
    struct node *node;
    FILE *in, *out;
    pthread_t thread;
    int fd, asking, multi, bad; /* bad: a command of the transaction was refused */
    char *arg[NODE_ARGS];
    size_t argc;
    char queued[NODE_ARGS][96];
    size_t queued_n;
};
static struct {
    pthread_mutex_t lock;
    struct node node[NODES];
    struct node_client *clients[NODE_CONNECTIONS];
    size_t clients_n;
    int owner[RSP_SLOTS];     /* the truth */
    int shown[RSP_SLOTS];     /* what the map says; -1: as the truth */
    int importing[RSP_SLOTS]; /* -1, or who gets it: its keys are there */
    const char *says;         /* not NULL: instead of executing, as often as `times` says */
    int times, ping_pong, looks, not_ok;
    char done[1 << 20]; /* "node command key value\n" */
    size_t done_n;
} cluster = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int node_line(FILE *f, char first, long *n)
{
    char text[64];
    if (!fgets(text, sizeof text, f) || text[0] != first) return 0;
    *n = strtol(text + 1, NULL, 10);
    return 1;
}

static int node_command(struct node_client *c)
{
    long argc, n;
    for (; c->argc > 0; c->argc--) free(c->arg[c->argc - 1]);
    if (!node_line(c->in, '*', &argc) || argc < 1 || argc > NODE_ARGS) return 0;
    for (long i = 0; i < argc; i++) {
        if (!node_line(c->in, '$', &n)) return 0;
        c->arg[i] = malloc((size_t)n + 2);
        c->argc++;
        if (fread(c->arg[i], 1, (size_t)n + 2, c->in) != (size_t)n + 2) return 0;
        c->arg[i][n] = 0;
    }
    return 1;
}

static void node_note(int node, const char *line)
{
    int n = snprintf(cluster.done + cluster.done_n, sizeof cluster.done - cluster.done_n, "%d %s\n", node, line);
    if (n > 0 && cluster.done_n + (size_t)n < sizeof cluster.done) cluster.done_n += (size_t)n;
}

/* 1: it may be executed here; 0: say has the refusal. */
static int node_may(struct node_client *c, char say[128])
{
    int me = (int)(c->node - cluster.node);
    unsigned slot = rsp_key_slot((struct rsp_span){(const uint8_t *)c->arg[1], strlen(c->arg[1])});
    int owner = cluster.owner[slot], to = cluster.importing[slot];
    if (cluster.says && cluster.times > 0) {
        cluster.times--;
        snprintf(say, 128, "-%s\r\n", cluster.says);
        return 0;
    }
    if (cluster.ping_pong) snprintf(say, 128, "-MOVED %u 127.0.0.1:%u\r\n", slot, cluster.node[(me + 1) % 2].port);
    else if (owner == me && to >= 0) snprintf(say, 128, "-ASK %u 127.0.0.1:%u\r\n", slot, cluster.node[to].port);
    else if (owner == me || (to == me && c->asking)) return 1;
    else snprintf(say, 128, "-MOVED %u :%u\r\n", slot, cluster.node[owner].port); /* no host: the same */
    return 0;
}

/* 0: hangs up. */
static int node_write(struct node_client *c)
{
    int me = (int)(c->node - cluster.node), hangs = ++c->node->seen == c->node->hang_at;
    char say[128] = "", line[96];
    const char *value = c->argc > 2 ? c->arg[2] : "";
    if (hangs && !c->node->executes_last) return 0;
    if (!node_may(c, say)) {
        c->bad |= c->multi;
        fputs(say, c->out);
    } else {
        snprintf(line, sizeof line, "%s %.32s %.32s", c->arg[0], c->arg[1], value);
        if (c->multi && c->queued_n < NODE_ARGS) snprintf(c->queued[c->queued_n++], 96, "%s", line);
        else node_note(me, line);
        fputs(c->multi ? "+QUEUED\r\n" : !strcmp(c->arg[0], "EXISTS") ? ":0\r\n" : "+OK\r\n", c->out);
    }
    if (!c->multi) c->asking = 0;
    return !hangs;
}

static void node_exec(struct node_client *c)
{
    int me = (int)(c->node - cluster.node);
    if (c->bad) fputs("-EXECABORT Transaction discarded\r\n", c->out);
    else fprintf(c->out, "*%zu\r\n", c->queued_n);
    for (size_t i = 0; !c->bad && i < c->queued_n; i++) {
        node_note(me, c->queued[i]);
        fputs("+OK\r\n", c->out);
    }
    c->multi = c->bad = c->asking = 0;
    c->queued_n = 0;
}

static void node_info(struct node_client *c)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "# Server\r\nredis_version:7.0.15\r\nredis_mode:cluster\r\nrun_id:%039d%d\r\nrole:master\r\n"
                     "loading:0\r\n",
                     c->node->run, (int)(c->node - cluster.node));
    fprintf(c->out, "$%d\r\n%s\r\n", n, text);
}

static int node_answer(struct node_client *c)
{
    const char *w = c->arg[0];
    int go_on = 1;
    pthread_mutex_lock(&cluster.lock);
    if (!strcmp(w, "INFO")) node_info(c);
    else if (!strcmp(w, "ASKING")) c->asking = 1, fputs("+OK\r\n", c->out);
    else if (!strcmp(w, "MULTI")) c->multi = 1, fputs("+OK\r\n", c->out);
    else if (!strcmp(w, "EXEC")) node_exec(c);
    else if (c->argc > 1) go_on = node_write(c);
    else fputs("-ERR unknown command\r\n", c->out);
    pthread_mutex_unlock(&cluster.lock);
    fflush(c->out);
    return go_on;
}

static void *node_talk(void *arg)
{
    struct node_client *c = arg;
    while (node_command(c) && node_answer(c)) continue;
    shutdown(c->fd, SHUT_RDWR);
    return NULL;
}

static void *node_serve(void *arg)
{
    struct node *n = arg;
    for (;;) {
        int fd = accept(n->listener, NULL, NULL), on = 1;
        struct node_client *c;
        if (fd < 0) return NULL;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c = calloc(1, sizeof *c);
        c->node = n;
        c->fd = fd;
        c->in = fdopen(fd, "r");
        c->out = fdopen(dup(fd), "w");
        pthread_mutex_lock(&cluster.lock);
        if (n->refuses) shutdown(fd, SHUT_RDWR);
        if (cluster.clients_n == NODE_CONNECTIONS) abort();
        cluster.clients[cluster.clients_n++] = c;
        pthread_create(&c->thread, NULL, node_talk, c);
        pthread_mutex_unlock(&cluster.lock);
    }
}

static void nodes_start(int nodes)
{
    memset(cluster.node, 0, sizeof cluster.node);
    cluster.clients_n = cluster.done_n = 0;
    cluster.says = NULL;
    cluster.times = cluster.ping_pong = cluster.looks = cluster.not_ok = 0;
    for (int i = 0; i < RSP_SLOTS; i++) {
        cluster.owner[i] = i * nodes / RSP_SLOTS;
        cluster.shown[i] = cluster.importing[i] = -1;
    }
    for (int i = 0; i < NODES; i++) {
        struct node *n = &cluster.node[i];
        struct sockaddr_in a = {.sin_family = AF_INET};
        socklen_t size = sizeof a;
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        n->listener = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(n->listener, (struct sockaddr *)&a, sizeof a) || listen(n->listener, 16)) abort();
        getsockname(n->listener, (struct sockaddr *)&a, &size);
        n->port = ntohs(a.sin_port);
        pthread_create(&n->thread, NULL, node_serve, n);
    }
}

static void nodes_stop(void)
{
    for (int i = 0; i < NODES; i++) {
        shutdown(cluster.node[i].listener, SHUT_RDWR);
        pthread_join(cluster.node[i].thread, NULL);
        close(cluster.node[i].listener);
    }
    for (size_t i = 0; i < cluster.clients_n; i++) {
        struct node_client *c = cluster.clients[i];
        shutdown(c->fd, SHUT_RDWR);
        pthread_join(c->thread, NULL);
        for (; c->argc > 0; c->argc--) free(c->arg[c->argc - 1]);
        fclose(c->in);
        fclose(c->out);
        free(c);
    }
}

/* ---- the map ---- */

static int node_shown(int slot)
{
    return cluster.shown[slot] >= 0 ? cluster.shown[slot] : cluster.owner[slot];
}

static int fill_map(struct rsp_cluster_map *m)
{
    size_t index[NODES];
    for (int i = 0; i < NODES; i++) {
        struct rsp_cluster_shard *s = &m->shards[m->shards_n];
        int has = 0;
        for (int slot = 0; slot < RSP_SLOTS; slot++) has |= node_shown(slot) == i;
        index[i] = m->shards_n;
        if (!has) continue;
        s->nodes = calloc(1, sizeof *s->nodes);
        s->nodes_n = 1;
        snprintf(s->nodes->id, sizeof s->nodes->id, "%040d", i);
        snprintf(s->nodes->host, sizeof s->nodes->host, "127.0.0.1");
        s->nodes->port = cluster.node[i].port;
        s->nodes->primary = 1;
        m->shards_n++;
    }
    for (int slot = 0; slot < RSP_SLOTS; slot++) m->owner[slot] = (uint16_t)index[node_shown(slot)];
    return RSP_OK;
}

int __wrap_rsp_cluster_look(const struct rsp_env *e, const struct rsp_place *place, const struct rsp_server_options *o,
                            struct rsp_cluster_map **ret);
int __wrap_rsp_cluster_look(const struct rsp_env *e, const struct rsp_place *place, const struct rsp_server_options *o,
                            struct rsp_cluster_map **ret)
{
    struct rsp_cluster_map *m = calloc(1, sizeof *m);
    (void)e, (void)place, (void)o;
    pthread_mutex_lock(&cluster.lock);
    cluster.looks++;
    m->ok = cluster.not_ok-- <= 0;
    m->shards = calloc(NODES, sizeof *m->shards);
    fill_map(m);
    pthread_mutex_unlock(&cluster.lock);
    *ret = m;
    return RSP_OK;
}

void __wrap_rsp_cluster_map_free(const struct rsp_env *e, struct rsp_cluster_map *m);
void __wrap_rsp_cluster_map_free(const struct rsp_env *e, struct rsp_cluster_map *m)
{
    (void)e;
    for (size_t i = 0; m && i < m->shards_n; i++) free(m->shards[i].nodes);
    if (m) free(m->shards);
    free(m);
}

#endif
