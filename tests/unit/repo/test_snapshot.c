/* What this is: snapshots come back as they were written, by range and chunk by chunk, and only for those who may read.
 * Rests on: snapshot_yard.h.
 * Does not: damage anything; test_snapshot_damage.c does. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/repo/snapshot_yard.h"

/* Chunk by chunk: every byte, the notes, the names. Returns how many chunks there are. */
static uint64_t read_chunks(struct rsp_snapshot *s, size_t stream, const uint8_t *data, size_t n, unsigned note_base)
{
    struct rsp_chunk_info info;
    uint64_t at = 0, i = 0;
    uint8_t *out = malloc(n + 1);
    int rc;
    while ((rc = rsp_snapshot_chunk_info(s, stream, i, &info)) == RSP_OK) {
        ck_assert_uint_eq(info.offset, at);
        ck_assert(info.plain <= n - at);
        ck_assert_int_eq(strncmp(info.object, "data/", 5), 0);
        if (n) {
            ck_assert_uint_eq(info.note.n, 4);
            ck_assert_uint_eq(info.note.p[0] | (unsigned)info.note.p[1] << 8, note_base + i);
        }
        ck_assert_int_eq(rsp_snapshot_chunk_read(s, stream, i, out), RSP_OK);
        ck_assert_mem_eq(out, data + at, info.plain);
        at += info.plain;
        i++;
    }
    ck_assert_int_eq(rc, RSP_END);
    ck_assert_int_eq(rsp_snapshot_chunk_read(s, stream, i, out), RSP_END);
    ck_assert_uint_eq(at, n);
    free(out);
    return i;
}

/* ---- round trips ---- */

static const struct {
    size_t n, chunk, used; /* used: of a chunk's buffer */
    uint64_t object;
    int unsealed;
    unsigned threads;
} trips[] = {
    {0, 0, 0, 0, 0, 1},
    {1, 0, 0, 0, 0, 0},
    {0, 4096, 0, 0, 1, 2},
    {5000, 4096, 0, 0, 0, 2},
    {100000, 4096, 3000, 10000, 0, 2},
    {100000, 4096, 4096, 4096, 1, 3},
    {700000, 65536, 65536, 65536 * 3, 0, 1},
    {3000000, 0, 0, 1 << 20, 0, 2},
    {3000000, 0, 0, 0, 0, 2},
};

START_TEST(round_trip)
{
    struct snap_options o = {.source = "web"};
    const struct rsp_manifest *m;
    struct rsp_snapshot *s;
    struct rsp_record *r;
    struct rsp_log *log;
    size_t n = trips[_i].n;
    uint8_t *data = snap_data(n, 3);
    o.chunk = trips[_i].chunk;
    o.used = trips[_i].used;
    o.object = trips[_i].object;
    o.unsealed = trips[_i].unsealed;
    o.threads = trips[_i].threads;
    o.prove = _i & 1;
    r = snap_make(&o, data, n, &log);
    ck_assert_uint_eq(r->plain, n);
    ck_assert_uint_eq(r->refs_n, r->objects);
    ck_assert_uint_eq(r->objects, trips[_i].object && n ? (r->objects > 1 ? r->objects : 0) : 1);
    ck_assert_int_eq((r->flags & RSP_COMMIT_UNSEALED) != 0, trips[_i].unsealed);
    ck_assert_uint_eq(r->flags & ~(uint32_t)RSP_COMMIT_UNSEALED, RSP_COMMIT_GOOD | RSP_COMMIT_FULL);
    ck_assert_uint_eq(r->keys, 12);
    ck_assert(rsp_record_living(r));
    s = opened(r);
    m = rsp_snapshot_manifest(s);
    ck_assert_uint_eq(m->streams_n, 1);
    ck_assert_mem_eq(m->snapshot, r->snapshot, 16);
    ck_assert(m->source.n == 3 && !memcmp(m->source.p, "web", 3));
    ck_assert(m->tool.n == 4 && !memcmp(m->tool.p, "test", 4));
    ck_assert_uint_eq(m->begun_ms, (uint64_t)y.now_ms);
    ck_assert_uint_eq(m->streams[0].plain, n);
    ck_assert_uint_eq(m->streams[0].records, 5);
    ck_assert_int_eq(read_from(s, 0, 0, trips[_i].threads, data, n), RSP_END);
    read_chunks(s, 0, data, n, 0);
    rsp_snapshot_free(s);
    rsp_log_free(log);
    free(data);
}
END_TEST

START_TEST(ranges)
{
    static const uint64_t from[] = {0, 1, 2999, 3000, 3001, 8999, 9000, 9001, 50000, 99999, 100000};
    struct snap_options o = {.source = "web", .chunk = 4096, .used = 3000, .object = 9000};
    struct rsp_source *source;
    struct rsp_snapshot *s;
    struct rsp_log *log;
    size_t n = 100000;
    uint8_t *data = snap_data(n, 4);
    s = opened(snap_make(&o, data, n, &log));
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        ck_assert_int_eq(read_from(s, 0, from[i], (unsigned)i % 4, data, n), RSP_END);
    ck_assert_int_eq(rsp_snapshot_source(s, 0, n + 1, 1, &source), RSP_EINVAL);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_snapshot_source(s, 1, 0, 1, &source), RSP_EINVAL);
    /* given up half way */
    ck_assert_int_eq(rsp_snapshot_source(s, 0, 0, 3, &source), RSP_OK);
    ck_assert_int_eq(rsp_source_read(source, data, 10, &n), RSP_OK);
    rsp_source_free(source);
    rsp_snapshot_free(s);
    rsp_log_free(log);
    free(data);
}
END_TEST

START_TEST(several_streams)
{
    struct rsp_snapshot_options o = {.size = sizeof o, .source = "web", .chunk_bytes = 4096, .threads = 2};
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_snapshot_writer *w;
    struct rsp_stream_writer *sw, *none;
    struct rsp_snapshot *s;
    struct rsp_record *r;
    struct rsp_log *log;
    uint8_t *data[3], *chunk;
    const size_t n[3] = {20000, 0, 4097};
    const char *names[3] = {"base.rdb", "empty", "appendonly.1"};
    size_t cap;
    ck_assert_int_eq(rsp_snapshot_begin(repo, &o, &w), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_ESTATE); /* nothing in it */
    for (unsigned i = 0; i < 3; i++) {
        data[i] = snap_data(n[i], i);
        ck_assert_int_eq(
            rsp_snapshot_stream(w, NULL, names[i], i == 2 ? RSP_STREAM_AOF_PART : RSP_STREAM_RDB, 0, 0, &sw), RSP_OK);
        ck_assert_int_eq(rsp_snapshot_prove(w), RSP_ESTATE);
        ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_ESTATE);
        rsp_error_clear(&y.error);
        snap_feed(sw, data[i], n[i], 4096, 100 * i);
        ck_assert_int_eq(rsp_stream_end(sw, NULL), RSP_OK);
        ck_assert_int_eq(rsp_stream_end(sw, NULL), RSP_ESTATE);
        ck_assert_int_eq(rsp_stream_chunk(sw, &chunk, &cap), RSP_ESTATE);
        rsp_error_clear(&y.error);
        ck_assert_int_eq(rsp_snapshot_stream(w, NULL, names[i], RSP_STREAM_RDB, 0, 0, &none),
                         RSP_EINVAL); /* named so already */
        rsp_error_clear(&y.error);
    }
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, "", RSP_STREAM_RDB, 0, 0, &none), RSP_EINVAL);
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, "x", 3, 0, 0, &none), RSP_EINVAL);
    ck_assert_int_eq(rsp_snapshot_prove(w), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, "late", RSP_STREAM_RDB, 0, 0, &none), RSP_ESTATE);
    ck_assert_int_eq(rsp_snapshot_prove(w), RSP_ESTATE);
    rsp_snapshot_writer_free(w);
    ck_assert_uint_eq(r->flags, 0);
    s = opened(r);
    ck_assert_uint_eq(rsp_snapshot_manifest(s)->streams_n, 3);
    ck_assert_int_eq(rsp_snapshot_manifest(s)->streams[2].kind, RSP_STREAM_AOF_PART);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(read_from(s, i, 0, 2, data[i], n[i]), RSP_END);
        read_chunks(s, i, data[i], n[i], 100 * i);
    }
    rsp_snapshot_free(s);
    rsp_log_free(log);
    for (int i = 0; i < 3; i++) free(data[i]);
}
END_TEST

/* More objects than a record names itself. */
START_TEST(references_apart)
{
    struct snap_options o = {.source = "web", .chunk = 4096, .used = 4096, .object = 4096, .threads = 2};
    size_t n = 4096 * 900;
    uint8_t *data = snap_data(n, 9);
    struct rsp_log *log, *again;
    struct rsp_record *r = snap_make(&o, data, n, &log);
    struct rsp_snapshot *s;
    char name[NAME_MAX_BYTES], path[512];
    ck_assert_int_eq(r->refs_apart, 1);
    ck_assert_uint_eq(r->refs_n, 900);
    again = yard_log(repo);
    r = rsp_log_by_hash(again, r->hash);
    ck_assert_ptr_nonnull(r);
    ck_assert_ptr_null(r->refs);
    s = opened(r);
    ck_assert_int_eq(read_from(s, 0, 4096 * 800 + 5, 2, data, n), RSP_END);
    rsp_snapshot_free(s);
    name_hashed(name, "refs", r->refs_hash);
    yard_path(&y, name, path);
    yard_flip(path, 5000);
    ck_assert_int_eq(open_status(r), RSP_EINTEGRITY);
    ck_assert_ptr_nonnull(strstr(y.error.subject, "refs/"));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(open_status(r), RSP_EINTEGRITY);
    ck_assert_ptr_nonnull(strstr(y.error.subject, "refs/"));
    rsp_log_free(again);
    rsp_log_free(log);
    free(data);
}
END_TEST

/* ---- who may ---- */

START_TEST(no_key)
{
    struct snap_options o = {.source = "web"};
    struct rsp_identity *alone[1];
    struct rsp_snapshot *s;
    struct rsp_log *log;
    struct rsp_repo *other;
    struct rsp_record *r = snap_make(&o, (const uint8_t *)"abc", 3, &log);
    alone[0] = y.host; /* it wrote it, and cannot read it */
    ck_assert_int_eq(yard_repo(&y, 1, alone, 1, &other), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_open(other, r, &s), RSP_EKEY);
    ck_assert_ptr_null(s);
    ck_assert_int_eq(y.error.code, RSP_EKEY);
    rsp_repo_free(other);
    alone[0] = y.root;
    ck_assert_int_eq(yard_repo(&y, 1, alone, 1, &other), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_open(other, r, &s), RSP_OK);
    rsp_snapshot_free(s);
    rsp_repo_free(other);
    rsp_log_free(log);
    /* suite none is for everybody */
    o.unsealed = 1;
    r = snap_make(&o, (const uint8_t *)"abc", 3, &log);
    alone[0] = y.keeper;
    ck_assert_int_eq(yard_repo(&y, 1, alone, 1, &other), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_open(other, r, &s), RSP_OK);
    ck_assert_int_eq(read_from(s, 0, 0, 1, (const uint8_t *)"abc", 3), RSP_END);
    rsp_snapshot_free(s);
    rsp_repo_free(other);
    rsp_log_free(log);
}
END_TEST

START_TEST(no_right)
{
    struct rsp_snapshot_options o = {.size = sizeof o, .source = "web"};
    struct rsp_snapshot_writer *w;
    struct rsp_identity *alone[1];
    struct rsp_repo *other;
    alone[0] = y.reader;
    ck_assert_int_eq(yard_repo(&y, 1, alone, 1, &other), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_begin(other, &o, &w), RSP_ERIGHT);
    ck_assert_ptr_null(w);
    ck_assert_ptr_nonnull(strstr(y.error.message, "write"));
    ck_assert_ptr_nonnull(strstr(y.error.message, "web"));
    rsp_repo_free(other);
}
END_TEST

START_TEST(bad_options)
{
    static char long_name[300];
    const struct rsp_snapshot_options cases[] = {
        {.size = sizeof *cases, .source = NULL},
        {.size = sizeof *cases, .source = ""},
        {.size = sizeof *cases, .source = "a b"},
        {.size = sizeof *cases, .source = "a\n"},
        {.size = sizeof *cases, .source = long_name},
        {.size = sizeof *cases, .source = "web", .chunk_bytes = 4095},
        {.size = sizeof *cases, .source = "web", .chunk_bytes = CHUNK_MAX + 1},
        {.size = sizeof *cases, .source = "web", .object_bytes = OBJECT_PLAIN_MAX + 1},
    };
    memset(long_name, 'x', 201);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rsp_snapshot_writer *w;
        rsp_error_clear(&y.error);
        ck_assert_int_eq(rsp_snapshot_begin(repo, &cases[i], &w), RSP_EINVAL);
        ck_assert_ptr_null(w);
        ck_assert_int_eq(y.error.code, RSP_EINVAL);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, round_trip, 0, sizeof trips / sizeof *trips);
    tcase_add_test(t, ranges);
    tcase_add_test(t, several_streams);
    tcase_add_test(t, references_apart);
    tcase_add_test(t, no_key);
    tcase_add_test(t, no_right);
    tcase_add_test(t, bad_options);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
