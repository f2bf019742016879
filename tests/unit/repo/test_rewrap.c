/* What this is: keys are wrapped anew for new readers, by two at once, and whatever others left beside them.
 * Rests on: snapshot_yard.h.
 * Does not: ask what a new reader may read. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include <check.h>
#undef fail
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/repo/snapshot_yard.h"

static const struct snap_options opt = {.source = "web", .chunk = 4096, .used = 4096, .object = 8192, .threads = 1};
static uint8_t *data;
#define DATA_N 20000

static void begin(void)
{
    setup();
    data = snap_data(DATA_N, 1);
}

static void end(void)
{
    teardown();
    free(data);
}

/* The same members and one more reader. */
static struct rsp_identity *add_reader(void)
{
    const struct rsp_roles *now = rsp_repo_roles(repo);
    struct rsp_roles draft = *now;
    struct rsp_member *members = calloc(now->members_n + 1, sizeof *members);
    struct rsp_identity *late_one;
    memcpy(members, now->members, now->members_n * sizeof *members);
    ck_assert_int_eq(rsp_identity_new(&y.env, "late", &late_one), RSP_OK);
    rsp_identity_public(late_one, &members[now->members_n].key);
    members[now->members_n].flags = RSP_ROLE_READ;
    snprintf(members[now->members_n].name, sizeof members->name, "late");
    draft.members = members;
    draft.members_n = now->members_n + 1;
    y.now_ms += 1000;
    ck_assert_int_eq(rsp_repo_set_roles(repo, &draft, y.root), RSP_OK);
    free(members);
    return late_one;
}

static int count_one(void *opaque, const struct rsp_store_item *item)
{
    (void)item;
    ++*(size_t *)opaque;
    return RSP_OK;
}

static size_t envelopes(void)
{
    size_t n = 0;
    ck_assert_int_eq(rsp_store_list(y.store, "keys/", count_one, &n), RSP_OK);
    return n;
}

struct rewrapper {
    pthread_t thread;
    pthread_barrier_t *start;
    struct rsp_error error;
    int rc;
    size_t added, shut;
};

/* With handles of its own. */
static void *rewrap_alone(void *arg)
{
    struct rewrapper *w = arg;
    struct rsp_env env = {.size = sizeof env, .error = &w->error};
    struct rsp_store_options so = {.size = sizeof so};
    struct rsp_repo_options o = {.size = sizeof o, .root = &y.root_public, .identities = &y.reader, .identities_n = 1};
    struct rsp_log *log = NULL;
    struct rsp_repo *own = NULL;
    w->rc = rsp_store_open(&env, y.url, &so, &o.store);
    if (!w->rc) w->rc = rsp_repo_open(&env, &o, &own);
    if (!w->rc) w->rc = rsp_log_load(own, NULL, &log);
    pthread_barrier_wait(w->start);
    if (!w->rc) w->rc = rsp_repo_rewrap(own, log, &w->added, &w->shut);
    rsp_log_free(log);
    rsp_repo_free(own);
    rsp_store_free(o.store);
    return NULL;
}

START_TEST(rewrap_by_two)
{
    struct rewrapper two[2] = {0};
    struct rsp_identity *late_one;
    struct rsp_repo *other;
    struct rsp_log *log, *log2, *plain;
    pthread_barrier_t start;
    struct rsp_record *a = snap_make(&opt, data, DATA_N, &log), *b;
    struct snap_options unsealed = opt;
    unsealed.unsealed = 1;
    b = snap_make(&opt, data, DATA_N, &log2);
    snap_make(&unsealed, data, DATA_N, &plain);
    ck_assert_uint_eq(envelopes(), 2);
    late_one = add_reader();
    ck_assert_int_eq(yard_repo(&y, 1, &late_one, 1, &other), RSP_OK);
    ck_assert_int_eq(read_all(other, a, data, DATA_N), RSP_EKEY);
    pthread_barrier_init(&start, NULL, 2);
    for (int i = 0; i < 2; i++) {
        two[i].start = &start;
        ck_assert_int_eq(pthread_create(&two[i].thread, NULL, rewrap_alone, &two[i]), 0);
    }
    for (int i = 0; i < 2; i++) pthread_join(two[i].thread, NULL);
    pthread_barrier_destroy(&start);
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(two[i].rc == RSP_OK, "%s", two[i].error.message);
        ck_assert_uint_eq(two[i].shut, 0);
    }
    ck_assert_uint_ge(two[0].added + two[1].added, 2);
    ck_assert_uint_le(two[0].added + two[1].added, 4);
    ck_assert_uint_eq(envelopes(), 2 + two[0].added + two[1].added);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(read_all(other, a, data, DATA_N), RSP_OK);
    ck_assert_int_eq(read_all(other, b, data, DATA_N), RSP_OK);
    rsp_repo_free(other);
    rsp_identity_free(late_one);
    rsp_log_free(log);
    rsp_log_free(log2);
    rsp_log_free(plain);
}
END_TEST

START_TEST(rewrap_alone_again)
{
    struct rsp_identity *late_one;
    struct rsp_repo *blind;
    struct rsp_log *log, *all;
    size_t added, shut;
    snap_make(&opt, data, DATA_N, &log);
    late_one = add_reader();
    rsp_repo_free(repo);
    ck_assert_int_eq(yard_repo(&y, 1, &y.reader, 1, &repo), RSP_OK);
    /* one that opens nothing says so */
    ck_assert_int_eq(yard_repo(&y, 1, &y.host, 1, &blind), RSP_OK);
    all = yard_log(blind);
    ck_assert_int_eq(rsp_repo_rewrap(blind, all, &added, &shut), RSP_OK);
    ck_assert(added == 0 && shut == 1);
    ck_assert_int_eq(y.error.code, 0);
    rsp_log_free(all);
    all = yard_log(repo);
    ck_assert_int_eq(rsp_repo_rewrap(repo, all, &added, &shut), RSP_OK);
    ck_assert(added == 1 && shut == 0);
    ck_assert_int_eq(rsp_repo_rewrap(repo, all, &added, &shut), RSP_OK);
    ck_assert(added == 0 && shut == 0);
    ck_assert_uint_eq(envelopes(), 2);
    ck_assert_int_eq(rsp_repo_rewrap(blind, all, &added, &shut), RSP_OK);
    ck_assert(added == 0 && shut == 0);
    rsp_log_free(all);
    rsp_repo_free(blind);
    rsp_identity_free(late_one);
    rsp_log_free(log);
}
END_TEST

/* An envelope that names every reader and opens to nothing does not keep the true one from being made, nor does
 * garbage. */
START_TEST(rewrap_forged)
{
    struct rsp_public *readers;
    struct rsp_identity *late_one;
    struct rsp_repo *other;
    struct rsp_log *log, *all;
    struct rsp_record *r = snap_make(&opt, data, DATA_N, &log);
    uint8_t wrong[KEY_BYTES] = {1}, hash[HASH_BYTES] = {2};
    char name[NAME_MAX_BYTES];
    size_t n, added, shut;
    late_one = add_reader();
    rsp_repo_free(repo);
    ck_assert_int_eq(yard_repo(&y, 1, &y.reader, 1, &repo), RSP_OK);
    ck_assert_int_eq(readers_of(repo, &readers, &n), RSP_OK);
    ck_assert_int_eq(envelope_publish(repo, r->epoch, wrong, readers, n, name, NULL), RSP_OK);
    mem_free(&repo->env, readers, n * sizeof *readers);
    name_envelope(name, r->epoch, hash);
    ck_assert_int_eq(rsp_store_put(y.store, name, "garbage", 7), RSP_OK);
    ck_assert_int_eq(rsp_store_put(y.store, "keys/odd", "garbage", 7), RSP_OK);
    all = yard_log(repo);
    ck_assert_int_eq(rsp_repo_rewrap(repo, all, &added, &shut), RSP_OK);
    ck_assert(added == 1 && shut == 0);
    ck_assert_int_eq(yard_repo(&y, 1, &late_one, 1, &other), RSP_OK);
    ck_assert_int_eq(read_all(other, r, data, DATA_N), RSP_OK);
    rsp_repo_free(other);
    rsp_identity_free(late_one);
    rsp_log_free(all);
    rsp_log_free(log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rewrap");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, begin, end);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, rewrap_by_two);
    tcase_add_test(t, rewrap_alone_again);
    tcase_add_test(t, rewrap_forged);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
