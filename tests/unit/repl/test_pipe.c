/* What this is: tests of the pipe against a server that answers as each test says: much, late, wrongly, or not at all.
 * Rests on: libcheck, pthread.
 * Does not: know what commands do. */
#include <check.h>
#undef fail
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "repl/pipe.h"

/* ---- the server ---- */

enum does { ANSWERS, ANSWERS_MUCH, FALLS_SILENT, CLOSES, REFUSES, SAYS_TOO_MUCH, REFUSES_AND_CLOSES };

static enum does does;
static unsigned long at; /* the command from which on it does */
static unsigned long seen;
static size_t much;
static char dir[64], path[96];
static int listener;
static pthread_t thread;

static int line(FILE *f, char first, long *n)
{
    char text[64];
    if (!fgets(text, sizeof text, f) || text[0] != first) return 0;
    *n = strtol(text + 1, NULL, 10);
    return 1;
}

/* The command's first word; 0 at the end. */
static int command(FILE *f, char word[32])
{
    long argc, n;
    if (!line(f, '*', &argc)) return 0;
    for (long i = 0; i < argc; i++) {
        char *p;
        if (!line(f, '$', &n)) return 0;
        p = malloc((size_t)n + 2);
        if (fread(p, 1, (size_t)n + 2, f) != (size_t)n + 2) {
            free(p);
            return 0;
        }
        if (!i) snprintf(word, 32, "%.*s", (int)n, p);
        free(p);
    }
    return 1;
}

static void say(FILE *f, const char *text)
{
    fputs(text, f);
    fflush(f);
}

static void info(FILE *f)
{
    static const char text[] = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:"
                               "0123456789012345678901234567890123456789\r\nrole:master\r\nloading:0\r\n";
    fprintf(f, "$%zu\r\n%s\r\n", sizeof text - 1, text);
    fflush(f);
}

/* 0: hangs up. */
static int answer(FILE *f)
{
    static char *blob;
    unsigned long n = __atomic_add_fetch(&seen, 1, __ATOMIC_RELAXED);
    if (does == ANSWERS || n < at) {
        say(f, ":1\r\n");
        return 1;
    }
    switch (does) {
    case ANSWERS_MUCH:
        if (!blob) blob = calloc(1, much);
        fprintf(f, "$%zu\r\n", much);
        fwrite(blob, 1, much, f);
        say(f, "\r\n"); /* waits until it is read, and reads nothing meanwhile */
        return 1;
    case CLOSES: return 0;
    case REFUSES: say(f, "-OOM command not allowed\r\n"); return 1;
    case REFUSES_AND_CLOSES: say(f, "-ERR Protocol error\r\n"); return 0;
    case SAYS_TOO_MUCH: say(f, ":1\r\n:2\r\n"); return 1;
    default: return 1;
    }
}

static void *serve(void *arg)
{
    int fd = accept(listener, NULL, NULL);
    FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
    char word[32];
    sigset_t pipes;
    (void)arg;
    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE); /* of this thread alone: the library must not raise any */
    pthread_sigmask(SIG_BLOCK, &pipes, NULL);
    while (command(in, word)) {
        if (!strcmp(word, "INFO")) info(out);
        else if (!strcmp(word, "ROLE")) say(out, "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n");
        else if (!strcmp(word, "LAST")) say(out, "+LAST\r\n");
        else if (strcmp(word, "T") != 0) say(out, "-ERR unknown command\r\n");
        else if (!answer(out)) break;
    }
    fclose(out);
    fclose(in);
    return NULL;
}

/* ---- the client ---- */

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_server *server;
static struct pipe *pipe_;
static volatile int cancel;
static unsigned long told_n, stop_at;
static size_t next_index;
static char refused[64];

static int told(void *ctx, const struct pipe_note *note, const struct pipe_reply *r)
{
    ck_assert_ptr_eq(ctx, &told_n);
    ck_assert_uint_eq(note->index, next_index); /* in order, each with what it belongs to */
    ck_assert_uint_eq(r->of, (uint32_t)(note->index % 3) + 1);
    if (r->i + 1 == r->of) next_index++;
    told_n++;
    if (r->error.n) {
        snprintf(refused, sizeof refused, "%.*s", (int)r->error.n, (const char *)r->error.p);
        return fail(&env, RSP_EDENIED, NULL, "refused");
    }
    return told_n == stop_at ? RSP_EUSER : RSP_OK;
}

static void setup(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct rsp_env e = {.size = sizeof e, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &e);
    snprintf(dir, sizeof dir, "/tmp/respite-pipe-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    does = ANSWERS;
    at = 0;
}

static void start(enum does what, unsigned long from, int64_t idle_ms)
{
    struct rsp_endpoint ep = {.size = sizeof ep, .socket = path, .idle_ms = idle_ms};
    struct rsp_server_options o = {.size = sizeof o, .cancel = &cancel};
    does = what;
    at = from;
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
    ck_assert_int_eq(rsp_server_open(&env, &ep, &o, &server), RSP_OK);
    ck_assert_int_eq(pipe_new(server, told, &told_n, &pipe_), RSP_OK);
}

static void teardown(void)
{
    pipe_free(pipe_);
    rsp_server_free(server);
    pthread_join(thread, NULL);
    close(listener);
    unlink(path);
    rmdir(dir);
}

/* Puts with 1, 2, 3, 1... commands each, of n bytes. */
static int put(size_t index, size_t n)
{
    struct pipe_note note = {.kind = 1, .index = index};
    struct buf b;
    uint8_t *fill = calloc(1, n);
    int rc = RSP_OK;
    buf_init(&b, &env);
    for (size_t i = 0; i <= index % 3 && !rc; i++) {
        ck_assert_int_eq(resp_begin(&b, 2), RSP_OK);
        ck_assert_int_eq(resp_text(&b, "T"), RSP_OK);
        ck_assert_int_eq(resp_bulk(&b, fill, n), RSP_OK);
    }
    rc = pipe_put(pipe_, &note, b.p, b.n, (uint32_t)(index % 3) + 1);
    buf_free(&b);
    free(fill);
    return rc;
}

START_TEST(many_small)
{
    uint64_t commands = 0;
    start(ANSWERS, 0, 10000);
    for (size_t i = 0; i < 60000; i++) {
        ck_assert_int_eq(put(i, i % 40), RSP_OK);
        commands += i % 3 + 1;
    }
    ck_assert_uint_eq(pipe_commands(pipe_), commands);
    ck_assert_int_eq(pipe_drain(pipe_), RSP_OK);
    ck_assert_uint_eq(told_n, commands);
    ck_assert_uint_eq(next_index, 60000);
    ck_assert_uint_gt(pipe_sent_bytes(pipe_), 60000 * 20);
    ck_assert_int_eq(pipe_drain(pipe_), RSP_OK); /* nothing outstanding: at once */
}
END_TEST

/* Whoever sends everything before reading anything stands still here, as does the server. */
START_TEST(much_both_ways)
{
    much = 300000;
    start(ANSWERS_MUCH, 1, 10000);
    for (size_t i = 0; i < 60; i++) ck_assert_int_eq(put(i, 200000), RSP_OK);
    ck_assert_int_eq(pipe_drain(pipe_), RSP_OK);
    ck_assert_uint_eq(told_n, 120);
}
END_TEST

START_TEST(larger_than_all_bounds)
{
    start(ANSWERS, 1, 10000);
    for (size_t i = 0; i < 4; i++) ck_assert_int_eq(put(i, PIPE_BYTES + 1000), RSP_OK);
    ck_assert_int_eq(put(4, 1), RSP_OK);
    ck_assert_int_eq(pipe_drain(pipe_), RSP_OK);
    ck_assert_uint_eq(next_index, 5);
}
END_TEST

/* A command of more bytes than all bounds, put in pieces between others. */
START_TEST(pieces)
{
    struct pipe_note note = {.kind = 1, .index = 3};
    struct buf b;
    uint8_t *fill = calloc(1, 3 * PIPE_BYTES);
    start(ANSWERS, 1, 10000);
    buf_init(&b, &env);
    for (size_t i = 0; i < 3; i++) ck_assert_int_eq(put(i, 1000), RSP_OK);
    ck_assert_int_eq(resp_begin(&b, 2), RSP_OK);
    ck_assert_int_eq(resp_text(&b, "T"), RSP_OK);
    ck_assert_int_eq(resp_bulk(&b, fill, 3 * PIPE_BYTES), RSP_OK);
    for (size_t at_ = 0, n = 1; at_ < b.n; at_ += n, n = n * 3 + 1) {
        if (n > b.n - at_) n = b.n - at_;
        ck_assert_int_eq(pipe_put(pipe_, &note, b.p + at_, n, at_ + n == b.n), RSP_OK);
        ck_assert_int_eq(pipe_poll(pipe_), RSP_OK);
    }
    for (size_t i = 4; i < 10; i++) ck_assert_int_eq(put(i, 1000), RSP_OK);
    ck_assert_int_eq(pipe_drain(pipe_), RSP_OK);
    ck_assert_uint_eq(next_index, 10);
    buf_free(&b);
    free(fill);
}
END_TEST

static int until_fault(size_t n)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < 1000000 && !rc; i++) rc = put(i, n);
    return rc;
}

START_TEST(silence)
{
    start(FALLS_SILENT, 500, 300);
    ck_assert_int_eq(until_fault(1000), RSP_ETIMEOUT);
    ck_assert_uint_eq(told_n, 499);
    ck_assert_ptr_nonnull(strstr(error.message, "has not answered"));
    ck_assert_int_eq(put(0, 1), RSP_ESTATE);
    ck_assert_int_eq(pipe_drain(pipe_), RSP_ESTATE);
}
END_TEST

START_TEST(connection_lost)
{
    start(CLOSES, 700, 10000);
    ck_assert_int_eq(until_fault(1000), RSP_ENET);
    ck_assert_uint_le(told_n, 699);
    ck_assert_int_eq(error.code, RSP_ENET);
}
END_TEST

START_TEST(refusal_stops)
{
    start(REFUSES, 1000, 10000);
    ck_assert_int_eq(until_fault(100), RSP_EDENIED);
    ck_assert_str_eq(refused, "OOM command not allowed");
    ck_assert_uint_eq(told_n, 1000);
    ck_assert_int_eq(pipe_poll(pipe_), RSP_ESTATE);
}
END_TEST

/* The server's last words explain more than the broken connection. */
START_TEST(last_words)
{
    start(REFUSES_AND_CLOSES, 1000, 10000);
    ck_assert_int_eq(until_fault(1000), RSP_EDENIED);
    ck_assert_str_eq(refused, "ERR Protocol error");
    ck_assert_int_eq(error.code, RSP_EDENIED);
}
END_TEST

START_TEST(a_reply_to_nothing)
{
    int rc;
    start(SAYS_TOO_MUCH, 1, 10000);
    rc = put(0, 1);
    if (!rc) rc = pipe_drain(pipe_);
    if (!rc) rc = put(1, 1); /* the second came late: it is taken for the answer to this, and one is left over */
    for (int i = 0; !rc && i < 3; i++) rc = pipe_drain(pipe_);
    for (size_t i = 2; !rc && i < 1000; i++) {
        rc = put(i, 1);
        if (!rc) rc = pipe_drain(pipe_);
    }
    ck_assert_int_eq(rc, RSP_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "a reply to no command"));
}
END_TEST

START_TEST(told_stops)
{
    stop_at = 50;
    start(ANSWERS, 1, 10000);
    ck_assert_int_eq(until_fault(1000), RSP_EUSER);
    ck_assert_uint_eq(told_n, 50);
}
END_TEST

static void *cancels(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&seen, __ATOMIC_RELAXED)) usleep(1000);
    __atomic_store_n(&cancel, 1, __ATOMIC_RELAXED);
    return NULL;
}

START_TEST(cancelled)
{
    pthread_t other;
    start(FALLS_SILENT, 1, 60000);
    ck_assert_int_eq(pthread_create(&other, NULL, cancels, NULL), 0);
    ck_assert_int_eq(put(0, 10), RSP_OK);
    ck_assert_int_eq(pipe_drain(pipe_), RSP_ECANCELED);
    pthread_join(other, NULL);
}
END_TEST

START_TEST(no_command)
{
    struct pipe_note note = {0};
    start(ANSWERS, 1, 10000);
    ck_assert_int_eq(pipe_put(pipe_, &note, "x", 0, 1), RSP_EINVAL);
    ck_assert_int_eq(pipe_put(pipe_, &note, "x", 1, 1), RSP_ESTATE);
}
END_TEST

static int left = -1;
static void *failing(void *opaque, void *p, size_t old, size_t n)
{
    (void)opaque, (void)old;
    if (!n) {
        free(p);
        return NULL;
    }
    return left < 0 || left-- > 0 ? realloc(p, n) : NULL;
}

START_TEST(memory_fails)
{
    struct pipe *p;
    int rc = RSP_ENOMEM;
    env.resize = failing;
    start(ANSWERS, 1, 10000);
    for (int n = 0; rc; n++) {
        memset(&error, 0, sizeof error);
        left = n;
        rc = pipe_new(server, told, &told_n, &p);
        left = -1;
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        ck_assert_int_lt(n, 100);
    }
    pipe_free(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pipe");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, many_small);
    tcase_add_test(t, much_both_ways);
    tcase_add_test(t, larger_than_all_bounds);
    tcase_add_test(t, pieces);
    tcase_add_test(t, silence);
    tcase_add_test(t, connection_lost);
    tcase_add_test(t, refusal_stops);
    tcase_add_test(t, last_words);
    tcase_add_test(t, a_reply_to_nothing);
    tcase_add_test(t, told_stops);
    tcase_add_test(t, cancelled);
    tcase_add_test(t, no_command);
    tcase_add_test(t, memory_fails);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
