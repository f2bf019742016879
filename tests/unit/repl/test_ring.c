/* What this is: tests of the queue between a socket and its reader: order, bounds, the sealed spool, ends and faults.
 * Rests on: repl/ring.h, libcheck.
 * Does not: use a server. */
#include <check.h>
#undef fail

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "repl/ring.h"

static struct rsp_error words;
static struct rsp_env env;

static void setup(void)
{
    const struct rsp_env e = {.size = sizeof e, .error = &words};
    memset(&words, 0, sizeof words);
    env_init(&env, &e);
}

static uint8_t byte_at(uint64_t i)
{
    return (uint8_t)((i * UINT64_C(0x9E3779B97F4A7C15)) >> 56);
}

/* Puts bytes [from, from + n) in pieces of at most step. */
static int put(struct ring *r, uint64_t from, uint64_t n, size_t step, size_t hold)
{
    uint64_t done = 0;
    while (done < n) {
        uint8_t *p;
        size_t cap;
        int rc = ring_room(r, &env, 1, &p, &cap);
        if (rc) return rc;
        if (cap > step) cap = step;
        if (cap > n - done) cap = (size_t)(n - done);
        for (size_t i = 0; i < cap; i++) p[i] = byte_at(from + done + i);
        ring_put(r, cap, hold);
        done += cap;
    }
    return RSP_OK;
}

/* Takes n bytes in pieces of at most step and compares them. */
static void take(struct ring *r, uint64_t from, uint64_t n, size_t step)
{
    uint8_t *out = malloc(step);
    uint64_t done = 0;
    while (done < n) {
        size_t got, cap = step < n - done ? step : (size_t)(n - done);
        /* An assertion a byte would cost a system call a byte. */
        if (ring_read(r, &env, NULL, out, cap, &got) || !got)
            ck_abort_msg("at %llu", (unsigned long long)(from + done));
        for (size_t i = 0; i < got; i++)
            if (out[i] != byte_at(from + done + i)) ck_abort_msg("byte %llu", (unsigned long long)(from + done + i));
        done += got;
    }
    free(out);
}

START_TEST(ends_with_what_was_said)
{
    const struct rsp_error why = {.code = RSP_ENET, .message = "gone"};
    struct ring *r;
    uint8_t out[8];
    size_t got;
    ck_assert_int_eq(ring_new(&env, 1, NULL, &r), RSP_OK);
    ck_assert_int_eq(put(r, 0, 5, 3, 0), RSP_OK);
    ring_end(r, RSP_ENET, &why);
    take(r, 0, 5, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ring_read(r, &env, NULL, out, sizeof out, &got), RSP_ENET);
        ck_assert_str_eq(words.message, "gone");
    }
    ring_free(r);
    ck_assert_int_eq(ring_new(&env, 1, NULL, &r), RSP_OK);
    ring_end(r, RSP_END, NULL);
    ck_assert_int_eq(ring_read(r, &env, NULL, out, sizeof out, &got), RSP_END);
    ring_free(r);
}
END_TEST

/* What is held is shown when more comes, and given up at the end. */
START_TEST(holds_the_tail_back)
{
    struct ring *r;
    uint8_t out[100];
    size_t got;
    ck_assert_int_eq(ring_new(&env, 1, NULL, &r), RSP_OK);
    ck_assert_int_eq(put(r, 0, 39, 39, 40), RSP_OK);
    ck_assert_int_eq(put(r, 39, 11, 11, 40), RSP_OK);
    ck_assert_int_eq(ring_read(r, &env, NULL, out, sizeof out, &got), RSP_OK);
    ck_assert_uint_eq(got, 10);
    ck_assert_int_eq(put(r, 50, RING_BLOCK, RING_BLOCK, 40), RSP_OK);
    take(r, 10, RING_BLOCK, 4096);
    ring_end(r, RSP_END, NULL);
    ck_assert_int_eq(ring_read(r, &env, NULL, out, sizeof out, &got), RSP_END);
    ring_free(r);
}
END_TEST

START_TEST(is_bounded_without_a_spool)
{
    const uint64_t most = RING_BLOCKS_LEAST * RING_BLOCK;
    struct ring *r;
    ck_assert_int_eq(ring_new(&env, 1, NULL, &r), RSP_OK);
    ck_assert_int_eq(put(r, 0, most, 100000, 0), RSP_OK);
    ck_assert_int_eq(put(r, most, 1, 1, 0), RSP_AGAIN);
    take(r, 0, RING_BLOCK - 1, 65536);
    ck_assert_int_eq(put(r, most, 1, 1, 0), RSP_AGAIN);
    take(r, RING_BLOCK - 1, 1, 1);
    ck_assert_int_eq(put(r, most, RING_BLOCK, 100000, 0), RSP_OK);
    ck_assert_int_eq(put(r, most + RING_BLOCK, 1, 1, 0), RSP_AGAIN);
    take(r, RING_BLOCK, most, 99999);
    ck_assert_uint_eq(ring_written(r), most + RING_BLOCK);
    ck_assert_uint_eq(ring_spooled(r), 0);
    ring_free(r);
}
END_TEST

START_TEST(the_reader_may_go)
{
    struct ring *r;
    uint8_t *p;
    size_t cap;
    ck_assert_int_eq(ring_new(&env, 1, NULL, &r), RSP_OK);
    ring_stop(r);
    ck_assert_int_eq(ring_room(r, &env, 1000000, &p, &cap), RSP_ECANCELED);
    ring_free(r);
}
END_TEST

START_TEST(a_waiting_reader_is_cancelled)
{
    volatile const int cancel = 1;
    struct ring *r;
    uint8_t out[8];
    size_t got;
    ck_assert_int_eq(ring_new(&env, 1, NULL, &r), RSP_OK);
    ck_assert_int_eq(ring_read(r, &env, &cancel, out, sizeof out, &got), RSP_ECANCELED);
    ring_free(r);
}
END_TEST

/* ---- the spool ---- */

static int dir_entries(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

START_TEST(what_does_not_fit_goes_through_the_spool)
{
    const uint64_t n = 20 * RING_BLOCK + 12345;
    char dir[] = "/tmp/respite-ring.XXXXXX";
    struct ring *r;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(ring_new(&env, 1, dir, &r), RSP_OK);
        ck_assert_int_eq(put(r, 0, n, 70001, 40), RSP_OK);
        ck_assert_uint_ge(ring_spooled(r), 15 * RING_BLOCK);
        ck_assert_int_eq(dir_entries(dir), 0);
        take(r, 0, n / 2, 65536);
        ck_assert_int_eq(put(r, n, n, 70001, 40), RSP_OK);
        ring_end(r, RSP_END, NULL);
        take(r, n / 2, n + n - n / 2 - 40, round ? 1021 : RING_BLOCK * 2);
        ring_free(r);
    }
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* The descriptor of the nameless file in dir. */
static int spool_fd(const char *dir)
{
    for (int fd = 3; fd < 256; fd++) {
        char link[64], target[256];
        ssize_t n;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, target, sizeof target - 1);
        if (n > 0 && !strncmp(target, dir, strlen(dir))) return fd;
    }
    return -1;
}

START_TEST(the_spool_is_sealed)
{
    char dir[] = "/tmp/respite-ring.XXXXXX";
    uint8_t head[64], out[RING_BLOCK], plain[64];
    struct ring *r;
    size_t got;
    int fd, rc;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(ring_new(&env, 1, dir, &r), RSP_OK);
    ck_assert_int_eq(put(r, 0, 8 * RING_BLOCK, RING_BLOCK, 0), RSP_OK);
    fd = spool_fd(dir);
    ck_assert_int_ge(fd, 0);
    for (uint64_t b = 0; b < 8; b++) { /* the start of no block lies there in the clear */
        for (size_t i = 0; i < sizeof plain; i++) plain[i] = byte_at(b * RING_BLOCK + i);
        for (off_t at = 0; pread(fd, head, sizeof head, at) == (ssize_t)sizeof head; at += (off_t)RING_BLOCK + 16)
            ck_assert_int_ne(memcmp(head, plain, sizeof head), 0);
    }
    ck_assert_int_eq(pread(fd, head, 1, 1000), 1);
    head[0] ^= 1;
    ck_assert_int_eq(pwrite(fd, head, 1, 1000), 1);
    do rc = ring_read(r, &env, NULL, out, sizeof out, &got);
    while (rc == RSP_OK);
    ck_assert_int_eq(rc, RSP_EINTEGRITY);
    ring_free(r);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(a_spool_that_cannot_be_is_said)
{
    struct ring *r;
    ck_assert_int_eq(ring_new(&env, 1, "/nowhere/at/all", &r), RSP_OK);
    ck_assert_int_eq(put(r, 0, 8 * RING_BLOCK, RING_BLOCK, 0), RSP_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(words.subject, "/nowhere/at/all"));
    ring_free(r);
}
END_TEST

/* ---- two threads ---- */

#define LONG (UINT64_C(8) << 20)

static void *writer(void *arg)
{
    struct ring *r = arg;
    struct rsp_error own = {0};
    struct rsp_env e = env;
    unsigned seed = 7;
    uint64_t done = 0;
    e.error = &own;
    while (done < LONG) {
        uint8_t *p;
        size_t cap, n = (size_t)rand_r(&seed) % 300000 + 1;
        int rc = ring_room(r, &e, 50, &p, &cap);
        if (rc == RSP_AGAIN) continue;
        ck_assert_int_eq(rc, RSP_OK);
        if (n > cap) n = cap;
        if (n > LONG - done) n = (size_t)(LONG - done);
        for (size_t i = 0; i < n; i++) p[i] = byte_at(done + i);
        ring_put(r, n, 40);
        done += n;
    }
    ring_end(r, RSP_END, NULL);
    return NULL;
}

START_TEST(two_threads_see_one_stream)
{
    struct ring *r;
    pthread_t t;
    uint8_t out[1];
    size_t got;
    ck_assert_int_eq(ring_new(&env, 1, _i ? "/tmp" : NULL, &r), RSP_OK);
    ck_assert_int_eq(pthread_create(&t, NULL, writer, r), 0);
    take(r, 0, LONG - 40, 77777);
    ck_assert_int_eq(ring_read(r, &env, NULL, out, 1, &got), RSP_END);
    pthread_join(t, NULL);
    ring_free(r);
}
END_TEST

/* A reader that asks for much is given what lies there when no more comes; one that asks for little, that at once. */
START_TEST(a_part_of_a_block_does_not_lie_for_ever)
{
    static uint8_t out[RING_BLOCK];
    struct ring *r;
    size_t got;
    ck_assert_int_eq(ring_new(&env, 1, NULL, &r), RSP_OK);
    ck_assert_int_eq(put(r, 0, 50, 50, 40), RSP_OK);
    ck_assert_int_eq(ring_read(r, &env, NULL, out, sizeof out, &got), RSP_OK);
    ck_assert_uint_eq(got, 10);
    ck_assert_int_eq(put(r, 50, 1000, 1000, 40), RSP_OK);
    ck_assert_int_eq(ring_read(r, &env, NULL, out, 7, &got), RSP_OK);
    ck_assert_uint_eq(got, 7);
    ck_assert_int_eq(out[0], byte_at(10));
    ck_assert_int_eq(ring_read(r, &env, NULL, out, sizeof out, &got), RSP_OK);
    ck_assert_uint_eq(got, 993);
    ck_assert_int_eq(out[992], byte_at(1009));
    ring_free(r);
}
END_TEST

/* ---- memory ---- */

static int left;

static void *rationed(void *opaque, void *p, size_t old, size_t n)
{
    (void)opaque, (void)old;
    if (n && left-- <= 0) return NULL;
    if (!n) {
        free(p);
        return NULL;
    }
    return realloc(p, n);
}

START_TEST(every_allocation_may_fail)
{
    int n = 0, rc;
    do {
        struct ring *r = NULL;
        uint8_t out[RING_BLOCK];
        size_t got;
        setup();
        env.resize = rationed;
        left = n++;
        rc = ring_new(&env, 1, "/tmp", &r);
        if (!rc) rc = put(r, 0, 7 * RING_BLOCK, RING_BLOCK, 0);
        for (int i = 0; !rc && i < 7; i++) rc = ring_read(r, &env, NULL, out, sizeof out, &got);
        /* With one block at least the writer waits for the reader instead. */
        ck_assert(rc == RSP_OK || rc == RSP_ENOMEM || rc == RSP_AGAIN);
        ring_free(r);
    } while (rc);
    ck_assert_int_ge(n, 8);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ring");
    TCase *t = tcase_create("ring");
    SRunner *run = srunner_create(s);
    int failures;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, ends_with_what_was_said);
    tcase_add_test(t, holds_the_tail_back);
    tcase_add_test(t, is_bounded_without_a_spool);
    tcase_add_test(t, the_reader_may_go);
    tcase_add_test(t, a_waiting_reader_is_cancelled);
    tcase_add_test(t, what_does_not_fit_goes_through_the_spool);
    tcase_add_test(t, the_spool_is_sealed);
    tcase_add_test(t, a_spool_that_cannot_be_is_said);
    tcase_add_test(t, a_part_of_a_block_does_not_lie_for_ever);
    tcase_add_loop_test(t, two_threads_see_one_stream, 0, 2);
    tcase_add_test(t, every_allocation_may_fail);
    suite_add_tcase(s, t);
    srunner_run_all(run, CK_NORMAL);
    failures = srunner_ntests_failed(run);
    srunner_free(run);
    return failures != 0;
}
