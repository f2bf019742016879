/* What this is: the checkpoint's text, written and read.
 * Rests on: checkpoint.h, base/crc64.h, base/buf.h, respite/sink.h.
 * Does not: speak to servers. */
#include "job/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <respite/sink.h>
#include <respite/source.h>

#include "base/buf.h"
#include "base/crc64.h"

#define MAGIC "respite load checkpoint 1"
#define FILE_MAX (256u << 20)
#define KEY_MAX (64u << 20)
#define NODES_MOST 65536

void checkpoint_init(struct checkpoint *c, const struct rsp_env *env)
{
    memset(c, 0, sizeof *c);
    env_init(&c->env, env);
}

/* ---- open values ---- */

static void drop(struct checkpoint *c, struct checkpoint_open *o)
{
    mem_free(&c->env, o, sizeof *o + o->n);
}

static struct checkpoint_open *append(struct checkpoint *c, uint32_t db, size_t n, uint64_t until)
{
    struct checkpoint_open *o, **at = &c->open;
    if (n > SIZE_MAX / 2) return NULL;
    o = mem_alloc(&c->env, sizeof *o + n);
    if (!o) return NULL;
    o->next = NULL;
    o->db = db;
    o->until = until;
    o->n = n;
    while (*at) at = &(*at)->next;
    *at = o;
    return o;
}

int checkpoint_add(struct checkpoint *c, uint32_t db, struct rsp_span key, uint64_t until)
{
    struct checkpoint_open *o;
    if (key.n > KEY_MAX) return fail(&c->env, RSP_ELIMIT, NULL, "a key is too long for a checkpoint");
    o = append(c, db, key.n, until);
    if (!o) return RSP_ENOMEM;
    if (key.n) memcpy(o->key, key.p, key.n);
    return RSP_OK;
}

static void close_one(struct checkpoint *c, struct checkpoint_open **at)
{
    struct checkpoint_open *o = *at;
    if (!c->keep_whole) {
        checkpoint_take(c, at);
        return;
    }
    *at = o->next;
    o->next = c->whole;
    c->whole = o;
}

void checkpoint_reached(struct checkpoint *c, uint64_t acknowledged)
{
    struct checkpoint_open **at = &c->open;
    if (acknowledged > c->acknowledged) c->acknowledged = acknowledged;
    while (*at) {
        if ((*at)->until <= c->acknowledged) close_one(c, at);
        else at = &(*at)->next;
    }
}

void checkpoint_close_all(struct checkpoint *c)
{
    while (c->open) close_one(c, &c->open);
}

void checkpoint_take(struct checkpoint *c, struct checkpoint_open **at)
{
    struct checkpoint_open *o = *at;
    *at = o->next;
    drop(c, o);
}

int checkpoint_node_add(struct checkpoint *c, const char *run_id, const char *place)
{
    struct checkpoint_node *n, **at = &c->more;
    if (c->more_n == NODES_MOST) return fail(&c->env, RSP_ELIMIT, NULL, "too many servers for a checkpoint");
    n = mem_zero(&c->env, sizeof *n);
    if (!n) return RSP_ENOMEM;
    snprintf(n->run_id, sizeof n->run_id, "%s", run_id);
    snprintf(n->place, sizeof n->place, "%s", place);
    while (*at) at = &(*at)->next;
    *at = n;
    c->more_n++;
    return RSP_OK;
}

void checkpoint_free(struct checkpoint *c)
{
    while (c->more) {
        struct checkpoint_node *n = c->more;
        c->more = n->next;
        mem_free(&c->env, n, sizeof *n);
    }
    c->more_n = 0;
    while (c->open) checkpoint_take(c, &c->open);
    while (c->whole) checkpoint_take(c, &c->whole);
}

/* ---- writing ---- */

static int add_line(struct buf *b, const char *format, ...) RSP_PRINTF(2, 3);
static int add_line(struct buf *b, const char *format, ...)
{
    char line[512];
    va_list ap;
    int n;
    va_start(ap, format);
    n = vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof line) return fail(b->env, RSP_EINVAL, NULL, "a line of a checkpoint is too long");
    return buf_add(b, line, (size_t)n);
}

static int add_open(struct buf *b, const struct checkpoint_open *o)
{
    static const char digits[] = "0123456789abcdef";
    int rc = add_line(b, "open %" PRIu32 " x", o->db);
    for (size_t i = 0; i < o->n && !rc; i++) {
        rc = buf_byte(b, (uint8_t)digits[o->key[i] >> 4]);
        if (!rc) rc = buf_byte(b, (uint8_t)digits[o->key[i] & 15]);
    }
    return rc ? rc : buf_byte(b, '\n');
}

static int compose(const struct checkpoint *c, struct buf *b)
{
    int rc = add_line(b, MAGIC "\nsnapshot %s\noptions %016" PRIx64 "\nselection %016" PRIx64 "\n",
                      c->snapshot[0] ? c->snapshot : "-", c->options, c->selection);
    if (!rc) rc = add_line(b, "now %" PRIx64 "\nshift %" PRIx64 "\n", (uint64_t)c->now_ms, (uint64_t)c->shift_ms);
    if (!rc) rc = add_line(b, "target %s %s\n", c->run_id[0] ? c->run_id : "-", c->place);
    for (const struct checkpoint_node *n = c->more; n && !rc; n = n->next)
        rc = add_line(b, "target %s %s\n", n->run_id[0] ? n->run_id : "-", n->place);
    if (!rc)
        rc = add_line(b, "acknowledged %" PRIu64 "\nbound %" PRIu64 "\nskipped %" PRIu64 "\n", c->acknowledged,
                      c->bound, c->skipped);
    for (const struct checkpoint_open *o = c->open; o && !rc; o = o->next) rc = add_open(b, o);
    if (!rc) rc = add_line(b, "crc %016" PRIx64 "\n", crc64(0, b->p, b->n));
    return rc;
}

int checkpoint_write(struct checkpoint *c, const char *path)
{
    struct rsp_sink *sink = NULL;
    struct buf b;
    int rc;
    buf_init(&b, &c->env);
    rc = compose(c, &b);
    if (!rc) rc = rsp_sink_file(&c->env, path, RSP_SINK_REPLACE, &sink);
    if (!rc) rc = rsp_sink_write(sink, b.p, b.n);
    if (!rc) rc = rsp_sink_commit(sink);
    rsp_sink_free(sink);
    buf_free(&b);
    return rc;
}

/* A checkpoint that came back after a power cut would tell the next restore that all is there already. */
static int sync_folder_of(const struct rsp_env *e, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct buf dir;
    int fd, rc;
    buf_init(&dir, e);
    rc = slash ? buf_add(&dir, path, (size_t)(slash - path) + 1) : buf_add(&dir, ".", 1);
    if (!rc) rc = buf_byte(&dir, 0);
    fd = rc ? -1 : open((const char *)dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!rc && fd < 0) rc = fail_errno(e, errno, path, "cannot open the directory of the checkpoint");
    while (!rc && fsync(fd))
        if (errno != EINTR) rc = fail_errno(e, errno, path, "cannot make the checkpoint's removal durable");
    if (fd >= 0) close(fd);
    buf_free(&dir);
    return rc;
}

int checkpoint_remove(const struct rsp_env *env, const char *path)
{
    struct rsp_env e;
    env_init(&e, env);
    if (!unlink(path)) return sync_folder_of(&e, path);
    return errno == ENOENT ? RSP_OK : fail_errno(&e, errno, path, "cannot remove the checkpoint");
}

/* ---- reading ---- */

struct lines {
    const char *p, *end;
};

/* The next line when it begins with name and a blank: what follows; else NULL, and nothing is taken. */
static const char *line_of(struct lines *l, const char *name, size_t *n)
{
    size_t name_n = strlen(name);
    const char *nl = memchr(l->p, '\n', (size_t)(l->end - l->p)), *at = l->p;
    if (!nl || (size_t)(nl - at) < name_n + 1 || memcmp(at, name, name_n) || at[name_n] != ' ') return NULL;
    l->p = nl + 1;
    at += name_n + 1;
    *n = (size_t)(nl - at);
    return at;
}

static int number(const char *p, size_t n, unsigned base, uint64_t *v)
{
    if (!n || n > 20) return 0;
    for (*v = 0; n; p++, n--) {
        unsigned d = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
                     : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a') + 10
                                              : 16;
        if (d >= base || *v > (UINT64_MAX - d) / base) return 0;
        *v = *v * base + d;
    }
    return 1;
}

static int number_of(struct lines *l, const char *name, unsigned base, uint64_t *v)
{
    size_t n = 0;
    const char *p = line_of(l, name, &n);
    return p && number(p, n, base, v);
}

static int text_of(const char *p, size_t n, char *out, size_t size)
{
    if (n >= size || memchr(p, 0, n)) return 0;
    memcpy(out, p, n);
    out[n] = 0;
    if (!strcmp(out, "-")) out[0] = 0;
    return 1;
}

/* "RUN_ID PLACE". */
static int target_of(const char *p, size_t n, char *run_id, size_t run_id_n, char *place, size_t place_n)
{
    const char *blank = memchr(p, ' ', n);
    return blank && text_of(p, (size_t)(blank - p), run_id, run_id_n) &&
           text_of(blank + 1, n - (size_t)(blank - p) - 1, place, place_n);
}

static int parse_more(struct checkpoint *c, const char *p, size_t n)
{
    struct checkpoint_node node;
    if (!target_of(p, n, node.run_id, sizeof node.run_id, node.place, sizeof node.place)) return RSP_EFORMAT;
    return checkpoint_node_add(c, node.run_id, node.place);
}

/* "DB xHEX". */
static int parse_open(struct checkpoint *c, const char *p, size_t n)
{
    const char *blank = memchr(p, ' ', n);
    struct checkpoint_open *o;
    uint64_t db, v;
    size_t hex;
    if (!blank || !number(p, (size_t)(blank - p), 10, &db) || db > UINT32_MAX) return RSP_EFORMAT;
    hex = n - (size_t)(blank - p) - 1;
    if (!hex || blank[1] != 'x' || (hex - 1) % 2) return RSP_EFORMAT;
    hex = (hex - 1) / 2;
    o = append(c, (uint32_t)db, hex, UINT64_MAX);
    if (!o) return RSP_ENOMEM;
    for (size_t i = 0; i < hex; i++) {
        if (!number(blank + 2 + 2 * i, 2, 16, &v)) return RSP_EFORMAT;
        o->key[i] = (uint8_t)v;
    }
    return RSP_OK;
}

static int parse(struct checkpoint *c, const uint8_t *p, size_t n)
{
    struct lines l = {(const char *)p, (const char *)p + n};
    const char *text, *body = l.p;
    uint64_t crc, now, shift;
    size_t len = 0, magic = strlen(MAGIC);
    int rc = RSP_OK;
    if (n <= magic || memcmp(p, MAGIC "\n", magic + 1)) return RSP_EFORMAT;
    l.p += magic + 1;
    text = line_of(&l, "snapshot", &len);
    if (!text || !text_of(text, len, c->snapshot, sizeof c->snapshot)) return RSP_EFORMAT;
    if (!number_of(&l, "options", 16, &c->options) || !number_of(&l, "selection", 16, &c->selection))
        return RSP_EFORMAT;
    if (!number_of(&l, "now", 16, &now) || !number_of(&l, "shift", 16, &shift)) return RSP_EFORMAT;
    c->now_ms = (int64_t)now;
    c->shift_ms = (int64_t)shift;
    text = line_of(&l, "target", &len);
    if (!text || !target_of(text, len, c->run_id, sizeof c->run_id, c->place, sizeof c->place)) return RSP_EFORMAT;
    while (!rc && (text = line_of(&l, "target", &len))) rc = parse_more(c, text, len);
    if (rc) return rc;
    if (!number_of(&l, "acknowledged", 10, &c->acknowledged) || !number_of(&l, "bound", 10, &c->bound) ||
        !number_of(&l, "skipped", 10, &c->skipped) || c->bound < c->acknowledged)
        return RSP_EFORMAT;
    while (!rc && (text = line_of(&l, "open", &len))) rc = parse_open(c, text, len);
    if (rc) return rc;
    n = (size_t)(l.p - body);
    if (!number_of(&l, "crc", 16, &crc) || l.p != l.end || crc != crc64(0, body, n)) return RSP_EFORMAT;
    return RSP_OK;
}

static int read_all(struct checkpoint *c, const char *path, struct buf *b)
{
    struct rsp_source *source = NULL;
    int rc = rsp_source_file(&c->env, path, &source);
    while (!rc) {
        size_t got = 0;
        rc = b->n > FILE_MAX ? fail(&c->env, RSP_ELIMIT, path, "is too large for a checkpoint") : RSP_OK;
        if (!rc) rc = buf_reserve(b, 65536);
        if (!rc) rc = rsp_source_read(source, b->p + b->n, 65536, &got);
        b->n += got;
    }
    rsp_source_free(source);
    return rc == RSP_END ? RSP_OK : rc;
}

int checkpoint_read(struct checkpoint *c, const char *path, int *there)
{
    struct buf b;
    int rc;
    *there = 0;
    if (access(path, F_OK)) return RSP_OK;
    buf_init(&b, &c->env);
    rc = read_all(c, path, &b);
    if (!rc) rc = parse(c, b.p, b.n);
    if (rc == RSP_EFORMAT)
        (void)fail(&c->env, rc, path, "is no checkpoint of a restore, or it is damaged: remove it to begin again");
    *there = !rc;
    buf_free(&b);
    return rc;
}
