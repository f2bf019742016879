/* What this is: several handles on one directory at once: writers of the same name, a writer against one who deletes,
 *   and reads in several threads.
 * Rests on: libcheck, pthread.
 * Does not: make system calls fail. */
#include <check.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <respite/sys/store.h>

static char dir[64], url[96];
static atomic_int stop;

static void setup(void)
{
    snprintf(dir, sizeof dir, "%s", "/tmp/respite-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(url, sizeof url, "file:%s", dir);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void teardown(void)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* One thread with a handle of its own; what went wrong is told by the main thread. */
struct party {
    pthread_t thread;
    struct rsp_error error;
    struct rsp_env env;
    struct rsp_store *store;
    int number, rounds, won, status;
};

static void join_in(struct party *p, int number, void *(*run)(void *))
{
    memset(p, 0, sizeof *p);
    p->number = number;
    p->env.size = sizeof p->env;
    p->env.error = &p->error;
    ck_assert_int_eq(rsp_store_open(&p->env, url, NULL, &p->store), RSP_OK);
    ck_assert_int_eq(pthread_create(&p->thread, NULL, run, p), 0);
}

static void leave(struct party *p)
{
    char words[512];
    ck_assert_int_eq(pthread_join(p->thread, NULL), 0);
    rsp_error_format(&p->error, words, sizeof words);
    ck_assert_msg(!p->status, "party %d: status %d: %s", p->number, p->status, words);
    rsp_store_free(p->store);
}

static void pause_one_second(void)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 1000);
    atomic_store(&stop, 1);
}

/* Publishes an object and asks for it back: the other one's removals of the folder must not matter. */
static void *writer(void *opaque)
{
    struct party *p = opaque;
    char name[64];
    while (!atomic_load(&stop) && !p->status) {
        uint8_t *got = NULL;
        size_t n = 0;
        snprintf(name, sizeof name, "data/e/w%d-%d", p->number, p->rounds++);
        p->status = rsp_store_put(p->store, name, name, strlen(name));
        if (!p->status) p->status = rsp_store_get(p->store, name, 100, &got, &n);
        if (!p->status && (n != strlen(name) || memcmp(got, name, n))) p->status = RSP_ECHECKSUM;
        rsp_store_release(p->store, got, n);
        if (!p->status) p->status = rsp_store_delete(p->store, name);
    }
    return NULL;
}

START_TEST(test_folders_come_and_go)
{
    struct party p[2];
    for (int i = 0; i < 2; i++) join_in(&p[i], i, writer);
    pause_one_second();
    for (int i = 0; i < 2; i++) leave(&p[i]);
    ck_assert_int_gt(p[0].rounds, 1);
    ck_assert_int_gt(p[1].rounds, 1);
}
END_TEST

#define RACES 200
/* One name, two writers with bytes of their own: one wins. */
static void *racer(void *opaque)
{
    struct party *p = opaque;
    char name[64], bytes[64];
    for (; p->rounds < RACES && !p->status; p->rounds++) {
        int rc;
        snprintf(name, sizeof name, "race/%d", p->rounds);
        snprintf(bytes, sizeof bytes, "%d of %d", p->number, p->rounds);
        rc = rsp_store_put(p->store, name, bytes, strlen(bytes));
        if (rc == RSP_OK) p->won++;
        else if (rc != RSP_EEXIST) p->status = rc;
        rsp_error_clear(&p->error);
    }
    return NULL;
}

START_TEST(test_one_writer_wins)
{
    struct party p[2];
    for (int i = 0; i < 2; i++) join_in(&p[i], i, racer);
    for (int i = 0; i < 2; i++) leave(&p[i]);
    ck_assert_int_eq(p[0].won + p[1].won, RACES);
}
END_TEST

static struct rsp_store *shared;
static void *reader(void *opaque)
{
    struct party *p = opaque;
    uint8_t b[16];
    for (; p->rounds < 2000 && !p->status; p->rounds++) {
        int rc = rsp_store_read(shared, "o", (uint64_t)(p->rounds % 8), b, 8);
        if (rc || b[0] != '0' + p->rounds % 8) p->status = rc ? rc : RSP_ECHECKSUM;
        if (rsp_store_read(shared, "none", 0, b, 1) != RSP_ENOTFOUND) p->status = RSP_ECHECKSUM;
    }
    return NULL;
}

START_TEST(test_reads_in_threads)
{
    struct party p[3];
    struct rsp_error error = {0};
    struct rsp_env env = {.size = sizeof env, .error = &error};
    ck_assert_int_eq(rsp_store_open(&env, url, NULL, &shared), RSP_OK);
    ck_assert_int_eq(rsp_store_put(shared, "o", "0123456789abcdef", 16), RSP_OK);
    for (int i = 0; i < 3; i++) join_in(&p[i], i, reader);
    for (int i = 0; i < 3; i++) leave(&p[i]);
    ck_assert_int_eq(error.code, RSP_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(error.subject, "/none"));
    rsp_store_free(shared);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store, races");
    TCase *t = tcase_create("races");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_folders_come_and_go);
    tcase_add_test(t, test_one_writer_wins);
    tcase_add_test(t, test_reads_in_threads);
    tcase_set_timeout(t, 60);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
