/* What this is: tests of rsp_read_data: what is damaged is named, and reading goes on behind it.
 * Rests on: place.h, libcheck.
 * Does not: look at the log or at envelopes (repo/). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/dump.h"
#include "job/note.h"
#include "unit/job/place.h"

#define CHUNK 65536
#define KEYS 2000

static struct place at;
static struct dump dump;
static struct rsp_log *the_log;
static struct rsp_record *record;
static struct rsp_snapshot *snapshot;
static struct rsp_read_report report;

static struct {
    char object[128];
    uint32_t chunk;
    uint64_t offset, bytes;
    int64_t records;
    int of_parser;
    size_t stream;
} told[64];
static unsigned told_n;

static int on_finding(void *opaque, const struct rsp_read_finding *f)
{
    (void)opaque;
    ck_assert_uint_lt(told_n, 64);
    ck_assert_ptr_nonnull(f->reason);
    snprintf(told[told_n].object, sizeof told[0].object, "%s", f->object ? f->object : "");
    told[told_n].of_parser = !f->object;
    told[told_n].chunk = f->chunk;
    told[told_n].offset = f->offset;
    told[told_n].bytes = f->bytes;
    told[told_n].records = f->records;
    told[told_n].stream = f->stream;
    told_n++;
    return RSP_OK;
}

static void store(const struct rsp_backup_options *options)
{
    struct rsp_backup_options o = {0};
    struct rsp_backup_report r;
    if (options) o = *options;
    o.snapshot.chunk_bytes = CHUNK;
    ck_assert_msg(place_backup(&at, dump.p, dump.n, &o, &the_log, &r) == RSP_OK, "%s", at.error.message);
    record = r.record;
}

static void open_it(void)
{
    rsp_snapshot_free(snapshot);
    snapshot = NULL;
    ck_assert_msg(rsp_snapshot_open(at.repo, record, &snapshot) == RSP_OK, "%s", at.error.message);
}

static int read_it(const struct rsp_read_options *options)
{
    struct rsp_read_options o = {0};
    if (options) o = *options;
    o.size = sizeof o;
    if (!o.found) o.found = on_finding;
    told_n = 0;
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    rsp_error_clear(&at.error);
    return rsp_read_data(&at.env, snapshot, &o, &report);
}

static void setup(void)
{
    place_open(&at);
    the_log = NULL;
    snapshot = NULL;
    dump_make(&dump, KEYS, 3000, 0);
}

static void teardown(void)
{
    rsp_snapshot_free(snapshot);
    rsp_log_free(the_log);
    dump_free(&dump);
    place_close(&at);
}

/* Turns a bit about so far into the stored object. */
static void spoil(uint64_t offset)
{
    const char *path = place_object(&at);
    FILE *f;
    int c;
    ck_assert_int_eq(chmod(path, 0600), 0);
    f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, (long)offset, SEEK_SET), 0);
    c = fgetc(f);
    ck_assert_int_eq(fseek(f, (long)offset, SEEK_SET), 0);
    ck_assert_int_eq(fputc(c ^ 1, f), c ^ 1);
    ck_assert_int_eq(fclose(f), 0);
}

static unsigned chunks(void)
{
    struct rsp_chunk_info info;
    unsigned n = 0;
    while (rsp_snapshot_chunk_info(snapshot, 0, n, &info) == RSP_OK) n++;
    return n;
}

START_TEST(sound)
{
    struct rsp_read_options o = {.threads = 1 + (unsigned)_i};
    store(NULL);
    open_it();
    ck_assert_msg(read_it(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(report.findings, 0);
    ck_assert_uint_eq(report.bytes, dump.n);
    ck_assert_uint_eq(report.keys, KEYS);
    ck_assert_uint_eq(report.chunks, chunks());
    ck_assert_int_eq(report.parsed, 1);
    ck_assert_int_eq(report.dd1_checked, 1);
}
END_TEST

/* One chunk cannot be read: it is named, and all keys but those that touch it are parsed. */
START_TEST(one_chunk)
{
    static const uint64_t where[] = {3000000, 200, 1500000};
    struct rsp_chunk_info info;
    struct note note;
    store(NULL);
    open_it();
    spoil(where[_i]);
    open_it();
    ck_assert_msg(read_it(NULL) == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(report.findings, 1);
    ck_assert_uint_eq(told_n, 1);
    ck_assert_uint_eq(report.chunks, chunks());
    ck_assert_int_eq(rsp_snapshot_chunk_info(snapshot, 0, told[0].chunk, &info), RSP_OK);
    ck_assert(note_load(&note, info.note, info.plain));
    ck_assert_str_eq(told[0].object, info.object);
    ck_assert_uint_eq(told[0].offset, info.offset);
    ck_assert_uint_eq(told[0].bytes, info.plain);
    ck_assert_int_eq(told[0].records, note.records);
    ck_assert_uint_eq(report.bytes, dump.n - info.plain);
    ck_assert_int_eq(report.parsed, 0);
    ck_assert_int_eq(report.dd1_checked, 0);
    if (where[_i] < CHUNK) { /* the header went: nothing can be parsed */
        ck_assert_uint_eq(told[0].chunk, 0);
        ck_assert_uint_eq(report.keys, 0);
    } else { /* the record that reaches into the chunk is lost, too */
        ck_assert_uint_eq(report.keys, KEYS - note.records - 1);
    }
}
END_TEST

START_TEST(several_chunks)
{
    store(NULL);
    spoil(1000000);
    spoil(1000000 + CHUNK); /* its neighbour */
    spoil(4000000);
    open_it();
    ck_assert_int_eq(read_it(NULL), RSP_OK);
    ck_assert_uint_eq(told_n, 3);
    ck_assert_uint_eq(told[1].chunk, told[0].chunk + 1);
    for (unsigned i = 0; i < 3; i++) ck_assert(!told[i].of_parser);
    ck_assert_uint_eq(report.keys, KEYS - (uint64_t)(told[0].records + told[1].records + told[2].records) - 2);
}
END_TEST

START_TEST(object_gone)
{
    store(NULL);
    open_it();
    ck_assert_int_eq(unlink(place_object(&at)), 0);
    if (_i) open_it();
    ck_assert_int_eq(read_it(NULL), RSP_OK);
    ck_assert_uint_ge(told_n, 1);
    ck_assert(!told[0].of_parser);
    ck_assert_uint_eq(told[0].offset, 0);
    ck_assert_uint_eq(report.bytes, 0);
}
END_TEST

START_TEST(object_cut)
{
    const char *path;
    store(NULL);
    path = place_object(&at);
    ck_assert_int_eq(truncate(path, 3000000), 0);
    open_it();
    ck_assert_int_eq(read_it(NULL), RSP_OK);
    ck_assert_uint_ge(told_n, 1);
    ck_assert_int_eq(report.parsed, 0);
}
END_TEST

START_TEST(some)
{
    struct rsp_read_options o = {.percent = _i ? 100 : 10};
    unsigned n;
    store(NULL);
    open_it();
    n = chunks();
    ck_assert_int_eq(read_it(&o), RSP_OK);
    ck_assert_uint_eq(report.chunks, _i ? n : (n + 9) / 10);
    ck_assert_int_eq(report.parsed, _i);
    o.percent = 101;
    ck_assert_int_eq(read_it(&o), RSP_EINVAL);
    o.percent = 99;
    spoil(3000000);
    spoil(2000000);
    open_it();
    ck_assert_int_eq(read_it(&o), RSP_OK); /* of two damaged chunks, one can have been left out */
    ck_assert_uint_ge(told_n, 1);
}
END_TEST

/* Sealed soundly, but never looked into: the parser's findings. */
START_TEST(quick_snapshot)
{
    struct rsp_backup_options quick = {.quick = 1};
    uint8_t *p = dump.p;
    /* a second key:0 in db 0: a duplicate, which only a full check sees */
    for (size_t i = 0; i + 6 < dump.n; i++)
        if (!memcmp(p + i, "key:2", 5) && p[i - 1] == 5) {
            p[i + 4] = '0';
            break;
        }
    dump_sum(&dump);
    store(&quick);
    open_it();
    ck_assert_int_eq(read_it(NULL), RSP_OK);
    ck_assert_int_eq(report.dd1_checked, 0);
    ck_assert_uint_eq(report.findings, 1);
    ck_assert(told[0].of_parser);
}
END_TEST

START_TEST(accepted_damage)
{
    struct rsp_backup_options b = {.accept_damaged = 1};
    struct rsp_read_options o = {.damaged = 1};
    dump.p[dump.n / 2] ^= 4;
    store(&b);
    open_it();
    ck_assert_int_eq(read_it(&o), RSP_OK);
    ck_assert_uint_eq(report.findings, 0);
    ck_assert_int_eq(report.parsed, 0);
    ck_assert_uint_eq(report.bytes, dump.n);
    ck_assert_int_eq(read_it(NULL), RSP_OK);
    ck_assert_uint_gt(report.findings, 0);
}
END_TEST

static int no_more(void *opaque, const struct rsp_read_finding *f)
{
    (void)opaque, (void)f;
    return RSP_EUSER;
}

START_TEST(stopped)
{
    int yes = 1;
    struct rsp_read_options cancel = {.cancel = &yes}, stop = {.found = no_more};
    store(NULL);
    open_it();
    ck_assert_int_eq(read_it(&cancel), RSP_ECANCELED);
    spoil(1000000);
    open_it();
    ck_assert_int_eq(read_it(&stop), RSP_EUSER);
}
END_TEST

/* ---- several streams ---- */

#define SHARDS 3

/* Its keys and dd1, as they are. */
static void learn(const struct dump *d, struct rsp_stream_info *info)
{
    struct rsp_check_options co = {.size = sizeof co, .digest = 1};
    struct rsp_check_report c = {.size = sizeof c};
    struct rsp_source *source = NULL;
    ck_assert_int_eq(rsp_dd1_table_new(&at.env, &co.dd1), RSP_OK);
    ck_assert_int_eq(rsp_source_memory(&at.env, d->p, d->n, &source), RSP_OK);
    co.run.size = sizeof co.run;
    co.run.threads = 1;
    ck_assert_int_eq(rsp_check_file(&at.env, source, &co, &c), RSP_OK);
    rsp_source_free(source);
    memset(info, 0, sizeof *info);
    info->records = rsp_dd1_table_total(co.dd1)->keys;
    info->has_dd1 = 1;
    dd1_bytes(&rsp_dd1_table_total(co.dd1)->with_expiry, info->dd1);
    rsp_dd1_table_free(co.dd1);
}

static const unsigned shard_keys[SHARDS] = {70, 300, 50};

/* Three shards, and behind the first a part of an AOF, which is not parsed; wrong: this shard's facts are not its own (n: 1
 * its keys, 2 its dd1). */
static uint64_t store_shards(size_t wrong, int n)
{
    static const char *const names[SHARDS + 1] = {"a.rdb", "aof", "b.rdb", "c.rdb"};
    struct rsp_snapshot_options o = {.size = sizeof o, .source = "test", .threads = 2, .chunk_bytes = CHUNK};
    struct rsp_commit_facts cf = {.size = sizeof cf, .flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL};
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_snapshot_writer *w = NULL;
    uint64_t bytes = 0;
    ck_assert_int_eq(rsp_snapshot_begin(at.repo, &o, &w), RSP_OK);
    for (size_t i = 0; i <= SHARDS; i++) {
        struct rsp_stream_info info = {.records = 99};
        struct rsp_stream_writer *s = NULL;
        struct dump d = {(uint8_t *)(uintptr_t) "*1", 2, 0};
        if (i != 1) dump_make(&d, shard_keys[i - (i > 0)], 3000, 0);
        if (i != 1) learn(&d, &info);
        if (i == wrong && n == 1) info.records++;
        if (i == wrong && n == 2) info.dd1[5] ^= 1;
        ck_assert_int_eq(
            rsp_snapshot_stream(w, NULL, names[i], i == 1 ? RSP_STREAM_AOF_PART : RSP_STREAM_RDB, 0, 0, &s), RSP_OK);
        for (size_t k = 0; k < d.n;) {
            uint8_t *chunk = NULL;
            size_t cap = 0, take;
            ck_assert_int_eq(rsp_stream_chunk(s, &chunk, &cap), RSP_OK);
            take = cap < d.n - k ? cap : d.n - k;
            memcpy(chunk, d.p + k, take);
            ck_assert_int_eq(rsp_stream_submit(s, chunk, take, NULL, 0), RSP_OK);
            k += take;
        }
        ck_assert_int_eq(rsp_stream_end(s, &info), RSP_OK);
        bytes += d.n;
        if (i != 1) dump_free(&d);
    }
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, &cf, &the_log, &record), RSP_OK);
    rsp_snapshot_writer_free(w);
    open_it();
    return bytes;
}

START_TEST(shards_sound)
{
    struct rsp_read_options o = {.threads = 1 + (unsigned)_i};
    uint64_t bytes = store_shards(9, 0);
    ck_assert_msg(read_it(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(report.findings, 0);
    ck_assert_uint_eq(report.bytes, bytes);
    ck_assert_uint_eq(report.keys, 420);
    ck_assert(report.parsed && report.dd1_checked);
    ck_assert(report.streams == SHARDS && report.streams_parsed == SHARDS && report.streams_dd1 == SHARDS);
    o.percent = 10;
    ck_assert_int_eq(read_it(&o), RSP_OK);
    ck_assert(!report.findings && !report.parsed && report.streams == SHARDS && !report.streams_parsed);
}
END_TEST

/* What one has wrong is told of that one; the others count as they are. */
START_TEST(shard_differs)
{
    (void)store_shards((size_t)(_i / 2 ? _i / 2 + 1 : 0), 1 + _i % 2);
    ck_assert_int_eq(read_it(NULL), RSP_OK);
    ck_assert_uint_eq(told_n, 1);
    ck_assert(told[0].of_parser);
    ck_assert_uint_eq(told[0].stream, (size_t)(_i / 2 ? _i / 2 + 1 : 0));
    ck_assert_uint_eq(report.streams_parsed, SHARDS);
    ck_assert_uint_eq(report.streams_dd1, _i % 2 ? SHARDS - 1 : SHARDS);
    ck_assert_int_eq(report.dd1_checked, !(_i % 2));
    ck_assert_uint_eq(report.keys, 420);
}
END_TEST

START_TEST(shard_damaged)
{
    (void)store_shards(9, 0);
    spoil(300000); /* the largest object: the second shard's */
    ck_assert_int_eq(read_it(NULL), RSP_OK);
    ck_assert_uint_eq(told_n, 1);
    ck_assert_uint_eq(told[0].stream, 2);
    ck_assert(!told[0].of_parser && !report.parsed && !report.dd1_checked);
    ck_assert(report.streams == SHARDS && report.streams_parsed == SHARDS - 1 && report.streams_dd1 == SHARDS - 1);
    ck_assert_uint_ge(report.keys, 120);
}
END_TEST

START_TEST(note_bytes)
{
    struct note n = {77, 3, 1234567890123, 5}, back;
    uint8_t b[NOTE_BYTES];
    struct rsp_span s = {b, sizeof b};
    note_store(b, &n);
    ck_assert(note_load(&back, s, 78));
    ck_assert(back.offset == 77 && back.db == 3 && back.number == 1234567890123 && back.records == 5);
    ck_assert(!note_load(&back, s, 77));
    s.n--;
    ck_assert(!note_load(&back, s, 78));
    s.n = 0;
    ck_assert(!note_load(&back, s, 78));
    s.n = sizeof b;
    b[0] = 2;
    ck_assert(!note_load(&back, s, 78));
    n.records = 0;
    note_store(b, &n);
    ck_assert(note_load(&back, s, 77));
    ck_assert(!note_load(&back, s, 78));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("read_data");
    TCase *t = tcase_create("read_data");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, sound, 0, 3);
    tcase_add_loop_test(t, one_chunk, 0, 3);
    tcase_add_test(t, several_chunks);
    tcase_add_loop_test(t, object_gone, 0, 2);
    tcase_add_test(t, object_cut);
    tcase_add_loop_test(t, some, 0, 2);
    tcase_add_test(t, quick_snapshot);
    tcase_add_test(t, accepted_damage);
    tcase_add_test(t, stopped);
    tcase_add_loop_test(t, shards_sound, 0, 2);
    tcase_add_loop_test(t, shard_differs, 0, 2 * SHARDS);
    tcase_add_test(t, shard_damaged);
    tcase_add_test(t, note_bytes);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
