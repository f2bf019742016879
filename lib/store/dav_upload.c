/* What this is: publication in a WebDAV store: PUT under a name that no object has, then MOVE without overwriting.
 * Rests on: dav_impl.h, sys/spool.h, io/fdio.h.
 * Does not: replace an object, but for repairs. */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <respite/sys/spool.h>

#include "base/mem.h"
#include "io/fdio.h"
#include "store/dav_impl.h"

#define LEAF_KEPT 200             /* of the object's name in the temporary one */
#define SLICE ((size_t)128 << 10) /* written at once */
#define YIELDS 100
#define ROUNDS 3 /* of sending it all again, when the collection was removed with what was in it */

/* It neither begins with a dot (servers hide such names, or are told to refuse them) nor ends in ".part" (some reserve
 * that), and the tilde is in no object's name. */
static const char part_word[] = ".respite.part~";

static struct dav_store *store_of(struct dav_upload *u)
{
    return (struct dav_store *)u->u.store;
}

/* A server that copies between file systems may leave it with a number at its end. */
int dav_is_part(const char *name)
{
    const char *word = strstr(name, part_word), *at;
    if (!word || word == name) return 0;
    at = word + sizeof part_word - 1;
    if (strspn(at, "0123456789abcdef") != 8) return 0;
    at += 8;
    if (*at == '.' && at[1]) at += 1 + strspn(at + 1, "0123456789");
    return !*at;
}

/* The two names and their URLs. */
static int name_both(struct dav_upload *u)
{
    struct dav_store *d = store_of(u);
    const char *slash = strrchr(u->name, '/'), *leaf = slash ? slash + 1 : u->name;
    char hex[9] = "";
    int rc = random_hex8(&d->s.env, hex);
    if (rc) return rc;
    snprintf(u->part, sizeof u->part, "%.*s%.*s%s%s", (int)(leaf - u->name), u->name, LEAF_KEPT, leaf, part_word, hex);
    u->from.n = u->to.n = 0;
    rc = dav_url(d, u->part, &u->from);
    return rc ? rc : dav_url(d, u->name, &u->to);
}

int dav_begin(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret)
{
    struct dav_store *d = (struct dav_store *)s;
    struct dav_upload *u = mem_zero(&s->env, sizeof *u);
    pthread_condattr_t attr;
    int rc;
    if (!u) return RSP_ENOMEM;
    u->u.store = s;
    u->u.bytes = sizeof *u;
    u->replace = replace;
    snprintf(u->name, sizeof u->name, "%s", name);
    u->spool_env = u->env = s->env;
    u->spool_env.error = &u->spool_words;
    u->env.error = &u->words;
    buf_init(&u->from, &s->env);
    buf_init(&u->to, &s->env);
    pthread_mutex_init(&u->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&u->change, &attr);
    pthread_condattr_destroy(&attr);
    rc = name_both(u);
    if (!rc) {
        rc = rsp_spool_new(&u->spool_env, d->tmpdir, d->part_bytes, &u->spool);
        if (rc && s->env.error && !s->env.error->code) *s->env.error = u->spool_words;
    }
    if (!rc) *ret = &u->u;
    else dav_drop(&u->u);
    return rc;
}

static int fault_of(struct dav_upload *u, const struct rsp_error *words, int rc)
{
    const struct rsp_env *env = &u->u.store->env;
    if (env->error && !env->error->code) *env->error = *words;
    return rc;
}

/* A mutex is not fair: without a step back the thread would come to its bytes only when all are written. */
static int write_some(struct dav_upload *u, const uint8_t *p, size_t n)
{
    int rc, failed;
    pthread_mutex_lock(&u->lock);
    failed = u->ended ? u->status : RSP_OK;
    rc = failed ? RSP_OK : rsp_spool_write(u->spool, p, n);
    if (!rc && !failed) u->written += n;
    if (u->started) pthread_cond_signal(&u->change);
    pthread_mutex_unlock(&u->lock);
    for (int i = 0; i < YIELDS && atomic_load(&u->waiting); i++) sched_yield();
    if (failed) return fault_of(u, &u->words, failed);
    return rc ? fault_of(u, &u->spool_words, rc) : RSP_OK;
}

int dav_write(struct rsp_upload *upload, const void *p, size_t n)
{
    struct dav_upload *u = (struct dav_upload *)upload;
    struct dav_store *d = store_of(u);
    const uint8_t *at = p;
    int rc = RSP_OK;
    while (n && !rc) {
        size_t k = n < SLICE ? n : SLICE;
        rc = write_some(u, at, k);
        at += k;
        n -= k;
    }
    if (rc) return rc;
    if (dav_cancelled(d)) return fail(&d->s.env, RSP_ECANCELED, u->name, "cancelled");
    if (u->started || u->ended || u->written <= d->part_bytes || d->lane_taken) return RSP_OK;
    rc = dav_folders(d, &d->s.env, u->name);
    if (!rc) dav_stream(u);
    return rc;
}

/* A body of unknown length may have become an empty one on its way through old proxies. */
static int check_sent(struct dav_upload *u)
{
    struct rsp_store_item item = {0};
    struct rsp_env quiet = u->u.store->env;
    int rc;
    if (!u->sent) return RSP_OK;
    quiet.error = NULL;
    rc = dav_look(u->u.store, &quiet, u->part, &item);
    if (rc || item.bytes != u->written) u->sent = 0;
    return RSP_OK;
}

/* Was it moved by a request whose answer was lost? Then it has its name, and its other name is gone. */
static int has_arrived(struct dav_upload *u)
{
    struct rsp_store_item item = {0};
    struct rsp_env quiet = u->u.store->env;
    quiet.error = NULL;
    return dav_look(u->u.store, &quiet, u->part, &item) == RSP_ENOTFOUND &&
           dav_look(u->u.store, &quiet, u->name, &item) == RSP_OK && item.bytes == u->written;
}

static void remove_part(struct dav_upload *u, struct net_client *client)
{
    struct dav_store *d = store_of(u);
    struct rsp_env quiet = d->s.env;
    struct http_field depth = {"Depth", "0"};
    struct http_request q = {.method = "DELETE", .url = (const char *)u->from.p, .fields = &depth, .fields_n = 1};
    struct http_reply r;
    quiet.error = NULL;
    q.user = d->user;
    q.password = d->password;
    http_reply_init(&r, &quiet);
    (void)http_exchange(client, &quiet, &q, &r); /* what stays is found among the leftovers */
    http_reply_free(&r);
    u->begun = 0;
}

static int is_taken(struct dav_upload *u)
{
    struct dav_store *d = store_of(u);
    pthread_mutex_lock(&d->lock);
    d->refuses_second = 1;
    pthread_mutex_unlock(&d->lock);
    remove_part(u, d->client);
    return dav_fail(d, &d->s.env, RSP_EEXIST, (const char *)u->to.p, "exists already");
}

/* RSP_END: what was sent is not there any more, nor is it under its new name. */
static int move(struct dav_upload *u)
{
    struct dav_store *d = store_of(u);
    struct http_field fields[] = {{"Destination", (const char *)u->to.p}, {"Overwrite", u->replace ? "T" : "F"}};
    struct http_request q = {.method = "MOVE", .url = (const char *)u->from.p, .fields = fields, .fields_n = 2};
    struct http_reply r;
    int again = 0, rc, gone;
    http_reply_init(&r, &d->s.env);
    rc = dav_exchange(d, &d->s.env, &q, &r, &again);
    u->dead_net = rc == RSP_ENET || rc == RSP_ETIMEOUT;
    gone = r.status == 404 || r.status == 409 || r.status == 410;
    if (rc || r.status == 200 || r.status == 201 || r.status == 204) goto out;
    if (again && (gone || r.status == 412) && has_arrived(u)) goto out;
    if (gone) rc = RSP_END;
    else if (r.status == 412 && !u->replace) rc = is_taken(u);
    else rc = dav_fault(d, &d->s.env, &q, &r);
out:
    http_reply_free(&r);
    return rc;
}

int dav_commit(struct rsp_upload *upload)
{
    struct dav_upload *u = (struct dav_upload *)upload;
    struct dav_store *d = store_of(u);
    int streamed = u->started, rc = dav_stream_end(u, 0);
    if (!rc) rc = u->status;
    if (rc) return dav_cancelled(d) ? fail(&d->s.env, RSP_ECANCELED, u->name, "cancelled") : fault_of(u, &u->words, rc);
    if (streamed) rc = check_sent(u);
    for (int i = 0; !rc && i < ROUNDS; i++) {
        if (!u->sent) rc = dav_send(u);
        if (!rc) rc = move(u);
        if (rc != RSP_END) break;
        u->sent = 0;
        rc = i + 1 < ROUNDS ? RSP_OK
                            : dav_fail(d, &d->s.env, RSP_EIO, (const char *)u->to.p,
                                       "MOVE: 404: what was sent is gone again and again");
        dav_folders_forget(d);
    }
    if (!rc) upload->state = 1;
    return rc;
}

void dav_drop(struct rsp_upload *upload)
{
    struct dav_upload *u = (struct dav_upload *)upload;
    struct dav_store *d = store_of(u);
    (void)dav_stream_end(u, 1);
    if (upload->state != 1 && u->begun && !u->dead_net) remove_part(u, d->last);
    rsp_spool_free(u->spool);
    pthread_cond_destroy(&u->change);
    pthread_mutex_destroy(&u->lock);
    buf_free(&u->from);
    buf_free(&u->to);
    mem_free(&d->s.env, u, upload->bytes);
}
