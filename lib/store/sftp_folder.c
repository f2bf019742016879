/* What this is: folders on an SFTP server: made before they are needed, removed when they are empty.
 * Rests on: sftp_impl.h.
 * Does not: look whether a folder is there: mkdir and rmdir themselves say so. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/sftp_impl.h"

/* The length of the folder's name that name stands in; 0: the root. */
static size_t folder_n(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? (size_t)(slash - name) : 0;
}

static int is_known(const struct sftp_store *f, const char *name, size_t n)
{
    for (size_t i = 0; i < FOLDERS_KNOWN; i++)
        if (strlen(f->known[i]) == n && !memcmp(f->known[i], name, n)) return 1;
    return !n;
}

static int add(const struct sftp_store *f, const char *verb, const char *name, size_t n, struct sftp_commands *l)
{
    char folder[NAME_BYTES + 1];
    struct sftp_where w;
    snprintf(folder, sizeof folder, "%.*s", (int)n, name);
    sftp_at(f, &f->s.env, folder, &w);
    return sftp_command(l, 1, verb, w.path, NULL);
}

int sftp_add_mkdirs(struct sftp_store *f, const char *name, struct sftp_commands *l)
{
    size_t n = folder_n(name), known = n;
    pthread_mutex_lock(&f->lock);
    while (!is_known(f, name, known)) {
        do {
            known--;
        } while (known && name[known] != '/');
    }
    pthread_mutex_unlock(&f->lock);
    while (known < n) {
        size_t next = known ? known + 1 : 0;
        int rc;
        next += strcspn(name + next, "/");
        rc = add(f, "mkdir", name, next, l);
        if (rc) return rc;
        known = next;
    }
    return RSP_OK;
}

void sftp_folder_made(struct sftp_store *f, const char *name)
{
    size_t n = folder_n(name);
    pthread_mutex_lock(&f->lock);
    if (!is_known(f, name, n)) {
        snprintf(f->known[f->next], sizeof f->known[0], "%.*s", (int)n, name);
        f->next = (f->next + 1) % FOLDERS_KNOWN;
    }
    pthread_mutex_unlock(&f->lock);
}

void sftp_folder_forget(struct sftp_store *f, const char *name)
{
    size_t n = strcspn(name, "/");
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < FOLDERS_KNOWN; i++)
        if (!strncmp(f->known[i], name, n) && (f->known[i][n] == '/' || !f->known[i][n])) f->known[i][0] = 0;
    pthread_mutex_unlock(&f->lock);
}

int sftp_add_rmdirs(const struct sftp_store *f, const char *name, struct sftp_commands *l)
{
    for (size_t n = folder_n(name); n;) {
        int rc = add(f, "rmdir", name, n, l);
        if (rc) return rc;
        while (n && name[n - 1] != '/') n--;
        if (n) n--;
    }
    return RSP_OK;
}

int sftp_make_root(struct sftp_store *f)
{
    struct sftp_commands l;
    int rc = RSP_OK;
    sftp_commands_init(&l, &f->s.env);
    for (size_t n = 1, end = strlen(f->root); !rc && n <= end; n++) {
        char at = f->root[n];
        if (at && at != '/') continue;
        f->root[n] = 0;
        rc = sftp_command(&l, 1, "mkdir", f->root, NULL);
        f->root[n] = at;
    }
    if (!rc) rc = sftp_runs(f, &f->s.env, "", &l);
    sftp_commands_free(&l);
    return rc;
}

/* 1: no file of this name is there (what is there may be a folder). */
static int is_gone(struct sftp_store *f, const char *name)
{
    struct rsp_error words = {0};
    struct rsp_env quiet = f->s.env;
    struct sftp_facts facts;
    int rc;
    quiet.error = &words;
    rc = sftp_looks(f, &quiet, name, &facts);
    return rc == RSP_ENOTFOUND || (!rc && sftp_folder_there(f, &quiet, name, NULL) == 1);
}

int sftp_remove_file(struct sftp_store *f, const char *name)
{
    const struct rsp_env *env = &f->s.env;
    struct sftp_tries t;
    struct sftp_commands l;
    struct sftp_where w;
    int rc, made;
    sftp_tries_begin(&t, env);
    sftp_at(f, &t.env, name, &w);
    sftp_commands_init(&l, env);
    made = sftp_command(&l, 0, "rm", w.path, NULL);
    if (!made) made = sftp_add_rmdirs(f, name, &l);
    sftp_folder_forget(f, name);
    /* It may have been carried out before the line broke; many servers have one word for all that goes wrong; and that word
     * may be the one that was heard before the line broke: it counts when it is said twice. */
    do {
        rc = made ? made : sftp_run(&w.call, &l);
        if ((rc == RSP_ENOTFOUND || rc == RSP_EIO) && is_gone(f, name)) rc = RSP_OK;
    } while (sftp_again(f, &t, &rc));
    sftp_commands_free(&l);
    return rc ? trail(env, rc, "cannot be deleted") : RSP_OK;
}
