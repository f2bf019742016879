/* What this is: tests of prune: debris that no record names, and lists of references that lie apart.
 * Rests on: libcheck, prune_test.h.
 * LDFLAGS: -Wl,--wrap=rsp_store_delete,--wrap=rsp_store_put */
#include "prune_test.h"

/* ---- debris ---- */

static void plant(const char *name, int64_t ms)
{
    char path[512];
    struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = ms / 1000}};
    ck_assert_int_eq(__real_rsp_store_put(y.store, name, "x", 1), RSP_OK);
    yard_path(&y, name, path);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, t, 0), 0);
}
#define E "00112233445566778899aabbccddeeff"

START_TEST(debris_goes_when_all_of_its_epoch_is_old)
{
    struct rsp_prune_report report;
    backup(30, 100);
    plant("data/" E "/" E, now - 30 * DAY);
    plant("manifests/" E "/" E, now - 30 * DAY);
    plant("keys/" E "/" E E, now - 6 * DAY);
    plant("refs/" E E, now - 8 * DAY);
    plant("refs/" E "00112233445566778899aabbccddee00", now - 6 * DAY);
    plant("segments/" E "/0", now - 90 * DAY);
    plant("log/" E "/readme", now - 90 * DAY);
    plant("data/readme", now - 90 * DAY);
    ck_assert_int_eq(prune_with(1, DAY, &report), RSP_OK);
    ck_assert_uint_eq(report.debris_objects, 1);
    ck_assert_int_eq(held_count(&y, "refs", NULL), 2);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(report.debris_objects, 1);
    ck_assert_uint_eq(report.debris_bytes, 1);
    ck_assert_int_eq(held_count(&y, "refs", NULL), 1);
    ck_assert_int_eq(held_count(&y, "data/" E, NULL), 1);
    plant("keys/" E "/" E "00112233445566778899aabbccddee00", now - 8 * DAY);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(report.debris_objects, 0); /* one of them is still young */
    age_since(&y, now - 7 * DAY, now - 7 * DAY - HOUR);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(report.debris_objects, 5);
    ck_assert_int_eq(held_count(&y, "data/" E, NULL), 0);
    ck_assert_int_eq(held_count(&y, "segments", NULL), 1);
    ck_assert_int_eq(held_count(&y, "log/" E, NULL), 1);
    ck_assert_int_eq(held_count(&y, "data", NULL), 2); /* the snapshot's, and what is none of ours */
    sound(1);
}
END_TEST

START_TEST(an_upload_that_died_is_debris)
{
    struct rsp_prune_report report;
    char path[512];
    int64_t files;
    FILE *f;
    backup(30, 100);
    files = held_count(&y, "", NULL);
    yard_path(&y, "data/.00.respite-0123abcd.part", path);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("abc", f);
    fclose(f);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_int_eq(held_count(&y, "", NULL), files + 1);
    age_new(&y, now - 8 * DAY);
    ck_assert_int_eq(prune_with(1, DAY, &report), RSP_OK);
    ck_assert_uint_eq(report.debris_objects, 1);
    ck_assert_int_eq(held_count(&y, "", NULL), files + 1);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(report.debris_objects, 1);
    ck_assert_uint_eq(report.debris_bytes, 3);
    ck_assert_int_eq(held_count(&y, "", NULL), files);
}
END_TEST

/* A snapshot that is being written is young, however long its dump takes. */
START_TEST(a_snapshot_under_way_is_no_debris)
{
    struct rsp_prune_report report;
    char name[100];
    backup(30, 100);
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "data/" E "/0000000000000000000000000000000%d", i);
        plant(name, now - (10 - i) * DAY);
    }
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(told, 0);
}
END_TEST

/* ---- objects of a living epoch that nobody refers to ---- */

static void feed_one(struct rsp_snapshot_writer *w, const char *name, int end, struct rsp_stream_writer **s)
{
    uint8_t *chunk = NULL;
    size_t cap = 0;
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, name, RSP_STREAM_RDB, 0, 0, s), RSP_OK);
    for (int i = 0; i < 6; i++) { /* two to an object */
        ck_assert_int_eq(rsp_stream_chunk(*s, &chunk, &cap), RSP_OK);
        memset(chunk, i, cap);
        ck_assert_int_eq(rsp_stream_submit(*s, chunk, cap, NULL, 0), RSP_OK);
    }
    if (end) ck_assert_int_eq(rsp_stream_end(*s, NULL), RSP_OK);
}

/* A snapshot of two streams, whose first was dropped after its end, and begun again. */
static struct made backup_with_dropped(int64_t ms)
{
    struct rsp_snapshot_options o = {
        .size = sizeof o, .source = "web", .threads = 1, .chunk_bytes = 4096, .object_bytes = 8192};
    struct rsp_commit_facts facts = {.size = sizeof facts, .flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL, .keys = 10};
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_snapshot_writer *w = NULL;
    struct rsp_stream_writer *a = NULL, *b = NULL;
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    struct made made;
    y.now_ms = ms;
    ck_assert_int_eq(rsp_snapshot_begin(repo, &o, &w), RSP_OK);
    feed_one(w, "a", 1, &a);
    feed_one(w, "b", 1, &b);
    rsp_stream_drop(a);
    feed_one(w, "a", 1, &a);
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, &facts, &log, &r), RSP_OK);
    ck_assert_uint_eq(r->refs_n, 6);
    memcpy(made.hash, r->hash, 32);
    memcpy(made.epoch, r->epoch, 16);
    rsp_log_free(log);
    rsp_snapshot_writer_free(w);
    rsp_repo_free(repo);
    age_new(&y, ms);
    return made;
}

/* Under the age rule of its epoch; a run that dies is finished by the next. */
START_TEST(what_a_dropped_stream_left_goes)
{
    struct rsp_prune_report report;
    struct made young = backup_with_dropped(now - 6 * DAY), old = backup_with_dropped(now - 30 * DAY);
    int rc = RSP_EIO, at = 0;
    ck_assert_int_eq(held_count(&y, "data", old.epoch), 9);
    ck_assert_int_eq(prune_with(1, DAY, &report), RSP_OK);
    ck_assert_uint_eq(report.debris_objects, 3);
    ck_assert_int_eq(held_count(&y, "data", old.epoch), 9);
    save();
    for (; rc; at++) {
        restore();
        changes_left = at;
        rc = prune(&report);
        changes_left = -1;
        sound(2);
        ck_assert_int_eq(prune(&report), RSP_OK);
        ck_assert_int_eq(held_count(&y, "data", old.epoch), 6);
        ck_assert_int_eq(held_count(&y, "keys", old.epoch), 1);
        ck_assert_int_eq(held_count(&y, "manifests", old.epoch), 1);
        ck_assert_int_eq(held_count(&y, "data", young.epoch), 9);
        sound(2);
    }
    ck_assert_int_eq(at, 4);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(told, 0);
}
END_TEST

/* A snapshot that goes takes them along, sooner or later. */
START_TEST(what_a_dropped_stream_left_of_a_retired_one)
{
    struct rsp_prune_report report;
    struct made old = backup_with_dropped(now - 30 * DAY);
    backup(10, 100);
    name_at(&y, RSP_REC_RETIRE, old.hash, now - 3 * DAY);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_int_eq(held_count(&y, "data", old.epoch), 0);
    ck_assert_int_eq(held_count(&y, "keys", old.epoch), 0);
    sound(1);
}
END_TEST

/* Something of the epoch is young, in whatever folder: it is left alone. So are envelopes of a living one. */
START_TEST(a_living_epoch_that_stirs)
{
    struct rsp_prune_report report;
    struct made old = backup(30, 20000);
    char name[200], hex[33];
    hex_text(hex, old.epoch, 16);
    snprintf(name, sizeof name, "data/%s/" E, hex);
    plant(name, now - 29 * DAY);
    snprintf(name, sizeof name, "manifests/%s/" E, hex);
    plant(name, now - 29 * DAY);
    snprintf(name, sizeof name, "keys/%s/" E E, hex);
    plant(name, now - 6 * DAY);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(told, 0);
    age_since(&y, now - 7 * DAY, now - 7 * DAY - HOUR);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(report.debris_objects, 2);
    ck_assert_int_eq(held_count(&y, "keys", old.epoch), 2);
    ck_assert_int_eq(held_count(&y, "manifests", old.epoch), 1);
    sound(1);
}
END_TEST

/* ---- lists that lie apart ---- */

/* A commit that needs what another has, by a list in refs/<hash>. */
static struct made share_apart(struct made of, int64_t ms)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    const struct rsp_record *r = record_of(log, of);
    struct rsp_record draft, *made_record = NULL;
    char name[NAME_MAX_BYTES];
    struct made made;
    struct buf list;
    buf_init(&list, &log->env);
    ck_assert_int_eq(refs_encode(&list, r->refs, r->refs_n), RSP_OK);
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_COMMIT;
    memcpy(draft.source, r->source, 16);
    y.env.random(&y, draft.snapshot, 16);
    y.env.random(&y, draft.epoch, 16);
    draft.flags = RSP_COMMIT_GOOD;
    draft.manifest = r->manifest;
    draft.refs_n = r->refs_n;
    draft.refs_apart = 1;
    hash256(draft.refs_hash, list.p, list.n);
    name_hashed(name, "refs", draft.refs_hash);
    ck_assert_int_eq(rsp_store_put(y.store, name, list.p, list.n), RSP_OK);
    buf_free(&list);
    y.now_ms = ms;
    ck_assert_msg(rsp_record_publish(log, &draft, NULL, 0, &made_record) == RSP_OK, "%s", y.error.message);
    memcpy(made.hash, made_record->hash, 32);
    age_new(&y, ms);
    rsp_log_free(log);
    rsp_repo_free(repo);
    return made;
}

START_TEST(a_list_apart_goes_after_what_it_names)
{
    struct rsp_prune_report report;
    int rc = RSP_EIO, at = 0;
    struct made a = backup(30, 40000), b = share_apart(a, now - 20 * DAY);
    backup(10, 100);
    name_at(&y, RSP_REC_RETIRE, a.hash, now - 5 * DAY);
    ck_assert_int_eq(prune(&report), RSP_OK); /* b needs all of it but the record */
    age_new(&y, now - 4 * DAY);
    sound(2);
    ck_assert_int_eq(held_count(&y, "data", a.epoch), 5);
    ck_assert_int_eq(held_count(&y, "keys", a.epoch), 1);
    name_at(&y, RSP_REC_RETIRE, b.hash, now - 3 * DAY);
    save();
    for (; rc; at++) {
        restore();
        changes_left = at;
        rc = prune(&report);
        changes_left = -1;
        ck_assert(!held_count(&y, "data", a.epoch) || held_count(&y, "refs", NULL) == 1);
        ck_assert_int_eq(prune(&report), RSP_OK);
        sound(1);
        ck_assert_int_eq(held_count(&y, "data", a.epoch), 0);
        ck_assert_int_eq(held_count(&y, "keys", a.epoch), 0);
        ck_assert_int_eq(held_count(&y, "refs", NULL), 0);
        ck_assert_int_eq(held_count(&y, "log", NULL), 2);
    }
    ck_assert_int_eq(at, 13); /* gone, 8 objects, the list among them, the commit, two records; and one that lived */
}
END_TEST

START_TEST(a_missing_list_of_a_living_one_stops_all)
{
    struct rsp_prune_report report;
    struct made a = backup(30, 100), b;
    char path[512];
    struct held h = {.kind = HELD_REFS};
    char name[NAME_MAX_BYTES];
    struct rsp_repo *repo;
    struct rsp_log *log;
    b = share_apart(a, now - 20 * DAY);
    repo = yard_host(&y);
    log = yard_log(repo);
    memcpy(h.id, record_of(log, b)->refs_hash, 32);
    rsp_log_free(log);
    rsp_repo_free(repo);
    held_name(&h, name);
    yard_path(&y, name, path);
    name_at(&y, RSP_REC_RETIRE, a.hash, now - 3 * DAY);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(prune(&report), RSP_EINTEGRITY);
    ck_assert_int_eq(delete_calls, 0);
    ck_assert_int_eq(held_count(&y, "data", a.epoch), 1);
}
END_TEST

/* Whose list is lost, and which waits for its end: what it refers to is not known, so nothing of its epochs is nobody's. */
START_TEST(a_missing_list_leaves_doubt)
{
    struct rsp_prune_report report;
    struct made a = backup(30, 40000), b = share_apart(a, now - 20 * DAY);
    struct held h = {.kind = HELD_REFS};
    char name[NAME_MAX_BYTES], path[512], hex[33];
    struct rsp_repo *repo;
    struct rsp_log *log;
    hex_text(hex, a.epoch, 16);
    snprintf(name, sizeof name, "data/%s/" E, hex);
    plant(name, now - 29 * DAY);
    backup(10, 100);
    repo = yard_host(&y);
    log = yard_log(repo);
    memcpy(h.id, record_of(log, b)->refs_hash, 32);
    rsp_log_free(log);
    rsp_repo_free(repo);
    held_name(&h, name);
    yard_path(&y, name, path);
    ck_assert_int_eq(unlink(path), 0);
    name_at(&y, RSP_REC_RETIRE, b.hash, now - 3 * DAY);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(report.debris_objects, 0);
    ck_assert_int_eq(held_count(&y, "data", a.epoch), 6);
    ck_assert_int_eq(prune(&report), RSP_OK); /* its record is gone: no doubt any more */
    ck_assert_uint_eq(report.debris_objects, 1);
    ck_assert_int_eq(held_count(&y, "data", a.epoch), 5);
    sound(2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("prune_debris");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, debris_goes_when_all_of_its_epoch_is_old);
    tcase_add_test(t, an_upload_that_died_is_debris);
    tcase_add_test(t, a_snapshot_under_way_is_no_debris);
    tcase_add_test(t, what_a_dropped_stream_left_goes);
    tcase_add_test(t, what_a_dropped_stream_left_of_a_retired_one);
    tcase_add_test(t, a_living_epoch_that_stirs);
    tcase_add_test(t, a_missing_list_leaves_doubt);
    tcase_add_test(t, a_list_apart_goes_after_what_it_names);
    tcase_add_test(t, a_missing_list_of_a_living_one_stops_all);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
