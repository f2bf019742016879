/* What this is: reads and looks of the sftp: driver, tried again where that may help.
 * Rests on: sftp_impl.h.
 * Does not: change anything on the server. */
#include <stdio.h>
#include <string.h>

#include "store/sftp_impl.h"

void sftp_at(const struct sftp_store *f, const struct rsp_env *env, const char *name, struct sftp_where *w)
{
    const char *between = *name ? "/" : *f->root ? "" : "/";
    snprintf(w->path, sizeof w->path, "%s%s%s", f->root, between, name); /* open has seen that it fits */
    if (*name) store_where(&f->s, name, w->subject);
    else snprintf(w->subject, sizeof w->subject, "%s", f->s.url);
    w->call = (struct sftp_call){f->server, env, w->path, w->subject};
}

void sftp_tries_begin(struct sftp_tries *t, const struct rsp_env *env)
{
    memset(t, 0, sizeof *t);
    t->given = env;
    t->env = *env;
    t->env.error = &t->words;
}

int sftp_retryable(const struct sftp_tries *t)
{
    return t->words.code && t->words.retryable;
}

int sftp_tries_end(struct sftp_tries *t, int rc)
{
    struct rsp_error *e = t->given->error;
    if (rc < 0 && e && !e->code) *e = t->words;
    return rc;
}

int sftp_again_net(const struct sftp_store *f, struct sftp_tries *t, int *rc)
{
    if (*rc < 0 && sftp_retryable(t)) {
        *rc = net_retry_wait(f->client, &t->env, &t->retry, *rc, 0);
        if (!*rc) return 1;
    }
    sftp_tries_end(t, *rc);
    return 0;
}

int sftp_again(const struct sftp_store *f, struct sftp_tries *t, int *rc)
{
    if ((*rc == RSP_ENOTFOUND || *rc == RSP_EDENIED || *rc == RSP_EIO) && !t->asked++) {
        rsp_error_clear(&t->words);
        return 1;
    }
    return sftp_again_net(f, t, rc);
}

int sftp_look_once(const struct sftp_store *f, const struct rsp_env *env, const char *name, struct sftp_facts *facts)
{
    struct rsp_error words = {0};
    struct rsp_env quiet = *env;
    struct sftp_where w;
    int rc;
    quiet.error = &words;
    sftp_at(f, &quiet, name, &w);
    rc = sftp_look(&w.call, facts);
    if (rc == RSP_ENOTFOUND) {
        rsp_error_clear(&words);
        rc = sftp_look(&w.call, facts);
    }
    if (rc == RSP_ENOTFOUND) return 0;
    if (rc && env->error && !env->error->code) *env->error = words;
    return rc ? rc : 1;
}

int sftp_looks(const struct sftp_store *f, const struct rsp_env *env, const char *name, struct sftp_facts *facts)
{
    struct sftp_tries t;
    struct sftp_where w;
    int rc;
    sftp_tries_begin(&t, env);
    sftp_at(f, &t.env, name, &w);
    do {
        rc = sftp_look(&w.call, facts);
    } while (sftp_again(f, &t, &rc));
    return rc;
}

int sftp_folder_there(const struct sftp_store *f, const struct rsp_env *env, const char *name, int64_t *mtime)
{
    struct sftp_tries t;
    struct sftp_where w;
    int rc;
    sftp_tries_begin(&t, env);
    sftp_at(f, &t.env, name, &w);
    do {
        rc = sftp_is_folder(&w.call, mtime);
    } while (sftp_again(f, &t, &rc));
    return rc;
}

int sftp_whole(const struct sftp_store *f, const struct rsp_env *env, const char *name, size_t max, struct buf *out)
{
    struct sftp_tries t;
    struct sftp_where w;
    int rc;
    sftp_tries_begin(&t, env);
    sftp_at(f, &t.env, name, &w);
    out->env = &t.env;
    do {
        rc = sftp_fetch(&w.call, max, out);
    } while (sftp_again(f, &t, &rc));
    out->env = env;
    return rc;
}

int sftp_runs(const struct sftp_store *f, const struct rsp_env *env, const char *name, const struct sftp_commands *l)
{
    struct sftp_tries t;
    struct sftp_where w;
    int rc;
    sftp_tries_begin(&t, env);
    sftp_at(f, &t.env, name, &w);
    do {
        rc = sftp_run(&w.call, l);
    } while (sftp_again_net(f, &t, &rc));
    return rc;
}
