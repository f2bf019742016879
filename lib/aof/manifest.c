/* What this is: the manifest of a multi-part AOF, parsed and written.
 * Rests on: manifest.h, base/bytes.h.
 * Does not: open files. */
#include "aof/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "base/bytes.h"

void aof_manifest_init(struct aof_manifest *m, const struct rsp_env *env)
{
    memset(m, 0, sizeof *m);
    buf_init(&m->files, env);
}

void aof_manifest_free(struct aof_manifest *m)
{
    buf_free(&m->files);
}

size_t aof_manifest_count(const struct aof_manifest *m)
{
    return m->files.n / sizeof(struct aof_file);
}

const struct aof_file *aof_manifest_at(const struct aof_manifest *m, size_t i)
{
    return (const struct aof_file *)(const void *)m->files.p + i;
}

/* What is wrong with this file behind those that are there; NULL: nothing. */
static const char *wrong(const struct aof_manifest *m, const struct aof_file *f)
{
    if (!f->name[0] || !strcmp(f->name, ".") || !strcmp(f->name, "..") || strchr(f->name, '/'))
        return "a name that is not that of a file in this folder";
    if (!f->seq || f->seq > INT64_MAX) return "a seq that is no number from 1 on";
    if (f->type != AOF_BASE && f->type != AOF_INCR && f->type != AOF_HISTORY) return "a type other than b, h and i";
    if (f->type == AOF_BASE && m->has_base) return "a second base";
    if (f->type == AOF_INCR && f->seq <= m->last_incr) return "a seq that is not above that of the incr before it";
    return NULL;
}

static int append(struct aof_manifest *m, const struct aof_file *f)
{
    m->has_base |= f->type == AOF_BASE;
    if (f->type == AOF_INCR) m->last_incr = f->seq;
    return buf_add(&m->files, f, sizeof *f);
}

static void forget(struct aof_manifest *m)
{
    m->files.n = 0;
    m->last_incr = 0;
    m->has_base = 0;
}

/* ---- reading ---- */

struct line {
    struct aof_manifest *m;
    const char *subject;
    uint64_t offset;
    struct buf key, value;
    struct aof_file file;
    int known; /* of file, seq, type: 1, 2, 4 */
};

static int bad(const struct line *l, const char *what)
{
    return fail_at(l->m->files.env, RSP_EFORMAT, l->subject, l->offset, "not a manifest of an AOF: a line with %s",
                   what);
}

static int is(const struct buf *b, const char *word)
{
    size_t n = strlen(word);
    return b->n == n && !strncasecmp((const char *)b->p, word, n);
}

static int number(const struct buf *b, int64_t *v)
{
    return b->n && i64_parse(b->p, b->n, v);
}

static int pair(struct line *l)
{
    struct aof_file *f = &l->file;
    int64_t v = 0;
    if (is(&l->key, "file")) {
        if (l->value.n > AOF_NAME_MAX) return bad(l, "a name of more than 255 bytes");
        memset(f->name, 0, sizeof f->name);
        if (l->value.n) memcpy(f->name, l->value.p, l->value.n);
        if (memchr(f->name, 0, l->value.n + 1) != f->name + l->value.n) return bad(l, "a NUL in a name");
        l->known |= 1;
    } else if (is(&l->key, "seq")) {
        if (!number(&l->value, &v) || v <= 0) return bad(l, "a seq that is no number from 1 on");
        f->seq = (uint64_t)v;
        l->known |= 2;
    } else if (is(&l->key, "type")) {
        f->type = l->value.n ? l->value.p[0] : 0;
        l->known |= 4;
    } else if (is(&l->key, "startoffset")) {
        if (!number(&l->value, &f->start_offset)) return bad(l, "a startoffset that is no number");
    } else if (is(&l->key, "endoffset")) {
        if (!number(&l->value, &f->end_offset)) return bad(l, "an endoffset that is no number");
    }
    return RSP_OK;
}

static int line(struct line *l, const uint8_t *p, size_t n)
{
    size_t at = 0;
    unsigned words = 0;
    const char *what;
    int rc = RSP_OK;
    memset(&l->file, 0, sizeof l->file);
    l->file.start_offset = l->file.end_offset = -1;
    l->known = 0;
    if (memchr(p, 0, n)) return bad(l, "a NUL");
    while (!rc) {
        rc = line_word(p, n, &at, words % 2 ? &l->value : &l->key);
        if (rc == RSP_EFORMAT) return bad(l, "quotes that do not match");
        if (!rc && words++ % 2) rc = pair(l);
    }
    if (rc != RSP_END) return rc;
    if (!words) return bad(l, "nothing in it");
    if (words % 2) return bad(l, "a word without its pair");
    if (l->known != 7) return bad(l, "no file, seq or type");
    what = wrong(l->m, &l->file);
    return what ? bad(l, what) : append(l->m, &l->file);
}

int aof_manifest_parse(struct aof_manifest *m, const char *subject, const void *text, size_t n)
{
    struct line l;
    const uint8_t *p = text;
    size_t at = 0;
    int rc = RSP_OK;
    memset(&l, 0, sizeof l);
    l.m = m;
    l.subject = subject;
    buf_init(&l.key, m->files.env);
    buf_init(&l.value, m->files.env);
    forget(m);
    if (!n) rc = bad(&l, "nothing in it: it is empty");
    while (at < n && !rc) {
        const uint8_t *end = memchr(p + at, '\n', n - at);
        size_t k = end ? (size_t)(end - (p + at)) : n - at;
        l.offset = at;
        if (k >= AOF_MANIFEST_LINE) rc = bad(&l, "more than 1023 bytes");
        else if (p[at] == '#') rc = RSP_OK;
        else if (!end) rc = bad(&l, "no newline at its end: it is cut off");
        else rc = line(&l, p + at, k);
        at += k + (end ? 1 : 0);
    }
    if (!rc && !m->files.n) rc = bad(&l, "nothing but comments");
    buf_free(&l.key);
    buf_free(&l.value);
    if (rc) forget(m);
    return rc;
}

/* ---- writing ---- */

int aof_manifest_add(struct aof_manifest *m, const char *name, uint64_t seq, int type)
{
    const struct rsp_env *env = m->files.env;
    struct aof_file f;
    const char *what;
    memset(&f, 0, sizeof f);
    if (strlen(name) > AOF_NAME_MAX) return fail(env, RSP_EINVAL, name, "a name of more than 255 bytes");
    snprintf(f.name, sizeof f.name, "%s", name);
    f.seq = seq;
    f.type = type;
    f.start_offset = f.end_offset = -1;
    what = wrong(m, &f);
    return what ? fail(env, RSP_EINVAL, name, "%s", what) : append(m, &f);
}

static int put(struct buf *out, const struct aof_file *f)
{
    char text[160];
    size_t from = out->n;
    int n, rc = buf_add(out, "file ", 5);
    if (!rc) rc = line_word_put(out, (const uint8_t *)f->name, strlen(f->name));
    n = snprintf(text, sizeof text, " seq %" PRIu64 " type %c", f->seq, f->type);
    if (!rc) rc = buf_add(out, text, (size_t)n);
    n = snprintf(text, sizeof text, " startoffset %" PRId64, f->start_offset);
    if (!rc && f->start_offset >= 0) rc = buf_add(out, text, (size_t)n);
    n = snprintf(text, sizeof text, " endoffset %" PRId64, f->end_offset);
    if (!rc && f->end_offset >= 0) rc = buf_add(out, text, (size_t)n);
    if (!rc) rc = buf_byte(out, '\n');
    if (!rc && out->n - from > AOF_MANIFEST_LINE)
        rc = fail(out->env, RSP_EINVAL, f->name, "a name too long for a manifest's line");
    return rc;
}

int aof_manifest_write(const struct aof_manifest *m, struct buf *out)
{
    static const int order[] = {AOF_BASE, AOF_HISTORY, AOF_INCR};
    int rc = RSP_OK;
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < aof_manifest_count(m) && !rc; i++)
            if (aof_manifest_at(m, i)->type == order[k]) rc = put(out, aof_manifest_at(m, i));
    return rc;
}
