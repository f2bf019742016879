/* What this is: tests of sources: memory, map, file, descriptor, custom, through a stage.
 * Rests on: libcheck.
 * Does not: test compression; test_pack.c does. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <respite/source.h>

static struct rsp_error error;
static struct rsp_env env;
static char dir[64];

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    snprintf(dir, sizeof dir, "%s", "/tmp/respite-source-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/f", dir);
    unlink(path);
    rmdir(dir);
}

static const char *make_file(const uint8_t *p, size_t n)
{
    static char path[96];
    int fd;
    snprintf(path, sizeof path, "%s/f", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
    close(fd);
    return path;
}

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(i * 7 + (i >> 8));
}

/* Everything that every seekable source must do, over the bytes p. */
static void check_seekable(struct rsp_source *s, const uint8_t *p, size_t n)
{
    uint8_t *got = malloc(n + 10);
    struct rsp_span v;
    uint64_t bytes;
    size_t at = 0, k;
    int rc;
    ck_assert_int_eq(rsp_source_size(s, &bytes), RSP_OK);
    ck_assert_uint_eq(bytes, n);
    ck_assert_int_eq(rsp_source_peek(s, 10, &v), RSP_OK);
    ck_assert_uint_eq(v.n, n < 10 ? n : 10);
    if (v.n) ck_assert_mem_eq(v.p, p, v.n);
    ck_assert_uint_eq(rsp_source_taken(s), 0);
    while ((rc = rsp_source_read(s, got + at, 777 < n + 10 - at ? 777 : n + 10 - at, &k)) == RSP_OK) {
        ck_assert_uint_gt(k, 0);
        at += k;
        ck_assert_uint_eq(rsp_source_taken(s), at);
        ck_assert_int_eq(rsp_source_peek(s, 4096, &v), RSP_OK); /* look-ahead over every border */
        ck_assert_uint_eq(v.n, n - at < 4096 ? n - at : 4096);
        if (v.n) ck_assert_mem_eq(v.p, p + at, v.n);
    }
    ck_assert_int_eq(rc, RSP_END);
    ck_assert_uint_eq(k, 0);
    ck_assert_uint_eq(at, n);
    if (n) ck_assert_mem_eq(got, p, n);
    ck_assert_int_eq(rsp_source_read(s, got, 1, &k), RSP_END);
    if (n > 50) {
        ck_assert_int_eq(rsp_source_seek(s, 42), RSP_OK);
        ck_assert_int_eq(rsp_source_read(s, got, 5, &k), RSP_OK);
        ck_assert_uint_eq(k, 5);
        ck_assert_mem_eq(got, p + 42, 5);
        ck_assert_int_eq(rsp_source_peek(s, 3, &v), RSP_OK);
        ck_assert_int_eq(rsp_source_seek(s, 1), RSP_OK); /* drops the look-ahead */
        ck_assert_int_eq(rsp_source_read(s, got, 1, &k), RSP_OK);
        ck_assert_uint_eq(got[0], p[1]);
    }
    ck_assert_int_eq(rsp_source_seek(s, n + 1000), RSP_OK);
    ck_assert_int_eq(rsp_source_read(s, got, 1, &k), RSP_END);
    free(got);
}

static const size_t sizes[] = {0, 1, 9, 51, 4095, 4096, 4097, 20000};
#define SIZES (int)(sizeof sizes / sizeof *sizes)

START_TEST(memory)
{
    size_t n = sizes[_i];
    uint8_t *p = malloc(n + 1);
    struct rsp_source *s;
    struct rsp_span v;
    fill(p, n);
    ck_assert_int_eq(rsp_source_memory(&env, p, n, &s), RSP_OK);
    check_seekable(s, p, n);
    ck_assert_int_eq(rsp_source_view(s, &v), RSP_OK);
    ck_assert_ptr_eq(v.p, p);
    ck_assert_uint_eq(v.n, n);
    rsp_source_free(s);
    free(p);
}
END_TEST

START_TEST(file_and_map)
{
    size_t n = sizes[_i];
    uint8_t *p = malloc(n + 1);
    const char *path;
    struct rsp_source *s;
    struct rsp_span v;
    int fd;
    fill(p, n);
    path = make_file(p, n);
    ck_assert_int_eq(rsp_source_file(&env, path, &s), RSP_OK);
    ck_assert_str_eq(rsp_source_name(s), path);
    check_seekable(s, p, n);
    ck_assert_int_eq(rsp_source_view(s, &v), RSP_END);
    rsp_source_free(s);
    ck_assert_int_eq(rsp_source_mmap(&env, path, &s), RSP_OK);
    check_seekable(s, p, n);
    ck_assert_int_eq(rsp_source_view(s, &v), RSP_OK);
    ck_assert_uint_eq(v.n, n);
    rsp_source_free(s);
    fd = open(path, O_RDONLY);
    ck_assert_int_eq(rsp_source_fd(&env, fd, "the name", &s), RSP_OK);
    ck_assert_str_eq(rsp_source_name(s), "the name");
    check_seekable(s, p, n);
    rsp_source_free(s);
    ck_assert_int_eq(fcntl(fd, F_GETFD) < 0, 0); /* borrowed: still open */
    close(fd);
    ck_assert_int_eq(error.code, 0);
    free(p);
}
END_TEST

START_TEST(refusals)
{
    struct rsp_source *s = (struct rsp_source *)&env;
    char path[96];
    int fd;
    snprintf(path, sizeof path, "%s/missing", dir);
    ck_assert_int_eq(rsp_source_file(&env, path, &s), RSP_ENOTFOUND);
    ck_assert_ptr_null(s);
    ck_assert_int_eq(error.code, RSP_ENOTFOUND);
    ck_assert_int_eq(error.sys_errno, ENOENT);
    ck_assert_str_eq(error.subject, path);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_source_mmap(&env, path, &s), RSP_ENOTFOUND);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_source_file(&env, dir, &s), RSP_EINVAL);
    ck_assert_str_eq(error.message, "is a directory");
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_source_mmap(&env, dir, &s), RSP_EINVAL);
    ck_assert_str_eq(error.message, "is a directory");
    rsp_error_clear(&error);
    fd = open(dir, O_RDONLY);
    ck_assert_int_eq(rsp_source_fd(&env, fd, "d", &s), RSP_EINVAL);
    ck_assert_str_eq(error.message, "is a directory");
    close(fd);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_source_mmap(&env, "/dev/null", &s), RSP_EINVAL);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_source_fd(&env, -1, "no descriptor", &s), RSP_EIO);
    ck_assert_str_eq(error.subject, "no descriptor");
}
END_TEST

START_TEST(pipe_again)
{
    struct rsp_source *s;
    struct rsp_span v;
    uint8_t got[16];
    uint64_t bytes;
    size_t k;
    int fds[2];
    ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
    ck_assert_int_eq(rsp_source_fd(&env, fds[0], "pipe", &s), RSP_OK);
    ck_assert_int_eq(rsp_source_size(s, &bytes), RSP_END);
    ck_assert_int_eq(rsp_source_read(s, got, 4, &k), RSP_AGAIN);
    ck_assert_int_eq(rsp_source_peek(s, 4, &v), RSP_AGAIN);
    ck_assert_int_eq(write(fds[1], "abc", 3), 3);
    ck_assert_int_eq(rsp_source_peek(s, 4, &v), RSP_AGAIN);
    ck_assert_uint_eq(v.n, 3);
    ck_assert_int_eq(rsp_source_peek(s, 2, &v), RSP_OK);
    ck_assert_mem_eq(v.p, "ab", 2);
    ck_assert_int_eq(write(fds[1], "de", 2), 2);
    ck_assert_int_eq(rsp_source_peek(s, 5, &v), RSP_OK);
    ck_assert_mem_eq(v.p, "abcde", 5);
    ck_assert_int_eq(rsp_source_read(s, got, 4, &k), RSP_OK);
    ck_assert_uint_eq(k, 4);
    ck_assert_int_eq(rsp_source_read(s, got + 4, 4, &k), RSP_OK);
    ck_assert_uint_eq(k, 1);
    ck_assert_mem_eq(got, "abcde", 5);
    ck_assert_int_eq(rsp_source_read(s, got, 4, &k), RSP_AGAIN);
    close(fds[1]);
    ck_assert_int_eq(rsp_source_peek(s, 9, &v), RSP_OK);
    ck_assert_uint_eq(v.n, 0);
    ck_assert_int_eq(rsp_source_read(s, got, 4, &k), RSP_END);
    ck_assert_int_eq(error.code, 0); /* AGAIN and END leave no words */
    ck_assert_int_eq(rsp_source_seek(s, 0), RSP_EUNSUPPORTED);
    ck_assert_int_eq(rsp_source_peek(s, 4097, &v), RSP_EINVAL);
    rsp_source_free(s);
    close(fds[0]);
}
END_TEST

struct script { /* what a custom source answers, one after the other */
    const int *rc;
    const size_t *got;
    int at, closed;
};

static int script_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct script *c = opaque;
    int k = c->at++;
    if (c->rc[k] == RSP_OK && c->got[k] <= cap) memset(out, 'a' + k, c->got[k]);
    *got = c->got[k];
    return c->rc[k];
}

static void script_close(void *opaque)
{
    ((struct script *)opaque)->closed++;
}

static struct rsp_source *scripted(struct script *c)
{
    static const struct rsp_source_ops ops = {sizeof ops, script_read, script_close};
    struct rsp_source *s;
    ck_assert_int_eq(rsp_source_custom(&env, &ops, c, "script", &s), RSP_OK);
    return s;
}

START_TEST(custom)
{
    static const int rc[] = {RSP_OK, RSP_AGAIN, RSP_OK, RSP_ENET};
    static const size_t n[] = {2, 0, 3, 0};
    struct script c = {rc, n, 0, 0};
    struct rsp_source *s = scripted(&c);
    struct rsp_span v;
    uint8_t got[16];
    size_t k;
    ck_assert_int_eq(rsp_source_peek(s, 4, &v), RSP_AGAIN);
    ck_assert_uint_eq(v.n, 2);
    ck_assert_int_eq(rsp_source_peek(s, 4, &v), RSP_OK);
    ck_assert_mem_eq(v.p, "aacc", 4);
    ck_assert_int_eq(rsp_source_seek(s, 0), RSP_EUNSUPPORTED);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_source_read(s, got, 16, &k), RSP_OK);
    ck_assert_uint_eq(k, 5);
    ck_assert_int_eq(rsp_source_read(s, got, 16, &k), RSP_ENET);
    ck_assert_int_eq(error.code, RSP_ENET);
    ck_assert_str_eq(error.subject, "script");
    ck_assert_int_eq(rsp_source_read(s, got, 16, &k), RSP_ESTATE);
    ck_assert_int_eq(rsp_source_peek(s, 1, &v), RSP_ESTATE);
    ck_assert_int_eq(rsp_source_seek(s, 0), RSP_ESTATE);
    ck_assert_int_eq(error.code, RSP_ENET); /* the first words win */
    rsp_source_free(s);
    ck_assert_int_eq(c.closed, 1);
}
END_TEST

/* Answers that break the contract are faults. */
START_TEST(custom_wrong)
{
    static const int rc[] = {RSP_OK, RSP_OK, 7};
    static const size_t n[] = {17, 0, 0};
    struct script c = {rc + _i, n + _i, 0, 0};
    struct rsp_source *s = scripted(&c);
    uint8_t got[16];
    size_t k;
    ck_assert_int_eq(rsp_source_read(s, got, 16, &k), RSP_EINVAL);
    ck_assert_uint_eq(k, 0);
    ck_assert_int_eq(rsp_source_read(s, got, 16, &k), RSP_ESTATE);
    rsp_source_free(s);
}
END_TEST

START_TEST(custom_no_read)
{
    struct rsp_source_ops ops = {sizeof ops, NULL, NULL};
    struct rsp_source *s;
    ck_assert_int_eq(rsp_source_custom(&env, &ops, NULL, "none", &s), RSP_EINVAL);
    ck_assert_ptr_null(s);
}
END_TEST

/* A stage that passes `left` bytes and is then at its end. */
static int take_step(void *opaque, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    size_t *left = opaque;
    while (*left && in->pos < in->n && out->pos < out->n) {
        out->p[out->pos++] = in->p[in->pos++];
        (*left)--;
    }
    if (!*left) return RSP_END;
    return op == RSP_STAGE_END && in->pos == in->n ? RSP_ETRUNCATED : RSP_OK;
}

static int read_all(struct rsp_source *s, size_t *total)
{
    uint8_t got[1000];
    size_t k;
    int rc;
    *total = 0;
    while ((rc = rsp_source_read(s, got, sizeof got, &k)) == RSP_OK) *total += k;
    return rc;
}

START_TEST(through)
{
    static const struct rsp_stage_ops ops = {sizeof ops, "take", take_step, NULL};
    static uint8_t data[600000];
    const struct {
        size_t take, have;
        int rc;
        const char *words;
    } cases[] = {
        {600000, 600000, RSP_END, ""},
        {0, 0, RSP_END, ""},
        {599990, 600000, RSP_EFORMAT, "10 bytes behind the compressed data"},
        {5, 100, RSP_EFORMAT, "95 bytes behind the compressed data"},
        {262144, 262145, RSP_EFORMAT, "at least 1 bytes behind the compressed data"},
        {262143, 600000, RSP_EFORMAT, "at least 2 bytes behind the compressed data"},
        {600000, 599999, RSP_ETRUNCATED, "data ends too early"},
    };
    size_t left = cases[_i].take, total;
    struct rsp_source *inner, *s;
    struct rsp_stage *stage;
    uint64_t bytes;
    ck_assert_int_eq(rsp_source_memory(&env, data, cases[_i].have, &inner), RSP_OK);
    ck_assert_int_eq(rsp_stage_custom(&env, &ops, &left, &stage), RSP_OK);
    ck_assert_int_eq(rsp_source_through(&env, inner, stage, &s), RSP_OK);
    ck_assert_int_eq(rsp_source_size(s, &bytes), RSP_OK);
    ck_assert_uint_eq(bytes, cases[_i].have);
    ck_assert_int_eq(read_all(s, &total), cases[_i].rc);
    ck_assert_int_eq(error.code, cases[_i].rc < 0 ? cases[_i].rc : 0);
    ck_assert_str_eq(error.message, cases[_i].words);
    if (cases[_i].rc == RSP_END) ck_assert_uint_eq(rsp_source_taken(s), cases[_i].have);
    ck_assert_int_eq(rsp_source_seek(s, 0), cases[_i].rc == RSP_END ? RSP_EUNSUPPORTED : RSP_ESTATE);
    rsp_source_free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("source");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, memory, 0, SIZES);
    tcase_add_loop_test(t, file_and_map, 0, SIZES);
    tcase_add_test(t, refusals);
    tcase_add_test(t, pipe_again);
    tcase_add_test(t, custom);
    tcase_add_loop_test(t, custom_wrong, 0, 3);
    tcase_add_test(t, custom_no_read);
    tcase_add_loop_test(t, through, 0, 7);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
