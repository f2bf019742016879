/* What this is: the conformance suite of stores: the order of its tests, and what they share.
 * Rests on: probe.h.
 * Does not: hold the tests (probe_write.c, probe_look.c, probe_tell.c). */
#include "store/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define PART_DEFAULT ((uint64_t)8 << 20)
#define STALE_DEFAULT ((int64_t)7 * 24 * 3600 * 1000)

/* ---- rows ---- */

static void RSP_PRINTF(3, 0) say(struct probe *p, int verdict, const char *format, va_list args)
{
    p->verdict = verdict;
    if (vsnprintf(p->found, sizeof p->found, format, args) < 0) p->found[0] = 0;
}

int probe_say(struct probe *p, int verdict, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(p, verdict, format, args);
    va_end(args);
    return PROBE_DECIDED;
}

int probe_bad(struct probe *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(p, RSP_PROBE_FAILED, format, args);
    va_end(args);
    return PROBE_DECIDED;
}

int probe_fault(struct probe *p, int rc, const char *format, ...)
{
    struct rsp_error *e = p->s->env.error;
    va_list args;
    size_t n;
    if (rc > 0 || rc == RSP_ENOMEM || rc == RSP_ECANCELED) return rc;
    va_start(args, format);
    say(p, RSP_PROBE_FAILED, format, args);
    va_end(args);
    n = strlen(p->found);
    if (e->code) {
        snprintf(p->found + n, sizeof p->found - n, ": ");
        n = strlen(p->found);
        rsp_error_format(e, p->found + n, sizeof p->found - n);
    } else {
        snprintf(p->found + n, sizeof p->found - n, ": %s", rsp_status_text(rc));
    }
    rsp_error_clear(e);
    return PROBE_DECIDED;
}

int probe_forgive(struct probe *p, int rc)
{
    if (rc != RSP_ENOMEM && rc != RSP_ECANCELED) rsp_error_clear(p->s->env.error);
    return rc;
}

int probe_denied(int rc)
{
    return rc == RSP_EPERM || rc == RSP_EDENIED;
}

int64_t probe_apart(int64_t a, int64_t b)
{
    int64_t d;
    if (!__builtin_sub_overflow(a, b, &d)) return d > -INT64_MAX ? d : -INT64_MAX;
    return a < b ? -INT64_MAX : INT64_MAX;
}

int probe_row(struct probe *p, const char *what, const char *advice)
{
    const struct rsp_probe_row row = {what, p->verdict, p->found, p->verdict == RSP_PROBE_OK ? NULL : advice};
    return p->each(p->opaque, &row);
}

/* ---- names and bytes ---- */

const char *probe_name(struct probe *p, const char *tail)
{
    snprintf(p->name, sizeof p->name, "%s%s", p->base, tail);
    return p->name;
}

/* The counter i of the sequence, stirred: no two places of eight bytes are alike. */
static uint64_t word_of(uint64_t seed, uint64_t i)
{
    uint64_t x = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) + seed * UINT64_C(0xd1342543de82ef95);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

void probe_fill(uint64_t seed, uint64_t at, void *out, size_t n)
{
    uint8_t *q = out, word[8];
    while (n) {
        size_t skip = (size_t)(at % 8), k = 8 - skip < n ? 8 - skip : n;
        store_le64(word, word_of(seed, at / 8));
        memcpy(q, word + skip, k);
        q += k;
        at += k;
        n -= k;
    }
}

int probe_remember(struct probe *p, const char *name)
{
    return buf_add(&p->names, name, strlen(name) + 1);
}

int probe_put(struct probe *p, const char *tail, uint64_t seed, size_t n)
{
    int rc = probe_remember(p, probe_name(p, tail));
    probe_fill(seed, 0, p->ours, n);
    return rc ? rc : rsp_store_put(p->s, p->name, p->ours, n);
}

int probe_upload(struct probe *p, const char *tail, uint64_t seed, uint64_t n, int drop,
                 int (*seen)(struct probe *p, const char *tail))
{
    static const size_t steps[] = {1, 4095, 65537, PROBE_ROOM, PROBE_ROOM - 3};
    struct rsp_upload *u = NULL;
    uint64_t at = 0;
    int rc = probe_remember(p, probe_name(p, tail));
    if (!rc) rc = rsp_store_begin(p->s, p->name, &u);
    for (size_t i = 0; !rc && at < n; i = (i + 1) % (sizeof steps / sizeof *steps)) {
        size_t k = steps[i] < n - at ? steps[i] : (size_t)(n - at);
        probe_fill(seed, at, p->ours, k);
        rc = rsp_upload_write(u, p->ours, k);
        at += k;
    }
    if (!rc && seen) rc = seen(p, tail);
    if (!rc && !drop) rc = rsp_upload_commit(u);
    rsp_upload_free(u);
    return rc;
}

int probe_same(struct probe *p, const char *tail, uint64_t seed, uint64_t n)
{
    struct rsp_store_item item = {0};
    int rc = rsp_store_stat(p->s, probe_name(p, tail), &item);
    if (rc) return probe_fault(p, rc, "%s cannot be asked for after it was put", tail);
    if (item.bytes != n) return probe_bad(p, "%s has %" PRIu64 " bytes, %" PRIu64 " were put", tail, item.bytes, n);
    for (uint64_t at = 0; at < n;) {
        size_t k = n - at < PROBE_ROOM ? (size_t)(n - at) : PROBE_ROOM;
        rc = rsp_store_read(p->s, p->name, at, p->theirs, k);
        if (rc) return probe_fault(p, rc, "%s cannot be read at %" PRIu64, tail, at);
        probe_fill(seed, at, p->ours, k);
        if (memcmp(p->ours, p->theirs, k) != 0)
            return probe_bad(p, "%s: other bytes come back than were put, within %zu from %" PRIu64 " on", tail, k, at);
        at += k;
    }
    return RSP_OK;
}

static int is_it(void *opaque, const struct rsp_store_item *item)
{
    const struct probe *p = opaque;
    return strcmp(item->name, p->name) ? RSP_OK : PROBE_DECIDED;
}

int probe_missing(struct probe *p, const char *tail)
{
    struct rsp_store_item item = {0};
    uint8_t *bytes = NULL;
    size_t n = 0;
    int rc = probe_forgive(p, rsp_store_stat(p->s, probe_name(p, tail), &item));
    if (!rc) return probe_bad(p, "stat shows %s, which should not be there", tail);
    if (rc != RSP_ENOTFOUND) return probe_fault(p, rc, "stat of what is not there, %s, fails otherwise", tail);
    rc = probe_forgive(p, rsp_store_get(p->s, p->name, PROBE_ROOM, &bytes, &n));
    if (!rc) rsp_store_release(p->s, bytes, n);
    if (!rc) return probe_bad(p, "get returns %s, which should not be there", tail);
    if (rc != RSP_ENOTFOUND) return probe_fault(p, rc, "get of what is not there, %s, fails otherwise", tail);
    rc = rsp_store_list(p->s, p->base, is_it, p);
    if (rc == PROBE_DECIDED) return probe_bad(p, "list shows %s, which should not be there", tail);
    return rc ? probe_fault(p, rc, "list fails") : RSP_OK;
}

/* ---- the order ---- */

static const struct step {
    const char *what;
    int (*test)(struct probe *p);
    const char *good, *advice;
    int needs_put, reads; /* tried only when the first could put something; when nothing may be changed */
} steps[] = {
    {"put", probe_try_put, "objects of no byte and of one come back as they were put",
     "nothing can be kept here: look at the rights, and at what stands before this", 0, 0},
    {"put twice", probe_try_twice, "the same bytes again are taken, other bytes under a name that is taken are refused",
     "overwriting has to be refused: this storage may not hold a repository", 1, 0},
    {"upload", probe_try_upload, "one part, a byte less, a byte more, and several parts come back as they were sent",
     "large objects get damaged: this storage may not hold a repository", 1, 0},
    {"beside", probe_try_beside, "uploads that are open at once, one of them given up, do not touch each other",
     "shards are captured at the same time: this storage may not hold a repository of a cluster", 1, 0},
    {"range", probe_try_range, "any range is read exactly, and one over the end is refused",
     "reading a part of an object has to work: look at proxies and caches in between", 1, 0},
    {"unseen", probe_try_unseen, "nothing shows before the commit, and nothing of an upload that was given up",
     "half an object may be seen: this storage may not hold a repository", 1, 0},
    {"taken", probe_try_taken, "an upload to a name that is taken is refused, and the old bytes stay",
     "overwriting has to be refused: this storage may not hold a repository", 1, 0},
    {"list", probe_try_list, "names, order, sizes and times are exact, also below a prefix",
     "a listing that is wrong hides snapshots: this storage may not hold a repository", 1, 0},
    {"names", probe_try_names, "deep and long names work",
     "names of 400 bytes, 8 parts and parts of 255 bytes are used", 1, 0},
    {"pages", probe_try_pages, "a listing of several pages is whole", "a listing has to show everything", 1, 0},
    {"stat", probe_try_stat, "sizes and times are right, and what is not there is told as such", NULL, 1, 0},
    {"get", probe_try_get, "small objects come whole, larger ones than expected are refused", NULL, 1, 0},
    {"many", probe_try_many, "many questions at once are answered in their order", NULL, 1, 0},
    {"delete", probe_try_delete, "what was deleted is gone, and deleting again does no harm",
     "thinning out needs the right to delete: a keeper has it, a writer need not", 1, 0},
    {"replace", probe_try_replace, "a damaged object can be replaced, whole",
     "repairing needs the right to overwrite, which only a keeper should have", 1, 0},
    {"read", probe_try_look, "what is there is listed in order and can be read",
     "look at the rights to list and to read", 0, 1},
    {"clean", probe_try_clean, "everything that was tried is removed again",
     "what stays behind lies below probe-; 'backupd prune' removes leftovers and empty folders as they grow old", 0, 0},
};

static int run(struct probe *p, const struct step *step)
{
    int rc;
    p->verdict = RSP_PROBE_OK;
    snprintf(p->found, sizeof p->found, "%s", step->good);
    rc = step->test(p);
    if (rc && rc != PROBE_DECIDED) return rc;
    return probe_row(p, step->what, step->advice);
}

static int run_all(struct probe *p)
{
    int can_put = 0, rc = probe_clock(p);
    for (size_t i = 0; !rc && i < sizeof steps / sizeof *steps; i++) {
        if (steps[i].reads != p->o.read_only || (steps[i].needs_put && !can_put)) continue;
        rc = run(p, &steps[i]);
        if (i == 0) can_put = p->verdict != RSP_PROBE_FAILED;
    }
    if (!rc) rc = probe_leftovers(p);
    if (!rc) rc = probe_space(p);
    return rc ? rc : probe_abilities(p);
}

static int make_base(struct probe *p)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t random[8];
    int rc = p->s->env.random(p->s->env.random_opaque, random, sizeof random);
    size_t n = (size_t)snprintf(p->base, sizeof p->base, "probe-");
    if (rc) return fail(&p->s->env, rc, p->s->url, "no random numbers for a name");
    for (size_t i = 0; i < sizeof random; i++) {
        p->base[n++] = digits[random[i] >> 4];
        p->base[n++] = digits[random[i] & 15];
    }
    memcpy(p->base + n, "/", 2);
    return RSP_OK;
}

int rsp_store_probe(struct rsp_store *s, const struct rsp_probe_options *options,
                    int (*each)(void *opaque, const struct rsp_probe_row *row), void *opaque)
{
    struct probe *p = mem_zero(&s->env, sizeof *p);
    struct rsp_error *record = s->env.error;
    int rc;
    if (!p) return RSP_ENOMEM;
    if (options) memcpy(&p->o, options, options->size && options->size < sizeof p->o ? options->size : sizeof p->o);
    if (!p->o.stale_ms) p->o.stale_ms = STALE_DEFAULT;
    p->o.read_only = p->o.read_only || s->read_only;
    p->part = p->o.large ? (p->o.large - 1) / 3 : PART_DEFAULT;
    if (!p->part) p->part = 1;
    p->s = s;
    p->each = each;
    p->opaque = opaque;
    buf_init(&p->names, &s->env);
    if (!record) s->env.error = &p->own;
    p->ours = mem_alloc(&s->env, PROBE_ROOM);
    p->theirs = p->ours ? mem_alloc(&s->env, PROBE_ROOM) : NULL;
    rc = p->theirs ? make_base(p) : RSP_ENOMEM;
    if (!rc) rc = run_all(p);
    /* What ended it in the middle: the objects go all the same, one try each. */
    if (rc && p->names.n) {
        struct rsp_error why = *s->env.error;
        (void)probe_try_clean(p);
        *s->env.error = why;
    }
    buf_free(&p->names);
    mem_free(&s->env, p->ours, PROBE_ROOM);
    mem_free(&s->env, p->theirs, PROBE_ROOM);
    s->env.error = record;
    mem_free(&s->env, p, sizeof *p);
    return rc;
}
