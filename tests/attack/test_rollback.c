/* What this is: what an operator of the storage can take away, bring back or throw in: who notices, that backups go on, and
 *   the way out of every RSP_EINTEGRITY. Named in respite-security(7).
 * Rests on: libcheck, fixture/judge.h. */
#include <check.h>
#undef fail
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture/judge.h"
#include "repo/repo_impl.h"

#define SNAPSHOTS 4
static struct yard y;
static struct tree t;
static uint8_t data[SNAPSHOTS + 2][3000];
static struct known known[SNAPSHOTS + 2];
static uint8_t hash[SNAPSHOTS][32];
static char record[SNAPSHOTS][NAME_MAX_BYTES], object[SNAPSHOTS][NAME_MAX_BYTES], snapshot[SNAPSHOTS][33];

static void setup(void)
{
    yard_open(&y);
    for (size_t i = 0; i < SNAPSHOTS + 2; i++) {
        for (size_t k = 0; k < sizeof data[i]; k++) data[i][k] = (uint8_t)(k * (i + 3) + k / 7);
        known[i] = (struct known){data[i], sizeof data[i]};
    }
    for (size_t i = 0; i < SNAPSHOTS; i++) {
        struct rsp_log *log = NULL;
        struct rsp_record *r = yard_snapshot(&y, &log, data[i], sizeof data[i], 0);
        memcpy(hash[i], r->hash, 32);
        name_record_path(record[i], r);
        name_object(object[i], REF_DATA, r->refs[0].epoch, r->refs[0].object);
        hex_text(snapshot[i], r->snapshot, 16);
        rsp_log_free(log);
    }
    tree_read(&y, &t);
}

static void teardown(void)
{
    tree_free(&t);
    yard_close(&y);
}

/* ---- who notices ---- */

static void sees(int with_state, int status, const char *name, size_t read)
{
    struct verdict v;
    judge(&y, y.reader, with_state, known, SNAPSHOTS + 2, &v);
    ck_assert_msg(v.status == status, "%s\n%.1500s", rsp_status_name(v.status), v.words);
    ck_assert_msg(!name || names_it(v.words, name), "%s is not named in\n%.1500s", name, v.words);
    ck_assert_msg(v.read == read, "%zu were read\n%.1500s", v.read, v.words);
    ck_assert_int_eq(v.lied, 0);
}

/* The log as the host sees it, which remembers, or as somebody who knows the root and nothing else. */
static struct rsp_log *see(int with_state, struct rsp_repo **repo)
{
    struct rsp_identity *ids[] = {y.host, y.reader};
    ck_assert_msg(yard_repo(&y, with_state, ids, 2, repo) == RSP_OK, "%s", y.error.message);
    return yard_log(*repo);
}

static void trouble(int with_state, const char *kind)
{
    struct rsp_repo *repo;
    struct rsp_log *log = see(with_state, &repo);
    const struct rsp_trouble *found = yard_trouble(log, kind);
    ck_assert_int_gt(log->faults, 0);
    ck_assert_msg(found != NULL, "no trouble of kind \"%s\"", kind);
    ck_assert_int_eq(found->status, RSP_EINTEGRITY);
    ck_assert_ptr_nonnull(found->way_out); /* everyone who is told is told what to do */
    rsp_log_free(log);
    rsp_repo_free(repo);
}

static void no_faults(int with_state)
{
    struct rsp_repo *repo;
    struct rsp_log *log = see(with_state, &repo);
    struct rsp_verify_options vo = {.size = sizeof vo, .read_stored = 1};
    struct rsp_verify_report report = {.size = sizeof report};
    ck_assert_int_eq(rsp_verify(log, &vo, &report), RSP_OK);
    for (size_t i = 0; i < log->troubles_n; i++)
        ck_assert_msg(!log->troubles[i].status, "%s: %s", log->troubles[i].name, log->troubles[i].text);
    ck_assert_int_eq(log->faults, 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

/* Whatever is wrong with the store, one more snapshot is made and read back; n-th plaintext. */
static void backup_goes_on(size_t n)
{
    struct rsp_log *log = NULL;
    struct rsp_record *r = yard_snapshot(&y, &log, data[n], sizeof data[n], 0);
    struct rsp_repo *repo = NULL;
    struct rsp_snapshot *s = NULL;
    uint8_t back[sizeof data[0]];
    struct rsp_chunk_info info;
    ck_assert_int_eq(yard_repo(&y, 0, &y.reader, 1, &repo), RSP_OK);
    ck_assert_msg(rsp_snapshot_open(repo, r, &s) == RSP_OK, "%s", y.error.message);
    ck_assert_int_eq(rsp_snapshot_chunk_info(s, 0, 0, &info), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_chunk_read(s, 0, 0, back), RSP_OK);
    ck_assert_mem_eq(back, data[n], sizeof back);
    rsp_snapshot_free(s);
    rsp_repo_free(repo);
    rsp_log_free(log);
}

START_TEST(a_middle_record_dropped)
{
    char hex[65];
    hex_text(hex, hash[1], 32);
    tree_remove(&y, record[1]);
    sees(0, RSP_EINTEGRITY, hex, SNAPSHOTS - 1); /* by everybody */
    sees(1, RSP_EINTEGRITY, hex, SNAPSHOTS - 1);
    trouble(0, "missing");
    backup_goes_on(SNAPSHOTS);
}
END_TEST

START_TEST(the_newest_dropped)
{
    char hex[65];
    hex_text(hex, hash[SNAPSHOTS - 1], 32);
    tree_remove(&y, record[SNAPSHOTS - 1]);
    sees(1, RSP_EINTEGRITY, hex, SNAPSHOTS - 1); /* by who has seen it */
    trouble(1, "rollback");
    struct rsp_repo_options o = {.size = sizeof o, .store = y.store, .root = &y.root_public, .expect_head = hex};
    struct rsp_repo *repo = NULL; /* and by who expects it */
    ck_assert_int_eq(rsp_repo_open(&y.env, &o, &repo), RSP_OK);
    struct rsp_log *log = yard_log(repo);
    ck_assert_int_eq(log->faults, 1);
    ck_assert_ptr_nonnull(yard_trouble(log, "rollback"));
    rsp_log_free(log);
    rsp_repo_free(repo);
    backup_goes_on(SNAPSHOTS);
}
END_TEST

/* Everything as it was, whole and sound, before two more snapshots. */
static void serve_older(void)
{
    struct rsp_log *log = NULL;
    for (size_t i = SNAPSHOTS; i < SNAPSHOTS + 2; i++) {
        yard_snapshot(&y, &log, data[i], sizeof data[i], 0);
        rsp_log_free(log);
    }
    tree_back(&y, &t);
}

START_TEST(an_older_state_served)
{
    serve_older();
    sees(1, RSP_EINTEGRITY, NULL, SNAPSHOTS);
    trouble(1, "rollback");
    backup_goes_on(SNAPSHOTS);
    trouble(1, "rollback"); /* a backup made meanwhile does not hide it */
}
END_TEST

START_TEST(without_memory_the_age_is_told)
{
    struct rsp_repo *repo;
    serve_older();
    sees(0, RSP_OK, NULL, SNAPSHOTS); /* nothing is wrong with it: who never saw more cannot know */
    struct rsp_log *log = see(0, &repo);
    struct rsp_record *head = NULL;
    ck_assert_int_eq(rsp_log_find(log, "latest", NULL, &head), RSP_OK);
    ck_assert_mem_eq(head->hash, hash[SNAPSHOTS - 1], 32); /* so he is told what to compare with a line of a log */
    ck_assert_uint_ne(head->state & RSP_RECORD_HEAD, 0);
    ck_assert_uint_eq(head->seq, SNAPSHOTS);
    ck_assert_int_eq((int64_t)head->time_ms, y.now_ms - 2 * 3600000);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

static char newest_roles[NAME_MAX_BYTES];
static void two_roles(void)
{
    struct rsp_identity *other = NULL;
    struct tree now;
    ck_assert_int_eq(rsp_identity_new(&y.env, "other", &other), RSP_OK);
    yard_admit(&y, other, "other", RSP_ROLE_READ, NULL);
    rsp_identity_free(other);
    tree_read(&y, &now);
    for (size_t i = 0; i < now.n; i++)
        if (!strncmp(now.name[i], "roles/0000000002-", 17))
            snprintf(newest_roles, sizeof newest_roles, "%s", now.name[i]);
    tree_free(&now);
}

START_TEST(roles_rolled_back)
{
    struct rsp_log *log = NULL;
    two_roles();
    tree_remove(&y, newest_roles);
    sees(1, RSP_EINTEGRITY, newest_roles, SNAPSHOTS); /* by who has seen them */
    trouble(1, "roles");
    sees(0, RSP_OK, NULL, SNAPSHOTS);
    yard_snapshot(&y, &log, data[SNAPSHOTS], sizeof data[0], 0); /* the host goes by the newest that it knows */
    rsp_log_free(log);
    trouble(0, "roles"); /* and now by everybody: a record names them */
}
END_TEST

START_TEST(a_data_object_dropped)
{
    tree_remove(&y, object[2]);
    sees(0, RSP_EINTEGRITY, object[2], SNAPSHOTS - 1);
    sees(1, RSP_EINTEGRITY, object[2], SNAPSHOTS - 1);
    backup_goes_on(SNAPSHOTS);
}
END_TEST

/* ---- garbage ---- */

static void garbage(const char *folder, const char *last, size_t n)
{
    char name[NAME_MAX_BYTES + 128];
    uint8_t bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 167 + n);
    snprintf(name, sizeof name, "%s/%s", folder, last);
    tree_write(&y, name, bytes, n < sizeof bytes ? n : sizeof bytes);
}

/* 3 GiB of nothing; over a network 20 MiB have to do. */
static void huge(const char *name)
{
    size_t n = (size_t)20 << 20;
    if (yard_is_remote()) {
        uint8_t *zeros = calloc(1, n);
        ck_assert_ptr_nonnull(zeros);
        tree_write(&y, name, zeros, n);
        free(zeros);
        return;
    }
    char path[512];
    tree_write(&y, name, "", 0);
    yard_path(&y, name, path);
    ck_assert_int_eq(truncate(path, (off_t)3 << 30), 0);
}

/* What only a directory can hold. */
static void no_files(const char *fifo, const char *link)
{
    char path[512];
    if (yard_is_remote()) return;
    yard_path(&y, fifo, path);
    ck_assert_int_eq(mkfifo(path, 0600), 0); /* nobody may wait for this one */
    yard_path(&y, link, path);
    ck_assert_int_eq(symlink("/dev/zero", path), 0);
}

START_TEST(garbage_does_not_stop_a_backup)
{
    static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    char source[48] = "log/", epoch[48] = "keys/", name[NAME_MAX_BYTES + 128], more[NAME_MAX_BYTES + 128];
    struct verdict v;
    hex_text(source + 4, y.source, 16);
    memcpy(epoch + 5, strchr(object[0], '/') + 1, 32);
    epoch[37] = 0;
    garbage("log", "readme", 10);
    garbage("log/not-a-source", "0000000001-20260101t000000z-commit", 400);
    garbage(source, "notes.txt", 100);
    garbage(source, "tmp/deeper/file", 100);
    snprintf(name, sizeof name, "9999999999-20270115T080000Z-commit-%s", digits);
    garbage(source, name, 700); /* a record's name, random bytes */
    snprintf(name, sizeof name, "%s/0000000002-20270115T080000Z-retire-%s", source, digits);
    huge(name);
    snprintf(name, sizeof name, "0000000003-20270115T080000Z-pin-%s", digits);
    garbage(source, name, 0);
    garbage("roles", "readme", 10);
    snprintf(name, sizeof name, "0000000002-%s", digits);
    garbage("roles", name, 300);
    snprintf(name, sizeof name, "roles/9999999999-%s", digits);
    huge(name);
    garbage("repository", "readme", 10);
    garbage("repository", digits, 60);
    garbage("keys", "readme", 10);
    garbage(epoch, "readme", 10);
    garbage(epoch, digits, 90);
    snprintf(name, sizeof name, "%s/ff%.62s", epoch, digits);
    huge(name);
    garbage("data", "readme", 10);
    garbage("data/00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff", 5000);
    garbage("manifests", "readme", 10);
    garbage("refs", digits, 100);
    garbage("unheard-of", "file", 10);
    snprintf(name, sizeof name, "roles/0000000003-%s", digits);
    snprintf(more, sizeof more, "%s/0000000004-20270115T080000Z-commit-%s", source, digits);
    no_files(name, more);
    for (int with_state = 0; with_state < 2; with_state++) sees(with_state, RSP_EINTEGRITY, digits, SNAPSHOTS);
    backup_goes_on(SNAPSHOTS);
    judge(&y, y.reader, 0, known, SNAPSHOTS + 2, &v);
    ck_assert_uint_eq(v.read, SNAPSHOTS + 1);
    ck_assert_int_eq(v.lied, 0);
    ck_assert_ptr_nonnull(strstr(v.words, "9999999999-20270115T080000Z-commit"));
    ck_assert_ptr_nonnull(strstr(v.words, "roles/0000000002-"));
    ck_assert_ptr_nonnull(strstr(v.words, "notes.txt"));
}
END_TEST

/* ---- ways out: each ends in a log without faults, for who remembers and for who does not ---- */

static void give_up(const char *what, int accept_rollback)
{
    struct rsp_repo_options o = {.size = sizeof o,
                                 .store = y.store,
                                 .state = y.state,
                                 .identities = &y.keeper,
                                 .identities_n = 1,
                                 .accept_rollback = accept_rollback};
    struct rsp_repo *repo = NULL;
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_repo_open(&y.env, &o, &repo), RSP_OK);
    struct rsp_log *log = yard_log(repo);
    ck_assert_msg(rsp_acknowledge(log, what, 0) == RSP_OK, "%s", y.error.message);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

static void out_of_it(size_t snapshots)
{
    no_faults(0);
    no_faults(1);
    sees(0, RSP_OK, NULL, snapshots);
    backup_goes_on(SNAPSHOTS);
    no_faults(1);
}

START_TEST(out_of_a_missing_record)
{
    char hex[65];
    hex_text(hex, hash[1], 32);
    tree_remove(&y, record[1]);
    give_up(hex, 0);
    out_of_it(SNAPSHOTS - 1);
}
END_TEST

START_TEST(out_of_a_damaged_record)
{
    yard_spoil(&y, record[1], 100);
    trouble(0, "record");
    give_up(record[1], 0);
    out_of_it(SNAPSHOTS - 1);
}
END_TEST

START_TEST(out_of_a_planted_record)
{
    struct yard_plan plan = {.signer = y.reader, .kind = RSP_REC_COMMIT};
    uint8_t planted[32];
    char hex[65];
    yard_plant(&y, &plan, planted);
    hex_text(hex, planted, 32);
    trouble(0, "record");
    give_up(hex, 0);
    out_of_it(SNAPSHOTS);
}
END_TEST

START_TEST(out_of_a_rollback_by_giving_up)
{
    char hex[65];
    hex_text(hex, hash[SNAPSHOTS - 1], 32);
    tree_remove(&y, record[SNAPSHOTS - 1]);
    give_up(hex, 0);
    out_of_it(SNAPSHOTS - 1);
}
END_TEST

START_TEST(out_of_a_rollback_by_accepting)
{
    struct rsp_repo_options o = {.size = sizeof o, .store = y.store, .state = y.state, .accept_rollback = 1};
    struct rsp_repo *repo = NULL;
    serve_older();
    trouble(1, "rollback");
    ck_assert_int_eq(rsp_repo_open(&y.env, &o, &repo), RSP_OK);
    struct rsp_log *log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_ptr_nonnull(yard_trouble(log, "rollback")); /* still said, once */
    rsp_log_free(log);
    rsp_repo_free(repo);
    out_of_it(SNAPSHOTS);
}
END_TEST

static void republish(size_t expected)
{
    struct rsp_repo *repo = yard_host(&y);
    size_t n = 0;
    ck_assert_msg(rsp_repo_republish_roles(repo, &n) == RSP_OK, "%s", y.error.message);
    ck_assert_uint_eq(n, expected);
    rsp_repo_free(repo);
}

START_TEST(out_of_missing_roles)
{
    struct rsp_log *log = NULL;
    two_roles();
    yard_snapshot(&y, &log, data[SNAPSHOTS], sizeof data[0], 0); /* names them */
    rsp_log_free(log);
    tree_remove(&y, newest_roles);
    trouble(0, "roles");
    republish(1);
    out_of_it(SNAPSHOTS + 1);
}
END_TEST

START_TEST(out_of_damaged_roles)
{
    two_roles();
    yard_spoil(&y, newest_roles, 60);
    trouble(1, "roles");
    republish(1);
    out_of_it(SNAPSHOTS);
}
END_TEST

START_TEST(out_of_a_missing_repository_object)
{
    for (size_t i = 0; i < t.n; i++)
        if (!strncmp(t.name[i], "repository/", 11)) tree_remove(&y, t.name[i]);
    trouble(1, "object");
    struct rsp_repo *repo = yard_host(&y);
    size_t n = 0;
    ck_assert_int_eq(rsp_repo_republish_roles(repo, &n), RSP_OK);
    rsp_repo_free(repo);
    out_of_it(SNAPSHOTS);
}
END_TEST

static void out_of_a_lost_part(const char *name)
{
    tree_remove(&y, name);
    sees(0, RSP_EINTEGRITY, name, SNAPSHOTS - 1);
    give_up(snapshot[1], 0); /* the snapshot that cannot be had any more */
    out_of_it(SNAPSHOTS - 1);
}

START_TEST(out_of_missing_data)
{
    out_of_a_lost_part(object[1]);
}
END_TEST

START_TEST(out_of_a_missing_manifest_or_envelope)
{
    char epoch[33];
    snprintf(epoch, sizeof epoch, "%.32s", strchr(object[1], '/') + 1);
    for (size_t i = 0; i < t.n; i++) {
        if (!strstr(t.name[i], epoch) || !strncmp(t.name[i], "data/", 5)) continue;
        tree_remove(&y, t.name[i]);
        sees(0, RSP_EINTEGRITY, epoch, SNAPSHOTS - 1);
    }
    give_up(snapshot[1], 0);
    out_of_it(SNAPSHOTS - 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rollback");
    TCase *c = tcase_create("rollback");
    TCase *sample = tcase_create("sample"); /* make check runs it on every store */
    tcase_set_timeout(c, 120);
    tcase_set_timeout(sample, 120);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_checked_fixture(sample, setup, teardown);
    tcase_add_test(sample, a_middle_record_dropped);
    tcase_add_test(c, the_newest_dropped);
    tcase_add_test(sample, an_older_state_served);
    tcase_add_test(c, without_memory_the_age_is_told);
    tcase_add_test(sample, roles_rolled_back);
    tcase_add_test(sample, a_data_object_dropped);
    tcase_add_test(sample, garbage_does_not_stop_a_backup);
    tcase_add_test(c, out_of_a_missing_record);
    tcase_add_test(c, out_of_a_damaged_record);
    tcase_add_test(sample, out_of_a_planted_record);
    tcase_add_test(c, out_of_a_rollback_by_giving_up);
    tcase_add_test(c, out_of_a_rollback_by_accepting);
    tcase_add_test(c, out_of_missing_roles);
    tcase_add_test(c, out_of_damaged_roles);
    tcase_add_test(c, out_of_a_missing_repository_object);
    tcase_add_test(sample, out_of_missing_data);
    tcase_add_test(c, out_of_a_missing_manifest_or_envelope);
    suite_add_tcase(s, sample);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
