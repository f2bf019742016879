/* What this is: every constructor and use of sources, sinks, stages, spool, dups and pool, with
 *   the nth request for memory refused, for all n.
 * Rests on: libcheck, stage/pack_data.h. Best run under the address sanitizer.
 * Does not: make system calls fail; test_torture_sink.c does. */
#include <check.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <respite/sink.h>
#include <respite/source.h>
#include <respite/sys/dups.h>
#include <respite/sys/pool.h>
#include <respite/sys/spool.h>

#include "stage/pack_data.h"

/* Refuses request number `refuse`; checks the sizes that it is told of what it gave out. */
struct giver {
    size_t requests, refuse, alive, wrong_sizes;
};

static void *give(void *opaque, void *ptr, size_t old_size, size_t new_size)
{
    struct giver *g = opaque;
    size_t *block = ptr ? (size_t *)ptr - 2 : NULL;
    if ((block ? block[0] : 0) != old_size) g->wrong_sizes++;
    if (!new_size) {
        if (block) g->alive--;
        free(block);
        return NULL;
    }
    if (++g->requests == g->refuse) return NULL;
    if (!block) g->alive++;
    block = realloc(block, new_size + 2 * sizeof *block);
    block[0] = new_size;
    return block + 2;
}

static struct data plain, packed[3];
static char path[64];

static int drain(struct rsp_source *s)
{
    uint8_t got[777];
    struct rsp_span v;
    size_t k, n = 0;
    int rc = rsp_source_peek(s, 100, &v);
    if (rc) return rc;
    while ((rc = rsp_source_read(s, got, sizeof got, &k)) == RSP_OK) n += k;
    ck_assert(rc < 0 || n == plain.n);
    return rc == RSP_END ? RSP_OK : rc;
}

static int finish_source(int rc, struct rsp_source *s)
{
    if (rc) {
        ck_assert_ptr_null(s);
        return rc;
    }
    rc = drain(s);
    rsp_source_free(s);
    return rc;
}

static int source_memory(const struct rsp_env *env)
{
    struct rsp_source *s;
    int rc = rsp_source_memory(env, plain.p, plain.n, &s);
    return finish_source(rc, s);
}

static int source_file(const struct rsp_env *env)
{
    struct rsp_source *s;
    int rc = rsp_source_file(env, path, &s);
    return finish_source(rc, s);
}

static int source_mmap(const struct rsp_env *env)
{
    struct rsp_source *s;
    int rc = rsp_source_mmap(env, path, &s);
    return finish_source(rc, s);
}

static int source_fd(const struct rsp_env *env)
{
    struct rsp_source *s;
    int fds[2], rc;
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(write(fds[1], plain.p, plain.n), (ssize_t)plain.n);
    close(fds[1]);
    rc = rsp_source_fd(env, fds[0], "pipe", &s);
    rc = finish_source(rc, s);
    close(fds[0]);
    return rc;
}

static int detect(const struct rsp_env *env, struct data d)
{
    struct rsp_source *inner, *s;
    int rc = rsp_source_memory(env, d.p, d.n, &inner);
    if (rc) return rc;
    rc = rsp_source_detect(env, inner, &s, NULL);
    if (rc) rsp_source_free(inner);
    return finish_source(rc, s);
}
static int detect_zstd(const struct rsp_env *env)
{
    return detect(env, packed[0]);
}
static int detect_gzip(const struct rsp_env *env)
{
    return detect(env, packed[1]);
}
static int detect_lz4(const struct rsp_env *env)
{
    return detect(env, packed[2]);
}

/* zstd compression and back, as a chain, pumped into memory. */
static int pump_chain(const struct rsp_env *env)
{
    struct rsp_stage *s[2] = {NULL, NULL}, *chain = NULL;
    struct rsp_source *source = NULL;
    struct rsp_sink *sink = NULL;
    struct rsp_span v;
    int rc = rsp_stage_zstd_compress(env, 3, &s[0]);
    if (!rc) rc = rsp_stage_zstd_decompress(env, &s[1]);
    if (!rc) rc = rsp_chain_new(env, s, 2, &chain);
    if (!rc) s[0] = s[1] = NULL;
    if (!rc) rc = rsp_source_memory(env, plain.p, plain.n, &source);
    if (!rc) rc = rsp_sink_memory(env, &sink);
    if (!rc) rc = rsp_pump(source, chain, sink);
    if (!rc) rc = rsp_sink_commit(sink);
    if (!rc) {
        ck_assert_int_eq(rsp_sink_view(sink, &v), RSP_OK);
        ck_assert_uint_eq(v.n, plain.n);
        ck_assert_mem_eq(v.p, plain.p, plain.n);
    }
    rsp_sink_free(sink);
    rsp_source_free(source);
    rsp_stage_free(chain);
    rsp_stage_free(s[0]);
    rsp_stage_free(s[1]);
    return rc;
}

static int pass_step(void *opaque, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    (void)opaque, (void)out;
    in->pos = in->n;
    return op == RSP_STAGE_END ? RSP_END : RSP_OK;
}

static void count_close(void *opaque)
{
    ++*(int *)opaque;
}

/* The caller's close is called exactly when the stage has been made. */
static int stage_custom(const struct rsp_env *env)
{
    static const struct rsp_stage_ops ops = {sizeof ops, "named", pass_step, count_close};
    struct rsp_stage *s;
    int closed = 0, rc = rsp_stage_custom(env, &ops, &closed, &s);
    rsp_stage_free(s);
    ck_assert_int_eq(closed, rc == RSP_OK);
    return rc;
}

static int none_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    (void)opaque, (void)out, (void)cap, (void)got;
    return RSP_END;
}

static int source_custom(const struct rsp_env *env)
{
    static const struct rsp_source_ops ops = {sizeof ops, none_read, count_close};
    struct rsp_source *s;
    int closed = 0, rc = rsp_source_custom(env, &ops, &closed, "named", &s);
    rsp_source_free(s);
    ck_assert_int_eq(closed, rc == RSP_OK);
    return rc;
}

static int sinks(const struct rsp_env *env)
{
    char target[80];
    struct rsp_sink *a = NULL, *b = NULL;
    int rc;
    snprintf(target, sizeof target, "%s.out", path);
    rc = rsp_sink_file(env, target, 0, &a);
    if (!rc) rc = rsp_sink_write(a, plain.p, plain.n);
    if (!rc) rc = rsp_sink_fd(env, 1, "output", &b);
    if (!rc) rc = rsp_sink_commit(a);
    rsp_sink_free(a);
    rsp_sink_free(b);
    ck_assert_int_eq(unlink(target) == 0, rc == RSP_OK);
    return rc;
}

static int spool(const struct rsp_env *env)
{
    struct rsp_spool *s;
    uint8_t got[100];
    size_t k;
    int rc = rsp_spool_new(env, "/tmp", 100000, &s);
    if (rc) return rc;
    for (int i = 0; i < 40 && !rc; i++) rc = rsp_spool_write(s, plain.p, plain.n);
    if (!rc) rc = rsp_spool_read(s, 5 * plain.n, got, sizeof got, &k);
    if (!rc) ck_assert_mem_eq(got, plain.p, sizeof got);
    rsp_spool_free(s);
    return rc;
}

static int found(void *ctx, uint64_t hash, uint64_t times)
{
    (void)hash, (void)times;
    ++*(int *)ctx;
    return RSP_OK;
}

static int dups(const struct rsp_env *env)
{
    struct rsp_dups *d;
    uint64_t h[1000];
    int pairs = 0, rc = rsp_dups_new(env, "/tmp", (size_t)1 << 20, &d);
    if (rc) return rc;
    for (uint64_t k = 0; k < 200 && !rc; k++) {
        for (uint64_t i = 0; i < 1000; i++) h[i] = ((k % 199) * 1000 + i + 1) * 0x9e3779b97f4a7c15u;
        rc = rsp_dups_add(d, h, 1000);
    }
    if (!rc) rc = rsp_dups_find(d, found, &pairs);
    ck_assert(rc || pairs == 1000);
    rsp_dups_free(d);
    return rc;
}

static int no_work(void *ctx, unsigned worker, const struct rsp_env *env, void *task)
{
    (void)ctx, (void)worker, (void)env, (void)task;
    return RSP_OK;
}
static int no_join(void *ctx, const struct rsp_env *env, void *task)
{
    (void)ctx, (void)env, (void)task;
    return RSP_OK;
}
static void no_drop(void *ctx, void *task)
{
    (void)ctx, (void)task;
}

static int pool(const struct rsp_env *env)
{
    static const struct rsp_pool_ops ops = {sizeof ops, no_work, no_join, no_drop};
    struct rsp_pool *p;
    int rc = rsp_pool_new(env, &ops, NULL, 2, 4, &p);
    if (rc) return rc;
    for (int i = 0; i < 20 && !rc; i++) rc = rsp_pool_submit(p, &plain);
    if (!rc) rc = rsp_pool_finish(p);
    rsp_pool_free(p);
    return rc;
}

static const struct {
    const char *name;
    int (*run)(const struct rsp_env *env);
} cases[] = {
    {"source_memory", source_memory},
    {"source_file", source_file},
    {"source_mmap", source_mmap},
    {"source_fd", source_fd},
    {"source_custom", source_custom},
    {"detect_zstd", detect_zstd},
    {"detect_gzip", detect_gzip},
    {"detect_lz4", detect_lz4},
    {"stage_custom", stage_custom},
    {"pump_chain", pump_chain},
    {"sinks", sinks},
    {"spool", spool},
    {"dups", dups},
    {"pool", pool},
};
#define CASES (int)(sizeof cases / sizeof *cases)

START_TEST(refused)
{
    for (size_t n = 1;; n++) {
        struct giver g = {0, n, 0, 0};
        struct rsp_error error = {0};
        struct rsp_env env = {.size = sizeof env, .resize = give, .resize_opaque = &g, .error = &error};
        int rc = cases[_i].run(&env);
        ck_assert_msg(!g.alive, "%s, request %zu: %zu blocks are lost", cases[_i].name, n, g.alive);
        ck_assert_msg(!g.wrong_sizes, "%s, request %zu: wrong sizes are told", cases[_i].name, n);
        if (g.requests < n) {
            ck_assert_int_eq(rc, RSP_OK);
            ck_assert_uint_gt(n, 1); /* the allocator was asked at all */
            break;
        }
        ck_assert_msg(rc == RSP_ENOMEM, "%s, request %zu: status %d", cases[_i].name, n, rc);
        ck_assert_int_eq(error.code, RSP_ENOMEM);
    }
}
END_TEST

static void make_data(void)
{
    int fd;
    plain = data_plain(5000, 9);
    packed[0] = data_zstd(plain);
    packed[1] = data_gzip(plain);
    packed[2] = data_lz4(plain);
    snprintf(path, sizeof path, "%s", "/tmp/respite-torture-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, plain.p, plain.n), (ssize_t)plain.n);
    close(fd);
}

static void free_data(void)
{
    unlink(path);
    for (int i = 0; i < 3; i++) free(packed[i].p);
    free(plain.p);
}

int main(void)
{
    Suite *suite = suite_create("torture_io");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, make_data, free_data);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, refused, 0, CASES);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
