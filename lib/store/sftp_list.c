/* What this is: walks over a store on an SFTP server: its objects in order, and what dead uploads left.
 * Rests on: sftp_impl.h, store_many.
 * Does not: recurse: a name has few parts, and so has the walk levels.
 *
 * A folder's lines have no usable times, so each object is asked for its length and time, a batch of them by several
 * connections. What the lines say of an object is only that it may be there. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/file_impl.h"
#include "store/sftp_impl.h"

#define BATCH 256

/* One folder: its names, a slash behind those of folders so that whole names sort right, each ended by a zero. */
struct level {
    struct buf names, order; /* order: size_t offsets into names */
    size_t i, n;             /* of order */
    size_t path_n;           /* of walk.path up to and with this folder's slash */
    int parts;               /* of a name in this folder */
};

struct walk {
    struct sftp_store *f;
    const struct rsp_env *env;
    int leftovers;
    int (*each)(void *, const struct rsp_store_item *);
    void *opaque;
    char path[PART_NAME];
    struct buf lines;
    struct buf batch; /* names of objects not told yet */
    size_t batched;
    int depth; /* levels in use */
    struct level level[NAME_PARTS];
};

static int by_name(const void *a, const void *b, void *names)
{
    const char *base = names;
    size_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return strcmp(base + x, base + y);
}

/* ---- what a folder has ---- */

static int add_entry(struct walk *w, struct level *l, enum sftp_kind kind, struct rsp_span name)
{
    char part[PART_BYTES + 1];
    size_t at = l->names.n;
    int rc, regular;
    if (kind == SFTP_OTHER || !name.n || name.n > PART_BYTES || memchr(name.p, '/', name.n)) return RSP_OK;
    memcpy(part, name.p, name.n);
    part[name.n] = 0;
    regular = store_part_ok(part, name.n);
    if (!regular && !(w->leftovers && kind == SFTP_FILE && is_part(part))) return RSP_OK;
    if (kind == SFTP_FOLDER && (l->parts == NAME_PARTS || l->path_n + name.n + 1 >= NAME_BYTES)) return RSP_OK;
    if (kind == SFTP_FILE && (w->leftovers == regular || (regular && l->path_n + name.n > NAME_BYTES))) return RSP_OK;
    rc = buf_add(&l->order, &at, sizeof at);
    if (!rc) rc = buf_add(&l->names, part, name.n);
    if (!rc && kind == SFTP_FOLDER) rc = buf_byte(&l->names, '/');
    if (!rc) rc = buf_byte(&l->names, 0);
    l->n++;
    return rc;
}

static int add_line(struct walk *w, struct level *l, const uint8_t *p, size_t n, int *empty)
{
    enum sftp_kind kind;
    struct rsp_span name;
    char shown[64], where[WHERE_BYTES];
    if (n && p[n - 1] == '\r') n--;
    if (sftp_line(p, n, &kind, &name)) {
        printable(shown, sizeof shown, p, n);
        store_where(&w->f->s, w->path, where);
        return fail(w->env, RSP_EFORMAT, where, "the server's list of this folder is not understood: '%s'", shown);
    }
    if (kind == SFTP_FOLDER && (name.n == 1 || name.n == 2) && !memcmp(name.p, "..", name.n)) return RSP_OK;
    *empty = 0;
    return add_entry(w, l, kind, name);
}

/* A name with blanks shows as its end, which may be another's name, too. */
static void drop_doubles(struct level *l)
{
    size_t kept = 0;
    const char *names = (const char *)l->names.p;
    for (size_t i = 0; i < l->n; i++) {
        size_t at, last;
        memcpy(&at, l->order.p + i * sizeof at, sizeof at);
        if (kept) {
            memcpy(&last, l->order.p + (kept - 1) * sizeof last, sizeof last);
            if (!strcmp(names + last, names + at)) continue;
        }
        memcpy(l->order.p + kept++ * sizeof at, &at, sizeof at);
    }
    l->n = kept;
}

/* Reads the folder w->path. RSP_ENOTFOUND: it is not there. */
static int read_folder(struct walk *w, struct level *l, int *empty)
{
    char folder[PART_NAME];
    struct sftp_tries t;
    struct sftp_where at;
    size_t n = strlen(w->path);
    int rc;
    memcpy(folder, w->path, n + 1);
    if (n) folder[n - 1] = 0;
    sftp_tries_begin(&t, w->env);
    sftp_at(w->f, &t.env, folder, &at);
    w->lines.env = &t.env;
    do {
        w->lines.n = 0;
        rc = sftp_list(&at.call, &w->lines);
        if (rc == RSP_ENOTFOUND && t.asked) break;
    } while (sftp_again(w->f, &t, &rc));
    w->lines.env = w->env;
    if (rc && !n) sftp_tries_end(&t, rc);
    *empty = 1;
    for (size_t i = 0; !rc && i < w->lines.n;) {
        const uint8_t *p = w->lines.p + i, *end = memchr(p, '\n', w->lines.n - i);
        size_t k = end ? (size_t)(end - p) : w->lines.n - i;
        rc = add_line(w, l, p, k, empty);
        i += k + 1;
    }
    if (!rc && l->n) {
        qsort_r(l->order.p, l->n, sizeof(size_t), by_name, l->names.p);
        drop_doubles(l);
    }
    return rc;
}

static void leave(struct walk *w)
{
    struct level *l = &w->level[--w->depth];
    buf_free(&l->names);
    buf_free(&l->order);
}

/* ---- telling ---- */

static int on_looked(void *opaque, size_t i, int status, const struct rsp_store_item *item)
{
    struct walk *w = opaque;
    (void)i;
    if (status == RSP_ENOTFOUND) return RSP_OK; /* removed meanwhile, or the end of a foreign name */
    return status ? status : w->each(w->opaque, item);
}

/* The store while its lines are looked into: they say what is a file, so nobody asks whether it is a folder. */
struct listed {
    struct rsp_store s;
    const struct sftp_store *f;
};

static int look_file(struct rsp_store *s, const struct rsp_env *env, const char *name, struct rsp_store_item *item)
{
    struct sftp_facts facts;
    int rc = sftp_looks(((struct listed *)s)->f, env, name, &facts);
    if (rc) return rc;
    *item = (struct rsp_store_item){name, facts.bytes, store_ms(facts.mtime, 0)};
    return RSP_OK;
}

static int stat_file(struct rsp_store *s, const char *name, struct rsp_store_item *item)
{
    return look_file(s, &s->env, name, item);
}

static int look_many(struct walk *w, const char *const *names, size_t n)
{
    static const struct store_kind kind = {.look = look_file, .stat = stat_file};
    struct sftp_store *f = w->f;
    struct listed l = {.s = {.kind = &kind, .url = f->s.url, .read_only = 1, .parallel = f->s.parallel}, .f = f};
    int rc;
    l.s.env = f->s.env;
    pthread_mutex_init(&l.s.words, NULL);
    rc = rsp_store_stat_many(&l.s, names, n, on_looked, w);
    f->s.gets += l.s.gets;
    pthread_mutex_destroy(&l.s.words);
    return rc;
}

static int tell_batch(struct walk *w)
{
    const char *names[BATCH];
    size_t n = w->batched, at = 0;
    for (size_t i = 0; i < n; i++) {
        names[i] = (const char *)w->batch.p + at;
        at += strlen(names[i]) + 1;
    }
    w->batched = w->batch.n = 0;
    return n ? look_many(w, names, n) : RSP_OK;
}

static int tell_later(struct walk *w)
{
    int rc = buf_add(&w->batch, w->path, strlen(w->path) + 1);
    if (!rc && ++w->batched == BATCH) rc = tell_batch(w);
    return rc;
}

static int remove_leftover(struct walk *w, int folder)
{
    struct sftp_commands l;
    size_t n = strlen(w->path);
    char inside[PART_NAME + 2];
    char where[WHERE_BYTES];
    int rc;
    store_where(&w->f->s, w->path, where);
    if (w->f->s.read_only) return fail(w->env, RSP_EPERM, where, "the store was opened for reading only");
    if (!folder) return sftp_remove_file(w->f, w->path);
    memcpy(inside, w->path, n);
    memcpy(inside + n, "x", 2); /* as a file in it */
    sftp_commands_init(&l, w->env);
    rc = sftp_add_rmdirs(w->f, inside, &l);
    if (!rc) rc = sftp_runs(w->f, w->env, w->path, &l);
    sftp_commands_free(&l);
    sftp_folder_forget(w->f, inside);
    return rc;
}

static int tell_leftover(struct walk *w, int folder)
{
    struct rsp_store_item item = {w->path, 0, 0};
    struct sftp_facts facts = {0};
    char name[PART_NAME];
    size_t n = strlen(w->path);
    int there;
    memcpy(name, w->path, n + 1);
    if (folder) {
        name[n - 1] = 0;
        there = sftp_folder_there(w->f, w->env, name, &facts.mtime);
    } else {
        there = sftp_look_once(w->f, w->env, name, &facts);
    }
    if (there != 1) return there; /* removed meanwhile, or a fault */
    item.bytes = facts.bytes;
    item.mtime_ms = store_ms(facts.mtime, 0);
    there = w->each(w->opaque, &item);
    return there == 1 ? remove_leftover(w, folder) : there;
}

/* ---- the walk ---- */

/* One level down, into w->path, which ends with its slash, or is empty. */
static int enter(struct walk *w, int parts)
{
    struct level *l = &w->level[w->depth++];
    int empty, rc;
    memset(l, 0, sizeof *l);
    buf_init(&l->names, w->env);
    buf_init(&l->order, w->env);
    l->path_n = strlen(w->path);
    l->parts = parts;
    rc = read_folder(w, l, &empty);
    if (rc == RSP_ENOTFOUND && l->path_n) return RSP_OK;
    if (rc || !empty || !w->leftovers || parts == 1) return rc;
    return tell_leftover(w, 1);
}

static int visit(struct walk *w)
{
    struct level *l = &w->level[w->depth - 1];
    const char *name;
    size_t at, n;
    memcpy(&at, l->order.p + l->i++ * sizeof at, sizeof at);
    name = (const char *)l->names.p + at;
    n = strlen(name);
    memcpy(w->path + l->path_n, name, n + 1);
    if (name[n - 1] == '/') return enter(w, l->parts + 1);
    return w->leftovers ? tell_leftover(w, 0) : tell_later(w);
}

static int walk(struct rsp_store *s, const char *prefix, int leftovers,
                int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    size_t n = strlen(prefix);
    int rc, parts = 1;
    struct walk *w;
    for (size_t i = 0; i < n; i++) parts += prefix[i] == '/';
    if (parts > NAME_PARTS) return RSP_OK;
    w = mem_zero(&s->env, sizeof *w);
    if (!w) return RSP_ENOMEM;
    w->f = (struct sftp_store *)s;
    w->env = &s->env;
    w->leftovers = leftovers;
    w->each = each;
    w->opaque = opaque;
    buf_init(&w->lines, w->env);
    buf_init(&w->batch, w->env);
    memcpy(w->path, prefix, n + 1);
    rc = enter(w, parts);
    while (!rc && w->depth) {
        struct level *l = &w->level[w->depth - 1];
        if (l->i < l->n) rc = visit(w);
        else leave(w);
    }
    while (w->depth) leave(w);
    if (!rc) rc = tell_batch(w);
    buf_free(&w->lines);
    buf_free(&w->batch);
    mem_free(&s->env, w, sizeof *w);
    return rc;
}

int sftp_store_list(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
                    void *opaque)
{
    return walk(s, prefix, 0, each, opaque);
}

int sftp_store_leftovers(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    return walk(s, "", 1, each, opaque);
}
