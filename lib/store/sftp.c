/* What this is: the sftp: driver: opening it, reading, looking, deleting.
 * Rests on: sftp_impl.h.
 * Does not: speak the protocol (net/sftp.c).
 *
 * What a name stands for lies at ROOT/name. There is no fsync by this library: a server that loses power may lose what
 * it has just confirmed, unless its file system is mounted to write at once. */
#include "store/sftp_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define PART_USUAL ((size_t)8 << 20)
#define PART_LEAST ((size_t)5 << 20)
#define PART_MOST ((size_t)64 << 20)
#define PARALLEL_USUAL 4

/* Folders are no objects: of them the server tells a length and a time as well. */
static int sftp_store_look(struct rsp_store *s, const struct rsp_env *env, const char *name,
                           struct rsp_store_item *item)
{
    const struct sftp_store *f = (struct sftp_store *)s;
    struct sftp_facts facts;
    char where[WHERE_BYTES];
    int rc = sftp_looks(f, env, name, &facts), folder;
    if (rc) return rc;
    folder = sftp_folder_there(f, env, name, NULL);
    if (folder < 0) return folder;
    store_where(s, name, where);
    if (folder) return fail(env, RSP_ENOTFOUND, where, "is not there");
    item->name = name;
    item->bytes = facts.bytes;
    item->mtime_ms = store_ms(facts.mtime, 0);
    return RSP_OK;
}

static int sftp_store_stat(struct rsp_store *s, const char *name, struct rsp_store_item *item)
{
    return sftp_store_look(s, &s->env, name, item);
}

static int sftp_store_read(struct rsp_store *s, const struct rsp_env *env, const char *name, uint64_t offset, void *p,
                           size_t n)
{
    const struct sftp_store *f = (struct sftp_store *)s;
    struct rsp_store_item item;
    struct sftp_tries t;
    struct sftp_where w;
    size_t done = 0;
    int rc;
    if (!n) {
        rc = sftp_store_look(s, env, name, &item);
        if (rc || offset <= item.bytes) return rc;
        store_where(s, name, w.subject);
        return fail_at(env, RSP_ETRUNCATED, w.subject, item.bytes, "ends before what was asked for");
    }
    sftp_tries_begin(&t, env);
    sftp_at(f, &t.env, name, &w);
    do {
        size_t got;
        rc = sftp_read(&w.call, offset + done, (uint8_t *)p + done, n - done, &got);
        if (rc != RSP_ETRUNCATED && rc != RSP_EFORMAT) done += got;
    } while (sftp_again(f, &t, &rc));
    return rc;
}

static int sftp_store_get(struct rsp_store *s, const struct rsp_env *env, const char *name, size_t max, uint8_t **p,
                          size_t *n)
{
    struct buf b;
    int rc;
    buf_init(&b, env);
    rc = sftp_whole((struct sftp_store *)s, env, name, max, &b);
    if (!rc) rc = buf_reserve(&b, 1); /* of an empty object too */
    if (!rc) {
        size_t exact = b.n ? b.n : 1;
        *p = b.cap == exact ? b.p : mem_resize(env, b.p, b.cap, exact);
        if (*p) {
            *n = b.n;
            return RSP_OK;
        }
        rc = RSP_ENOMEM;
    }
    buf_free(&b);
    return rc;
}

static int sftp_settle(struct rsp_store *s, const char *name)
{
    (void)s, (void)name;
    return RSP_OK;
}

static int sftp_remove(struct rsp_store *s, const char *name)
{
    return sftp_remove_file((struct sftp_store *)s, name);
}

/* The time of a file that was just written, to the second: the server's clock is there, or up to a second further. */
static int sftp_now(struct rsp_store *s, int64_t *ms)
{
    struct sftp_store *f = (struct sftp_store *)s;
    char part[PART_NAME];
    struct sftp_facts facts;
    struct sftp_commands l;
    struct sftp_tries t;
    struct sftp_where w;
    int rc = sftp_part_name(&s->env, "now", part);
    if (rc) return rc;
    sftp_tries_begin(&t, &s->env);
    sftp_at(f, &t.env, part, &w);
    sftp_commands_init(&l, &s->env);
    do {
        rc = sftp_put(&w.call, 0, "", 0, NULL, NULL, NULL);
        if (!rc) rc = sftp_look(&w.call, &facts);
    } while (sftp_again_net(f, &t, &rc));
    if (!rc) rc = sftp_command(&l, 1, "rm", w.path, NULL);
    if (!rc) rc = sftp_runs(f, &s->env, part, &l);
    sftp_commands_free(&l);
    if (rc) return trail(&s->env, rc, "cannot ask for the time by writing a file");
    *ms = store_ms(facts.mtime, 0);
    return RSP_OK;
}

static int sftp_store_space(struct rsp_store *s, uint64_t *bytes)
{
    struct sftp_tries t;
    struct sftp_where w;
    int rc;
    *bytes = UINT64_MAX;
    sftp_tries_begin(&t, &s->env);
    sftp_at((struct sftp_store *)s, &t.env, "", &w);
    do {
        rc = sftp_space(&w.call, bytes);
        if (rc == RSP_EUNSUPPORTED) return RSP_OK;
    } while (sftp_again_net((struct sftp_store *)s, &t, &rc));
    return rc;
}

/* Two files of our own, and the one given the other's name. */
static int try_second(struct sftp_store *f)
{
    const struct rsp_env *env = &f->s.env;
    char name[2][PART_NAME];
    struct sftp_where w[2];
    struct sftp_commands l;
    int rc = sftp_part_name(env, "twice", name[0]);
    if (!rc) rc = sftp_part_name(env, "twice", name[1]);
    sftp_commands_init(&l, env);
    for (int i = 0; i < 2 && !rc; i++) {
        sftp_at(f, env, name[i], &w[i]);
        rc = sftp_put(&w[i].call, 0, "", 0, NULL, NULL, NULL);
    }
    if (!rc) rc = sftp_command(&l, 1, "rename", w[0].path, w[1].path);
    if (!rc) rc = sftp_runs(f, env, name[0], &l);
    if (!rc) {
        struct rsp_error words = {0};
        struct rsp_env quiet = *env;
        struct sftp_facts facts;
        quiet.error = &words;
        rc = sftp_looks(f, &quiet, name[0], &facts);
        f->refuses_second = rc == RSP_OK;
        rc = RSP_OK;
    }
    l.text.n = 0;
    for (int i = 0; i < 2 && !rc; i++) rc = sftp_command(&l, 1, "rm", w[i].path, NULL);
    if (!rc) rc = sftp_runs(f, env, name[0], &l);
    sftp_commands_free(&l);
    return rc;
}

static int sftp_abilities(struct rsp_store *s, struct rsp_store_abilities *a)
{
    struct sftp_store *f = (struct sftp_store *)s;
    int rc = f->refuses_second < 0 && !s->read_only ? try_second(f) : RSP_OK;
    a->kind = "sftp";
    a->refuses_second = f->refuses_second;
    return rc;
}

static void sftp_close(struct rsp_store *s)
{
    struct sftp_store *f = (struct sftp_store *)s;
    sftp_server_free(f->server);
    net_client_free(f->client);
    pthread_mutex_destroy(&f->lock);
    if (f->root) mem_free(&s->env, f->root, strlen(f->root) + 1);
}

static const struct store_kind sftp_kind = {
    .list = sftp_store_list,
    .stat = sftp_store_stat,
    .read = sftp_store_read,
    .begin = sftp_upload_begin,
    .write = sftp_upload_write,
    .commit = sftp_upload_commit,
    .drop = sftp_upload_drop,
    .get = sftp_store_get,
    .look = sftp_store_look,
    .abilities = sftp_abilities,
    .settle = sftp_settle,
    .remove = sftp_remove,
    .now = sftp_now,
    .space = sftp_store_space,
    .leftovers = sftp_store_leftovers,
    .close = sftp_close,
};

/* ---- opening ---- */

static int login(struct sftp_store *f, const struct remote_url *u, const struct rsp_store_remote *o)
{
    struct sftp_login l = {.host = u->host,
                           .port = u->port,
                           .user = u->user ? u->user : o->user,
                           .key = o->ssh_key,
                           .key_passphrase = o->ssh_key_passphrase,
                           .agent = o->ssh_agent,
                           .password = o->password,
                           .known_hosts = o->known_hosts,
                           .pin = o->host_key_pin};
    return sftp_server_new(&f->s.env, f->client, &l, &f->server);
}

/* The URL's path as the server has it: from its root, or from the home directory, which the server is asked for. */
static int find_root(struct sftp_store *f, const char *path)
{
    const struct rsp_env *env = &f->s.env;
    struct buf root;
    struct sftp_tries t;
    struct sftp_where w;
    int rc;
    sftp_tries_begin(&t, env);
    buf_init(&root, env);
    w.call = (struct sftp_call){f->server, &t.env, "/", f->s.url};
    do { /* also when the home directory is of no use: here we find out who lets us in */
        root.n = 0;
        rc = sftp_home(&w.call, &root);
    } while (sftp_again_net(f, &t, &rc));
    if (!rc && (strncmp(path, "/~", 2) != 0 || (path[2] && path[2] != '/'))) root.n = 0;
    else path += rc ? 0 : 2;
    while (root.n && (!root.p[root.n - 1] || root.p[root.n - 1] == '/')) root.n--;
    if (!rc) rc = buf_add(&root, path, strlen(path) + 1);
    if (!rc && root.n > SFTP_WHERE - NAME_BYTES - PART_BYTES - 8)
        rc = fail(env, RSP_EINVAL, f->s.url, "the path is too long");
    for (size_t i = 0; !rc && i + 1 < root.n; i++)
        if (root.p[i] < ' ' || root.p[i] == 127)
            rc = fail(env, RSP_EINVAL, f->s.url, "the path has control characters");
    if (!rc) f->root = mem_strdup(env, (const char *)root.p);
    if (!rc && !f->root) rc = RSP_ENOMEM;
    buf_free(&root);
    return rc;
}

static int open_root(struct sftp_store *f, const struct rsp_store_options *o)
{
    int there = sftp_folder_there(f, &f->s.env, "", NULL), rc;
    /* A line that breaks may look like a "no": it is believed when a second one says so, too. */
    if (!there) there = sftp_folder_there(f, &f->s.env, "", NULL);
    if (there) return there < 0 ? there : RSP_OK;
    if (!o->create || o->read_only) return fail(&f->s.env, RSP_ENOTFOUND, f->s.url, "this directory is not there");
    rc = sftp_make_root(f);
    if (!rc) there = sftp_folder_there(f, &f->s.env, "", NULL);
    if (rc || there < 0) return rc ? rc : there;
    return there ? RSP_OK : fail(&f->s.env, RSP_EDENIED, f->s.url, "the server does not let us make this directory");
}

static int set_url(struct sftp_store *f, const struct remote_url *u)
{
    struct buf text;
    int rc;
    buf_init(&text, &f->s.env);
    rc = remote_url_text(u, &text);
    if (!rc) rc = buf_byte(&text, 0);
    if (!rc) {
        f->s.url = mem_strdup(&f->s.env, (const char *)text.p);
        if (!f->s.url) rc = RSP_ENOMEM;
    }
    buf_free(&text);
    return rc;
}

int store_sftp_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *o,
                    struct rsp_store **ret)
{
    static const char *const none[] = {NULL};
    const struct rsp_store_remote *given = o->remote;
    struct rsp_store_remote r = {0};
    struct remote_url u;
    struct sftp_store *f = NULL;
    int rc = remote_url_parse(env, url, &u);
    *ret = NULL;
    if (rc) return rc;
    if (given) memcpy(&r, given, given->size && given->size < sizeof r ? given->size : sizeof r);
    rc = remote_url_known(&u, none);
    if (!rc) f = mem_zero(env, sizeof *f);
    if (!rc && !f) rc = RSP_ENOMEM;
    if (!rc) {
        f->s.kind = &sftp_kind;
        f->s.env = *env;
        f->s.bytes = sizeof *f;
        f->s.read_only = o->read_only;
        f->s.parallel = r.parallel ? r.parallel : PARALLEL_USUAL;
        f->refuses_second = -1;
        f->part_bytes = !r.part_bytes               ? PART_USUAL
                        : r.part_bytes < PART_LEAST ? PART_LEAST
                        : r.part_bytes > PART_MOST  ? PART_MOST
                                                    : r.part_bytes;
        pthread_mutex_init(&f->s.words, NULL);
        pthread_mutex_init(&f->lock, NULL);
        rc = set_url(f, &u);
        if (!rc) rc = remote_client(env, given, &f->client);
        if (!rc) rc = login(f, &u, &r);
        if (!rc) rc = find_root(f, u.path);
        if (!rc) rc = open_root(f, o);
    }
    remote_url_free(&u);
    if (!rc) *ret = &f->s;
    else if (f) rsp_store_free(&f->s);
    return rc;
}
