/* What this is: what a thief of a writer, of a keeper, of a reader, and a removed reader can read and can make others believe.
 *   Each test is named in respite-security(7).
 * Rests on: libcheck, sham.h. */
#include <check.h>
#undef fail
#include <string.h>

#include "seal/object.h"
#include "sham.h"

/* ---- a thief of a writer ---- */

START_TEST(writer_of_another_source)
{
    struct rsp_identity *id = NULL;
    struct rsp_repo *repo = NULL;
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    struct yard_dump d = {.source = "db", .p = two, .n = sizeof two};
    struct yard_plan plan = {.kind = RSP_REC_COMMIT, .about = second};
    uint8_t db[16], hash[32];
    ck_assert_int_eq(rsp_identity_new(&y.env, "web writer", &id), RSP_OK);
    yard_admit(&y, id, "web writer", RSP_ROLE_WRITE, "web");
    ck_assert_int_eq(yard_repo(&y, 0, &id, 1, &repo), RSP_OK);
    ck_assert_int_eq(yard_store_dump(&y, repo, &d, &log, &r), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    d.source = "web"; /* its own */
    ck_assert_msg(yard_store_dump(&y, repo, &d, &log, &r) == RSP_OK, "%s", y.error.message);
    second = r;
    rsp_log_free(log_two);
    log_two = log;
    sound(3);
    rsp_source_id(y.lineage, "db", db);
    plan.signer = id;
    plan.source = db;
    plan.about = r;
    yard_plant(&y, &plan, hash);
    record_refused(hash, "no right");
    refused("a commit for another source", NULL, 3);
    rsp_repo_free(repo);
    rsp_identity_free(id);
}
END_TEST

/* The first draw of a snapshot is its id: the thief's is no draw. */
static uint8_t wanted[16];
static int wanted_first(void *opaque, void *bytes, size_t n)
{
    static int drawn;
    int rc = y.env.random(opaque, bytes, n);
    if (!rc && !drawn++ && n == sizeof wanted) memcpy(bytes, wanted, n);
    return rc;
}

/* Who asks for a snapshot by its id, or by the hash of its record, never gets a later one that says it has that id. */
static void asked_for(const char *id, const struct rsp_record *meant)
{
    struct rsp_repo *repo;
    struct rsp_log *log = honest_log(&repo);
    struct rsp_record *found = NULL;
    int rc = rsp_log_find(log, id, NULL, &found);
    ck_assert_msg(rc == RSP_EINVAL || (rc == RSP_OK && !memcmp(found->hash, meant->hash, 32)),
                  "asked for %s: %s, and it is another snapshot", id, rsp_status_name(rc));
    rsp_log_free(log);
    rsp_repo_free(repo);
    rsp_error_clear(&y.error);
}

static void take_id(const uint8_t id[16])
{
    struct rsp_env his = y.env;
    struct rsp_repo_options o = {
        .size = sizeof o, .store = y.store, .root = &y.root_public, .identities = &y.host, .identities_n = 1};
    struct yard_dump d = {.source = "web", .p = evil, .n = sizeof evil};
    struct rsp_repo *repo = NULL;
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    memcpy(wanted, id, sizeof wanted);
    his.random = wanted_first;
    ck_assert_int_eq(rsp_repo_open(&his, &o, &repo), RSP_OK);
    ck_assert_msg(yard_store_dump(&y, repo, &d, &log, &r) == RSP_OK, "%s", y.error.message);
    ck_assert_mem_eq(r->snapshot, id, 16);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

START_TEST(writer_cannot_take_the_id_of_a_snapshot)
{
    char id[33];
    hex_text(id, first->snapshot, 16);
    asked_for(id, first);
    take_id(first->snapshot);
    asked_for(id, first);
}
END_TEST

START_TEST(writer_cannot_take_the_hash_of_a_record)
{
    char hash[65];
    hex_text(hash, first->hash, 32);
    take_id(first->hash); /* as an id */
    asked_for(hash, first);
    hash[32] = 0;
    asked_for(hash, first);
    hash[10] = 0;
    asked_for(hash, first);
}
END_TEST

/* He cannot use up the numbers either: one that leans on a parent that nobody has is refused, and the next backup is numbered
 * as if it were not there. */
START_TEST(writer_cannot_use_up_the_numbers)
{
    struct rsp_record nobody;
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    struct yard_dump d = {.source = "web", .p = two, .n = sizeof two};
    struct yard_plan plan = {.signer = y.host, .kind = RSP_REC_COMMIT, .parent = &nobody};
    uint8_t hash[32];
    char hex[65];
    memset(&nobody, 0, sizeof nobody);
    memset(nobody.hash, 0xab, 32);
    nobody.seq = NAME_SEQ_MAX - 1;
    yard_plant(&y, &plan, hash);
    ck_assert_msg(yard_store_dump(&y, repo, &d, &log, &r) == RSP_OK, "no backup is made: %s", y.error.message);
    ck_assert_int_gt(log->faults, 0); /* it is told */
    rsp_log_free(log);
    log = yard_log(repo);
    hex_text(hex, hash, 32);
    ck_assert_msg(rsp_acknowledge(log, hex, 0) == RSP_OK, "no way out: %s", y.error.message);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(writer_cannot_retire)
{
    static const int kinds[] = {RSP_REC_RETIRE, RSP_REC_PIN,  RSP_REC_UNPIN, RSP_REC_ACCEPT,
                                RSP_REC_ABSENT, RSP_REC_LOST, RSP_REC_GONE};
    struct rsp_identity *id = NULL;
    struct rsp_repo *repo = NULL;
    struct rsp_retention policy = {.size = sizeof policy, .last = 1};
    struct rsp_expire_report expired = {.size = sizeof expired};
    struct rsp_prune_options po = {.size = sizeof po};
    struct rsp_prune_report pruned = {.size = sizeof pruned};
    struct tree before, after;
    struct rsp_record *target;
    ck_assert_int_eq(rsp_identity_new(&y.env, "writer", &id), RSP_OK);
    yard_admit(&y, id, "writer", RSP_ROLE_WRITE, NULL);
    tree_read(&y, &before);
    ck_assert_int_eq(yard_repo(&y, 0, &id, 1, &repo), RSP_OK);
    struct rsp_log *log = yard_log(repo);
    target = rsp_log_by_hash(log, first->hash);
    ck_assert_int_eq(rsp_retire(log, &target, 1, 0), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_expire(log, &policy, 0, &expired), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_prune(log, &po, &pruned), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    char hex[65];
    hex_text(hex, first->hash, 32);
    ck_assert_int_eq(rsp_acknowledge(log, hex, 0), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    rsp_log_free(log);
    rsp_repo_free(repo);
    tree_read(&y, &after);
    ck_assert_uint_eq(before.n, after.n);
    tree_free(&before);
    tree_free(&after);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct yard_plan plan = {.signer = id, .kind = kinds[i], .parent = second, .about = first};
        uint8_t hash[32];
        yard_plant(&y, &plan, hash);
        record_refused(hash, "no right");
    }
    refused("what only a keeper may sign", NULL, 2); /* both are still there */
    repo = yard_host(&y);
    log = yard_log(repo);
    ck_assert_int_eq(rsp_prune(log, &po, &pruned), RSP_EINTEGRITY); /* and nothing is removed on the word of such */
    rsp_error_clear(&y.error);
    rsp_log_free(log);
    rsp_repo_free(repo);
    rsp_identity_free(id);
}
END_TEST

/* ---- a thief of a keeper ---- */

START_TEST(keeper_cannot_commit)
{
    struct rsp_repo *repo = NULL;
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    struct yard_dump d = {.source = "web", .p = two, .n = sizeof two};
    struct yard_plan plan = {.signer = y.keeper, .kind = RSP_REC_COMMIT, .parent = second, .about = first};
    uint8_t hash[32];
    ck_assert_int_eq(yard_repo(&y, 0, &y.keeper, 1, &repo), RSP_OK);
    ck_assert_int_eq(yard_store_dump(&y, repo, &d, &log, &r), RSP_ERIGHT);
    rsp_repo_free(repo);
    sound(2);
    yard_plant(&y, &plan, hash);
    record_refused(hash, "no right");
}
END_TEST

static void reads_nothing(struct rsp_identity *id)
{
    struct verdict v;
    judge(&y, id, 0, known, 2, &v);
    ck_assert_uint_eq(v.read, 0);
    ck_assert_int_eq(v.status, RSP_EKEY);
    ck_assert_int_eq(v.faults, 0);
    ck_assert_ptr_nonnull(strstr(v.words, "--identity"));
}

START_TEST(keeper_cannot_read)
{
    reads_nothing(y.keeper);
    reads_nothing(y.host); /* nor can the one that made them */
    reads_nothing(thief);
    sound(2);
}
END_TEST

/* ---- a thief of a reader ---- */

/* A reader knows the keys of what he may read: with the store in his hands as well he can reseal data. With other sizes it is
 * refused by the manifest, with the same ones by the hash that the writer signed. */
START_TEST(a_reader_with_the_store)
{
    struct rsp_repo *repo = NULL;
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    struct yard_dump d = {.source = "web", .p = evil, .n = 4000};
    struct yard_plan plan = {.signer = y.reader, .kind = RSP_REC_COMMIT, .parent = second, .about = first};
    uint8_t hash[32], *key = NULL;
    char name[NAME_MAX_BYTES];
    ck_assert_int_eq(yard_repo(&y, 0, &y.reader, 1, &repo), RSP_OK);
    ck_assert_int_eq(yard_store_dump(&y, repo, &d, &log, &r), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(epoch_open(repo, first->epoch, first->commitment, 0, &key), RSP_OK);
    name_object(name, REF_DATA, first->refs[0].epoch, first->refs[0].object);
    sham_over(&first->refs[0], OBJECT_DATA, key, evil, sizeof one - 1, 4096); /* other sizes: another table */
    refused("data resealed with another table", name, 1);
    sham_over(&first->refs[0], OBJECT_DATA, key, evil, sizeof one, 4096); /* the same sizes, the same table */
    ck_assert_uint_eq(stored_size(name), first->refs[0].stored);
    stored_refused(name);
    refused("data resealed with the same table", name, 1);
    secret_free(key);
    log = yard_log(repo);
    struct rsp_record *target = rsp_log_by_hash(log, first->hash);
    struct rsp_roles draft = *rsp_repo_roles(repo);
    ck_assert_int_eq(rsp_retire(log, &target, 1, 0), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_repo_set_roles(repo, &draft, y.reader), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    rsp_log_free(log);
    rsp_repo_free(repo);
    yard_plant(&y, &plan, hash);
    record_refused(hash, "no right");
}
END_TEST

/* ---- a thief of an old identity ---- */

START_TEST(a_removed_reader)
{
    struct rsp_identity *other = NULL;
    struct rsp_log *log = NULL;
    struct rsp_repo *repo = NULL;
    struct verdict v;
    size_t added = 0, shut = 0;
    ck_assert_int_eq(rsp_identity_new(&y.env, "other", &other), RSP_OK);
    yard_admit(&y, other, "other", RSP_ROLE_READ, NULL);
    yard_dismiss(&y, y.reader);
    yard_snapshot(&y, &log, one, sizeof one, 4096);
    rsp_log_free(log);
    judge(&y, y.reader, 0, known, 2, &v);
    ck_assert_uint_eq(v.read, 2); /* what was sealed to him */
    ck_assert_int_eq(v.status, RSP_EKEY);
    ck_assert_int_eq(v.faults, 0);
    judge(&y, other, 0, known, 2, &v);
    ck_assert_uint_eq(v.read, 1);
    struct rsp_identity *both[] = {y.root, y.host}; /* root may read everything */
    ck_assert_int_eq(yard_repo(&y, 1, both, 2, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_int_eq(rsp_repo_rewrap(repo, log, &added, &shut), RSP_OK); /* for those that the roles list now */
    ck_assert_uint_eq(added, 2);
    rsp_log_free(log);
    rsp_repo_free(repo);
    judge(&y, other, 0, known, 2, &v);
    ck_assert_uint_eq(v.read, 3);
    judge(&y, y.reader, 0, known, 2, &v);
    ck_assert_uint_eq(v.read, 2);
    rsp_identity_free(other);
}
END_TEST
int main(void)
{
    Suite *s = suite_create("thief");
    TCase *c = tcase_create("thief");
    TCase *sample = tcase_create("sample"); /* make check runs it on every store */
    tcase_set_timeout(c, 300);
    tcase_set_timeout(sample, 300);
    tcase_add_checked_fixture(c, sham_setup, sham_teardown);
    tcase_add_checked_fixture(sample, sham_setup, sham_teardown);
    tcase_add_test(c, writer_of_another_source);
    tcase_add_test(c, writer_cannot_take_the_id_of_a_snapshot);
    tcase_add_test(c, writer_cannot_take_the_hash_of_a_record);
    tcase_add_test(c, writer_cannot_use_up_the_numbers);
    tcase_add_test(sample, writer_cannot_retire);
    tcase_add_test(sample, keeper_cannot_commit);
    tcase_add_test(c, keeper_cannot_read);
    tcase_add_test(sample, a_reader_with_the_store);
    tcase_add_test(c, a_removed_reader);
    suite_add_tcase(s, sample);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
