/* What this is: what a writer has stored, read back through it before the commit; damage on the way is met there.
 * Rests on: snapshot_yard.h.
 * Does not: commit but once. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/repo/snapshot_yard.h"

static struct rsp_snapshot_writer *begun(unsigned unsealed)
{
    struct rsp_snapshot_options o = {.size = sizeof o,
                                     .source = "web",
                                     .chunk_bytes = 4096,
                                     .object_bytes = 9000,
                                     .threads = 2,
                                     .unsealed = (int)unsealed};
    struct rsp_snapshot_writer *w;
    ck_assert_int_eq(rsp_snapshot_begin(repo, &o, &w), RSP_OK);
    return w;
}

static struct rsp_stream_writer *stream(struct rsp_snapshot_writer *w, const char *name, const uint8_t *data, size_t n)
{
    struct rsp_stream_writer *s = NULL;
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, name, RSP_STREAM_RDB, 0, 0, &s), RSP_OK);
    snap_feed(s, data, n, 3000, 0);
    ck_assert_int_eq(rsp_stream_end(s, NULL), RSP_OK);
    return s;
}

/* The status that ended it; what came before is compared. */
static int read_back(struct rsp_source *source, const uint8_t *data, size_t n)
{
    uint8_t out[7001];
    size_t at = 0, got;
    int rc;
    while ((rc = rsp_source_read(source, out, sizeof out, &got)) == RSP_OK) {
        ck_assert(got <= n - at);
        ck_assert_mem_eq(out, data + at, got);
        at += got;
    }
    if (rc == RSP_END) ck_assert_uint_eq(at, n);
    else ck_assert_int_eq(y.error.code, rc);
    rsp_source_free(source);
    return rc;
}

START_TEST(comes_back)
{
    static const size_t sizes[] = {50000, 0, 4097};
    const char *const names[] = {"dump.rdb", "empty", "third"};
    struct rsp_snapshot_writer *w = begun((unsigned)_i & 1);
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_source *source, *other;
    struct rsp_record *r;
    struct rsp_log *log;
    struct rsp_stream_writer *s[3];
    uint8_t *data[3];
    for (unsigned i = 0; i < 3; i++) {
        data[i] = snap_data(sizes[i], i + 1);
        s[i] = stream(w, names[i], data[i], sizes[i]);
        for (size_t k = 0; k <= i; k++) { /* more than once, and the ones before */
            ck_assert_int_eq(rsp_stream_written(s[k], (unsigned)_i, &source), RSP_OK);
            ck_assert_str_eq(rsp_source_name(source), names[k]);
            ck_assert_int_eq(read_back(source, data[k], sizes[k]), RSP_END);
        }
    }
    /* two at once, one given up half way */
    ck_assert_int_eq(rsp_stream_written(s[0], 2, &source), RSP_OK);
    ck_assert_int_eq(rsp_stream_written(s[2], 1, &other), RSP_OK);
    ck_assert_int_eq(read_back(other, data[2], sizes[2]), RSP_END);
    rsp_source_free(source);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_OK);
    ck_assert_int_eq(rsp_stream_written(s[0], 1, &source), RSP_ESTATE); /* the key is gone */
    ck_assert_ptr_null(source);
    rsp_snapshot_writer_free(w);
    rsp_log_free(log);
    for (int i = 0; i < 3; i++) free(data[i]);
}
END_TEST

START_TEST(while_it_is_written)
{
    struct rsp_snapshot_writer *w = begun(0);
    struct rsp_source *source, *early;
    uint8_t *first = snap_data(30000, 1), *second = snap_data(300000, 2);
    struct rsp_stream_writer *a = stream(w, "first", first, 30000), *b = NULL;
    ck_assert_int_eq(rsp_stream_written(a, 1, &early), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, "second", RSP_STREAM_RDB, 0, 0, &b), RSP_OK);
    ck_assert_int_eq(rsp_stream_written(b, 1, &source), RSP_ESTATE);
    ck_assert_ptr_null(source);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_stream_written(a, 1, &source), RSP_OK);
    ck_assert_int_eq(read_back(source, first, 30000), RSP_END);
    snap_feed(b, second, 300000, 3000, 0);
    ck_assert_int_eq(rsp_stream_end(b, NULL), RSP_OK);
    ck_assert_int_eq(read_back(early, first, 30000), RSP_END);
    rsp_snapshot_writer_free(w);
    free(first), free(second);
}
END_TEST

enum harm { FLIPPED_CHUNK, FLIPPED_END, CUT, GROWN, MISSING, HARMS };

START_TEST(damaged)
{
    struct rsp_snapshot_writer *w = begun(_i >= HARMS);
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_source *source;
    struct rsp_record *r;
    struct rsp_log *log;
    char name[NAME_MAX_BYTES], path[512];
    uint8_t *data = snap_data(50000, 7);
    const struct full_ref *ref;
    struct rsp_stream_writer *s = stream(w, "dump.rdb", data, 50000);
    ref = &s->refs[3];
    name_object(name, ref->kind, ref->epoch, ref->object);
    yard_path(&y, name, path);
    switch ((enum harm)(_i % HARMS)) {
    case FLIPPED_CHUNK: yard_flip(path, 104 + 20); break;
    case FLIPPED_END: yard_flip(path, (long)ref->stored - 1); break;
    case CUT: ck_assert_int_eq(truncate(path, (off_t)ref->stored - 1), 0); break;
    case GROWN: ck_assert_int_eq(truncate(path, (off_t)ref->stored + 1), 0); break;
    case MISSING: ck_assert_int_eq(unlink(path), 0); break;
    default: ck_abort();
    }
    ck_assert_int_eq(rsp_stream_written(s, 2, &source), RSP_OK);
    ck_assert_int_eq(read_back(source, data, 50000), RSP_EINTEGRITY);
    ck_assert_str_eq(y.error.subject, name);
    ck_assert_ptr_nonnull(strstr(y.error.trail, "reading back"));
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_ESTATE); /* never */
    rsp_snapshot_writer_free(w);
    free(data);
}
END_TEST

/* Every allocation on the way fails once: words, no leak, and no commit afterwards but by a whole read. */
static long left = -1;
static void *resize(void *opaque, void *p, size_t old_n, size_t new_n)
{
    (void)opaque;
    (void)old_n;
    if (!new_n) {
        free(p);
        return NULL;
    }
    if (left >= 0 && left-- == 0) return NULL;
    return realloc(p, new_n);
}

START_TEST(no_memory)
{
    uint8_t *data = snap_data(20000, 3);
    int ended = 0;
    for (long nth = 0; !ended && nth < 500; nth++) {
        struct rsp_snapshot_writer *w = begun(0);
        struct rsp_source *source = NULL;
        struct rsp_stream_writer *s = stream(w, "dump.rdb", data, 20000);
        s->env.resize = resize;
        rsp_error_clear(&y.error);
        int rc;
        left = nth;
        rc = rsp_stream_written(s, 1, &source);
        if (rc) ck_assert_ptr_null(source);
        else rc = read_back(source, data, 20000);
        ended = rc == RSP_END && left >= 0;
        left = -1;
        if (!ended && rc != RSP_END) {
            ck_assert_int_eq(rc, RSP_ENOMEM);
            ck_assert_int_eq(y.error.code, rc);
        }
        rsp_error_clear(&y.error);
        rsp_snapshot_writer_free(w);
    }
    ck_assert(ended);
    free(data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("written");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, comes_back, 0, 4);
    tcase_add_test(t, while_it_is_written);
    tcase_add_loop_test(t, damaged, 0, 2 * HARMS);
    tcase_add_test(t, no_memory);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
