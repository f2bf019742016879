/* What this is: tests of repair from a mirror: what comes back, and what a mirror cannot make us take.
 * Rests on: copy_yard.h, fixture/falter.h. */
#include "copy_yard.h"

#include "fixture/falter.h"
#include "repo/keep.h"
#include "seal/envelope.h"

static size_t repaired, unrepaired;
static void on_object(void *opaque, const char *name, int status, const char *words)
{
    (void)opaque, (void)name;
    if (status) {
        unrepaired++;
        snprintf(why, sizeof why, "%s", words ? words : "");
    } else {
        repaired++;
    }
}

/* Of y, from z. */
static int repair_by(struct rsp_identity *id, int look_only, struct rsp_repair_report *report)
{
    struct rsp_repair_options o = {.size = sizeof o, .look_only = look_only, .told = on_object};
    struct opened a = open_by(&y, id);
    int rc;
    repaired = unrepaired = 0;
    memset(report, 0, sizeof *report);
    report->size = sizeof *report;
    rsp_error_clear(&y.error);
    rc = rsp_repair(a.log, z.store, &o, report);
    close_one(&a);
    return rc;
}

static void mirrored(void)
{
    struct rsp_copy_report r;
    setup();
    copy_all(&r);
}

static void path_of(struct yard *of, size_t i, int manifest, char path[512])
{
    struct opened a = open_by(&y, y.reader);
    char name[NAME_MAX_BYTES];
    object_of(rsp_log_by_hash(a.log, made[i]), manifest, name);
    yard_path(of, name, path);
    close_one(&a);
}

START_TEST(comes_back)
{
    struct rsp_repair_report r;
    char path[512], envelope[512] = "";
    struct opened a;
    struct inventory inv;
    size_t n = 0;
    ck_assert_int_eq(repair_by(y.keeper, 0, &r), RSP_OK);
    ck_assert(!r.damaged && r.snapshots == 3 && r.objects == 6);
    path_of(&y, 0, 0, path);
    yard_flip(path, 40000); /* of the right size */
    path_of(&y, 1, 0, path);
    ck_assert_int_eq(truncate(path, 999), 0);
    path_of(&y, 2, 0, path);
    ck_assert_int_eq(unlink(path), 0);
    path_of(&y, 2, 1, path);
    ck_assert_int_eq(unlink(path), 0);
    a = open_by(&y, y.reader);
    ck_assert_int_eq(inventory_load(a.log, &inv), RSP_OK);
    const struct held *h = inventory_epoch(&inv, HELD_KEYS, rsp_log_by_hash(a.log, made[1])->epoch, &n);
    char name[NAME_MAX_BYTES];
    held_name(h, name);
    inventory_free(&inv);
    close_one(&a);
    yard_path(&y, name, envelope);
    yard_flip(envelope, 60);
    ck_assert_int_eq(repair_by(y.reader, 0, &r), RSP_ERIGHT);
    ck_assert_int_eq(repair_by(y.keeper, 1, &r), RSP_OK); /* what names and sizes tell, and envelopes */
    ck_assert_uint_eq(r.repaired, 4);
    ck_assert_int_eq(repair_by(y.keeper, 0, &r), RSP_OK);
    ck_assert_uint_eq(r.repaired, 1);
    ck_assert_uint_eq(unrepaired, 0);
    sound_in(&y, 3);
}
END_TEST

/* A mirror that is damaged, or lies, changes nothing. */
START_TEST(mirror_lies)
{
    struct rsp_repair_report r;
    char ours[512], theirs[512];
    struct stat before, after;
    path_of(&y, 0, 0, ours);
    path_of(&z, 0, 0, theirs);
    yard_flip(theirs, 100);
    ck_assert_int_eq(repair_by(y.keeper, 0, &r), RSP_OK); /* ours is sound: it is not even asked */
    ck_assert_uint_eq(r.damaged, 0);
    yard_flip(ours, 40000);
    ck_assert_int_eq(stat(ours, &before), 0);
    ck_assert_int_eq(repair_by(y.keeper, 0, &r), RSP_OK);
    ck_assert_uint_eq(unrepaired, 1);
    ck_assert_uint_eq(repaired, 0);
    ck_assert_ptr_nonnull(strstr(why, "other bytes"));
    ck_assert_int_eq(stat(ours, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino); /* the same file: nothing was put in its place */
    ck_assert_int_eq(unlink(theirs), 0);
    ck_assert_int_eq(repair_by(y.keeper, 0, &r), RSP_OK);
    ck_assert_ptr_nonnull(strstr(why, "missing"));
    yard_flip(ours, 40000);
    sound_in(&y, 3);
}
END_TEST

/* A writer commits to other bytes of an object that is ours, and has the mirror serve them: what is sound stays. */
START_TEST(rival_claim)
{
    struct rsp_repair_report r;
    struct opened a = open_by(&y, y.host);
    const struct rsp_record *ours = rsp_log_by_hash(a.log, made[0]);
    struct rsp_record draft;
    struct rsp_ref ref = ours->refs[0];
    char path[512];
    struct stat before, after;
    struct sha256 *sum = NULL;
    uint8_t *bytes;
    FILE *f;
    path_of(&z, 0, 0, path);
    yard_flip(path, 500);
    bytes = malloc(ref.stored);
    f = fopen(path, "rb");
    ck_assert_uint_eq(fread(bytes, 1, ref.stored, f), ref.stored);
    fclose(f);
    ck_assert_int_eq(sha256_new(&a.repo->env, &sum), RSP_OK);
    ck_assert_int_eq(sha256_add(sum, bytes, ref.stored), RSP_OK);
    ck_assert_int_eq(sha256_end(sum, ref.sha256), RSP_OK);
    sha256_free(sum);
    free(bytes);
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_COMMIT;
    memcpy(draft.source, y.source, 16);
    memset(draft.snapshot, 0x44, 16);
    memcpy(draft.epoch, ours->epoch, 16);
    draft.manifest = ours->manifest;
    draft.refs = &ref;
    draft.refs_n = 1;
    ck_assert_int_eq(rsp_record_publish(a.log, &draft, NULL, 0, NULL), RSP_OK);
    close_one(&a);
    path_of(&y, 0, 0, path);
    ck_assert_int_eq(stat(path, &before), 0);
    ck_assert_int_eq(repair_by(y.keeper, 0, &r), RSP_OK);
    ck_assert_uint_eq(r.repaired, 0);
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

/* The true envelope is gone, and one that anybody could make stands there: for the reader, named after its bytes. */
START_TEST(sham_envelope)
{
    struct rsp_repair_options o = {.size = sizeof o, .look_only = 1, .told = on_object};
    struct rsp_repair_report r = {.size = sizeof r};
    struct rsp_identity *both[2] = {y.keeper, y.reader};
    struct opened a = open_by(&y, y.reader);
    const struct rsp_record *of = rsp_log_by_hash(a.log, made[1]);
    struct inventory inv;
    struct rsp_public reader;
    struct buf b;
    uint8_t key[32] = {7}, hash[32];
    char name[NAME_MAX_BYTES];
    size_t n = 0;
    ck_assert_int_eq(inventory_load(a.log, &inv), RSP_OK);
    held_name(inventory_epoch(&inv, HELD_KEYS, of->epoch, &n), name);
    inventory_free(&inv);
    ck_assert_int_eq(rsp_store_delete(y.store, name), RSP_OK);
    buf_init(&b, &a.repo->env);
    rsp_identity_public(y.reader, &reader);
    ck_assert_int_eq(envelope_write(&a.repo->env, of->epoch, key, &reader, 1, &b), RSP_OK);
    hash256(hash, b.p, b.n);
    name_envelope(name, of->epoch, hash);
    ck_assert_int_eq(rsp_store_put(y.store, name, b.p, b.n), RSP_OK);
    buf_free(&b);
    close_one(&a);
    ck_assert_int_eq(yard_repo(&y, 0, both, 2, &a.repo), RSP_OK);
    a.log = yard_log(a.repo);
    repaired = unrepaired = 0;
    ck_assert_int_eq(rsp_repair(a.log, z.store, &o, &r), RSP_OK);
    ck_assert_uint_eq(repaired, 1);
    close_one(&a);
    sound_in(&y, 3);
}
END_TEST

/* ---- faults ---- */

static void damage(void)
{
    char path[512];
    path_of(&y, 0, 0, path);
    yard_flip(path, 40000);
    path_of(&y, 1, 0, path);
    if (unlink(path)) ck_abort();
    path_of(&y, 2, 1, path);
    if (unlink(path)) ck_abort();
}

/* Whatever request fails, of ours or of the mirror: what was sound stays so, and the next run mends the rest. */
START_TEST(each_request)
{
    struct falter f = {.how = _i & 1 ? FALTER_REPLY : FALTER_LOST, .dead = _i & 2};
    struct yard ours = y;
    struct rsp_store *mirror = z.store;
    unsigned long seen = 0;
    if (_i & 4) mirror = falter_open(z.store, &f);
    else ours.store = falter_open(y.store, &f);
    for (unsigned long n = 1; !seen || seen >= n; n++) {
        struct rsp_repair_options o = {.size = sizeof o, .threads = 1};
        struct rsp_repair_report r = {.size = sizeof r};
        struct opened a;
        int rc;
        damage();
        f.at = 0;
        a = open_by(&ours, y.keeper);
        f.seen = 0;
        f.at = n;
        rsp_error_clear(&y.error);
        rc = rsp_repair(a.log, mirror, &o, &r);
        seen = f.seen;
        f.at = 0;
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENET, "%lu: %s: %s", n, rsp_status_name(rc), y.error.message);
        close_one(&a);
        if (rc == RSP_OK) sound_in(&y, 3);
        rsp_error_clear(&y.error);
        ck_assert_int_eq(repair_by(y.keeper, 0, &r), RSP_OK);
        ck_assert_uint_eq(unrepaired, 0);
        sound_in(&y, 3);
        ck_assert_uint_lt(n, 200);
    }
    rsp_store_free(_i & 4 ? mirror : ours.store);
}
END_TEST

static long fail_after = -1;
static void *counted(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    if (fail_after == 0) return NULL;
    if (fail_after > 0) fail_after--;
    return realloc(p, n);
}

START_TEST(each_allocation)
{
    int rc = RSP_ENOMEM;
    for (long n = 0; rc == RSP_ENOMEM && n < 2000; n++) {
        struct rsp_repair_options o = {.size = sizeof o, .threads = 1};
        struct rsp_repair_report r = {.size = sizeof r};
        struct yard hooked = y;
        struct opened a;
        if (!(n % 16)) {
            (void)!repair_by(y.keeper, 0, &r);
            damage();
        }
        hooked.env.resize = counted;
        fail_after = -1;
        a = open_by(&hooked, y.keeper);
        fail_after = n;
        rc = rsp_repair(a.log, z.store, &o, &r);
        fail_after = -1;
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENOMEM, "%ld: %s: %s", n, rsp_status_name(rc), y.error.message);
        rsp_error_clear(&y.error);
        close_one(&a);
    }
    ck_assert_int_eq(rc, RSP_OK);
    sound_in(&y, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("repair");
    TCase *t = tcase_create("repair");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, mirrored, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, comes_back);
    tcase_add_test(t, mirror_lies);
    tcase_add_test(t, rival_claim);
    tcase_add_test(t, sham_envelope);
    tcase_add_loop_test(t, each_request, 0, 8);
    tcase_add_test(t, each_allocation);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
