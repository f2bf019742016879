/* What this is: how an upload to an SFTP server gets its name: by a rename, which does not replace what is there.
 * Rests on: sftp_impl.h.
 * Does not: trust an answer that did not come: then it looks.
 *
 * A repair does replace. The protocol's rename cannot, and libcurl has no other, so the damaged object is removed and
 * the whole one takes its name right behind that, in one exchange: not atomic, but when it ends in between, the object
 * is missing, and the next repair puts it there. */
#include <string.h>

#include "base/mem.h"
#include "store/sftp_impl.h"

#define RENAME_TRIES 3

static int add_rename(struct sftp_upload *u, const struct rsp_env *env, struct sftp_commands *l)
{
    const struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct sftp_where from, to;
    int rc = RSP_OK;
    sftp_at(f, env, u->part, &from);
    sftp_at(f, env, u->name, &to);
    if (u->replace) rc = sftp_command(l, 1, "rm", to.path, NULL);
    return rc ? rc : sftp_command(l, 0, "rename", from.path, to.path);
}

static int exists(struct sftp_upload *u, struct sftp_tries *t)
{
    char where[WHERE_BYTES];
    store_where(u->u.store, u->name, where);
    rsp_error_clear(&t->words);
    return fail(&t->env, RSP_EEXIST, where, "exists already");
}

/* A rename that failed though the object was to be removed before: it is there because it cannot be removed. */
static int cannot_replace(struct sftp_upload *u, struct sftp_tries *t)
{
    char where[WHERE_BYTES];
    struct sftp_facts facts;
    int there = sftp_look_once((struct sftp_store *)u->u.store, &t->env, u->name, &facts);
    if (there <= 0) return there;
    store_where(u->u.store, u->name, where);
    rsp_error_clear(&t->words);
    return fail(
        &t->env, RSP_EPERM, where,
        "the server does not let us remove it, which takes a keeper's rights: without that nothing is replaced");
}

/* ---- what fits into one part ---- */

/* 1: the object there has our bytes. */
static int is_ours(struct sftp_upload *u, const struct rsp_env *env)
{
    struct rsp_error words = {0};
    struct rsp_env quiet = *env;
    struct buf b;
    int same;
    quiet.error = &words;
    buf_init(&b, &quiet);
    same = !sftp_whole((struct sftp_store *)u->u.store, &quiet, u->name, u->filling.n, &b) && b.n == u->filling.n &&
           (!b.n || !memcmp(b.p, u->filling.p, b.n));
    buf_free(&b);
    return same;
}

/* The bytes and the name in one exchange. *renaming: all bytes are there, but the name was refused. */
static int whole_once(struct sftp_upload *u, const struct rsp_env *env, int *renaming)
{
    struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct sftp_commands before, after;
    struct sftp_where w;
    int rc = RSP_OK;
    *renaming = 0;
    sftp_commands_init(&before, env);
    sftp_commands_init(&after, env);
    if (u->part[0]) {
        sftp_at(f, env, u->part, &w);
        rc = sftp_command(&before, 1, "rm", w.path, NULL);
    }
    if (!rc) rc = sftp_add_mkdirs(f, u->name, &before);
    if (!rc) rc = sftp_part_name(env, u->name, u->part);
    if (!rc) rc = add_rename(u, env, &after);
    sftp_at(f, env, u->part, &w);
    if (!rc)
        rc = sftp_put(&w.call, 0, u->filling.p ? (const void *)u->filling.p : "", u->filling.n, &before, &after,
                      renaming);
    sftp_commands_free(&before);
    sftp_commands_free(&after);
    return rc;
}

/* After an answer that did not come, or a name that was refused: RSP_EEXIST, RSP_END: it is published, RSP_OK: it is
 * not, or a fault. */
static int whole_there(struct sftp_upload *u, struct sftp_tries *t, int unknown)
{
    struct sftp_facts facts;
    int there = sftp_look_once((struct sftp_store *)u->u.store, &t->env, u->name, &facts);
    if (there <= 0) return there;
    if (!unknown || !is_ours(u, &t->env)) return exists(u, t);
    sftp_part_remove(u);
    return RSP_END;
}

static int publish_whole(struct sftp_upload *u, struct sftp_tries *t)
{
    struct sftp_store *f = (struct sftp_store *)u->u.store;
    int rc, again, unknown = 0, tries = 0, renaming;
    do {
        again = 0;
        rc = unknown && !u->replace ? whole_there(u, t, 1) : RSP_OK;
        if (!rc) rc = whole_once(u, &t->env, &renaming);
        if (rc == RSP_OK || rc == RSP_END || rc == RSP_EEXIST) break;
        if (sftp_disk_full(f, t, u->filling.n, &rc)) break;
        unknown |= sftp_retryable(t);
        if (sftp_retryable(t)) continue;
        if (rc == RSP_ENOTFOUND && !renaming) sftp_folder_forget(f, u->name); /* removed as empty in between */
        if (renaming && !u->replace) {
            struct rsp_error words = t->words;
            int there;
            rsp_error_clear(&t->words);
            there = whole_there(u, t, unknown);
            if (there == RSP_END || there == RSP_EEXIST) return there == RSP_END ? RSP_OK : there;
            t->words = words;
        }
        if (renaming && u->replace && tries == RENAME_TRIES - 1) {
            int there = cannot_replace(u, t);
            if (there == RSP_EPERM) return there;
        }
        if ((renaming || rc == RSP_ENOTFOUND) && ++tries < RENAME_TRIES) {
            rsp_error_clear(&t->words);
            again = 1;
        }
    } while (again || sftp_again_net(f, t, &rc));
    return rc == RSP_END ? RSP_OK : rc;
}

/* ---- what had several ---- */

static int check_length(struct sftp_upload *u, const struct rsp_env *env)
{
    char where[WHERE_BYTES];
    struct sftp_facts facts;
    int rc = sftp_looks((struct sftp_store *)u->u.store, env, u->part, &facts);
    if (rc || facts.bytes == u->sent) return rc;
    store_where(u->u.store, u->name, where);
    return fail(env, RSP_EIO, where, "%llu bytes were sent, but the server's file has %llu",
                (unsigned long long)u->sent, (unsigned long long)facts.bytes);
}

/* After a rename that failed: RSP_END when it took place all the same, RSP_EEXIST, RSP_OK: neither, or a fault. */
static int look_after(struct sftp_upload *u, struct sftp_tries *t)
{
    const struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct sftp_facts part_facts, facts;
    int part = sftp_look_once(f, &t->env, u->part, &part_facts), there;
    if (part < 0) return part;
    there = sftp_look_once(f, &t->env, u->name, &facts);
    if (there < 0) return there;
    if (!part && there && facts.bytes == u->sent) return RSP_END;
    return part && there && !u->replace ? exists(u, t) : RSP_OK;
}

static int publish_parts(struct sftp_upload *u, struct sftp_tries *t)
{
    struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct sftp_commands l;
    struct sftp_where w;
    int rc, again = 0, failed = 0;
    sftp_at(f, &t->env, u->name, &w);
    sftp_commands_init(&l, &t->env);
    rc = check_length(u, &t->env);
    if (!rc) rc = add_rename(u, &t->env, &l);
    while (!rc) {
        rc = failed ? look_after(u, t) : RSP_OK;
        if (!rc) rc = sftp_run(&w.call, &l);
        if (rc == RSP_OK || rc == RSP_END || rc == RSP_EEXIST) break;
        again = !sftp_retryable(t) && ++failed < RENAME_TRIES;
        failed += !failed;
        if (!again && u->replace && !sftp_retryable(t) && cannot_replace(u, t) == RSP_EPERM) rc = RSP_EPERM;
        if (again) rsp_error_clear(&t->words);
        if (again || sftp_again_net(f, t, &rc)) rc = RSP_OK;
    }
    sftp_commands_free(&l);
    return rc == RSP_END ? RSP_OK : rc;
}

int sftp_upload_commit(struct rsp_upload *upload)
{
    struct sftp_upload *u = (struct sftp_upload *)upload;
    struct sftp_store *f = (struct sftp_store *)upload->store;
    const struct rsp_env *env = &f->s.env;
    struct sftp_tries t;
    int rc = sftp_upload_idle(u);
    if (!rc && u->sent && u->filling.n) rc = sftp_part_send(u, env, &u->filling);
    if (rc) return rc;
    sftp_tries_begin(&t, env);
    rc = u->sent ? publish_parts(u, &t) : publish_whole(u, &t);
    if (rc) {
        u->lost = rc == RSP_ENET || rc == RSP_ETIMEOUT;
        sftp_tries_end(&t, rc);
        return trail(env, rc, "cannot be published");
    }
    sftp_folder_made(f, u->name);
    upload->state = 1;
    return RSP_OK;
}
