/* What this is: the reader at its three depths, the feed with and without a thread, and the run with two
 *   workers, with the nth request for memory refused, for all n.
 * Rests on: libcheck, rdb_builder.h, rdb_drive.h. Best run under the address sanitizer.
 * Does not: make reads fail. */
#include <check.h>
#undef fail

#include <stdio.h>

#define MUST(condition)                                                                                   \
    do {                                                                                                  \
        if (!(condition)) ck_abort_msg("%s, request %zu: %s does not hold", now_name, now_n, #condition); \
    } while (0)
static const char *now_name = "";
static size_t now_n;

#include <respite/sys/rdb_batch.h>
#include <respite/sys/rdb_run.h>

#include "base/mem.h"
#include "rdb_builder.h"
#include "rdb_drive.h"

static struct made small, large;

static void put_blob(struct made *m, unsigned type, int lzf)
{
    struct made lp = {0};
    lp_begin(&lp);
    for (int i = 0; i < 24; i++) {
        if (type == 17 && i % 2) lp_int(&lp, i);
        else lp_str(&lp, "abcdefghabcdefghabcdefgh", (size_t)i);
    }
    lp_end(&lp, 24);
    if (lzf) put_lzf(m, lp.p, lp.n);
    else put_str(m, lp.p, lp.n);
    made_free(&lp);
}

static void put_stream(struct made *m)
{
    struct made lp = {0};
    record_begin(m, 15, "stream");
    put_len(m, 1), put_len(m, 16), put_be(m, 7, 8), put_be(m, 0, 8);
    lp_begin(&lp);
    lp_int(&lp, 1), lp_int(&lp, 0), lp_int(&lp, 1), lp_str(&lp, "f", 1), lp_int(&lp, 0);
    lp_int(&lp, 2), lp_int(&lp, 0), lp_int(&lp, 0), lp_str(&lp, "value", 5), lp_int(&lp, 4);
    lp_end(&lp, 10);
    put_lzf(m, lp.p, lp.n);
    put_len(m, 1), put_len(m, 7), put_len(m, 0);
    put_len(m, 1), put_text(m, "group"), put_len(m, 7), put_len(m, 0);
    put_len(m, 1), put_be(m, 7, 8), put_be(m, 0, 8), put_le(m, 1700000000000, 8), put_len(m, 1);
    put_len(m, 1), put_text(m, "alice"), put_le(m, 1700000000000, 8), put_len(m, 1), put_be(m, 7, 8), put_be(m, 0, 8);
    made_free(&lp);
}

/* Something of everything that allocates. */
static void build(struct made *m, int big)
{
    file_begin(m, "REDIS0015");
    put_byte(m, 0xfa), put_text(m, "redis-ver"), put_noise(m, 400, 1, 1);
    put_byte(m, 0xf2), put_len(m, 9), put_len(m, 2), put_text(m, "a"), put_noise(m, 300, 3, 1);
    put_byte(m, 0xf5), put_noise(m, 1000, 2, 1);
    record_begin(m, 0, "string"), put_noise(m, big ? 3 << 20 : 300, 4, 1);
    put_byte(m, 1), put_noise(m, big ? 700000 : 300, 5, 1), put_len(m, 1), put_text(m, "x");
    record_begin(m, 16, "blob"), put_blob(m, 16, 1);
    record_begin(m, 17, "zset"), put_blob(m, 17, 1);
    record_begin(m, 20, "set"), put_blob(m, 20, 0);
    record_begin(m, 18, "list"), put_len(m, 2), put_len(m, 2), put_blob(m, 18, 1), put_len(m, 1),
        put_noise(m, 99, 1, 1);
    record_begin(m, 32, "template"), put_len(m, 9), put_text(m, "one"), put_noise(m, 200, 3, 1);
    record_begin(m, 31, "own"), put_len(m, 1), put_len(m, 1), put_noise(m, 200, 3, 1), put_text(m, "v");
    record_begin(m, 4, "hash"), put_len(m, 2);
    for (uint64_t i = 0; i < 4; i++) put_noise(m, big ? 1200000 : 70, i, i % 2);
    put_stream(m);
    record_begin(m, 7, "module"), put_len(m, 77), put_len(m, 5), put_noise(m, big ? 2 << 20 : 70, 4, 0), put_len(m, 0);
    file_end(m);
}

static int read_depth(const struct rsp_env *env, struct rsp_source *s, int depth)
{
    struct trace t;
    return drive(env, s, depth, &t, UINT64_MAX);
}

static int with_memory(const struct rsp_env *env, const struct made *m, int depth)
{
    struct rsp_source *s = NULL;
    int rc = rsp_source_memory(env, m->p, m->n, &s);
    if (!rc) rc = read_depth(env, s, depth);
    rsp_source_free(s);
    return rc;
}

static int with_drip(const struct rsp_env *env, const struct made *m, int depth)
{
    struct drip d = {m->p, m->n, 0, 100001, m == &small, 0, 0};
    struct rsp_source_ops ops = {sizeof ops, drip_read, NULL};
    struct rsp_source *s = NULL;
    int rc = rsp_source_custom(env, &ops, &d, "drip", &s);
    if (!rc) rc = read_depth(env, s, depth);
    rsp_source_free(s);
    return rc;
}

static int feed_all(const struct rsp_env *env, const struct made *m, int readahead)
{
    struct drip d = {m->p, m->n, 0, 100001, 0, 0, 0};
    struct rsp_source_ops ops = {sizeof ops, drip_read, NULL};
    struct rsp_rdb_feed_options o = {
        .size = sizeof o, .readahead = readahead, .block_bytes = m == &small ? 256 : 65536};
    struct rsp_source *s = NULL;
    struct rsp_rdb_feed *f = NULL;
    struct rsp_rdb_batch *b = NULL, *held = NULL;
    int rc = rsp_source_custom(env, &ops, &d, "drip", &s);
    if (!rc) rc = rsp_rdb_feed_new(env, s, &o, &f);
    while (!rc && !(rc = rsp_rdb_feed_next(f, &b))) {
        rsp_rdb_batch_release(held);
        held = b;
    }
    rsp_rdb_batch_release(held);
    rsp_rdb_feed_free(f);
    rsp_source_free(s);
    return rc == RSP_END ? RSP_OK : rc;
}

/* ---- the run: every worker counts the elements of its batch ---- */

struct run_state {
    struct rsp_env env;
    _Atomic uint64_t elements;
};

static int run_work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct run_state *st = ctx;
    struct rsp_rdb_value *v = NULL;
    struct rsp_rdb_element e = {.size = sizeof e};
    int rc = rsp_rdb_value_new(env, &v);
    (void)worker;
    for (size_t i = 0; i < task->batch->count && !rc; i++) {
        const struct rsp_rdb_item *item = &task->batch->items[i];
        if (item->kind != RSP_RDB_KEY || (item->flags & RSP_ITEM_BIG)) continue;
        rsp_rdb_value_open(v, task->batch, item);
        while (!(rc = rsp_rdb_value_next(v, &e))) st->elements++;
        if (rc == RSP_END || rc == RSP_AGAIN) rc = RSP_OK;
    }
    rsp_rdb_value_free(v);
    if (rc) return rc;
    task->result = mem_alloc(env, 8);
    return task->result ? RSP_OK : RSP_ENOMEM;
}

static void run_drop(void *ctx, struct rsp_rdb_task *task)
{
    struct run_state *st = ctx;
    mem_free(&st->env, task->result, 8);
}

static int run_join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    (void)env;
    run_drop(ctx, task);
    return RSP_OK;
}

static int run_threads(const struct rsp_env *env, const struct made *m, int threads)
{
    struct drip d = {m->p, m->n, 0, 100001, 0, 0, 0};
    struct rsp_source_ops ops = {sizeof ops, drip_read, NULL};
    struct rsp_rdb_run_ops ro = {sizeof ro, run_work, run_join, run_drop};
    struct rsp_rdb_run_options o = {.size = sizeof o, .threads = (unsigned)threads, .limit = 1000};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct run_state st = {.env = *env};
    struct rsp_source *s = NULL;
    int rc = rsp_source_custom(env, &ops, &d, "drip", &s);
    if (!rc) rc = rsp_rdb_run(env, s, &o, &ro, &st, &result);
    rsp_source_free(s);
    return rc;
}

typedef int subject(const struct rsp_env *env, const struct made *m, int how);

static void torture(const char *name, subject *run, const struct made *m, int how, int threads)
{
    size_t calm = 0;
    now_name = name;
    for (now_n = 0;; now_n++) {
        struct meter meter = {.refuse = now_n};
        struct rsp_error error = {0};
        struct rsp_env env = meter_env(&meter, &error);
        int rc = run(&env, m, how);
        MUST(!meter.alive && !meter.wrong_sizes);
        MUST(rc == RSP_OK || rc == RSP_ENOMEM);
        MUST(now_n || rc == RSP_OK);
        MUST(rc == RSP_OK || meter.refused);
        MUST(rc == RSP_OK || error.code == RSP_ENOMEM);
        /* threads: how many requests there are differs from run to run */
        if (now_n && !meter.refused && ++calm == (threads ? 3u : 1u)) break;
        MUST(now_n < 10000);
    }
    MUST(now_n > 4);
}

START_TEST(reader)
{
    for (int depth = RSP_RDB_RAW; depth <= RSP_RDB_LOGICAL; depth++) {
        torture("memory, small", with_memory, &small, depth, 0);
        torture("memory, large", with_memory, &large, depth, 0);
        torture("drip, small", with_drip, &small, depth, 0);
        torture("drip, large", with_drip, &large, depth, 0);
    }
}
END_TEST

START_TEST(feed)
{
    torture("feed, small", feed_all, &small, 0, 0);
    torture("feed, large", feed_all, &large, 0, 0);
    torture("feed ahead, small", feed_all, &small, 1, 1);
    torture("feed ahead, large", feed_all, &large, 1, 1);
}
END_TEST

START_TEST(run)
{
    torture("run, one thread", run_threads, &small, 1, 0);
    torture("run, two threads, small", run_threads, &small, 2, 1);
    torture("run, two threads, large", run_threads, &large, 2, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("torture rdb");
    TCase *c = tcase_create("no memory");
    tcase_set_timeout(c, 240);
    tcase_add_test(c, reader);
    tcase_add_test(c, feed);
    tcase_add_test(c, run);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    SRunner *r;
    int failed;
    build(&small, 0);
    build(&large, 1);
    r = srunner_create(suite());
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    made_free(&small), made_free(&large);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
