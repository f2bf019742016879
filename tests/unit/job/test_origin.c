/* What this is: tests of what a server says of itself in the manifest, of the proof before the commit and the receipt
 *   behind it; rsp_drill is replaced by one that does as it is told.
 * Rests on: place.h, libcheck.
 * Does not: start servers. */
/* LDFLAGS: -Wl,--wrap=rsp_drill,--wrap=rsp_drill_text */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/live.h>

#include "unit/job/place.h"

#undef fail

static struct place at;
static struct dump dump;
static struct rsp_log *the_log;
static struct rsp_backup_report report;
static struct rsp_snapshot *snapshot;

/* ---- the drill ---- */

static int drill_status, drill_proof, drill_calls, drill_harm;
static uint8_t drill_dd1[16];

int __wrap_rsp_drill(const struct rsp_env *env, int (*open)(void *ctx, struct rsp_source **source), void *ctx,
                     const struct rsp_manifest *manifest, const struct rsp_drill_options *options,
                     struct rsp_drill_report *out);
void __wrap_rsp_drill_text(const struct rsp_drill_report *r, char *out, size_t size);

/* It reads what was stored, twice, as the real one does. */
static int read_it(int (*open)(void *ctx, struct rsp_source **source), void *ctx)
{
    struct rsp_source *source = NULL;
    uint8_t out[4096];
    size_t n = 0, k;
    int rc = open(ctx, &source);
    ck_assert_int_eq(rc, RSP_OK);
    while ((rc = rsp_source_read(source, out, sizeof out, &k)) == RSP_OK) {
        ck_assert(k <= dump.n - n);
        ck_assert_mem_eq(out, dump.p + n, k);
        n += k;
    }
    rsp_source_free(source);
    if (rc == RSP_END) ck_assert_uint_eq(n, dump.n);
    return rc == RSP_END ? RSP_OK : rc;
}

int __wrap_rsp_drill(const struct rsp_env *env, int (*open)(void *ctx, struct rsp_source **source), void *ctx,
                     const struct rsp_manifest *manifest, const struct rsp_drill_options *options,
                     struct rsp_drill_report *out)
{
    int rc = RSP_OK;
    (void)env;
    drill_calls++;
    ck_assert_uint_eq(options->threads, 3);
    ck_assert_uint_eq(place_count(&at, "log"), 0); /* before any commit */
    ck_assert_uint_eq(manifest->streams_n, 1);
    ck_assert_uint_eq(manifest->streams[0].records, 120);
    ck_assert_uint_eq(manifest->streams[0].plain, dump.n);
    ck_assert_int_eq(manifest->streams[0].has_dd1, 1);
    ck_assert_mem_eq(manifest->streams[0].name.p, "dump.rdb", 8);
    ck_assert_uint_eq(manifest->dbs_n, 2);
    memcpy(drill_dd1, manifest->streams[0].dd1, 16);
    if (drill_harm) {
        FILE *f = fopen(place_object(&at), "r+");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(fseek(f, 150, SEEK_SET), 0);
        ck_assert_int_ne(fputc(fgetc(f) ^ 1, f), EOF);
        fclose(f);
    }
    for (int i = 0; i < 2 && !rc; i++) rc = read_it(open, ctx);
    if (rc) return rc;
    out->proof = drill_proof;
    snprintf(out->what, sizeof out->what, "the key x differs");
    snprintf(out->why_not, sizeof out->why_not, "no server fits");
    return drill_status;
}

void __wrap_rsp_drill_text(const struct rsp_drill_report *r, char *out, size_t size)
{
    snprintf(out, size, "proof=%d", r->proof);
}

/* ---- */

static void setup(void)
{
    place_open(&at);
    the_log = NULL;
    snapshot = NULL;
    drill_status = drill_calls = drill_harm = 0;
    drill_proof = RSP_PROOF_SERVER;
    dump_make(&dump, 120, 300, 0);
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

static const struct rsp_record *receipt(void)
{
    const struct rsp_record *found = NULL;
    for (size_t i = 0; i < the_log->records_n; i++)
        if (the_log->records[i]->kind == RSP_REC_RECEIPT) {
            ck_assert_ptr_null(found);
            found = the_log->records[i];
        }
    if (found) {
        ck_assert_uint_eq(found->hashes_n, 1);
        ck_assert_mem_eq(found->hashes[0], report.record->hash, 32);
        ck_assert_uint_gt(found->seq, report.record->seq);
    }
    return found;
}

static int is(struct rsp_span s, const char *text)
{
    return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

static const struct rsp_pair beside[] = {{{(const uint8_t *)"info", 4}, {(const uint8_t *)"uptime:1", 8}},
                                         {{(const uint8_t *)"config", 6}, {(const uint8_t *)"save 1", 6}}};

START_TEST(origin)
{
    struct rsp_backup_origin from = {sizeof from, "valkey", "9.1.0", "run", "0123", "replica",
                                     77,          1,        beside,  2,     NULL,   0};
    struct rsp_backup_options o = {.origin = &from, .place = "redis://a:6379"};
    const struct rsp_manifest *m;
    from.loss = _i & 1 ? "not a point in time: scan" : NULL;
    from.not_good = _i & 1;
    if (_i & 2) { /* and a damage beside it */
        dump.p[dump.n - 1] ^= 1;
        o.accept_damaged = 1;
    }
    ck_assert_msg(backup(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_int_eq((report.flags & RSP_COMMIT_GOOD) != 0, _i == 0);
    ck_assert_int_eq((report.flags & RSP_COMMIT_DAMAGED) != 0, _i >= 2);
    ck_assert_int_eq(rsp_snapshot_open(at.repo, report.record, &snapshot), RSP_OK);
    m = rsp_snapshot_manifest(snapshot);
    ck_assert(is(m->server_kind, "valkey") && is(m->server_version, "9.1.0") && is(m->server_run_id, "run"));
    ck_assert(is(m->server_place, "redis://a:6379"));
    ck_assert(is(m->streams[0].replid, "0123") && is(m->streams[0].role, "replica"));
    ck_assert_int_eq(m->streams[0].has_offset, 1);
    ck_assert_uint_eq(m->streams[0].offset, 77);
    ck_assert_uint_eq(m->captured_n, 2);
    ck_assert(is(m->captured[1].name, "config") && is(m->captured[1].value, "save 1"));
    ck_assert_uint_eq(m->losses_n, (unsigned)(_i & 1) + (_i >= 2));
    if (_i & 1) ck_assert(is(m->losses[m->losses_n - 1], from.loss));
    if (_i & 2) ck_assert_int_eq(memcmp(m->losses[0].p, "damaged", 7), 0);
    ck_assert_ptr_null(receipt());
}
END_TEST

/* What the server does not tell stays what the dump says. */
START_TEST(origin_of_few_words)
{
    const struct rsp_backup_origin from = {.size = sizeof from, .captured_n = 5};
    const struct rsp_backup_options o = {.origin = &from};
    const struct rsp_manifest *m;
    ck_assert_int_eq(backup(&o), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_open(at.repo, report.record, &snapshot), RSP_OK);
    m = rsp_snapshot_manifest(snapshot);
    ck_assert(is(m->server_kind, "redis") && is(m->server_version, "7.2.4"));
    ck_assert_uint_eq(m->captured_n + m->losses_n + m->streams[0].replid.n, 0);
    ck_assert_int_eq(m->streams[0].has_offset, 0);
}
END_TEST

START_TEST(proven)
{
    struct rsp_drill_report proof = {.size = sizeof proof};
    const struct rsp_drill_options d = {.size = sizeof d, .threads = 3};
    const struct rsp_backup_options o = {.prove = &d, .proof = &proof, .prove_read = _i & 1};
    const struct rsp_record *r;
    char text[32];
    drill_proof = _i & 2 ? RSP_PROOF_DECODED : RSP_PROOF_SERVER;
    ck_assert_msg(backup(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_int_eq(drill_calls, 1);
    ck_assert_int_eq(proof.proof, drill_proof);
    ck_assert_mem_eq(drill_dd1, report.dd1, 16);
    ck_assert_int_eq((report.flags & RSP_COMMIT_READ) != 0, _i & 1);
    r = receipt();
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->detail, _i & 2 ? 1 : 2); /* without a server it is no more than read */
    snprintf(text, sizeof text, "proof=%d", drill_proof);
    ck_assert_str_eq(r->text, text);
    rsp_log_free(the_log);
    the_log = NULL;
    place_reopen(&at);
    ck_assert_int_eq(rsp_log_load(at.repo, &(struct rsp_log_options){.size = sizeof(struct rsp_log_options)}, &the_log),
                     RSP_OK);
    ck_assert_int_eq(the_log->faults, 0);
    ck_assert_uint_eq(the_log->records_n, 2);
}
END_TEST

START_TEST(proven_without_a_log)
{
    const struct rsp_drill_options d = {.size = sizeof d, .threads = 3};
    const struct rsp_backup_options o = {.prove = &d};
    ck_assert_int_eq(place_backup(&at, dump.p, dump.n, &o, NULL, &report), RSP_OK);
    ck_assert_uint_eq(place_count(&at, "log"), 2);
}
END_TEST

START_TEST(read_back)
{
    const struct rsp_backup_options o = {.prove_read = 1};
    const struct rsp_record *r;
    ck_assert_int_eq(backup(&o), RSP_OK);
    r = receipt();
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->detail, 1);
    ck_assert_int_eq(strncmp(r->text, "proof=read keys=120 bytes=", 26), 0);
    ck_assert_int_eq(drill_calls, 0);
}
END_TEST

/* The dump differs, the drill itself fails, the store has lost something: no commit, and why. */
START_TEST(not_proven)
{
    struct rsp_drill_report proof = {.size = sizeof proof};
    const struct rsp_drill_options d = {.size = sizeof d, .threads = 3};
    const struct rsp_backup_options o = {.prove = &d, .proof = &proof, .place = "here"};
    int rc;
    if (_i == 0) drill_proof = RSP_PROOF_FAILED;
    if (_i == 1) drill_status = RSP_ECANCELED;
    if (_i == 2) drill_harm = 1;
    rc = backup(&o);
    ck_assert_int_eq(rc, _i == 1 ? RSP_ECANCELED : RSP_EINTEGRITY);
    if (_i != 1) ck_assert_int_eq(at.error.code, RSP_EINTEGRITY);
    if (_i == 0) ck_assert_ptr_nonnull(strstr(at.error.message, "the key x differs"));
    ck_assert_int_eq(proof.proof, _i == 1 ? RSP_PROOF_SERVER : RSP_PROOF_FAILED);
    ck_assert_ptr_null(the_log);
    ck_assert_ptr_null(report.record);
    ck_assert_int_eq(report.source_fault, 0);
    ck_assert_uint_eq(place_count(&at, "log"), 0);
}
END_TEST

START_TEST(damaged_is_not_proven)
{
    struct rsp_drill_report proof = {.size = sizeof proof, .proof = RSP_PROOF_SERVER};
    const struct rsp_drill_options d = {.size = sizeof d, .threads = 3};
    const struct rsp_backup_options o = {.prove = &d, .proof = &proof, .accept_damaged = 1};
    dump.p[dump.n - 1] ^= 1;
    ck_assert_int_eq(backup(&o), RSP_OK);
    ck_assert_int_eq(drill_calls, 0);
    ck_assert_int_eq(proof.proof, RSP_PROOF_FAILED);
    ck_assert_ptr_nonnull(strstr(proof.why_not, "damaged"));
    ck_assert_ptr_null(receipt());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("origin");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, origin, 0, 4);
    tcase_add_test(t, origin_of_few_words);
    tcase_add_loop_test(t, proven, 0, 4);
    tcase_add_test(t, proven_without_a_log);
    tcase_add_test(t, read_back);
    tcase_add_loop_test(t, not_proven, 0, 3);
    tcase_add_test(t, damaged_is_not_proven);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
