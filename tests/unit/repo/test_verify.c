/* What this is: tests of verify: what is missing, cut, flipped, swapped or shut is found and named; what is sound is not.
 * Rests on: libcheck, keep_test.h. */
#include "keep_test.h"
#include "seal/envelope.h"

static struct yard y;
static int64_t now;

static void setup(void)
{
    yard_open(&y);
    now = real_ms();
    age_new(&y, now - 900 * DAY);
}
static void teardown(void)
{
    yard_close(&y);
}

/* What one run said. */
static struct rsp_verify_report report;
static char object[256], text[512], way_out[256], kind[32];
static int faults, notes;
static struct rsp_verify_options options;

static int verify_one(const struct made *only)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    int rc;
    ck_assert_int_eq(log->faults, 0);
    options.size = sizeof options;
    options.only = only ? record_of(log, *only) : NULL;
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    object[0] = text[0] = way_out[0] = kind[0] = 0;
    notes = 0;
    rsp_error_clear(&y.error);
    rc = rsp_verify(log, &options, &report);
    faults = log->faults;
    for (size_t i = 0; i < log->troubles_n; i++) {
        const struct rsp_trouble *t = &log->troubles[i];
        if (!t->status) notes++;
        if (!t->status && faults) continue;
        snprintf(object, sizeof object, "%s", t->name);
        snprintf(text, sizeof text, "%s", t->text);
        snprintf(way_out, sizeof way_out, "%s", t->way_out ? t->way_out : "");
        snprintf(kind, sizeof kind, "%s", t->kind);
    }
    rsp_log_free(log);
    rsp_repo_free(repo);
    return rc;
}

/* One fault of that kind about that object, naming the snapshot; nothing else is damaged. */
static void finds(const char *what, const char *name, struct made m, uint64_t damaged)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    char hex[33];
    hex_text(hex, record_of(log, m)->snapshot, 16);
    rsp_log_free(log);
    rsp_repo_free(repo);
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_msg(faults == 1, "%d faults, the last: %s: %s", faults, object, text);
    ck_assert_str_eq(kind, what);
    ck_assert_msg(strstr(object, name), "%s", object);
    ck_assert_msg(strstr(text, hex), "%s", text);
    ck_assert_msg(strstr(way_out, hex) && strstr(way_out, "--acknowledge"), "%s", way_out);
    ck_assert_uint_eq(report.damaged, damaged);
    ck_assert_int_eq(y.error.code, 0);
}

/* The file of the i-th reference (-1: the manifest). */
static void path_of(struct made m, int i, char name[NAME_MAX_BYTES], char path[512])
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    const struct rsp_record *r = record_of(log, m);
    const struct rsp_ref *ref = i < 0 ? &r->manifest : &r->refs[i];
    name_object(name, ref->kind, ref->epoch, ref->object);
    yard_path(&y, name, path);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

static char envelope_path[512];
static int find_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)ftw;
    if (flag == FTW_F) snprintf(envelope_path, sizeof envelope_path, "%s", path);
    return 0;
}
static void find_envelope(struct made m)
{
    char name[64] = "keys/", path[512];
    hex_text(name + 5, m.epoch, 16);
    yard_path(&y, name, path);
    envelope_path[0] = 0;
    nftw(path, find_file, 16, FTW_PHYS);
    ck_assert(envelope_path[0]);
}

static uint64_t bytes_seen, bytes_all;
static int calls;
static void progress(void *opaque, uint64_t done, uint64_t of)
{
    (void)opaque;
    ck_assert_uint_ge(done, bytes_seen);
    ck_assert_uint_le(done, of);
    bytes_seen = done;
    bytes_all = of;
    calls++;
}

static struct made backup(int day, size_t bytes)
{
    return backup_at(&y, "web", now - day * DAY, bytes, 8192, 0);
}

START_TEST(what_is_sound_is_counted)
{
    struct made a = backup(9, 20000);
    backup(8, 100);
    backup_at(&y, "db", now - 7 * DAY, 100, 8192, 1); /* without a suite: without envelopes */
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults + notes, 0);
    ck_assert_uint_eq(report.snapshots, 3);
    ck_assert_uint_eq(report.objects, 3 + 1 + 1 + 3);
    ck_assert_uint_eq(report.envelopes, 2);
    ck_assert_uint_eq(report.envelopes_bad + report.damaged, 0);
    options = (struct rsp_verify_options){.read_stored = 1, .progress = progress};
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults + notes, 0);
    ck_assert_uint_eq(bytes_seen, bytes_all);
    ck_assert_uint_eq(bytes_all, report.bytes);
    ck_assert_int_ge(calls, 8);
    options = (struct rsp_verify_options){0};
    ck_assert_int_eq(verify_one(&a), RSP_OK);
    ck_assert_uint_eq(report.snapshots, 1);
    ck_assert_uint_eq(report.objects, 4);
}
END_TEST

START_TEST(a_missing_object_is_named)
{
    char name[NAME_MAX_BYTES], path[512];
    struct made a = backup(9, 20000), b = backup(8, 100);
    path_of(a, _i, name, path);
    ck_assert_int_eq(unlink(path), 0);
    finds("object", name, a, 1);
    ck_assert_ptr_nonnull(strstr(text, "missing"));
    ck_assert_int_eq(verify_one(&b), RSP_OK);
    ck_assert_int_eq(faults, 0);
}
END_TEST

START_TEST(a_truncated_object_is_named)
{
    char name[NAME_MAX_BYTES], path[512];
    struct made a = backup(9, 20000);
    struct stat st;
    path_of(a, _i, name, path);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(truncate(path, st.st_size - 1), 0);
    finds("object", name, a, 1);
    ck_assert_int_eq(truncate(path, st.st_size + 1), 0);
    finds("object", name, a, 1);
    ck_assert_int_eq(truncate(path, 0), 0);
    options.read_stored = 1;
    finds("object", name, a, 1);
}
END_TEST

START_TEST(one_flipped_byte_is_found_by_reading)
{
    char name[NAME_MAX_BYTES], path[512];
    struct made a = backup(9, 20000);
    backup(8, 100);
    path_of(a, _i, name, path);
    yard_flip(path, 200);
    options.read_stored = 0;
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults, 0);
    options.read_stored = 1;
    finds("object", name, a, 1);
    yard_flip(path, 200);
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults, 0);
}
END_TEST

START_TEST(an_object_that_two_need_is_told_once)
{
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct rsp_record draft, *r;
    char name[NAME_MAX_BYTES], path[512];
    struct made a = backup(9, 20000);
    uint64_t bytes;
    options.read_stored = 1;
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    bytes = report.bytes;
    repo = yard_host(&y);
    log = yard_log(repo);
    draft = *record_of(log, a);
    draft.snapshot[0] ^= 1;
    ck_assert_int_eq(rsp_record_publish(log, &draft, NULL, 0, &r), RSP_OK);
    rsp_log_free(log);
    rsp_repo_free(repo);
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults, 0);
    ck_assert_uint_eq(report.snapshots, 2);
    ck_assert_uint_eq(report.objects, 4);
    ck_assert_uint_eq(report.bytes, bytes);
    path_of(a, 1, name, path);
    yard_flip(path, 150);
    finds("object", name, a, 2);
    ck_assert_ptr_nonnull(strstr(text, "and 1 more"));
}
END_TEST

START_TEST(an_epoch_without_an_envelope_is_found)
{
    char hex[33];
    struct made a = backup(9, 20000);
    backup(8, 100);
    find_envelope(a);
    ck_assert_int_eq(unlink(envelope_path), 0);
    hex_text(hex, a.epoch, 16);
    finds("envelope", hex, a, 1);
    ck_assert_uint_eq(report.envelopes, 1);
}
END_TEST

START_TEST(a_damaged_envelope_is_found)
{
    char hex[33];
    struct made a = backup(9, 20000);
    struct stat st;
    find_envelope(a);
    hex_text(hex, a.epoch, 16);
    ck_assert_int_eq(stat(envelope_path, &st), 0);
    for (long at = 0; at < st.st_size; at += 11) {
        yard_flip(envelope_path, at);
        finds("envelope", hex, a, 1);
        ck_assert_uint_eq(report.envelopes_bad, 1);
        yard_flip(envelope_path, at);
    }
    ck_assert_int_eq(truncate(envelope_path, 0), 0);
    finds("envelope", hex, a, 1);
}
END_TEST

static void put_envelope(const uint8_t epoch[16], const struct buf *b)
{
    char name[NAME_MAX_BYTES];
    uint8_t hash[32];
    hash256(hash, b->p, b->n);
    name_envelope(name, epoch, hash);
    ck_assert_int_eq(rsp_store_put(y.store, name, b->p, b->n), RSP_OK);
}

/* Well named, and worthless: a note as long as another serves. */
START_TEST(garbage_beside_a_sound_envelope_is_a_note)
{
    struct rsp_env env;
    struct rsp_public reader;
    struct made a = backup(9, 100);
    uint8_t key[32] = {1};
    struct buf b;
    env_init(&env, &y.env);
    buf_init(&b, &env);
    ck_assert_int_eq(buf_add(&b, "garbage", 7), RSP_OK);
    put_envelope(a.epoch, &b);
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults, 0);
    ck_assert_int_eq(notes, 1);
    ck_assert_str_eq(kind, "envelope");
    ck_assert_uint_eq(report.envelopes, 2);
    ck_assert_uint_eq(report.envelopes_bad, 1);
    find_envelope(a);
    b.n = 0;
    rsp_identity_public(y.host, &reader); /* for whoever verifies, and another key inside */
    ck_assert_int_eq(envelope_write(&env, a.epoch, key, &reader, 1, &b), RSP_OK);
    put_envelope(a.epoch, &b);
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults, 0);
    ck_assert_uint_eq(report.envelopes_bad, 2);
    buf_free(&b);
}
END_TEST

START_TEST(an_envelope_for_nobody_is_a_note)
{
    struct rsp_env env;
    struct rsp_public stranger;
    struct made a = backup(9, 100);
    uint8_t key[32] = {1};
    struct buf b;
    env_init(&env, &y.env);
    buf_init(&b, &env);
    find_envelope(a);
    ck_assert_int_eq(unlink(envelope_path), 0);
    rsp_identity_public(y.keeper, &stranger);
    ck_assert_int_eq(envelope_write(&env, a.epoch, key, &stranger, 1, &b), RSP_OK);
    put_envelope(a.epoch, &b);
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults, 0);
    ck_assert_int_eq(notes, 1);
    ck_assert_ptr_nonnull(strstr(way_out, "rewrap"));
    buf_free(&b);
}
END_TEST

START_TEST(retired_ones_are_not_looked_at)
{
    char name[NAME_MAX_BYTES], path[512];
    struct made a = backup(9, 100);
    backup(8, 100);
    path_of(a, 0, name, path);
    ck_assert_int_eq(unlink(path), 0);
    name_at(&y, RSP_REC_RETIRE, a.hash, now - DAY);
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults, 0);
    ck_assert_uint_eq(report.snapshots, 1);
    ck_assert_int_eq(verify_one(&a), RSP_OK); /* but when asked for */
    ck_assert_int_eq(faults, 1);
}
END_TEST

START_TEST(a_cancelled_run_says_so)
{
    static volatile const int stop = 1;
    backup(9, 100);
    options.cancel = &stop;
    ck_assert_int_eq(verify_one(NULL), RSP_ECANCELED);
    options.read_stored = 1;
    ck_assert_int_eq(verify_one(NULL), RSP_ECANCELED);
}
END_TEST

START_TEST(an_empty_repository_is_sound)
{
    ck_assert_int_eq(verify_one(NULL), RSP_OK);
    ck_assert_int_eq(faults, 0);
    ck_assert_uint_eq(report.snapshots, 0);
}
END_TEST

START_TEST(a_list_walk_and_a_get_for_each_envelope)
{
    struct rsp_store_counts before, after;
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct rsp_verify_report r = {.size = sizeof r};
    for (int i = 0; i < 5; i++) backup(9 - i, 100);
    repo = yard_host(&y);
    log = yard_log(repo);
    rsp_store_count(y.store, &before);
    ck_assert_int_eq(rsp_verify(log, NULL, &r), RSP_OK);
    rsp_store_count(y.store, &after);
    ck_assert_uint_eq(after.lists - before.lists, 1);
    ck_assert_uint_le(after.gets - before.gets, 5);
    ck_assert_uint_eq(after.puts - before.puts, 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

static int left;
static void *failing(void *opaque, void *p, size_t old_size, size_t new_size)
{
    (void)opaque, (void)old_size;
    if (!new_size) {
        free(p);
        return NULL;
    }
    return left-- > 0 ? realloc(p, new_size) : NULL;
}

START_TEST(each_allocation_may_fail)
{
    struct rsp_verify_options o = {.size = sizeof o, .read_stored = 1};
    struct rsp_verify_report r = {.size = sizeof r};
    struct rsp_repo *repo;
    struct rsp_log *log;
    int rc = RSP_ENOMEM, tries = 0;
    backup(9, 20000);
    repo = yard_host(&y);
    log = yard_log(repo);
    for (; rc == RSP_ENOMEM && tries < 300; tries++) {
        struct rsp_env kept = log->env;
        left = tries;
        log->env.resize = failing;
        rsp_error_clear(&y.error);
        rc = rsp_verify(log, &o, &r);
        log->env = kept;
        ck_assert(rc == RSP_ENOMEM || rc == RSP_OK);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_int_gt(tries, 5);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("verify");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_sound_is_counted);
    tcase_add_loop_test(t, a_missing_object_is_named, -1, 3);
    tcase_add_loop_test(t, a_truncated_object_is_named, -1, 3);
    tcase_add_loop_test(t, one_flipped_byte_is_found_by_reading, -1, 3);
    tcase_add_test(t, an_object_that_two_need_is_told_once);
    tcase_add_test(t, an_epoch_without_an_envelope_is_found);
    tcase_add_test(t, a_damaged_envelope_is_found);
    tcase_add_test(t, garbage_beside_a_sound_envelope_is_a_note);
    tcase_add_test(t, an_envelope_for_nobody_is_a_note);
    tcase_add_test(t, retired_ones_are_not_looked_at);
    tcase_add_test(t, a_cancelled_run_says_so);
    tcase_add_test(t, an_empty_repository_is_sound);
    tcase_add_test(t, a_list_walk_and_a_get_for_each_envelope);
    tcase_add_test(t, each_allocation_may_fail);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
