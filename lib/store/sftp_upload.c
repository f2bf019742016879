/* What this is: uploads to an SFTP server: while one part goes out, the next is filled.
 * Rests on: sftp_impl.h.
 * Does not: know how a part gets there (sftp_part.c), or the whole its name (sftp_publish.c). */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/sftp_impl.h"

/* A thread that sends u->sending whenever it is told to. Its words are its own until they are asked for. */
struct sftp_sender {
    struct sftp_upload *u;
    struct rsp_env env;
    struct rsp_error words;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t turn;
    int busy, stop, rc;
};

static void *run(void *arg)
{
    struct sftp_sender *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        int rc;
        while (!s->busy && !s->stop) pthread_cond_wait(&s->turn, &s->lock);
        if (!s->busy) break;
        pthread_mutex_unlock(&s->lock);
        rc = sftp_part_send(s->u, &s->env, &s->u->sending);
        pthread_mutex_lock(&s->lock);
        s->rc = rc;
        s->busy = 0;
        pthread_cond_broadcast(&s->turn);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static int start(struct sftp_upload *u)
{
    const struct rsp_env *env = &u->u.store->env;
    struct sftp_sender *s = mem_zero(env, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->u = u;
    s->env = *env;
    s->env.error = &s->words;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->turn, NULL);
    if (pthread_create(&s->thread, NULL, run, s)) {
        pthread_cond_destroy(&s->turn);
        pthread_mutex_destroy(&s->lock);
        mem_free(env, s, sizeof *s);
        return fail(env, RSP_ENOMEM, NULL, "cannot start a thread");
    }
    u->sender = s;
    return RSP_OK;
}

static void stop(struct sftp_upload *u)
{
    struct sftp_sender *s = u->sender;
    if (!s) return;
    pthread_mutex_lock(&s->lock);
    s->stop = 1;
    pthread_cond_broadcast(&s->turn);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->turn);
    pthread_mutex_destroy(&s->lock);
    mem_free(&u->u.store->env, s, sizeof *s);
    u->sender = NULL;
}

int sftp_upload_idle(struct sftp_upload *u)
{
    struct rsp_error *e = u->u.store->env.error;
    struct sftp_sender *s = u->sender;
    int rc;
    if (!s) return RSP_OK;
    pthread_mutex_lock(&s->lock);
    while (s->busy) pthread_cond_wait(&s->turn, &s->lock);
    rc = s->rc;
    pthread_mutex_unlock(&s->lock);
    if (rc && e && !e->code) *e = s->words;
    return rc;
}

/* What was filled goes out; what went out before is filled again. */
static int hand_over(struct sftp_upload *u)
{
    struct buf full = u->filling;
    int rc = u->sender ? RSP_OK : start(u);
    if (!rc) rc = sftp_upload_idle(u);
    if (rc) return rc;
    u->filling = u->sending;
    u->sending = full;
    u->sending.env = &u->sender->env;
    u->filling.env = &u->u.store->env;
    pthread_mutex_lock(&u->sender->lock);
    u->sender->busy = 1;
    pthread_cond_broadcast(&u->sender->turn);
    pthread_mutex_unlock(&u->sender->lock);
    return RSP_OK;
}

int sftp_upload_begin(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret)
{
    struct sftp_upload *u = mem_zero(&s->env, sizeof *u);
    if (!u) return RSP_ENOMEM;
    u->u.store = s;
    u->u.bytes = sizeof *u;
    u->replace = replace;
    buf_init(&u->filling, &s->env);
    buf_init(&u->sending, &s->env);
    snprintf(u->name, sizeof u->name, "%s", name);
    *ret = &u->u;
    return RSP_OK;
}

/* A part is only sent when there is something behind it: what fits into one is published in one exchange. */
int sftp_upload_write(struct rsp_upload *upload, const void *p, size_t n)
{
    struct sftp_upload *u = (struct sftp_upload *)upload;
    const size_t most = ((struct sftp_store *)upload->store)->part_bytes;
    const uint8_t *at = p;
    while (n) {
        size_t k = most - u->filling.n;
        int rc = k ? RSP_OK : hand_over(u);
        if (!rc && !k) k = most;
        if (k > n) k = n;
        if (!rc) rc = buf_add(&u->filling, at, k);
        if (rc) return rc;
        at += k;
        n -= k;
    }
    return RSP_OK;
}

void sftp_part_remove(struct sftp_upload *u)
{
    struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct rsp_error words = {0};
    struct rsp_env quiet = f->s.env;
    struct sftp_commands l;
    struct sftp_where w;
    quiet.error = &words;
    sftp_commands_init(&l, &quiet);
    sftp_at(f, &quiet, u->part, &w);
    if (!sftp_command(&l, 1, "rm", w.path, NULL) && !sftp_add_rmdirs(f, u->name, &l)) (void)sftp_run(&w.call, &l);
    sftp_folder_forget(f, u->name);
    sftp_commands_free(&l);
}

void sftp_upload_drop(struct rsp_upload *upload)
{
    struct sftp_upload *u = (struct sftp_upload *)upload;
    const struct rsp_env *env = &upload->store->env;
    stop(u);
    if (upload->state != 1 && u->part[0] && !u->lost) sftp_part_remove(u);
    u->filling.env = u->sending.env = env;
    buf_free(&u->filling);
    buf_free(&u->sending);
    mem_free(env, u, upload->bytes);
}
