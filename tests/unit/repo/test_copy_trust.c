/* What this is: tests of what a copy does not take for granted: an id, a size, a name, old roles, another run.
 * Rests on: copy_yard.h, fixture/falter.h. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include "copy_yard.h"

#include <utime.h>

#include "fixture/falter.h"
#include "repo/keep.h"

int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}
int __wrap_fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static struct rsp_record *commit_of(struct opened *o, size_t i)
{
    struct rsp_record *r = rsp_log_by_hash(o->log, made[i]);
    ck_assert_ptr_nonnull(r);
    return r;
}

/* A writer of the target commits to the id of a snapshot that is not there yet, over as little as he likes. */
START_TEST(id_taken)
{
    struct rsp_copy_report r;
    struct opened a = open_by(&y, y.reader), b = open_by(&z, y.host);
    const struct rsp_record *was = commit_of(&a, 1);
    struct rsp_record draft;
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_COMMIT;
    memcpy(draft.source, was->source, 16);
    memcpy(draft.snapshot, was->snapshot, 16);
    memcpy(draft.epoch, was->epoch, 16);
    memcpy(draft.commitment, was->commitment, 32);
    draft.flags = was->flags;
    draft.keys = was->keys, draft.plain = was->plain, draft.stored = was->stored;
    draft.manifest = was->manifest; /* and none of its objects */
    ck_assert_int_eq(rsp_record_publish(b.log, &draft, NULL, 0, NULL), RSP_OK);
    close_one(&a);
    close_one(&b);
    copy_all(&r);
    ck_assert_uint_eq(r.made, 2);
    ck_assert_uint_eq(r.there, 0);
    ck_assert_uint_eq(r.failed, 1);
    ck_assert_ptr_nonnull(strstr(why, "another snapshot of that id"));
}
END_TEST

static void plant(struct yard *of, const char *name, size_t n)
{
    uint8_t *p = malloc(n + 1);
    memset(p, 0x5a, n);
    ck_assert_int_eq(rsp_store_put(of->store, name, p, n), RSP_OK);
    free(p);
}

/* Names and sizes are known before a copy is made: who may create in the target creates first. */
START_TEST(planted_first)
{
    struct rsp_copy_report r;
    struct opened a = open_by(&y, y.reader);
    const struct rsp_record *was = commit_of(&a, 1);
    struct inventory inv;
    char name[NAME_MAX_BYTES];
    size_t n = 0;
    object_of(was, 0, name);
    plant(&z, name, was->refs[0].stored);
    object_of(was, 1, name);
    plant(&z, name, was->manifest.stored);
    ck_assert_int_eq(inventory_load(a.log, &inv), RSP_OK);
    const struct held *h = inventory_epoch(&inv, HELD_KEYS, was->epoch, &n);
    ck_assert_uint_eq(n, 1);
    held_name(h, name);
    plant(&z, name, h->bytes);
    inventory_free(&inv);
    close_one(&a);
    copy_all(&r);
    ck_assert_uint_eq(r.made, 3);
    sound_in(&z, 3);
}
END_TEST

/* What is damaged there cannot be replaced: that is no "there". */
START_TEST(cannot_be_replaced)
{
    struct rsp_copy_report r = {.size = sizeof r};
    struct rsp_copy_options o = {.size = sizeof o, .verify = 1, .threads = 1, .told = on_told};
    struct falter f = {.status = RSP_EPERM};
    struct yard faulty = z;
    struct opened from, to;
    unsigned long reads;
    char name[NAME_MAX_BYTES], path[512];
    int rc = RSP_OK, failed = 0;
    copy_all(&r);
    from = open_by(&y, y.reader);
    object_of(commit_of(&from, 0), 0, name);
    yard_path(&z, name, path);
    faulty.store = falter_open(z.store, &f);
    for (unsigned long n = 1; n < 100; n++) { /* one of these is the upload of what is damaged */
        yard_flip(path, 30000);
        f.at = 0;
        to = open_by(&faulty, y.keeper);
        f.seen = 0;
        f.at = n;
        memset(told, 0, sizeof told);
        r.size = sizeof r;
        rc = rsp_copy(from.log, to.log, &o, &r);
        reads = f.seen;
        f.at = 0;
        close_one(&to);
        rsp_error_clear(&y.error);
        failed += rc != RSP_OK;
        if (rc == RSP_OK) sound_in(&z, 3); /* then it is as it should be */
        else if (access(path, F_OK) == 0) copy_all(&r);
        to = open_by(&z, y.keeper);
        ck_assert_int_eq(rsp_copy(from.log, to.log, &o, &r), RSP_OK);
        close_one(&to);
        if (reads < n) break;
    }
    ck_assert_int_gt(failed, 3);
    rsp_store_free(faulty.store);
    close_one(&from);
}
END_TEST

/* A writer is removed; the origin is served as it was before, with what he signed afterwards. */
START_TEST(roles_held_back)
{
    struct rsp_copy_report r;
    struct rsp_identity *writer = NULL;
    struct rsp_public key;
    struct opened a;
    uint8_t hash[32];
    char name[NAME_MAX_BYTES];
    size_t roles;
    ck_assert_int_eq(rsp_identity_new(&y.env, "old", &writer), RSP_OK);
    yard_admit(&y, writer, "old", RSP_ROLE_WRITE, NULL);
    copy_all(&r);
    ck_assert_uint_eq(r.made, 3);
    yard_dismiss(&y, writer);
    copy_all(&r); /* the target has learnt it */
    ck_assert_uint_eq(r.roles, 1);
    a = open_by(&y, y.reader);
    roles = a.repo->roles_n;
    name_roles(name, a.repo->roles[roles - 1]->n, a.repo->roles[roles - 1]->hash);
    const struct rsp_roles *before = a.repo->roles[roles - 2];
    struct yard_plan plan = {.signer = writer, .kind = RSP_REC_COMMIT, .roles = before->hash};
    y.now_ms += YARD_DAY;
    yard_plant(&y, &plan, hash);
    close_one(&a);
    ck_assert_int_eq(rsp_store_delete(y.store, name), RSP_OK);
    a = open_by(&y, y.reader); /* whoever remembers nothing believes it */
    ck_assert(rsp_record_living(rsp_log_by_hash(a.log, hash)));
    close_one(&a);
    copy_all(&r);
    ck_assert_uint_eq(r.made, 0);
    ck_assert_uint_eq(r.failed, 1);
    ck_assert_ptr_nonnull(strstr(why, "removed by roles record"));
    (void)key;
    rsp_identity_free(writer);
}
END_TEST

/* Two runs began with the same log. */
START_TEST(two_at_once)
{
    struct rsp_copy_report r = {.size = sizeof r};
    struct rsp_copy_options o = {.size = sizeof o, .told = on_told};
    struct opened from = open_by(&y, y.reader), one = open_by(&z, y.keeper), two = open_by(&z, y.keeper);
    memset(told, 0, sizeof told);
    ck_assert_int_eq(rsp_copy(from.log, one.log, &o, &r), RSP_OK);
    ck_assert_uint_eq(r.made, 3);
    r.size = sizeof r;
    ck_assert_int_eq(rsp_copy(from.log, two.log, &o, &r), RSP_OK);
    ck_assert_uint_eq(r.made, 0);
    ck_assert_uint_eq(r.there, 3);
    close_one(&from);
    close_one(&one);
    close_one(&two);
    sound_in(&z, 3);
}
END_TEST

/* A run died before its commit, long ago: what it left is about to go as debris. */
START_TEST(old_leftovers)
{
    struct rsp_copy_report r;
    struct opened b;
    struct stat st;
    struct utimbuf old = {1000000000, 1000000000};
    char name[NAME_MAX_BYTES], path[512], manifest[512] = "";
    copy_all(&r);
    b = open_by(&z, y.reader);
    for (size_t i = 0; i < b.log->records_n; i++) {
        const struct rsp_record *is = b.log->records[i];
        name_record_path(name, is);
        yard_path(&z, name, path);
        ck_assert_int_eq(unlink(path), 0);
        object_of(is, 1, name);
        yard_path(&z, name, manifest);
        ck_assert_int_eq(utime(manifest, &old), 0);
    }
    close_one(&b);
    copy_all(&r);
    ck_assert_uint_eq(r.made, 3);
    ck_assert_uint_eq(r.objects, 0);
    ck_assert_int_eq(stat(manifest, &st), 0);
    ck_assert(st.st_mtime > 1500000000); /* prune sees that somebody is at work */
    sound_in(&z, 3);
}
END_TEST

/* ---- each request ---- */

static void target(struct yard *t, const char *name)
{
    struct rsp_store_options so = {.size = sizeof so, .create = 1};
    struct rsp_repo *ours;
    *t = z;
    snprintf(t->dir, sizeof t->dir, "%.30s/%s", y.dir, name);
    snprintf(t->url, sizeof t->url, "file:%s/repo", t->dir);
    t->spares = 0;
    ck_assert_int_eq(rsp_store_open(&y.env, t->url, &so, &t->store), RSP_OK);
    ours = yard_host(&y);
    ck_assert_int_eq(rsp_repo_init(&y.env, t->store, NULL, NULL, NULL, 0, ours, t->id), RSP_OK);
    rsp_repo_free(ours);
}

/* Whatever request of the target fails, nothing is half there, and the next run goes on. */
START_TEST(each_request)
{
    struct rsp_copy_options o = {.size = sizeof o, .threads = 1};
    struct opened from = open_by(&y, y.reader), to;
    unsigned long seen = 0;
    for (unsigned long n = 1; !seen || seen >= n; n++) {
        struct rsp_copy_report r = {.size = sizeof r};
        struct falter f = {.how = _i & 1 ? FALTER_REPLY : FALTER_LOST, .dead = _i & 2};
        struct yard t, faulty;
        char name[32];
        int rc;
        snprintf(name, sizeof name, "t%lu-%d", n, _i);
        target(&t, name);
        faulty = t;
        faulty.store = falter_open(t.store, &f);
        to = open_by(&faulty, y.keeper);
        f.seen = 0;
        f.at = n;
        rsp_error_clear(&y.error);
        rc = rsp_copy(from.log, to.log, &o, &r);
        seen = f.seen;
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENET, "%lu: %s: %s", n, rsp_status_name(rc), y.error.message);
        ck_assert_msg(rc == RSP_OK || strstr(y.error.message, "as the test wanted"), "%lu: %s", n, y.error.message);
        rsp_error_clear(&y.error);
        f.at = 0;
        close_one(&to);
        to = open_by(&t, y.reader);
        size_t there = living_in(to.log);
        close_one(&to);
        sound_in(&t, there);
        ck_assert_uint_ge(there, r.made);
        to = open_by(&t, y.keeper);
        r.size = sizeof r;
        ck_assert_int_eq(rsp_copy(from.log, to.log, &o, &r), RSP_OK);
        ck_assert_uint_eq(r.made + r.there, 3);
        ck_assert_uint_eq(r.made, 3 - there);
        close_one(&to);
        sound_in(&t, 3);
        rsp_store_free(faulty.store);
        rsp_store_free(t.store);
        ck_assert_uint_lt(n, 300);
    }
    close_one(&from);
}
END_TEST

/* And of the origin. */
START_TEST(each_request_of_the_origin)
{
    struct rsp_copy_options o = {.size = sizeof o, .threads = 1};
    struct falter f = {.how = FALTER_LOST, .dead = _i};
    struct yard faulty = y;
    unsigned long seen = 0;
    faulty.store = falter_open(y.store, &f);
    for (unsigned long n = 1; !seen || seen >= n; n++) {
        struct rsp_copy_report r = {.size = sizeof r};
        struct yard t;
        struct opened from, to;
        char name[32];
        int rc;
        snprintf(name, sizeof name, "o%lu-%d", n, _i);
        target(&t, name);
        f.at = 0;
        from = open_by(&faulty, y.reader);
        to = open_by(&t, y.keeper);
        f.seen = 0;
        f.at = n;
        rsp_error_clear(&y.error);
        rc = rsp_copy(from.log, to.log, &o, &r);
        seen = f.seen;
        f.at = 0;
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENET, "%lu: %s: %s", n, rsp_status_name(rc), y.error.message);
        ck_assert(rc == RSP_ENET || r.made == 3);
        rsp_error_clear(&y.error);
        close_one(&to);
        close_one(&from);
        sound_in(&t, r.made);
        rsp_store_free(t.store);
        ck_assert_uint_lt(n, 300);
    }
    rsp_store_free(faulty.store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("copy: what is not taken for granted");
    TCase *t = tcase_create("trust");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, id_taken);
    tcase_add_test(t, planted_first);
    tcase_add_test(t, cannot_be_replaced);
    tcase_add_test(t, roles_held_back);
    tcase_add_test(t, two_at_once);
    tcase_add_test(t, old_leftovers);
    tcase_add_loop_test(t, each_request, 0, 4);
    tcase_add_loop_test(t, each_request_of_the_origin, 0, 2);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
