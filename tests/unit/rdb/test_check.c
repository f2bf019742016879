/* What this is: the check finds what is wrong, where it is, and nothing else; every failing allocation is told.
 * Rests on: file_test.h, sys/check.h.
 * Does not: go through every fault: tests/data/bad does. */
#include <stdatomic.h>

#include <respite/sys/check.h>

#include "file_test.h"

struct seen {
    unsigned n;
    uint64_t offset[8];
    char kind[8][24], key[8][24];
};

static int remember(void *opaque, const struct rsp_finding *f)
{
    struct seen *s = opaque;
    if (s->n < 8) {
        s->offset[s->n] = f->offset;
        snprintf(s->kind[s->n], sizeof s->kind[0], "%s", f->kind);
        snprintf(s->key[s->n], sizeof s->key[0], "%.*s", (int)f->key.n, f->key.p ? (const char *)f->key.p : "");
    }
    s->n++;
    return RSP_OK;
}

/* A source that cannot seek. */
struct pipe {
    const struct file *f;
    size_t at;
};

static int pipe_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct pipe *p = opaque;
    size_t n = p->f->n - p->at;
    if (n > cap) n = cap;
    if (n > 70001) n = 70001;
    memcpy(out, p->f->p + p->at, n);
    p->at += n;
    *got = n;
    return n ? RSP_OK : RSP_END;
}

static struct rsp_check_report check(const struct file *f, int piped, struct rsp_check_options o, struct seen *seen)
{
    static const struct rsp_source_ops ops = {sizeof ops, pipe_read, NULL};
    struct rsp_check_report r = {.size = sizeof r};
    struct pipe p = {f, 0};
    struct rsp_source *source = NULL;
    memset(seen, 0, sizeof *seen);
    if (piped) MUST(rsp_source_custom(NULL, &ops, &p, "pipe", &source) == RSP_OK);
    else MUST(rsp_source_memory(NULL, f->p, f->n, &source) == RSP_OK);
    o.size = sizeof o;
    o.run.size = sizeof o.run;
    o.found = remember;
    o.opaque = seen;
    MUST(rsp_check_file(NULL, source, &o, &r) == RSP_OK);
    MUST(r.findings == seen->n);
    rsp_source_free(source);
    return r;
}

static const struct rsp_check_options none;

static void sound(struct file *f)
{
    static const char *const s[] = {"a", "1", "b", "2"};
    begin(f);
    key(f, 0, "string");
    text(f, "v");
    key(f, 16, "hash");
    listpack(f, s, 4);
    finish(f);
}

START_TEST(sound_file)
{
    struct rsp_check_options quick = {.quick = 1}, strict = {.require_checksum = 1}, fast = {.no_duplicates = 1};
    struct rsp_check_report r;
    struct seen seen;
    struct file f;
    sound(&f);
    r = check(&f, 0, none, &seen);
    ck_assert(r.findings == 0 && r.deep && r.duplicates_done && !r.not_rdb && r.run.feed.complete);
    r = check(&f, 1, none, &seen);
    ck_assert(r.findings == 0 && r.duplicates_done);
    r = check(&f, 0, fast, &seen);
    ck_assert(r.findings == 0 && r.deep && !r.duplicates_done);
    r = check(&f, 0, quick, &seen);
    ck_assert(r.findings == 0 && !r.deep && !r.duplicates_done && r.run.feed.complete);
    check(&f, 0, strict, &seen);
    ck_assert_uint_eq(seen.n, 1);
    ck_assert_str_eq(seen.kind[0], "unprotected");
    free(f.p);
}
END_TEST

START_TEST(frame)
{
    struct rsp_check_options quick = {.quick = 1};
    struct seen seen;
    struct file f, g;
    size_t n;
    sound(&f);
    n = f.n;
    add(&f, "xyz", 3);
    check(&f, 0, none, &seen);
    ck_assert(seen.n == 1 && seen.offset[0] == n && !strcmp(seen.kind[0], "trailing"));
    f.n = n;
    f.p[n - 1] = 1; /* a checksum, but not the right one */
    for (int q = 0; q < 2; q++) {
        check(&f, 0, q ? quick : none, &seen);
        ck_assert(seen.n == 1 && seen.offset[0] == n - 8 && !strcmp(seen.kind[0], "checksum"));
    }
    for (g = f, g.n = 1; g.n < n; g.n++) {
        check(&g, 0, quick, &seen);
        ck_assert(seen.n == 1 && seen.offset[0] == g.n && !strcmp(seen.kind[0], "truncated"));
    }
    free(f.p);
    begin(&f);
    add(&f, "......", 6);
    f.p[0] = 'r';
    ck_assert(check(&f, 0, none, &seen).not_rdb);
    ck_assert_uint_eq(seen.n, 0);
    free(f.p);
}
END_TEST

START_TEST(inside)
{
    static const char *const s[] = {"a", "1", "b", "2", "a", "3"};
    struct seen seen;
    struct file f;
    size_t broken, twice;
    begin(&f);
    key(&f, 16, "broken");
    listpack(&f, s, 4);
    broken = f.n - 2; /* the last element's back-length */
    f.p[broken] ^= 1;
    key(&f, 16, "twice");
    twice = f.n + 1 + 6 + 10; /* "a" and "b" take three bytes, their values two */
    listpack(&f, s, 6);
    finish(&f);
    check(&f, 0, none, &seen);
    ck_assert_uint_eq(seen.n, 2);
    ck_assert_uint_eq(seen.offset[0], broken);
    ck_assert_str_eq(seen.kind[0], "listpack");
    ck_assert_str_eq(seen.key[0], "broken");
    ck_assert_uint_eq(seen.offset[1], twice);
    ck_assert_str_eq(seen.kind[1], "duplicate-member");
    ck_assert_str_eq(seen.key[1], "twice");
    free(f.p);
}
END_TEST

/* A hash of several MiB with one field twice, far apart, and a key twice behind it. */
/* ---- beside the check ---- */

struct besides {
    atomic_uint worked; /* on workers */
    unsigned scanned, joined, dropped;
    uint64_t records;
};

static int count_scanned(void *opaque, const struct rsp_rdb_batch *batch)
{
    struct besides *b = opaque;
    b->scanned++;
    for (size_t i = 0; i < batch->count; i++) b->records += batch->items[i].kind == RSP_RDB_KEY;
    return RSP_OK;
}
static int work_beside(void *ctx, unsigned worker, const struct rsp_env *e, struct rsp_rdb_task *task)
{
    struct besides *b = ctx;
    (void)worker, (void)e;
    task->result = b;
    b->worked++;
    return RSP_OK;
}
static int join_beside(void *ctx, const struct rsp_env *e, struct rsp_rdb_task *task)
{
    struct besides *b = ctx;
    (void)e;
    b->joined += task->result == b;
    task->result = NULL;
    return RSP_OK;
}
static void drop_beside(void *ctx, struct rsp_rdb_task *task)
{
    ((struct besides *)ctx)->dropped += task->result != NULL;
    task->result = NULL;
}

/* A key that is there twice makes the check look a second time: whoever counts beside it sees each record once. */
START_TEST(beside_sees_all_once)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, work_beside, join_beside, drop_beside};
    struct besides b = {0};
    struct rsp_check_options o = {.beside = &ops, .beside_ctx = &b};
    struct rsp_check_report r;
    struct seen seen;
    struct file f;
    o.run.scanned = count_scanned;
    o.run.scanned_opaque = &b;
    begin(&f);
    for (unsigned i = 0; i < 3; i++) {
        key(&f, 0, i == 1 ? "other" : "twice");
        text(&f, "v");
    }
    finish(&f);
    r = check(&f, 0, o, &seen);
    ck_assert_uint_eq(r.findings, 1);
    ck_assert_str_eq(seen.kind[0], "duplicate-key");
    ck_assert_str_eq(seen.key[0], "twice");
    ck_assert_uint_eq(b.records, 3);
    ck_assert_uint_ge(b.scanned, 1);
    ck_assert_uint_eq(b.worked, b.scanned);
    ck_assert_uint_eq(b.joined, b.scanned);
    ck_assert_uint_eq(b.dropped, 0);
    free(f.p);
}
END_TEST

START_TEST(duplicates)
{
    struct rsp_check_options small = {.dups_bytes = 1};
    struct rsp_check_report r;
    struct seen seen;
    struct file f;
    size_t member = 0, again;
    begin(&f);
    key(&f, 0, "key");
    text(&f, "v");
    key(&f, 4, "large");
    length(&f, 200000);
    for (int i = 0; i < 200000; i++) {
        char s[24];
        if (i == 180000) member = f.n;
        snprintf(s, sizeof s, "field %d", i == 180000 ? 7 : i);
        text(&f, s);
        text(&f, "value");
    }
    byte(&f, 0xfe); /* the same key in another db is none twice */
    length(&f, 1);
    key(&f, 0, "key");
    text(&f, "v");
    byte(&f, 0xfe);
    length(&f, 0);
    again = f.n;
    key(&f, 2, "key");
    length(&f, 1);
    text(&f, "m");
    finish(&f);
    for (int k = 0; k < 4; k++) {
        r = check(&f, k & 1, k & 2 ? small : none, &seen);
        ck_assert(r.duplicates_done);
        ck_assert_uint_eq(seen.n, 2);
        ck_assert_uint_eq(seen.offset[0], member);
        ck_assert_str_eq(seen.kind[0], "duplicate-member");
        ck_assert_str_eq(seen.key[0], "large");
        ck_assert_uint_eq(seen.offset[1], again);
        ck_assert_str_eq(seen.kind[1], "duplicate-key");
        ck_assert_str_eq(seen.key[1], "key");
    }
    f.n -= 9; /* cut: still told, but not complete */
    r = check(&f, 0, none, &seen);
    ck_assert(!r.duplicates_done);
    ck_assert_uint_eq(seen.n, 3);
    ck_assert_str_eq(seen.kind[0], "truncated");
    ck_assert_str_eq(seen.kind[1], "duplicate-member");
    ck_assert_str_eq(seen.kind[2], "duplicate-key");
    free(f.p);
}
END_TEST

struct failing {
    long left, held;
};

static void *failing_resize(void *opaque, void *ptr, size_t old_size, size_t new_size)
{
    struct failing *a = opaque;
    void *p;
    (void)old_size;
    if (!new_size) {
        if (ptr) a->held--;
        free(ptr);
        return NULL;
    }
    if (a->left-- <= 0) return NULL;
    p = realloc(ptr, new_size);
    if (p && !ptr) a->held++;
    return p;
}

static int ignore(void *opaque, const struct rsp_finding *f)
{
    (void)opaque;
    (void)f;
    return RSP_OK;
}

START_TEST(nth_allocation)
{
    static const char *const s[] = {"a", "1", "b", "2", "a", "3"};
    struct file f;
    int rc = RSP_ENOMEM;
    begin(&f);
    for (int i = 0; i < 2; i++) {
        key(&f, 16, "hash");
        listpack(&f, s, 6);
    }
    key(&f, 0, "string");
    lzf(&f, (const uint8_t *)"abcdefghijklmnopqrstuvwxyz", 26);
    finish(&f);
    for (int piped = 0; piped < 2; piped++) {
        long n = 0;
        for (rc = RSP_ENOMEM; rc; n++) {
            static const struct rsp_source_ops ops = {sizeof ops, pipe_read, NULL};
            struct failing a = {n, 0};
            struct rsp_error e = {0};
            struct rsp_env env = {.size = sizeof env, .resize = failing_resize, .resize_opaque = &a, .error = &e};
            struct rsp_check_options o = {.size = sizeof o, .found = ignore};
            struct rsp_check_report r = {.size = sizeof r};
            struct pipe p = {&f, 0};
            struct rsp_source *source = NULL;
            o.run.size = sizeof o.run;
            o.run.threads = 1;
            if (piped) MUST(rsp_source_custom(NULL, &ops, &p, "pipe", &source) == RSP_OK);
            else MUST(rsp_source_memory(NULL, f.p, f.n, &source) == RSP_OK);
            rc = rsp_check_file(&env, source, &o, &r);
            ck_assert(rc == RSP_OK || rc == RSP_ENOMEM);
            if (rc) ck_assert_int_eq(e.code, RSP_ENOMEM);
            ck_assert_int_eq(a.held, 0);
            if (!rc) ck_assert_msg(r.findings == 3, "%u findings after %ld allocations", (unsigned)r.findings, n);
            rsp_source_free(source);
        }
        ck_assert_int_gt(n, 20);
    }
    free(f.p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("check");
    TCase *t = tcase_create("check");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 60);
    tcase_add_test(t, sound_file);
    tcase_add_test(t, frame);
    tcase_add_test(t, inside);
    tcase_add_test(t, duplicates);
    tcase_add_test(t, beside_sees_all_once);
    tcase_add_test(t, nth_allocation);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
