/* What this is: the parts of an upload, one behind the other at the end of a .part file, and how it goes on after a
 * fault.
 * Rests on: sftp_impl.h, io/fdio.h.
 * Does not: give the file its name (sftp_publish.c).
 *
 * Bytes can only be put at a file's end (see net/sftp.h), so the end must be known for sure. A session that broke may
 * have brought more than was confirmed: the file's length says how much. But one that merely fell silent may still be
 * alive at the server and bring the rest when it wakes: its file is left to it, and what it has goes into a new one
 * first. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "io/fdio.h"
#include "store/sftp_impl.h"

#define NAME_KEPT 200 /* of the object's name in that of the file */
#define FOLDER_TRIES 8
#define STILL_MS 300 /* a length that is the same after this is final: a session that broke has no more to bring */

int sftp_part_name(const struct rsp_env *env, const char *name, char part[PART_NAME])
{
    const char *slash = strrchr(name, '/');
    int folder = slash ? (int)(slash - name) + 1 : 0;
    char hex[9] = "";
    int rc = random_hex8(env, hex);
    if (rc) return rc;
    snprintf(part, PART_NAME, "%.*s.%.*s.respite-%s.part", folder, name, NAME_KEPT, name + folder, hex);
    return RSP_OK;
}

int sftp_disk_full(const struct sftp_store *f, struct sftp_tries *t, uint64_t n, int *rc)
{
    struct rsp_error words = {0};
    struct rsp_env quiet = t->env;
    struct sftp_where w;
    uint64_t room;
    if (*rc != RSP_EIO && *rc != RSP_ENET) return 0; /* servers say "failure", and libcurl that the line is broken */
    quiet.error = &words;
    sftp_at(f, &quiet, "", &w);
    if (sftp_space(&w.call, &room) || room > n) return 0;
    memcpy(words.subject, t->words.subject, sizeof words.subject);
    rsp_error_clear(&t->words);
    *rc = fail(&t->env, RSP_ENOSPACE, words.subject, "no space left there: %llu bytes are free",
               (unsigned long long)room);
    return 1;
}

/* A .part of a new name, with what there is to do before it is written: the old one is removed. */
static int new_part(struct sftp_upload *u, const struct rsp_env *env, struct sftp_commands *before)
{
    struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct sftp_where w;
    int rc = RSP_OK;
    if (u->part[0]) {
        sftp_at(f, env, u->part, &w);
        rc = sftp_command(before, 1, "rm", w.path, NULL);
    }
    if (!rc) rc = sftp_add_mkdirs(f, u->name, before);
    return rc ? rc : sftp_part_name(env, u->name, u->part);
}

/* How long the file is when it grows no more. */
static int length_of(struct sftp_upload *u, const struct rsp_env *env, uint64_t *bytes)
{
    const struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct sftp_facts a = {0}, b = {0};
    int there = sftp_look_once(f, env, u->part, &a);
    while (there == 1) {
        for (int i = 0; i < STILL_MS / 100; i++) nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        there = sftp_look_once(f, env, u->part, &b);
        if (a.bytes == b.bytes) break;
        a = b;
    }
    *bytes = b.bytes;
    return there == 1 ? RSP_OK : there;
}

/* What came through of b before the session broke is taken off it. */
static int take_stock(struct sftp_upload *u, const struct rsp_env *env, struct buf *b)
{
    char where[WHERE_BYTES];
    uint64_t there;
    int rc = length_of(u, env, &there);
    if (rc) return rc;
    store_where(u->u.store, u->name, where);
    if (there < u->sent || there - u->sent > b->n)
        return fail(env, RSP_EIO, where, "the upload's file has %llu bytes at the server, which is not what was sent",
                    (unsigned long long)there);
    b->n -= (size_t)(there - u->sent);
    memmove(b->p, b->p + (there - u->sent), b->n);
    u->sent = there;
    return RSP_OK;
}

/* The first u->sent bytes go into a new file, through here. */
static int move_away(struct sftp_upload *u, const struct rsp_env *env)
{
    struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct sftp_where from, to;
    char part[PART_NAME];
    size_t cap = f->part_bytes, got;
    uint8_t *p = mem_alloc(env, cap);
    struct sftp_commands l;
    int rc = p ? sftp_part_name(env, u->name, part) : RSP_ENOMEM;
    sftp_commands_init(&l, env);
    if (!rc) {
        sftp_at(f, env, u->part, &from);
        sftp_at(f, env, part, &to);
        log_line(env, RSP_LOG_INFO, "%s: the server fell silent: the %llu bytes that it has are copied", to.subject,
                 (unsigned long long)u->sent);
    }
    for (uint64_t at = 0; !rc && at < u->sent; at += got) {
        uint64_t left = u->sent - at;
        rc = sftp_read(&from.call, at, p, left < cap ? (size_t)left : cap, &got);
        if (!rc) rc = sftp_put(&to.call, at, p, got, NULL, NULL, NULL);
    }
    if (!rc) rc = sftp_command(&l, 1, "rm", from.path, NULL);
    if (!rc) rc = sftp_run(&to.call, &l);
    if (!rc) memcpy(u->part, part, sizeof part);
    sftp_commands_free(&l);
    mem_free(env, p, cap);
    return rc;
}

static int send_once(struct sftp_upload *u, const struct rsp_env *env, const struct buf *b)
{
    struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct sftp_commands before;
    struct sftp_where w;
    int rc = RSP_OK;
    sftp_commands_init(&before, env);
    if (!u->sent) rc = new_part(u, env, &before);
    sftp_at(f, env, u->part, &w);
    if (!rc) rc = sftp_put(&w.call, u->sent, b->p, b->n, &before, NULL, NULL);
    sftp_commands_free(&before);
    return rc;
}

int sftp_part_send(struct sftp_upload *u, const struct rsp_env *env, struct buf *b)
{
    struct sftp_store *f = (struct sftp_store *)u->u.store;
    struct sftp_tries t;
    int rc, again, folders = 0, silent = 0;
    sftp_tries_begin(&t, env);
    do {
        rc = RSP_OK;
        if (t.retry.tried && u->sent) rc = silent ? move_away(u, &t.env) : take_stock(u, &t.env, b);
        if (!rc) silent = 0;
        if (!rc && b->n) rc = send_once(u, &t.env, b);
        if (rc == RSP_ETIMEOUT) silent = 1;
        again = 0;
        if (rc == RSP_ENOTFOUND && !u->sent && folders++ < FOLDER_TRIES) { /* removed as empty in between */
            sftp_folder_forget(f, u->name);
            rsp_error_clear(&t.words);
            again = 1;
        }
        if (rc) sftp_disk_full(f, &t, b->n, &rc);
    } while (again || sftp_again_net(f, &t, &rc));
    if (rc) {
        u->lost = rc == RSP_ENET || rc == RSP_ETIMEOUT;
        return rc;
    }
    sftp_folder_made(f, u->name);
    u->sent += b->n;
    b->n = 0;
    return RSP_OK;
}
