/* What this is: tests of sinks (memory, descriptor, atomic file) and of the pump.
 * Rests on: libcheck.
 * Does not: make system calls fail; torture/test_torture_sink.c does. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <respite/sink.h>

static struct rsp_error error;
static struct rsp_env env;
static char dir[64], target[96];

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    snprintf(dir, sizeof dir, "%s", "/tmp/respite-sink-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(target, sizeof target, "%s/dump.rdb", dir);
}

/* Counts the entries of dir; those whose names end in .part go to *parts. */
static int entries(int *parts)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int n = 0;
    *parts = 0;
    while ((e = readdir(d))) {
        size_t len = strlen(e->d_name);
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        n++;
        if (len > 5 && !strcmp(e->d_name + len - 5, ".part")) {
            ck_assert_int_eq(strncmp(e->d_name, ".dump.rdb.respite-", 18), 0);
            ck_assert_uint_eq(len, 18 + 8 + 5);
            ++*parts;
        }
    }
    closedir(d);
    return n;
}

static void teardown(void)
{
    int parts;
    unlink(target);
    ck_assert_int_eq(entries(&parts), 0);
    rmdir(dir);
}

static void put(const char *text)
{
    FILE *f = fopen(target, "w");
    fputs(text, f);
    fclose(f);
}

static void expect(const char *text)
{
    char got[100] = "";
    FILE *f = fopen(target, "r");
    ck_assert_ptr_nonnull(f);
    got[fread(got, 1, sizeof got - 1, f)] = 0;
    fclose(f);
    ck_assert_str_eq(got, text);
}

START_TEST(memory)
{
    struct rsp_sink *s;
    struct rsp_span v;
    ck_assert_int_eq(rsp_sink_memory(&env, &s), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, "hello ", 6), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, NULL, 0), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, "world", 5), RSP_OK);
    ck_assert_uint_eq(rsp_sink_written(s), 11);
    ck_assert_int_eq(rsp_sink_commit(s), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(s, &v), RSP_OK);
    ck_assert_uint_eq(v.n, 11);
    ck_assert_mem_eq(v.p, "hello world", 11);
    ck_assert_int_eq(rsp_sink_write(s, "x", 1), RSP_ESTATE);
    ck_assert_int_eq(rsp_sink_commit(s), RSP_ESTATE);
    rsp_sink_free(s);
    rsp_sink_free(NULL);
}
END_TEST

START_TEST(memory_limit)
{
    static const uint8_t more[1000];
    struct rsp_sink *s;
    env.limits.alloc_bytes = 1000;
    ck_assert_int_eq(rsp_sink_memory(&env, &s), RSP_OK);
    for (int i = 0; i < 10; i++) ck_assert_int_eq(rsp_sink_write(s, target, 96), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, more, sizeof more), RSP_ELIMIT);
    ck_assert_int_eq(rsp_sink_write(s, target, 1), RSP_ESTATE);
    ck_assert_int_eq(rsp_sink_commit(s), RSP_ESTATE);
    rsp_sink_free(s);
}
END_TEST

START_TEST(file_commit)
{
    struct rsp_sink *s;
    struct rsp_span v;
    struct stat st;
    mode_t old = umask(0);
    int parts;
    ck_assert_int_eq(rsp_sink_file(&env, target, _i ? RSP_SINK_NOSYNC : 0, &s), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, "text", 4), RSP_OK);
    ck_assert_int_eq(entries(&parts), 1);
    ck_assert_int_eq(parts, 1);
    ck_assert_int_eq(rsp_sink_view(s, &v), RSP_EINVAL);
    ck_assert_int_eq(rsp_sink_commit(s), RSP_OK);
    umask(old);
    ck_assert_int_eq(entries(&parts), 1);
    ck_assert_int_eq(parts, 0);
    ck_assert_int_eq(stat(target, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq((int)st.st_nlink, 1);
    rsp_sink_abort(s); /* too late: nothing happens */
    rsp_sink_free(s);
    expect("text");
}
END_TEST

START_TEST(file_abort)
{
    struct rsp_sink *s;
    int parts;
    ck_assert_int_eq(rsp_sink_file(&env, target, 0, &s), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, "text", 4), RSP_OK);
    if (_i) {
        rsp_sink_abort(s);
        ck_assert_int_eq(entries(&parts), 0);
        ck_assert_int_eq(rsp_sink_write(s, "text", 4), RSP_ESTATE);
        ck_assert_int_eq(rsp_sink_commit(s), RSP_ESTATE);
    }
    rsp_sink_free(s);
    ck_assert_int_eq(entries(&parts), 0);
}
END_TEST

START_TEST(file_exists)
{
    struct rsp_sink *s;
    put("old");
    ck_assert_int_eq(rsp_sink_file(&env, target, 0, &s), RSP_EEXIST); /* refused before the work */
    ck_assert_int_eq(error.code, RSP_EEXIST);
    ck_assert_str_eq(error.subject, target);
    unlink(target);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_sink_file(&env, target, 0, &s), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, "new", 3), RSP_OK);
    put("old"); /* comes up meanwhile */
    ck_assert_int_eq(rsp_sink_commit(s), RSP_EEXIST);
    rsp_sink_free(s);
    expect("old");
    ck_assert_int_eq(rsp_sink_file(&env, target, RSP_SINK_REPLACE, &s), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, "new", 3), RSP_OK);
    expect("old");
    ck_assert_int_eq(rsp_sink_commit(s), RSP_OK);
    rsp_sink_free(s);
    expect("new");
}
END_TEST

START_TEST(file_dangling_link)
{
    struct rsp_sink *s;
    struct stat st;
    ck_assert_int_eq(symlink("nowhere", target), 0);
    ck_assert_int_eq(rsp_sink_file(&env, target, 0, &s), RSP_EEXIST);
    ck_assert_int_eq(rsp_sink_file(&env, target, RSP_SINK_REPLACE, &s), RSP_OK);
    ck_assert_int_eq(rsp_sink_commit(s), RSP_OK);
    rsp_sink_free(s);
    ck_assert_int_eq(lstat(target, &st), 0);
    ck_assert(S_ISREG(st.st_mode));
}
END_TEST

START_TEST(file_bad_paths)
{
    static const struct {
        const char *path;
        int rc;
    } cases[] = {
        {"", RSP_EINVAL},          {"/", RSP_EINVAL},
        {"/tmp/", RSP_EINVAL},     {"/tmp/..", RSP_EINVAL},
        {".", RSP_EINVAL},         {"/nonexistent-directory/x", RSP_ENOTFOUND},
        {"/dev/null", RSP_EINVAL}, {"/dev/null/x", RSP_ENOTFOUND},
        {"/tmp", RSP_EINVAL},
    };
    struct rsp_sink *s;
    ck_assert_int_eq(rsp_sink_file(&env, cases[_i].path, RSP_SINK_REPLACE, &s), cases[_i].rc);
    ck_assert_ptr_null(s);
    ck_assert_int_eq(error.code, cases[_i].rc);
}
END_TEST

/* The target's directory is the one of the creation, whatever becomes of the working directory. */
START_TEST(file_relative_and_long)
{
    char name[256], old[4096];
    struct rsp_sink *s;
    ck_assert_ptr_nonnull(getcwd(old, sizeof old));
    memset(name, 'n', 255);
    name[255] = 0;
    ck_assert_int_eq(chdir(dir), 0);
    ck_assert_int_eq(rsp_sink_file(&env, name, 0, &s), RSP_OK);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rsp_sink_commit(s), RSP_OK);
    rsp_sink_free(s);
    ck_assert_int_eq(chdir(dir), 0);
    ck_assert_int_eq(unlink(name), 0);
    ck_assert_int_eq(chdir(old), 0);
}
END_TEST

struct drain {
    int fd;
    size_t n;
    int wrong;
};

static void *drain(void *arg)
{
    struct drain *d = arg;
    uint8_t got[3000];
    ssize_t k;
    while ((k = read(d->fd, got, sizeof got)) > 0)
        for (ssize_t i = 0; i < k; i++, d->n++) d->wrong |= got[i] != (uint8_t)(d->n * 31 + (d->n >> 8));
    return NULL;
}

/* A full non-blocking pipe is waited for. */
START_TEST(fd_nonblocking)
{
    size_t n = 1000000;
    uint8_t *data = malloc(n);
    struct drain d = {0};
    struct rsp_sink *s;
    pthread_t t;
    int fds[2];
    for (size_t i = 0; i < n; i++) data[i] = (uint8_t)(i * 31 + (i >> 8));
    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    d.fd = fds[0];
    ck_assert_int_eq(pthread_create(&t, NULL, drain, &d), 0);
    ck_assert_int_eq(rsp_sink_fd(&env, fds[1], "pipe", &s), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, data, n), RSP_OK);
    ck_assert_int_eq(rsp_sink_commit(s), RSP_OK);
    ck_assert_uint_eq(rsp_sink_written(s), n);
    rsp_sink_free(s);
    close(fds[1]); /* not closed by the sink: this is what ends the reader */
    pthread_join(t, NULL);
    ck_assert_uint_eq(d.n, n);
    ck_assert_int_eq(d.wrong, 0);
    close(fds[0]);
    free(data);
}
END_TEST

START_TEST(fd_fault)
{
    struct rsp_sink *s;
    int fd = open("/dev/full", O_WRONLY);
    ck_assert_int_eq(rsp_sink_fd(&env, fd, "full", &s), RSP_OK);
    ck_assert_int_eq(rsp_sink_write(s, "x", 1), RSP_ENOSPACE);
    ck_assert_int_eq(error.code, RSP_ENOSPACE);
    ck_assert_str_eq(error.subject, "full");
    ck_assert_int_eq(rsp_sink_write(s, "x", 1), RSP_ESTATE);
    ck_assert_int_eq(rsp_sink_commit(s), RSP_ESTATE);
    rsp_sink_free(s);
    close(fd);
}
END_TEST

START_TEST(pump_plain)
{
    size_t n = 700000;
    uint8_t *data = malloc(n);
    struct rsp_source *source;
    struct rsp_sink *s;
    struct rsp_span v;
    for (size_t i = 0; i < n; i++) data[i] = (uint8_t)(i * 31 + (i >> 8));
    ck_assert_int_eq(rsp_source_memory(&env, data, n, &source), RSP_OK);
    ck_assert_int_eq(rsp_sink_memory(&env, &s), RSP_OK);
    ck_assert_int_eq(rsp_pump(source, NULL, s), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(s, &v), RSP_OK);
    ck_assert_uint_eq(v.n, n);
    ck_assert_mem_eq(v.p, data, n);
    rsp_sink_free(s);
    rsp_source_free(source);
    free(data);
}
END_TEST

/* Doubles every byte and ends at a 0. */
static int twice_step(void *opaque, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    int *half = opaque;
    while (in->pos < in->n && out->pos < out->n) {
        if (!in->p[in->pos]) {
            in->pos++;
            return RSP_END;
        }
        out->p[out->pos++] = in->p[in->pos];
        if (!*half) {
            *half = 1;
            continue;
        }
        *half = 0;
        in->pos++;
    }
    return in->pos == in->n && op == RSP_STAGE_END ? RSP_ETRUNCATED : RSP_OK;
}

/* A source that has nothing for now, again and again, loses nothing; and the stage's end is the end. */
START_TEST(pump_again)
{
    static const struct rsp_stage_ops ops = {sizeof ops, "twice", twice_step, NULL};
    static const struct {
        const char *in[3];
        int rc[4];
        const char *out;
    } cases[] = {
        {{"ab", "c", "d\0"}, {RSP_AGAIN, RSP_AGAIN, RSP_AGAIN, RSP_OK}, "aabbccdd"},
        {{"ab", "c", "d"}, {RSP_AGAIN, RSP_AGAIN, RSP_AGAIN, RSP_ETRUNCATED}, "aabbccdd"},
        {{"ab\0", "c", "d"}, {RSP_AGAIN, RSP_EFORMAT, 0, 0}, "aabb"},
    };
    static const size_t lengths[3][3] = {{2, 1, 2}, {2, 1, 1}, {3, 1, 1}};
    struct rsp_source *source;
    struct rsp_stage *stage;
    struct rsp_sink *s;
    struct rsp_span v;
    int fds[2], half = 0, rc = RSP_OK;
    ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
    ck_assert_int_eq(rsp_source_fd(&env, fds[0], "pipe", &source), RSP_OK);
    ck_assert_int_eq(rsp_stage_custom(&env, &ops, &half, &stage), RSP_OK);
    ck_assert_int_eq(rsp_sink_memory(&env, &s), RSP_OK);
    for (int i = 0; i < 4 && rc >= 0; i++) {
        if (i < 3) ck_assert_int_eq(write(fds[1], cases[_i].in[i], lengths[_i][i]), (ssize_t)lengths[_i][i]);
        else close(fds[1]);
        rc = rsp_pump(source, stage, s);
        ck_assert_int_eq(rc, cases[_i].rc[i]);
    }
    ck_assert_int_eq(rsp_sink_view(s, &v), RSP_OK);
    ck_assert_uint_eq(v.n, strlen(cases[_i].out));
    ck_assert_mem_eq(v.p, cases[_i].out, v.n);
    rsp_sink_free(s);
    rsp_stage_free(stage);
    rsp_source_free(source);
    close(fds[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sink");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, memory);
    tcase_add_test(t, memory_limit);
    tcase_add_loop_test(t, file_commit, 0, 2);
    tcase_add_loop_test(t, file_abort, 0, 2);
    tcase_add_test(t, file_exists);
    tcase_add_test(t, file_dangling_link);
    tcase_add_loop_test(t, file_bad_paths, 0, 9);
    tcase_add_test(t, file_relative_and_long);
    tcase_add_test(t, fd_nonblocking);
    tcase_add_test(t, fd_fault);
    tcase_add_test(t, pump_plain);
    tcase_add_loop_test(t, pump_again, 0, 3);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
