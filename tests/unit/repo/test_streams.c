/* What this is: tests of several streams of one snapshot that are written at once, each by a thread of its own.
 * Rests on: second_yard.h.
 * Does not: look into an object. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include <check.h>
#undef fail
#include <pthread.h>
#include <stdatomic.h>

#include "unit/repo/second_yard.h"

#define STREAMS 8

/* What one thread writes, with a record of faults of its own. */
struct one {
    struct rsp_error error;
    struct rsp_env env;
    struct rsp_stream_writer *s;
    struct rsp_stream_info facts;
    uint8_t *data;
    size_t n;
    int status;
    pthread_t thread;
    char name[32];
};

static struct one ones[STREAMS];

static void one_init(struct one *o, unsigned i, size_t n)
{
    memset(o, 0, sizeof *o);
    o->env = y.env;
    o->env.error = &o->error;
    o->env.random = NULL; /* the yard's dice are one thread's */
    snprintf(o->name, sizeof o->name, "shard-%u", i);
    o->n = n;
    o->data = snap_data(n, i + 1);
    o->facts = (struct rsp_stream_info){.place = {(const uint8_t *)o->name, strlen(o->name)},
                                        .node = {(const uint8_t *)"0123456789abcdef", 16},
                                        .taken_ms = 1700000000000 + i};
}

static void ones_free(unsigned n)
{
    for (unsigned i = 0; i < n; i++) free(ones[i].data);
}

/* Two threads of the caller's at work on a stream are the object writer's matter; here there is one for each. */
static void *write_one(void *arg)
{
    struct one *o = arg;
    o->status = snap_try_feed(o->s, o->data, o->n, 3000, 0);
    if (!o->status) o->status = rsp_stream_end(o->s, &o->facts);
    return NULL;
}

static struct rsp_snapshot_writer *begun(struct rsp_repo *const *also, size_t also_n)
{
    struct rsp_snapshot_options o = {.size = sizeof o,
                                     .source = "web",
                                     .chunk_bytes = 4096,
                                     .object_bytes = 9000,
                                     .threads = 2,
                                     .also = also,
                                     .also_n = also_n};
    struct rsp_snapshot_writer *w = NULL;
    ck_assert_int_eq(rsp_snapshot_begin(repo, &o, &w), RSP_OK);
    return w;
}

static int one_begin(struct rsp_snapshot_writer *w, struct one *o, unsigned threads)
{
    return rsp_snapshot_stream(w, &o->env, o->name, RSP_STREAM_RDB, 0, threads, &o->s);
}

static void all_begin(struct rsp_snapshot_writer *w, unsigned n, size_t bytes)
{
    for (unsigned i = 0; i < n; i++) {
        one_init(&ones[i], i, i == 5 ? 0 : bytes + 1000 * i);
        ck_assert_int_eq(one_begin(w, &ones[i], i % 3), RSP_OK);
    }
}

static void all_write(unsigned n)
{
    for (unsigned i = 0; i < n; i++) ck_assert_int_eq(pthread_create(&ones[i].thread, NULL, write_one, &ones[i]), 0);
    for (unsigned i = 0; i < n; i++) pthread_join(ones[i].thread, NULL);
}

/* The snapshot has these streams, in this order, and each reads as it was written. */
static void same(struct rsp_repo *of, const struct rsp_record *r, struct one *const *which, size_t n)
{
    struct rsp_snapshot *s = NULL;
    const struct rsp_manifest *m;
    uint64_t plain = 0;
    size_t objects = 0;
    ck_assert_msg(rsp_snapshot_open(of, r, &s) == RSP_OK, "%s", y.error.message);
    m = rsp_snapshot_manifest(s);
    ck_assert_uint_eq(m->streams_n, n);
    for (size_t i = 0; i < n; i++) {
        const struct rsp_stream_info *info = &m->streams[i];
        size_t refs_n;
        const struct full_ref *refs = manifest_refs(s->manifest, i, &refs_n);
        ck_assert_uint_eq(info->name.n, strlen(which[i]->name));
        ck_assert_mem_eq(info->name.p, which[i]->name, info->name.n);
        ck_assert_uint_eq(info->place.n, info->name.n);
        ck_assert_uint_eq(info->node.n, 16);
        ck_assert_uint_eq(info->taken_ms, which[i]->facts.taken_ms);
        ck_assert_uint_eq(info->plain, which[i]->n);
        for (size_t k = 0; k < refs_n; k++) {
            ck_assert_uint_eq(refs[k].number, k);
            ck_assert_mem_eq(refs[k].object, r->refs[objects + k].object, 16); /* the commit's are in the same order */
        }
        objects += refs_n;
        plain += info->plain;
        ck_assert_int_eq(read_from(s, i, 0, 2, which[i]->data, which[i]->n), RSP_END);
    }
    ck_assert_uint_eq(r->plain, plain);
    ck_assert_uint_eq(r->objects, objects);
    ck_assert_uint_eq(r->refs_n, objects);
    rsp_snapshot_free(s);
}

START_TEST(at_once)
{
    const unsigned n = _i & 1 ? STREAMS : 2;
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_snapshot_writer *w = begun(NULL, 0);
    struct one *order[STREAMS];
    struct rsp_record *r;
    struct rsp_log *log;
    all_begin(w, n, 60000);
    all_write(n);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_msg(ones[i].status == RSP_OK, "%s", ones[i].error.message);
        order[i] = &ones[i];
    }
    if (_i & 2) ck_assert_int_eq(rsp_snapshot_prove(w), RSP_OK);
    ck_assert_msg(rsp_snapshot_commit(w, &m, NULL, &log, &r) == RSP_OK, "%s", y.error.message);
    same(repo, r, order, n);
    rsp_snapshot_writer_free(w);
    rsp_log_free(log);
    ones_free(n);
}
END_TEST

/* Chunks of all in turn, by one thread: what another does between two chunks of a stream is nothing to it. */
START_TEST(in_turns)
{
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_snapshot_writer *w = begun(NULL, 0);
    struct one *order[3];
    struct rsp_record *r;
    struct rsp_log *log;
    for (unsigned i = 0; i < 3; i++) {
        one_init(&ones[i], i, 30000);
        ck_assert_int_eq(
            rsp_snapshot_stream(w, i ? &ones[i].env : NULL, ones[i].name, RSP_STREAM_RDB, 0, 1, &ones[i].s), RSP_OK);
        order[i] = &ones[i];
    }
    for (size_t at = 0; at < 30000; at += 3000)
        for (unsigned i = 0; i < 3; i++)
            ck_assert_int_eq(snap_try_feed(ones[i].s, ones[i].data + at, 3000, 0, 0), RSP_OK);
    for (unsigned i = 3; i-- > 0;) ck_assert_int_eq(rsp_stream_end(ones[i].s, &ones[i].facts), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_OK);
    same(repo, r, order, 3); /* the order of their beginning */
    rsp_snapshot_writer_free(w);
    rsp_log_free(log);
    ones_free(3);
}
END_TEST

static size_t objects_held;
static int count_object(void *opaque, const struct rsp_store_item *item)
{
    (void)opaque, (void)item;
    objects_held++;
    return RSP_OK;
}

/* The second of three breaks off half way (or after its end), and is begun once more. */
START_TEST(dropped)
{
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_snapshot_writer *w = begun(NULL, 0);
    struct one *order[3] = {&ones[0], &ones[2], &ones[1]};
    struct rsp_record *r;
    struct rsp_log *log;
    all_begin(w, 3, 60000);
    ck_assert_int_eq(pthread_create(&ones[0].thread, NULL, write_one, &ones[0]), 0);
    ck_assert_int_eq(pthread_create(&ones[2].thread, NULL, write_one, &ones[2]), 0);
    ck_assert_int_eq(snap_try_feed(ones[1].s, ones[1].data, 40000, 3000, 0), RSP_OK);
    if (_i) {
        uint8_t *out;
        size_t cap;
        ck_assert_int_eq(rsp_stream_chunk(ones[1].s, &out, &cap), RSP_OK); /* never given back */
    } else {
        ck_assert_int_eq(rsp_stream_end(ones[1].s, NULL), RSP_OK);
    }
    rsp_stream_drop(ones[1].s);
    ck_assert_int_eq(one_begin(w, &ones[1], 0), RSP_OK);
    write_one(&ones[1]);
    pthread_join(ones[0].thread, NULL);
    pthread_join(ones[2].thread, NULL);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(ones[i].status, RSP_OK);
    ck_assert_int_eq(rsp_snapshot_prove(w), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_OK);
    same(repo, r, order, 3);
    objects_held = 0;
    ck_assert_int_eq(rsp_store_list(y.store, "data/", count_object, NULL), RSP_OK);
    ck_assert_uint_gt(objects_held, r->refs_n); /* what was dropped is still there, and nobody's */
    rsp_snapshot_writer_free(w);
    rsp_log_free(log);
    ones_free(3);
}
END_TEST

/* None is left, or one is still open: no commit. */
START_TEST(not_yet)
{
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_snapshot_writer *w = begun(NULL, 0);
    struct rsp_record *r;
    struct rsp_log *log;
    all_begin(w, 2, 10000);
    write_one(&ones[0]);
    ck_assert_int_eq(ones[0].status, RSP_OK);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_ESTATE);
    ck_assert_ptr_nonnull(strstr(y.error.message, "\"shard-1\" has not ended"));
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_snapshot_prove(w), RSP_ESTATE);
    rsp_error_clear(&y.error);
    rsp_stream_drop(ones[0].s);
    rsp_stream_drop(ones[1].s);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_ESTATE);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(one_begin(w, &ones[0], 1), RSP_OK);
    write_one(&ones[0]);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_OK);
    rsp_snapshot_writer_free(w);
    rsp_log_free(log);
    ones_free(2);
}
END_TEST

/* One repository of two fails while several streams go there: it gets nothing more, of any of them. */
START_TEST(a_place_fails)
{
    struct second b;
    struct rsp_repo *also[1];
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_commit_result results[2];
    struct rsp_snapshot_writer *w;
    struct one *order[3] = {&ones[0], &ones[1], &ones[2]};
    second_open(&b, "b");
    also[0] = b.repo;
    w = begun(also, 1);
    b.f.at = b.f.seen + (unsigned long)_i;
    b.f.how = _i & 1 ? FALTER_REPLY : FALTER_LOST;
    all_begin(w, 3, 40000);
    all_write(3);
    for (int i = 0; i < 3; i++) ck_assert_msg(ones[i].status == RSP_OK, "%s", ones[i].error.message);
    ck_assert_int_eq(rsp_snapshot_commit_all(w, &m, NULL, results), RSP_OK);
    ck_assert_int_eq(results[0].status, RSP_OK);
    ck_assert_int_eq(results[1].status, RSP_ENET);
    ck_assert_ptr_nonnull(strstr(results[1].words.message, "as the test wanted"));
    same(repo, results[0].record, order, 3);
    rsp_log_free(results[0].log);
    rsp_snapshot_writer_free(w);
    second_close(&b);
    ones_free(3);
}
END_TEST

/* The only one fails: each stream that still has something to write says so in its own words. */
START_TEST(all_places_fail)
{
    struct second b;
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_snapshot_options o = {.size = sizeof o, .source = "web", .chunk_bytes = 4096, .threads = 2};
    struct rsp_commit_result results[1];
    struct rsp_snapshot_writer *w = NULL;
    second_open(&b, "b");
    ck_assert_int_eq(rsp_snapshot_begin(b.repo, &o, &w), RSP_OK);
    b.f.at = b.f.seen + 5;
    b.f.dead = 1;
    all_begin(w, 3, 100000);
    all_write(3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ones[i].status, RSP_ENET);
        ck_assert_int_eq(ones[i].error.code, RSP_ENET);
        ck_assert_ptr_nonnull(strstr(ones[i].error.message, "as the test wanted"));
    }
    ck_assert_int_eq(b.error.code, 0);
    ck_assert_int_eq(rsp_snapshot_commit_all(w, &m, NULL, results), RSP_ESTATE);
    for (int i = 0; i < 3; i++) rsp_stream_drop(ones[i].s);
    rsp_snapshot_writer_free(w);
    second_close(&b);
    ones_free(3);
}
END_TEST

/* ---- memory ---- */

static atomic_long left = 1 << 30;
static void *resize(void *opaque, void *p, size_t old_n, size_t new_n)
{
    (void)opaque;
    (void)old_n;
    if (!new_n) {
        free(p);
        return NULL;
    }
    return atomic_fetch_sub(&left, 1) == 1 ? NULL : realloc(p, new_n);
}

/* The nth allocation of one stream fails: the other ends, and with it dropped and begun again there is a snapshot. */
START_TEST(no_memory_for_one)
{
    int whole = 0;
    for (long nth = 1; !whole; nth++) {
        struct rsp_manifest m = {.size = sizeof m};
        struct rsp_snapshot_writer *w = begun(NULL, 0);
        struct one *order[2] = {&ones[0], &ones[1]};
        struct rsp_record *r;
        struct rsp_log *log;
        int rc;
        ck_assert_int_lt(nth, 500);
        for (unsigned i = 0; i < 2; i++) one_init(&ones[i], i, 20000);
        ck_assert_int_eq(one_begin(w, &ones[0], 1), RSP_OK);
        ones[1].env.resize = resize;
        left = nth;
        rc = one_begin(w, &ones[1], 1);
        if (!rc) {
            all_write(2);
            ck_assert_int_eq(ones[0].status, RSP_OK);
            rc = ones[1].status;
        } else {
            write_one(&ones[0]);
            ck_assert_ptr_null(ones[1].s);
        }
        whole = left > 0;
        left = 1 << 30;
        if (rc) {
            ck_assert_int_eq(rc, RSP_ENOMEM);
            ck_assert_int_eq(ones[1].error.code, RSP_ENOMEM);
            if (ones[1].s) {
                ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_ESTATE);
                rsp_error_clear(&y.error);
                rsp_stream_drop(ones[1].s);
            }
            memset(&ones[1].error, 0, sizeof ones[1].error);
            ck_assert_int_eq(one_begin(w, &ones[1], 1), RSP_OK);
            write_one(&ones[1]);
        } else {
            ck_assert(whole);
        }
        ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_OK);
        if (nth % 8 == 1 || whole) same(repo, r, order, 2);
        rsp_snapshot_writer_free(w);
        rsp_log_free(log);
        ones_free(2);
        y.now_ms += 1000;
    }
}
END_TEST

/* One that has ended is read back while others are written; what is damaged is that stream's fault alone. */
START_TEST(read_back_beside)
{
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_snapshot_writer *w = begun(NULL, 0);
    struct one *order[3] = {&ones[1], &ones[2], &ones[0]};
    struct rsp_source *source = NULL;
    struct rsp_record *r;
    struct rsp_log *log;
    char name[NAME_MAX_BYTES], path[512];
    uint8_t out[4000];
    size_t at = 0, got;
    int rc;
    all_begin(w, 3, 60000);
    write_one(&ones[0]);
    ck_assert_int_eq(ones[0].status, RSP_OK);
    name_object(name, OBJECT_DATA, w->epoch, ones[0].s->refs[4].object);
    if (_i) {
        yard_path(&y, name, path);
        yard_flip(path, 110);
    }
    for (int i = 1; i < 3; i++) ck_assert_int_eq(pthread_create(&ones[i].thread, NULL, write_one, &ones[i]), 0);
    ck_assert_int_eq(rsp_stream_written(ones[0].s, 2, &source), RSP_OK);
    while ((rc = rsp_source_read(source, out, sizeof out, &got)) == RSP_OK) {
        ck_assert_mem_eq(out, ones[0].data + at, got);
        at += got;
    }
    rsp_source_free(source);
    for (int i = 1; i < 3; i++) pthread_join(ones[i].thread, NULL);
    for (int i = 1; i < 3; i++) ck_assert_int_eq(ones[i].status, RSP_OK);
    if (_i) {
        ck_assert_int_eq(rc, RSP_EINTEGRITY);
        ck_assert_str_eq(ones[0].error.subject, name);
        ck_assert_int_eq(y.error.code, 0);
        ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_ESTATE);
        ck_assert_ptr_nonnull(strstr(y.error.message, "has failed"));
        rsp_error_clear(&y.error);
    } else {
        ck_assert_int_eq(rc, RSP_END);
        ck_assert_uint_eq(at, ones[0].n);
    }
    rsp_stream_drop(ones[0].s);
    ck_assert_int_eq(one_begin(w, &ones[0], 2), RSP_OK);
    write_one(&ones[0]);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_OK);
    same(repo, r, order, 3);
    rsp_snapshot_writer_free(w);
    rsp_log_free(log);
    ones_free(3);
}
END_TEST

/* Given up with streams at work: nothing is left open, and nothing is committed. */
START_TEST(given_up)
{
    struct rsp_snapshot_writer *w = begun(NULL, 0);
    struct rsp_log *log;
    struct rsp_record *r;
    all_begin(w, 3, 50000);
    write_one(&ones[0]);
    ck_assert_int_eq(snap_try_feed(ones[1].s, ones[1].data, 40000, 3000, 0), RSP_OK);
    rsp_snapshot_writer_free(w);
    ck_assert_int_eq(rsp_log_load(repo, NULL, &log), RSP_OK);
    ck_assert_int_eq(rsp_log_find(log, "latest", NULL, &r), RSP_ENOTFOUND);
    rsp_log_free(log);
    ones_free(3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("streams");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, at_once, 0, 4);
    tcase_add_test(t, in_turns);
    tcase_add_loop_test(t, dropped, 0, 2);
    tcase_add_test(t, not_yet);
    tcase_add_loop_test(t, a_place_fails, 1, 20);
    tcase_add_test(t, all_places_fail);
    tcase_add_test(t, no_memory_for_one);
    tcase_add_loop_test(t, read_back_beside, 0, 2);
    tcase_add_test(t, given_up);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
