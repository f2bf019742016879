/* What this is: tests of the conformance suite that look: ranges, listings, questions one by one and many at once.
 * Rests on: probe.h.
 * Does not: replace or delete (probe_write.c). */
#include "store/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MANY 40

/* ---- ranges ---- */

static int read_range(struct probe *p, uint64_t seed, uint64_t at, size_t n)
{
    int rc = rsp_store_read(p->s, p->name, at, p->theirs, n);
    if (rc) return probe_fault(p, rc, "%zu bytes at %" PRIu64 " cannot be read", n, at);
    probe_fill(seed, at, p->ours, n);
    if (!memcmp(p->ours, p->theirs, n)) return RSP_OK;
    return probe_bad(p, "%zu bytes at %" PRIu64 " are not those that were put there", n, at);
}

static int read_over(struct probe *p, uint64_t at, size_t n, int expected)
{
    int rc = probe_forgive(p, rsp_store_read(p->s, p->name, at, p->theirs, n));
    if (rc == expected) return RSP_OK;
    if (!rc) return probe_bad(p, "%zu bytes at %" PRIu64 " were read, which are not all there", n, at);
    return probe_fault(p, rc, "%zu bytes at %" PRIu64 ", which are not all there, are told otherwise", n, at);
}

int probe_try_range(struct probe *p)
{
    const uint64_t n = 3 * p->part + 1;
    const size_t few = n < 1000 ? 1 : 1000;
    char tail[32];
    int rc;
    snprintf(tail, sizeof tail, "upload-%" PRIu64, n);
    (void)probe_name(p, tail);
    rc = read_range(p, 9, 0, 1);
    if (!rc) rc = read_range(p, 9, n - 1, 1);
    if (!rc) rc = read_range(p, 9, p->part - 1, 2);
    if (!rc) rc = read_range(p, 9, n - few, few);
    if (!rc) rc = read_range(p, 9, n / 2, few);
    if (!rc) rc = read_over(p, n, 1, RSP_ETRUNCATED);
    if (!rc) rc = read_over(p, n - 1, 2, RSP_ETRUNCATED);
    if (!rc) rc = read_over(p, n + 1000, 10, RSP_ETRUNCATED);
    if (rc) return rc;
    (void)probe_name(p, "never-there");
    return read_over(p, 0, 1, RSP_ENOTFOUND);
}

/* ---- one by one ---- */

static int64_t clock_of(const struct probe *p)
{
    return p->s->env.now_ms(p->s->env.clock_opaque);
}

/* A time within this run, or nearly so. */
static int near(const struct probe *p, int64_t ms)
{
    int64_t since = probe_apart(ms, p->now_ms), runs = probe_apart(clock_of(p), p->ours_ms);
    return since > -PROBE_CLOCK && since - PROBE_CLOCK < runs;
}

int probe_try_stat(struct probe *p)
{
    struct rsp_store_item item = {0};
    int rc = probe_put(p, "stat", 20, 12345);
    if (rc) return probe_fault(p, rc, "an object of 12345 bytes cannot be put");
    rc = rsp_store_stat(p->s, p->name, &item);
    if (rc) return probe_fault(p, rc, "an object cannot be asked for after it was put");
    if (item.bytes != 12345) return probe_bad(p, "an object of 12345 bytes is said to have %" PRIu64, item.bytes);
    if (!item.name || strcmp(item.name, p->name) != 0) return probe_bad(p, "stat answers for another name");
    if (!near(p, item.mtime_ms))
        return probe_bad(p, "the time of an object just put is %" PRId64 " s from the store's clock",
                         probe_apart(item.mtime_ms, p->now_ms) / 1000);
    rc = probe_missing(p, "stat/below"); /* what stands below an object */
    if (!rc) rc = probe_missing(p, "never-there");
    return rc ? rc : probe_missing(p, "never/there");
}

int probe_try_get(struct probe *p)
{
    uint8_t *bytes = NULL;
    size_t n = 0;
    int rc = probe_put(p, "get", 21, 5000), same;
    if (!rc) rc = rsp_store_get(p->s, p->name, 5000, &bytes, &n);
    if (rc) return probe_fault(p, rc, "an object of 5000 bytes cannot be put and got");
    probe_fill(21, 0, p->ours, 5000);
    same = n == 5000 && !memcmp(bytes, p->ours, n);
    rsp_store_release(p->s, bytes, n);
    if (!same) return probe_bad(p, "an object of 5000 bytes comes back otherwise than it was put");
    rc = probe_forgive(p, rsp_store_get(p->s, p->name, 4999, &bytes, &n));
    if (!rc) {
        rsp_store_release(p->s, bytes, n);
        return probe_bad(p, "an object larger than expected was returned all the same");
    }
    if (rc != RSP_ELIMIT) return probe_fault(p, rc, "an object larger than expected is not refused as such");
    rc = rsp_store_get(p->s, probe_name(p, "put-0"), 0, &bytes, &n);
    if (rc) return probe_fault(p, rc, "an empty object cannot be got");
    rsp_store_release(p->s, bytes, n);
    return n ? probe_bad(p, "an empty object comes back with %zu bytes", n) : RSP_OK;
}

/* ---- many at once ---- */

struct many {
    struct probe *p;
    size_t next;
    int bad;
};

static size_t many_bytes(size_t i)
{
    return i * 37 % 101;
}

/* Every fifth is not there. */
static int many_status(size_t i)
{
    return i % 5 == 3 ? RSP_ENOTFOUND : RSP_OK;
}

static int many_wrong(struct many *m, size_t i, int status)
{
    if (i != m->next++) m->bad = probe_bad(m->p, "of many, the answer to %zu came in place of %zu", i, m->next - 1);
    else if (status != many_status(i))
        m->bad = probe_bad(m->p, "of many, the answer to %zu is \"%s\", it should be \"%s\"", i,
                           rsp_status_text(status), rsp_status_text(many_status(i)));
    return m->bad;
}

static int got_one(void *opaque, size_t i, int status, const uint8_t *bytes, size_t n)
{
    struct many *m = opaque;
    if (status == RSP_ECANCELED || status == RSP_ENOMEM) return status;
    if (many_wrong(m, i, status) || status) return m->bad;
    probe_fill(100 + i, 0, m->p->ours, many_bytes(i));
    if (n != many_bytes(i) || (n && memcmp(bytes, m->p->ours, n) != 0))
        m->bad = probe_bad(m->p, "of many, object %zu comes back otherwise than it was put", i);
    return m->bad;
}

static int saw_one(void *opaque, size_t i, int status, const struct rsp_store_item *item)
{
    struct many *m = opaque;
    if (status == RSP_ECANCELED || status == RSP_ENOMEM) return status;
    if (many_wrong(m, i, status) || status) return m->bad;
    if (item->bytes != many_bytes(i))
        m->bad = probe_bad(m->p, "of many, object %zu is said to have %" PRIu64 " bytes, not %zu", i, item->bytes,
                           many_bytes(i));
    return m->bad;
}

static int ask_many(struct probe *p, const char *const *names)
{
    struct many m = {.p = p};
    int rc = rsp_store_get_many(p->s, names, MANY, PROBE_ROOM, got_one, &m);
    if (m.bad) return m.bad;
    if (rc) return probe_fault(p, rc, "many cannot be got at once");
    if (m.next != MANY) return probe_bad(p, "of %d questions at once %zu were answered", MANY, m.next);
    m.next = 0;
    rc = rsp_store_stat_many(p->s, names, MANY, saw_one, &m);
    if (m.bad) return m.bad;
    if (rc) return probe_fault(p, rc, "many cannot be asked for at once");
    if (m.next != MANY) return probe_bad(p, "of %d questions at once %zu were answered", MANY, m.next);
    return RSP_OK;
}

int probe_try_many(struct probe *p)
{
    enum { BYTES = 64 };
    char *texts = mem_zero(&p->s->env, (size_t)MANY * BYTES);
    const char *names[MANY];
    int rc = texts ? RSP_OK : RSP_ENOMEM;
    for (size_t i = 0; !rc && i < MANY; i++) {
        char tail[32];
        snprintf(tail, sizeof tail, "many/%02zu", (i * 17) % MANY); /* not in the order of the names */
        snprintf(texts + i * BYTES, BYTES, "%s", probe_name(p, tail));
        names[i] = texts + i * BYTES;
        if (many_status(i)) continue;
        rc = probe_put(p, tail, 100 + i, many_bytes(i));
        if (rc) rc = probe_fault(p, rc, "a small object cannot be put");
    }
    if (!rc) rc = ask_many(p, names);
    mem_free(&p->s->env, texts, (size_t)MANY * BYTES);
    return rc;
}

/* ---- listings ---- */

struct listing {
    struct probe *p;
    const char *const *tails; /* what is expected, in order */
    size_t n, i;
    int bad;
};

static int list_one(void *opaque, const struct rsp_store_item *item)
{
    struct listing *l = opaque;
    struct probe *p = l->p;
    const char *tail;
    if (l->i == l->n) return l->bad = probe_bad(p, "list shows %s, which should not be there", item->name);
    tail = l->tails[l->i];
    if (strcmp(item->name, probe_name(p, tail)) != 0)
        return l->bad = probe_bad(p, "list shows %s where %s should stand", item->name, p->name);
    if (item->bytes != strlen(tail))
        return l->bad = probe_bad(p, "list says that %s has %" PRIu64 " bytes, not %zu", item->name, item->bytes,
                                  strlen(tail));
    if (!near(p, item->mtime_ms))
        return l->bad = probe_bad(p, "the time of %s in a listing is %" PRId64 " s from the store's clock", item->name,
                                  probe_apart(item->mtime_ms, p->now_ms) / 1000);
    l->i++;
    return RSP_OK;
}

static int list_is(struct probe *p, const char *prefix, const char *const *tails, size_t n)
{
    struct listing l = {.p = p, .tails = tails, .n = n};
    char whole[NAME_BYTES + 1];
    int rc;
    snprintf(whole, sizeof whole, "%s", probe_name(p, prefix));
    rc = rsp_store_list(p->s, whole, list_one, &l);
    if (l.bad) return l.bad;
    if (rc) return probe_fault(p, rc, "%s cannot be listed", prefix);
    return l.i < n ? probe_bad(p, "list does not show %s", probe_name(p, tails[l.i])) : RSP_OK;
}

int probe_try_list(struct probe *p)
{
    /* Ascending: '-' and '.' come before '/', so whole names are not in the order of folders. */
    static const char *const tails[] = {"l/a-b", "l/a.b", "l/a/b",  "l/a/b-",  "l/a0",  "l/aT",  "l/aZ",
                                        "l/a_",  "l/aa",  "l/b-/x", "l/b-c/x", "l/b/x", "l/b/y", "l/b0/x"};
    const size_t n = sizeof tails / sizeof *tails;
    int rc = RSP_OK;
    for (size_t i = 0; i < n; i++) {
        const char *tail = tails[(i * 5) % n];
        rc = probe_put(p, tail, i, strlen(tail));
        if (rc) return probe_fault(p, rc, "%s cannot be put", tail);
    }
    rc = list_is(p, "l/", tails, n);
    if (!rc) rc = list_is(p, "l/a/", tails + 2, 2);
    if (!rc) rc = list_is(p, "l/b/", tails + 11, 2);
    if (!rc) rc = list_is(p, "l/none/", NULL, 0);
    if (!rc) rc = list_is(p, "l/none/below/", NULL, 0);
    if (!rc) rc = list_is(p, "l/a-b/", NULL, 0); /* below an object */
    return rc ? rc : list_is(p, "l/a-b/x/", NULL, 0);
}

int probe_try_names(struct probe *p)
{
    char wide[PART_BYTES + 8] = "n/", whole[NAME_BYTES + 1] = "n/";
    const char *tails[3];
    size_t n = NAME_BYTES - strlen(p->base);
    int rc;
    memset(wide + 2, 'w', PART_BYTES);
    wide[2 + PART_BYTES] = 0;
    memset(whole + 2, 'z', n - 2);
    whole[n] = 0;
    whole[2 + PART_BYTES - 100] = '/';
    tails[0] = "n/3/4/5/6/7/8"; /* the base is the first part */
    tails[1] = wide;
    tails[2] = whole;
    for (size_t i = 0; i < 3; i++) {
        rc = probe_put(p, tails[i], i, strlen(tails[i]));
        if (rc)
            return probe_fault(p, rc, "%s cannot be put",
                               i == 0   ? "a name of 8 parts"
                               : i == 1 ? "a part of 255 bytes"
                                        : "a name of 400 bytes");
        rc = probe_same(p, tails[i], i, strlen(tails[i]));
        if (rc) return rc;
    }
    return list_is(p, "n/", tails, 3);
}

/* ---- more than a page ---- */

struct pages {
    const struct probe *p;
    size_t i;
    char wrong[96];
};

static void page_name(char tail[32], size_t i)
{
    snprintf(tail, 32, "pages/%05zu", i);
}

static int page_one(void *opaque, const struct rsp_store_item *item)
{
    struct pages *g = opaque;
    char tail[32];
    page_name(tail, g->i);
    if (strcmp(item->name + strlen(g->p->base), tail) != 0) {
        snprintf(g->wrong, sizeof g->wrong, "%.90s", item->name);
        return PROBE_DECIDED;
    }
    g->i++;
    return RSP_OK;
}

int probe_try_pages(struct probe *p)
{
    struct pages g = {.p = p};
    int64_t began = clock_of(p), took = 0;
    size_t n = 0;
    int rc;
    for (; n < PROBE_PAGE; n++) {
        char tail[32];
        if (n == PROBE_FEW) took = (clock_of(p) - began) / PROBE_FEW;
        if (took > PROBE_CHEAP) break;
        page_name(tail, n);
        rc = probe_put(p, tail, n, 1);
        if (rc) return probe_fault(p, rc, "object %zu of a folder cannot be put", n);
    }
    rc = rsp_store_list(p->s, probe_name(p, "pages/"), page_one, &g);
    if (rc == PROBE_DECIDED) return probe_bad(p, "of %zu names, %s stands at place %zu", n, g.wrong, g.i);
    if (rc) return probe_fault(p, rc, "%zu names cannot be listed", n);
    if (g.i != n) return probe_bad(p, "of %zu names %zu are listed", n, g.i);
    if (n == PROBE_PAGE) return RSP_OK;
    return probe_say(p, RSP_PROBE_NOTE,
                     "%zu names are listed; more than a page was not tried, since an object takes %" PRId64 " ms", n,
                     took);
}

/* ---- read-only ---- */

struct look {
    char name[NAME_BYTES + 1], last[NAME_BYTES + 1];
    uint64_t n, bytes;
    char wrong[NAME_BYTES + 1];
};

static int look_one(void *opaque, const struct rsp_store_item *item)
{
    struct look *k = opaque;
    if (k->n++ && strcmp(k->last, item->name) >= 0) {
        snprintf(k->wrong, sizeof k->wrong, "%s", item->name);
        return PROBE_DECIDED;
    }
    snprintf(k->last, sizeof k->last, "%s", item->name);
    if (!k->name[0] && item->bytes) {
        snprintf(k->name, sizeof k->name, "%s", item->name);
        k->bytes = item->bytes;
    }
    return RSP_OK;
}

int probe_try_look(struct probe *p)
{
    struct look k = {0};
    struct rsp_store_item item = {0};
    int rc = rsp_store_list(p->s, "", look_one, &k);
    if (rc == PROBE_DECIDED) return probe_bad(p, "a listing is out of order: %s stands behind %s", k.wrong, k.last);
    if (rc) return probe_fault(p, rc, "nothing can be listed");
    rc = list_is(p, "", NULL, 0);
    if (!rc) rc = probe_missing(p, "never-there");
    if (rc) return rc;
    if (!k.name[0]) return probe_say(p, RSP_PROBE_NOTE, "there is nothing to read; listing works");
    memcpy(p->name, k.name, sizeof p->name);
    rc = rsp_store_stat(p->s, p->name, &item);
    if (rc) return probe_fault(p, rc, "an object that is listed cannot be asked for");
    if (item.bytes != k.bytes)
        return probe_bad(p, "%s has %" PRIu64 " bytes, but %" PRIu64 " in a listing", k.name, item.bytes, k.bytes);
    rc = rsp_store_read(p->s, p->name, 0, p->theirs, 1);
    if (!rc) rc = rsp_store_read(p->s, p->name, item.bytes - 1, p->theirs, 1);
    if (rc) return probe_fault(p, rc, "%s cannot be read", k.name);
    rc = read_over(p, item.bytes, 1, RSP_ETRUNCATED);
    return rc ? rc : probe_say(p, RSP_PROBE_OK, "%" PRIu64 " objects are listed in order, and can be read", k.n);
}
