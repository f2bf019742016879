/* What this is: tests of the checkpoint: what is written is read again, what is damaged is refused.
 * Rests on: libcheck.
 * Does not: restore anything; test_load.c does. */
#include <check.h>
#undef fail
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "job/checkpoint.h"

static struct rsp_error error;
static struct rsp_env env;
static char dir[64], path[96];

static void setup(void)
{
    struct rsp_env e = {.size = sizeof e, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &e);
    snprintf(dir, sizeof dir, "/tmp/respite-mark-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/mark", dir);
}

static void teardown(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0); /* nothing else was left */
}

static struct rsp_span span(const char *p, size_t n)
{
    struct rsp_span s = {(const uint8_t *)p, n};
    return s;
}

static void fill(struct checkpoint *c)
{
    checkpoint_init(c, &env);
    snprintf(c->snapshot, sizeof c->snapshot, "0123456789abcdef0123456789abcdef");
    snprintf(c->run_id, sizeof c->run_id, "%040d", 7);
    snprintf(c->place, sizeof c->place, "unix:///a place");
    ck_assert_int_eq(checkpoint_node_add(c, "00ff", "redis://b:1"), RSP_OK);
    ck_assert_int_eq(checkpoint_node_add(c, "", "redis://[::1]:2"), RSP_OK);
    c->options = 0x1234;
    c->selection = UINT64_MAX;
    c->now_ms = 1700000000000;
    c->shift_ms = -5;
    c->acknowledged = 1000;
    c->bound = 51000;
    c->skipped = 3;
    ck_assert_int_eq(checkpoint_add(c, 4, span("a\0\n\xff", 4), 2000), RSP_OK);
    ck_assert_int_eq(checkpoint_add(c, UINT32_MAX, span("", 0), 3000), RSP_OK);
}

START_TEST(there_and_back)
{
    struct checkpoint a, b;
    int there = 9;
    fill(&a);
    checkpoint_init(&b, &env);
    ck_assert_int_eq(checkpoint_read(&b, path, &there), RSP_OK);
    ck_assert_int_eq(there, 0);
    ck_assert_int_eq(checkpoint_write(&a, path), RSP_OK);
    a.bound = 60000;
    ck_assert_int_eq(checkpoint_write(&a, path), RSP_OK); /* replaced */
    ck_assert_int_eq(checkpoint_read(&b, path, &there), RSP_OK);
    ck_assert_int_eq(there, 1);
    ck_assert_uint_eq(b.more_n, 2);
    ck_assert_str_eq(b.more->run_id, "00ff");
    ck_assert_str_eq(b.more->next->run_id, "");
    ck_assert_str_eq(b.more->next->place, "redis://[::1]:2");
    ck_assert_str_eq(b.snapshot, a.snapshot);
    ck_assert_str_eq(b.run_id, a.run_id);
    ck_assert_str_eq(b.place, a.place);
    ck_assert_uint_eq(b.options, a.options);
    ck_assert_uint_eq(b.selection, a.selection);
    ck_assert_int_eq(b.now_ms, 1700000000000);
    ck_assert_int_eq(b.shift_ms, -5);
    ck_assert_uint_eq(b.acknowledged, 1000);
    ck_assert_uint_eq(b.bound, 60000);
    ck_assert_uint_eq(b.skipped, 3);
    ck_assert_ptr_nonnull(b.open);
    ck_assert_uint_eq(b.open->db, 4);
    ck_assert_uint_eq(b.open->n, 4);
    ck_assert_int_eq(memcmp(b.open->key, "a\0\n\xff", 4), 0);
    ck_assert_ptr_nonnull(b.open->next);
    ck_assert_uint_eq(b.open->next->db, UINT32_MAX);
    ck_assert_uint_eq(b.open->next->n, 0);
    ck_assert_ptr_null(b.open->next->next);
    checkpoint_free(&a);
    checkpoint_free(&b);
    ck_assert_int_eq(checkpoint_remove(&env, path), RSP_OK);
    ck_assert_int_eq(access(path, F_OK), -1);
    ck_assert_int_eq(checkpoint_remove(&env, path), RSP_OK);
}
END_TEST

START_TEST(open_until_acknowledged)
{
    struct checkpoint a;
    fill(&a);
    checkpoint_reached(&a, 1999);
    ck_assert_ptr_nonnull(a.open->next);
    checkpoint_reached(&a, 2000);
    ck_assert_uint_eq(a.open->db, UINT32_MAX);
    ck_assert_ptr_null(a.open->next);
    checkpoint_reached(&a, 5); /* never back */
    ck_assert_uint_eq(a.acknowledged, 2000);
    checkpoint_reached(&a, 3000);
    ck_assert_ptr_null(a.open);
    checkpoint_free(&a);
}
END_TEST

static void put(const char *p, size_t n)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    fclose(f);
}

static int read_again(void)
{
    struct checkpoint c;
    int there, rc;
    memset(&error, 0, sizeof error);
    checkpoint_init(&c, &env);
    rc = checkpoint_read(&c, path, &there);
    if (rc) ck_assert_int_eq(there, 0);
    checkpoint_free(&c);
    return rc;
}

/* Whatever one byte, or a missing end, does to it, it is refused. */
START_TEST(damage)
{
    static char text[4096];
    struct checkpoint a;
    size_t n;
    FILE *f;
    fill(&a);
    ck_assert_int_eq(checkpoint_write(&a, path), RSP_OK);
    checkpoint_free(&a);
    f = fopen(path, "r");
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    ck_assert_uint_gt(n, 200);
    for (size_t i = 0; i < n; i++) {
        text[i] ^= 1;
        put(text, n);
        ck_assert_int_eq(read_again(), RSP_EFORMAT);
        ck_assert_ptr_nonnull(strstr(error.message, "remove it to begin again"));
        text[i] ^= 1;
        put(text, i);
        ck_assert_int_eq(read_again(), RSP_EFORMAT);
    }
    put(text, n);
    ck_assert_int_eq(read_again(), RSP_OK);
    text[n] = '\n';
    put(text, n + 1);
    ck_assert_int_eq(read_again(), RSP_EFORMAT);
}
END_TEST

START_TEST(cannot_be_written)
{
    struct checkpoint a;
    fill(&a);
    ck_assert_int_eq(checkpoint_write(&a, "/nonexistent/folder/mark"), RSP_ENOTFOUND);
    checkpoint_free(&a);
}
END_TEST

static int left;
static void *failing(void *opaque, void *p, size_t old, size_t n)
{
    (void)opaque, (void)old;
    if (!n) {
        free(p);
        return NULL;
    }
    return left-- > 0 ? realloc(p, n) : NULL;
}

START_TEST(memory_fails)
{
    struct rsp_env was = env;
    struct checkpoint a;
    int rc = RSP_ENOMEM, there;
    fill(&a);
    ck_assert_int_eq(checkpoint_write(&a, path), RSP_OK);
    checkpoint_free(&a);
    for (int n = 0; rc; n++) {
        memset(&error, 0, sizeof error);
        env.resize = failing;
        left = n;
        checkpoint_init(&a, &env);
        rc = checkpoint_read(&a, path, &there);
        if (!rc) rc = checkpoint_add(&a, 1, span("x", 1), 9);
        if (!rc) rc = checkpoint_write(&a, path);
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        checkpoint_free(&a);
        ck_assert_int_lt(n, 1000);
    }
    env = was;
}
END_TEST

int main(void)
{
    Suite *s = suite_create("checkpoint");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, there_and_back);
    tcase_add_test(t, open_until_acknowledged);
    tcase_add_test(t, damage);
    tcase_add_test(t, cannot_be_written);
    tcase_add_test(t, memory_fails);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
