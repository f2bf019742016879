/* What this is: the libraries of functions that the streams have, each once.
 * Rests on: load_impl.h.
 * Does not: write them (load_put.c). */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "job/load_impl.h"

#define LIBRARIES_BYTES (256u << 20)

/* "#!lua name=NAME". */
static struct rsp_span name_of(const struct resp_unit *u)
{
    struct rsp_span none = {(const uint8_t *)"", 0};
    const char *p = memmem(u->p, u->n, "#!", 2), *end = (const char *)u->p + u->n, *line, *name;
    size_t n = 0;
    if (!p) return none;
    line = memchr(p, '\n', (size_t)(end - p));
    if (!line) line = end;
    name = memmem(p, (size_t)(line - p), "name=", 5);
    if (!name) return none;
    name += 5;
    while (name + n < line && name[n] != ' ' && name[n] != '\r' && name[n] != '\t') n++;
    return n > 256 ? none : (struct rsp_span){(const uint8_t *)name, n};
}

/* "*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n[$7\r\nREPLACE\r\n]$N\r\nSOURCE\r\n": the source. */
static struct rsp_span source_of(const struct resp_unit *u)
{
    struct rsp_span s = {u->p, u->n};
    for (int left = u->n > 1 ? u->p[1] - '0' : 0, i = 0; i <= left; i++) {
        const uint8_t *nl = s.n ? memchr(s.p, '\n', s.n) : NULL;
        size_t len = 0;
        if (!nl) return (struct rsp_span){s.p, 0};
        for (const uint8_t *d = s.p + 1; *d >= '0' && *d <= '9'; d++) len = len * 10 + (size_t)(*d - '0');
        s.n -= (size_t)(nl + 1 - s.p);
        s.p = nl + 1;
        if (i == left) return len <= s.n ? (struct rsp_span){s.p, len} : (struct rsp_span){s.p, 0};
        if (!i) continue;
        if (len + 2 > s.n) return (struct rsp_span){s.p, 0};
        s.p += len + 2, s.n -= len + 2;
    }
    return s;
}

static int same_library(struct load *x, const struct rsp_env *env, const struct load_library *old,
                        const struct load_library *l, struct rsp_span name, int *known)
{
    char printed[80];
    int same = old->hash == l->hash && old->n == l->n;
    *known = same;
    if (same || !name.n || old->name_n != name.n) return RSP_OK;
    if (memcmp(x->library_bytes.p + old->at - old->name_n, name.p, name.n)) return RSP_OK;
    printable(printed, sizeof printed, name.p, name.n);
    return fail(env, RSP_EUNSUPPORTED, x->name,
                "the function library \"%s\" has one code in stream %zu and another in stream %zu, and nothing was "
                "written: restore those streams one by one, or leave functions out",
                printed, old->stream, l->stream);
}

int load_library_add(struct load *x, const struct rsp_env *env, size_t stream, const struct resp_unit *u)
{
    static const uint8_t key[16] = "respite library";
    struct load_library *old = (struct load_library *)(void *)x->libraries.p;
    struct rsp_span name = name_of(u), source = source_of(u);
    struct load_library l = {.n = source.n, .name_n = name.n, .stream = stream};
    int rc = RSP_OK, known = 0;
    if (!source.n) return fail(env, RSP_EFORMAT, NULL, "a function library without code");
    l.hash = sip64(key, source.p, source.n);
    for (size_t i = 0; i < x->libraries.n / sizeof l && !rc && !known; i++)
        rc = same_library(x, env, &old[i], &l, name, &known);
    if (rc || known) return rc;
    if (x->library_bytes.n + source.n > LIBRARIES_BYTES)
        return fail(env, RSP_ELIMIT, NULL, "the functions are larger than %u MiB", LIBRARIES_BYTES >> 20);
    rc = buf_add(&x->library_bytes, name.p, name.n);
    l.at = x->library_bytes.n;
    if (!rc) rc = buf_add(&x->library_bytes, source.p, source.n);
    if (!rc) rc = buf_add(&x->libraries, &l, sizeof l);
    x->r.plan.functions++;
    return rc;
}
