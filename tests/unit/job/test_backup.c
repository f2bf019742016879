/* What this is: tests of rsp_backup: what is stored, what is refused, what the manifest and the chunks' notes say.
 * Rests on: place.h, libcheck.
 * Does not: restore (test_restore.c). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "job/note.h"
#include "unit/job/place.h"

#undef fail

static struct place at;
static struct dump dump;
static struct rsp_log *the_log;
static struct rsp_backup_report report;
static struct rsp_snapshot *snapshot;

static void setup(void)
{
    place_open(&at);
    memset(&dump, 0, sizeof dump);
    the_log = NULL;
    snapshot = NULL;
}

static void teardown(void)
{
    rsp_snapshot_free(snapshot);
    rsp_log_free(the_log);
    dump_free(&dump);
    place_close(&at);
}

static int backup(const struct rsp_backup_options *o)
{
    return place_backup(&at, dump.p, dump.n, o, &the_log, &report);
}

static const struct rsp_manifest *open_it(void)
{
    ck_assert_ptr_nonnull(report.record);
    ck_assert_msg(rsp_snapshot_open(at.repo, report.record, &snapshot) == RSP_OK, "%s", at.error.message);
    return rsp_snapshot_manifest(snapshot);
}

/* The stream is byte for byte what was given. */
static void same(void)
{
    struct rsp_source *source = NULL;
    uint8_t *got = malloc(dump.n + 1);
    size_t n = 0, k = 0;
    int rc;
    ck_assert_int_eq(rsp_snapshot_source(snapshot, 0, 0, 2, &source), RSP_OK);
    while ((rc = rsp_source_read(source, got + n, dump.n + 1 - n, &k)) == RSP_OK) n += k;
    ck_assert_msg(rc == RSP_END, "%s", at.error.message);
    ck_assert_uint_eq(n, dump.n);
    ck_assert_int_eq(memcmp(got, dump.p, n), 0);
    rsp_source_free(source);
    free(got);
}

START_TEST(sound)
{
    const char *const tags[] = {"host=a", "why=nightly=yes"};
    struct rsp_backup_options o = {.tags = tags, .tags_n = 2, .place = "dump.rdb"};
    const struct rsp_manifest *m;
    dump_make(&dump, 300, 20000, 0);
    ck_assert_msg(backup(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(report.keys, 300);
    ck_assert_uint_eq(report.plain, dump.n);
    ck_assert_uint_eq(report.findings, 0);
    ck_assert_uint_eq(report.record->flags, RSP_COMMIT_GOOD | RSP_COMMIT_FULL);
    ck_assert_int_eq(report.has_dd1, 1);
    ck_assert_uint_eq(report.record->keys, 300);
    m = open_it();
    same();
    ck_assert_uint_eq(m->dbs_n, 2);
    ck_assert_uint_eq(m->dbs[0].keys, 150);
    ck_assert_uint_eq(m->dbs[1].db, 1);
    ck_assert_uint_eq(m->dbs[0].expires + m->dbs[1].expires, 100);
    ck_assert_uint_eq(m->aux_n, 2);
    ck_assert_mem_eq(m->server_kind.p, "redis", 5);
    ck_assert_mem_eq(m->server_version.p, "7.2.4", 5);
    ck_assert_mem_eq(m->server_place.p, "dump.rdb", 8);
    ck_assert_uint_eq(m->tags_n, 2);
    ck_assert_mem_eq(m->tags[1].value.p, "nightly=yes", 11);
    ck_assert_uint_eq(m->streams_n, 1);
    ck_assert_uint_eq(m->streams[0].records, 300);
    ck_assert_int_eq(m->streams[0].has_dd1, 1);
    ck_assert_mem_eq(m->streams[0].dd1, report.dd1, 16);
    ck_assert_uint_gt(m->finished_ms, m->begun_ms);
}
END_TEST

/* Every chunk's note against what stands in the dump. */
static void check_notes(unsigned records)
{
    struct rsp_chunk_info info;
    struct note note;
    uint64_t number = 0;
    int rc;
    for (uint64_t i = 0; (rc = rsp_snapshot_chunk_info(snapshot, 0, i, &info)) == RSP_OK; i++) {
        const uint8_t *p;
        ck_assert_msg(note_load(&note, info.note, info.plain), "chunk %d has no note", (int)i);
        ck_assert_uint_eq(note.number, number);
        number += note.records;
        if (!note.records) continue;
        p = dump.p + info.offset + note.offset;
        ck_assert(*p == 0 || *p == 0xfc);
        ck_assert_uint_le(note.db, 1);
    }
    ck_assert_int_eq(rc, RSP_END);
    ck_assert_uint_eq(number, records);
}

START_TEST(notes)
{
    struct rsp_backup_options o = {.quick = _i & 1};
    o.snapshot.chunk_bytes = _i & 2 ? 65536 : 0;
    o.snapshot.threads = _i & 4 ? 1 : 3;
    dump_make(&dump, 4000, 3000, 0);
    ck_assert_msg(backup(&o) == RSP_OK, "%s", at.error.message);
    open_it();
    same();
    check_notes(4000);
}
END_TEST

/* Values of many chunks: no record begins in most. */
START_TEST(notes_of_large_values)
{
    struct rsp_backup_options o = {0};
    o.snapshot.chunk_bytes = 65536;
    dump_make(&dump, 5, 3000000, 0);
    ck_assert_msg(backup(&o) == RSP_OK, "%s", at.error.message);
    open_it();
    same();
    check_notes(5);
}
END_TEST

/* A key that the scan must see whole, and that is much longer than all that may be kept back. */
START_TEST(key_longer_than_what_is_held)
{
    struct rsp_backup_options o = {.quick = _i};
    size_t n = 48u << 20;
    uint8_t head[] = {'R', 'E', 'D', 'I', 'S', '0', '0', '1', '1', 0xfe, 0, 0, 0x80, 0, 0, 0, 0};
    o.snapshot.chunk_bytes = 262144;
    dump.cap = n + 64;
    dump.p = malloc(dump.cap);
    ck_assert_ptr_nonnull(dump.p);
    for (unsigned i = 0; i < 4; i++) head[13 + i] = (uint8_t)(n >> (24 - 8 * i));
    memcpy(dump.p, head, sizeof head);
    memset(dump.p + sizeof head, 'k', n);
    dump.n = sizeof head + n;
    memcpy(dump.p + dump.n, "\x01v\xff\0\0\0\0\0\0\0\0", 11);
    dump.n += 11;
    dump_sum(&dump);
    ck_assert_msg(backup(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(report.keys, 1);
    open_it();
    same();
}
END_TEST

START_TEST(hurried_is_never_good)
{
    struct rsp_backup_options quick = {.quick = 1}, plain = {.no_digest = 1};
    dump_make(&dump, 50, 100, 1);
    ck_assert_int_eq(backup(_i ? &quick : &plain), RSP_OK);
    ck_assert_uint_eq(report.record->flags, _i ? RSP_COMMIT_QUICK : RSP_COMMIT_FULL);
    ck_assert_int_eq(report.has_dd1, 0);
    ck_assert_uint_eq(open_it()->dbs_n, 2);
}
END_TEST

START_TEST(proved)
{
    struct rsp_backup_options o = {.prove_read = 1};
    dump_make(&dump, 100, 5000, 0);
    ck_assert_msg(backup(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(report.record->flags, RSP_COMMIT_GOOD | RSP_COMMIT_FULL | RSP_COMMIT_READ);
}
END_TEST

/* ---- damaged dumps ---- */

static uint64_t told;
static int on_finding(void *opaque, const struct rsp_finding *f)
{
    (void)opaque, (void)f;
    told++;
    return RSP_OK;
}

enum harm { FLIPPED, CUT, TRAILING, WRONG_SUM, NO_RDB, EMPTY, HARMS };

static void harm(int how)
{
    dump_make(&dump, 1000, 3000, 0);
    if (how == FLIPPED) dump.p[dump.n / 2] ^= 1;
    if (how == CUT) dump.n -= dump.n / 3;
    if (how == TRAILING) {
        dump.p = realloc(dump.p, dump.n + 3000000);
        ck_assert_ptr_nonnull(dump.p);
        memset(dump.p + dump.n, 't', 3000000);
        dump.n += 3000000;
    }
    if (how == WRONG_SUM) dump.p[dump.n - 1] ^= 1;
    if (how == NO_RDB) memcpy(dump.p, "NOTREDIS!", 9);
    if (how == EMPTY) dump.n = 0;
}

START_TEST(damaged_is_refused)
{
    static const int status[] = {RSP_ECHECKSUM, RSP_ETRUNCATED, RSP_EFORMAT,
                                 RSP_ECHECKSUM, RSP_EFORMAT,    RSP_ETRUNCATED};
    struct rsp_backup_options o = {.found = on_finding, .quick = _i >= HARMS};
    harm(_i % HARMS);
    told = 0;
    ck_assert_int_eq(backup(&o), status[_i % HARMS]);
    ck_assert_uint_gt(report.findings, 0);
    ck_assert_uint_eq(report.findings, told);
    ck_assert_ptr_null(report.record);
    ck_assert_int_eq(at.error.code, status[_i % HARMS]);
    ck_assert_uint_eq(place_count(&at, "log"), 0);
    ck_assert_uint_eq(place_count(&at, "data"), 0);
}
END_TEST

START_TEST(damaged_is_accepted)
{
    struct rsp_backup_options o = {.accept_damaged = 1, .quick = _i >= HARMS};
    const struct rsp_manifest *m;
    harm(_i % HARMS);
    ck_assert_msg(backup(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_uint_gt(report.findings, 0);
    ck_assert(report.record->flags & RSP_COMMIT_DAMAGED);
    ck_assert(!(report.record->flags & RSP_COMMIT_GOOD));
    ck_assert_int_eq(report.has_dd1, 0);
    m = open_it();
    ck_assert_uint_eq(m->losses_n, 1);
    same();
}
END_TEST

/* ---- faults ---- */

struct stingy {
    uint64_t left;
    int refused;
};
static void *stingy_resize(void *opaque, void *p, size_t old_n, size_t new_n)
{
    struct stingy *s = opaque;
    (void)old_n;
    if (!new_n) {
        free(p);
        return NULL;
    }
    if (__atomic_fetch_sub(&s->left, 1, __ATOMIC_RELAXED) == 0) {
        s->refused = 1;
        return NULL;
    }
    return realloc(p, new_n);
}

/* Without the n-th allocation there is no commit and nothing hangs or leaks. */
START_TEST(short_of_memory)
{
    struct rsp_backup_options o = {.size = sizeof o};
    int rc = RSP_ENOMEM;
    o.snapshot.size = sizeof o.snapshot;
    o.snapshot.source = "test";
    o.snapshot.threads = 1 + (unsigned)_i;
    dump_make(&dump, 40, 1000, 0);
    for (uint64_t n = 0; rc != RSP_OK; n++) {
        struct stingy s = {n, 0};
        struct rsp_env env = at.env;
        struct rsp_source *source = NULL;
        ck_assert_uint_lt(n, 5000);
        env.resize = stingy_resize;
        env.resize_opaque = &s;
        rsp_error_clear(&at.error);
        ck_assert_int_eq(rsp_source_memory(&at.env, dump.p, dump.n, &source), RSP_OK);
        report.size = sizeof report;
        rc = rsp_backup(&env, at.repo, source, &o, &the_log, &report);
        rsp_source_free(source);
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (rc) ck_assert_uint_eq(place_count(&at, "log"), 0);
    }
}
END_TEST

static int stop_at_once(void *opaque, const struct rsp_finding *f)
{
    (void)opaque, (void)f;
    return RSP_EUSER;
}

START_TEST(stopped)
{
    int yes = 1;
    struct rsp_backup_options o = {.cancel = &yes}, stop = {.found = stop_at_once, .accept_damaged = 1};
    dump_make(&dump, 1000, 3000, 0);
    ck_assert_int_eq(backup(&o), RSP_ECANCELED);
    dump.p[dump.n - 1] ^= 1;
    ck_assert_int_eq(backup(&stop), RSP_EUSER);
    ck_assert_uint_eq(place_count(&at, "log"), 0);
}
END_TEST

/* A source that breaks off with a fault, as a disk or a cut compressed file does. */
struct broken {
    size_t at, until;
    int status;
};
static int broken_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct broken *b = opaque;
    size_t n = b->until - b->at < cap ? b->until - b->at : cap;
    if (!n) return b->status;
    memcpy(out, dump.p + b->at, n);
    b->at += n;
    *got = n;
    return RSP_OK;
}

START_TEST(source_breaks_off)
{
    static const struct rsp_source_ops ops = {sizeof ops, broken_read, NULL};
    static const int status[] = {RSP_EIO, RSP_ETRUNCATED, RSP_ECHECKSUM};
    struct broken b = {0, 0, status[_i % 3]};
    struct rsp_backup_options o = {.size = sizeof o, .accept_damaged = _i >= 3};
    struct rsp_source *source = NULL;
    int rc;
    dump_make(&dump, 1000, 3000, 0);
    b.until = dump.n / 2;
    o.snapshot.size = sizeof o.snapshot;
    o.snapshot.source = "test";
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    ck_assert_int_eq(rsp_source_custom(&at.env, &ops, &b, "broken", &source), RSP_OK);
    rc = rsp_backup(&at.env, at.repo, source, &o, &the_log, &report);
    rsp_source_free(source);
    if (_i == 4 || _i == 5) { /* what it gave is stored */
        ck_assert_int_eq(rc, RSP_OK);
        ck_assert(report.record->flags & RSP_COMMIT_DAMAGED);
        dump.n = b.until;
        open_it();
        same();
        return;
    }
    ck_assert_int_eq(rc, b.status);
    ck_assert_int_eq(report.source_fault, 1);
    ck_assert_uint_eq(place_count(&at, "log"), 0);
}
END_TEST

static void add(const void *p, size_t n)
{
    if (dump.cap - dump.n < n) {
        dump.cap = (dump.n + n) * 2;
        dump.p = realloc(dump.p, dump.cap);
        ck_assert_ptr_nonnull(dump.p);
    }
    memcpy(dump.p + dump.n, p, n);
    dump.n += n;
}

/* More AUX fields and databases than a manifest should hold, and a value of a megabyte. */
START_TEST(manifest_stays_small)
{
    struct rsp_backup_options o = {.quick = _i};
    uint8_t *big = calloc(1, 1 << 20);
    const struct rsp_manifest *m;
    add("REDIS0011", 9);
    for (unsigned i = 0; i < 1000; i++)
        add("\xfa\x03"
            "abc"
            "\x03"
            "xyz",
            9);
    add("\xfa\x03"
        "big"
        "\x80\x00\x10\x00\x00",
        10);
    add(big, 1 << 20);
    free(big);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t db = (i * 7919u) % 20000u;
        uint8_t b[6] = {0xfe, 0x80, 0, 0, (uint8_t)(db >> 8), (uint8_t)db};
        add(b, sizeof b);
        add("\x00\x01k\x01v", 5);
    }
    add("\xff\0\0\0\0\0\0\0\0", 9);
    dump_sum(&dump);
    ck_assert_msg(backup(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(report.keys, 20000);
    m = open_it();
    ck_assert_uint_eq(m->aux_n, 256);
    ck_assert_uint_eq(m->dbs_n, 16384);
    for (size_t i = 1; i < m->dbs_n; i++) ck_assert_uint_gt(m->dbs[i].db, m->dbs[i - 1].db);
    ck_assert_uint_eq(m->server_kind.n, 4);
    same();
}
END_TEST

START_TEST(bad_tag)
{
    const char *const tags[] = {"novalue"};
    struct rsp_backup_options o = {.tags = tags, .tags_n = 1};
    dump_make(&dump, 1, 1, 1);
    ck_assert_int_eq(backup(&o), RSP_EINVAL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("backup");
    TCase *t = tcase_create("backup");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, sound);
    tcase_add_loop_test(t, notes, 0, 8);
    tcase_add_test(t, notes_of_large_values);
    tcase_add_loop_test(t, key_longer_than_what_is_held, 0, 2);
    tcase_add_loop_test(t, hurried_is_never_good, 0, 2);
    tcase_add_test(t, proved);
    tcase_add_loop_test(t, damaged_is_refused, 0, 2 * HARMS);
    tcase_add_loop_test(t, damaged_is_accepted, 0, 2 * HARMS);
    tcase_add_loop_test(t, short_of_memory, 0, 2);
    tcase_add_test(t, stopped);
    tcase_add_loop_test(t, source_breaks_off, 0, 6);
    tcase_add_loop_test(t, manifest_stays_small, 0, 2);
    tcase_add_test(t, bad_tag);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
