/* What this is: tests of what exchanges share: trust, time limits, cancelling, rates, the pool.
 * Rests on: libcheck, web.h.
 * LDFLAGS: -Wl,--wrap=net_now_ms -Wl,--wrap=nanosleep
 * Does not: test requests and replies (test_http.c, test_http_answers.c) and the waits between tries (test_retry.c). */
#include <check.h>
#undef fail
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/http.h"
#include "peer.h"
#include "web.h"

static struct rsp_error error;
static struct rsp_env env;
static struct net_client *client;
static struct net_options options;
static struct http_reply reply;
static struct web web;
static char url[256], dir[64], path[8][128];
static volatile int cancel;
static int server_cancels; /* atomic */

/* ---- a clock of our own ---- */

int64_t __real_net_now_ms(void);
int64_t __wrap_net_now_ms(void);
int __real_nanosleep(const struct timespec *t, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *t, struct timespec *rest);
static int clock_stands; /* and only waiting moves it */
static int64_t clock_ms;
static int sleeps, cancel_at; /* cancels in the so-many-th sleep */

int64_t __wrap_net_now_ms(void)
{
    return clock_stands ? clock_ms : __real_net_now_ms();
}

int __wrap_nanosleep(const struct timespec *t, struct timespec *rest)
{
    int64_t ms = (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
    if (!clock_stands) return __real_nanosleep(t, rest);
    ck_assert_int_le(ms, 200); /* cancel is looked at five times a second */
    clock_ms += ms;
    if (++sleeps == cancel_at) cancel = 1;
    return 0;
}

/* ---- the server ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int inside, together; /* /meet answers when so many are inside */

static int meet(void)
{
    pthread_mutex_lock(&gate);
    inside++;
    pthread_cond_broadcast(&turn);
    while (inside < together) pthread_cond_wait(&turn, &gate);
    pthread_mutex_unlock(&gate);
    return 1;
}

static int answer(struct web_call *c)
{
    char text[128];
    if (!strcmp(c->path, "/meet")) meet();
    if (!strcmp(c->path, "/silent")) {
        if (__atomic_load_n(&server_cancels, __ATOMIC_RELAXED)) __atomic_store_n(&cancel, 1, __ATOMIC_RELAXED);
        web_wait(c);
        return 0;
    }
    if (!strcmp(c->path, "/stops")) {
        web_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
        web_wait(c);
        return 0;
    }
    if (!strcmp(c->path, "/drips")) {
        web_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
        for (int i = 0; i < 8; i++) {
            struct timespec t = {.tv_nsec = 100000000};
            __real_nanosleep(&t, NULL); /* to be slow is what is tested */
            if (web_say(c, "x")) return 0;
        }
        return 1;
    }
    if (!strcmp(c->path, "/closes")) {
        web_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        return -1;
    }
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nX-Connection: %d\r\nContent-Length: 2\r\n\r\nok", c->connection);
    web_say(c, text);
    return 1;
}

static const char *file(const char *name)
{
    static int at;
    at = (at + 1) % 8;
    snprintf(path[at], sizeof path[at], "%s/%s", dir, name);
    return path[at];
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/respite-client-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    certificates_make(dir);
    web_expired(dir);
}

static void end(void)
{
    static const char *const names[] = {"ca.pem",     "ca.key",     "other-ca.pem", "other-ca.key",
                                        "server.pem", "server.key", "client.pem",   "client.key",
                                        "locked.key", "old.pem",    "old.key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(file(names[i]));
    rmdir(dir);
}

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error};
    rsp_error_clear(&error);
    env_init(&env, &given);
    client = NULL;
    memset(&options, 0, sizeof options);
    options.cancel = &cancel;
    cancel = 0;
    clock_stands = sleeps = cancel_at = inside = together = 0;
    clock_ms = 1000000;
    http_reply_init(&reply, &env);
    memset(&web, 0, sizeof web);
    web.answer = answer;
    web_start(&web);
}

static void teardown(void)
{
    http_reply_free(&reply);
    net_client_free(client);
    web_stop(&web);
}

static void made(void)
{
    net_client_free(client);
    ck_assert_msg(!net_client_new(&env, &options, &client), "%s", error.message);
}

static int ask_at(const char *scheme, const char *host, uint32_t port, const char *what)
{
    struct http_request q = {.method = "GET", .url = url};
    if (!client) made();
    snprintf(url, sizeof url, "%s://%s:%u%s", scheme, host, port, what);
    rsp_error_clear(&error);
    return http_exchange(client, &env, &q, &reply);
}

static int ask(const char *what)
{
    return ask_at("http", "127.0.0.1", web.port, what);
}

static void good(int rc)
{
    ck_assert_msg(rc == RSP_OK && reply.status == 200, "%d %s", rc, error.message);
}

static void bad(int rc, int code, int retryable, const char *word)
{
    ck_assert_msg(rc == code && error.code == code, "%d %d %s", rc, error.code, error.message);
    ck_assert_msg(error.retryable == retryable, "%s", error.message);
    ck_assert_msg(strstr(error.message, word) != NULL, "%s", error.message);
}

/* ---- trust ---- */

static void secure(const char *name)
{
    char key[32];
    web_stop(&web);
    snprintf(key, sizeof key, "%.*s.key", (int)strcspn(name, "."), name);
    web.cert = file(name);
    web.key = file(key);
    web_start(&web);
}

START_TEST(trusted)
{
    secure("server.pem");
    options.cacert = file("ca.pem");
    good(ask_at("https", "127.0.0.1", web.port, "/"));
    good(ask_at("https", "127.0.0.1", web.port, "/"));
    ck_assert_int_eq(web.connections, 1);
}
END_TEST

START_TEST(not_trusted)
{
    secure("server.pem");
    made(); /* the system's certificates only */
    bad(ask_at("https", "127.0.0.1", web.port, "/"), RSP_EAUTH, 0, "certificate is not accepted");
    options.cacert = file("other-ca.pem");
    made();
    bad(ask_at("https", "127.0.0.1", web.port, "/"), RSP_EAUTH, 0, "certificate is not accepted");
    options.cacert = NULL;
    options.cacertdir = dir; /* without hashed names: nobody is in there */
    made();
    bad(ask_at("https", "127.0.0.1", web.port, "/"), RSP_EAUTH, 0, "certificate is not accepted");
    ck_assert_int_eq(web.requests, 0);
}
END_TEST

START_TEST(wrong_host)
{
    secure("server.pem");
    options.cacert = file("ca.pem");
    bad(ask_at("https", "localhost", web.port, "/"), RSP_EAUTH, 0, "certificate is not accepted");
    ck_assert_int_eq(web.requests, 0);
}
END_TEST

START_TEST(expired)
{
    secure("old.pem");
    options.cacert = file("ca.pem");
    bad(ask_at("https", "127.0.0.1", web.port, "/"), RSP_EAUTH, 0, "expired");
    ck_assert_int_eq(web.requests, 0);
}
END_TEST

START_TEST(old_tls)
{
    web.tls_most = TLS1_1_VERSION;
    secure("server.pem");
    options.cacert = file("ca.pem");
    ck_assert_int_ne(ask_at("https", "127.0.0.1", web.port, "/"), RSP_OK);
    ck_assert(error.code == RSP_EAUTH || error.code == RSP_ENET);
    ck_assert_int_eq(web.requests, 0);
}
END_TEST

START_TEST(no_tls_there)
{
    struct peer plain = {.does = PEER_BYE, .says = "HTTP/1.1 400 Bad\r\n\r\n"};
    peer_start(&plain);
    options.cacert = file("ca.pem");
    bad(ask_at("https", "127.0.0.1", plain.port, "/"), RSP_ENET, 0, "does not speak TLS");
    peer_stop(&plain);
}
END_TEST

START_TEST(files_missing)
{
    const char **members[] = {&options.cacert, &options.cacertdir, &options.cert, &options.key};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        *members[i] = "/nonexistent/x";
        rsp_error_clear(&error);
        ck_assert_int_eq(net_client_new(&env, &options, &client), RSP_EINVAL);
        ck_assert_ptr_null(client);
        ck_assert_str_eq(error.subject, "/nonexistent/x");
        *members[i] = NULL;
    }
}
END_TEST

/* ---- connecting ---- */

START_TEST(refused)
{
    uint32_t port = web.port;
    web_stop(&web);
    bad(ask_at("http", "127.0.0.1", port, "/"), RSP_ENET, 1, "refused");
    web_start(&web);
}
END_TEST

START_TEST(no_such_host)
{
    bad(ask_at("http", "no-such-host.invalid", 80, "/"), RSP_ENET, 0, "no such host");
    good(ask("/")); /* from now on names are known to be resolved: it may pass */
    bad(ask_at("http", "no-such-host.invalid", 80, "/"), RSP_ENET, 1, "no such host");
}
END_TEST

START_TEST(environment_not_asked)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) setenv(names[i], "http://127.0.0.1:1", 1);
    good(ask("/"));
    snprintf(url, sizeof url, "http://127.0.0.1:%u", web.port);
    setenv("no_proxy", "*", 1);
    options.proxy = url;
    made();
    good(ask_at("http", "somewhere.invalid", 80, "/")); /* it is the proxy that looks for the host */
    options.no_proxy = "somewhere.invalid";
    made();
    bad(ask_at("http", "somewhere.invalid", 80, "/"), RSP_ENET, 0, "no such host");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
    unsetenv("no_proxy");
}
END_TEST

START_TEST(no_netrc)
{
    char home[128];
    FILE *f;
    snprintf(home, sizeof home, "%s/.netrc", dir);
    f = fopen(home, "w");
    ck_assert_ptr_nonnull(f);
    fputs("machine 127.0.0.1 login me password secret\n", f);
    fclose(f);
    setenv("HOME", dir, 1);
    good(ask("/"));
    unlink(home);
}
END_TEST

/* ---- time ---- */

START_TEST(stall)
{
    options.stall_ms = 300;
    bad(ask("/silent"), RSP_ETIMEOUT, 1, "no byte moved");
    bad(ask("/stops"), RSP_ETIMEOUT, 1, "no byte moved");
    ck_assert_uint_eq(reply.got, 3);
    good(ask("/drips")); /* slow is not stalled */
}
END_TEST

START_TEST(connect_timeout)
{
    struct peer silent = {.does = PEER_SILENT};
    peer_start(&silent);
    options.connect_ms = 200;
    options.cacert = file("ca.pem");
    bad(ask_at("https", "127.0.0.1", silent.port, "/"), RSP_ETIMEOUT, 1, "no connection within 200 ms");
    net_client_free(client);
    client = NULL;
    peer_stop(&silent);
}
END_TEST

START_TEST(cancelled)
{
    __atomic_store_n(&server_cancels, 1, __ATOMIC_RELAXED); /* when the request is there */
    bad(ask("/silent"), RSP_ECANCELED, 0, "cancelled");
    bad(ask("/"), RSP_ECANCELED, 0, "cancelled");
    __atomic_store_n(&cancel, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&server_cancels, 0, __ATOMIC_RELAXED);
    good(ask("/"));
}
END_TEST

/* ---- rates ---- */

START_TEST(rates)
{
    struct net_handle *a, *b;
    options.up_rate = 1000;
    options.down_rate = 50;
    made();
    clock_stands = 1;
    ck_assert(!net_handle_take(client, &env, &a) && !net_handle_take(client, &env, &b));
    ck_assert(a->piece >= 1 && a->piece <= 1000);
    for (int i = 0; i < 30; i++) ck_assert_int_eq(net_handle_moved(i & 1 ? a : b, 333, 0), RSP_OK);
    ck_assert_int_ge(clock_ms - 1000000, 9890); /* 9990 bytes of both together; a tenth of a second is credit */
    ck_assert_int_le(clock_ms - 1000000, 9990);
    ck_assert(a->up == 15 * 333 && b->up == 15 * 333 && !a->down);
    clock_ms = 2000000; /* idle: no more than that credit is given */
    ck_assert_int_eq(net_handle_moved(a, 0, 50), RSP_OK);
    ck_assert_int_ge(clock_ms - 2000000, 900);
    clock_ms = 3000000;
    ck_assert_int_eq(net_handle_moved(a, 0, 0), RSP_OK);
    ck_assert_int_eq(clock_ms, 3000000);
    cancel_at = sleeps + 3;
    ck_assert_int_eq(net_handle_moved(a, 0, 1u << 31), RSP_ECANCELED);
    ck_assert_int_eq(sleeps, cancel_at);
    net_handle_give(a, 1);
    net_handle_give(b, 0);
}
END_TEST

static int64_t asked_for; /* of the body that is sent */

static int zeros(void *opaque, uint8_t *p, size_t cap, size_t *n)
{
    (void)opaque;
    if ((int64_t)cap > asked_for) asked_for = (int64_t)cap;
    memset(p, 0, cap);
    *n = cap;
    return RSP_OK;
}

START_TEST(rates_of_an_exchange)
{
    struct http_request q = {.method = "PUT", .url = url, .read = zeros, .length = 100000};
    options.up_rate = 100000;
    made();
    clock_stands = 1;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", web.port);
    ck_assert_msg(!http_exchange(client, &env, &q, &reply), "%s", error.message);
    ck_assert_int_ge(clock_ms - 1000000, 890);
    ck_assert_int_le(clock_ms - 1000000, 1000);
    ck_assert_int_le(asked_for, 12500);
    /* Waiting for the rate is no stall. */
    options.up_rate = 10000;
    options.stall_ms = 100;
    made();
    ck_assert_msg(!http_exchange(client, &env, &q, &reply), "%s", error.message);
    cancel_at = sleeps + 5;
    rsp_error_clear(&error);
    bad(http_exchange(client, &env, &q, &reply), RSP_ECANCELED, 0, "cancelled");
}
END_TEST

/* ---- the pool ---- */

struct asker {
    pthread_t thread;
    struct rsp_error error;
    int rc, rounds;
};

static void *ask_many(void *opaque)
{
    struct asker *a = opaque;
    struct rsp_env own = env;
    struct http_reply r;
    char at[64];
    own.error = &a->error;
    http_reply_init(&r, &own);
    for (int i = 0; i < a->rounds && !a->rc; i++) {
        struct http_request q = {.method = "GET", .url = at};
        snprintf(at, sizeof at, "http://127.0.0.1:%u%s", web.port, i ? "/" : "/meet");
        a->rc = http_exchange(client, &own, &q, &r);
        if (!a->rc && (r.status != 200 || r.body.n != 2)) a->rc = RSP_EFORMAT;
    }
    http_reply_free(&r);
    return NULL;
}

START_TEST(threads)
{
    enum { N = 6 };
    struct asker all[N];
    memset(all, 0, sizeof all);
    made();
    together = N; /* all at once, then whoever comes */
    for (int i = 0; i < N; i++) {
        all[i].rounds = 20;
        ck_assert_int_eq(pthread_create(&all[i].thread, NULL, ask_many, &all[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(all[i].thread, NULL);
        ck_assert_msg(!all[i].rc, "%s", all[i].error.message);
    }
    ck_assert_int_eq(web.requests, N * 20);
    ck_assert_int_eq(web.connections, N);
}
END_TEST

START_TEST(handles)
{
    struct net_handle *a, *b, *c;
    made();
    ck_assert(!net_handle_take(client, &env, &a) && !net_handle_take(client, &env, &b) && a != b);
    net_handle_give(a, 1);
    ck_assert(!net_handle_take(client, &env, &c) && c == a);
    net_handle_give(c, 1);
    net_handle_give(b, 0);
    net_handle_give(NULL, 1);
    ck_assert(!net_handle_take(client, &env, &b) && b == a);
    net_handle_give(b, 1);
}
END_TEST

static size_t stop_here(char *p, size_t size, size_t n, void *opaque)
{
    (void)p, (void)opaque;
    ck_assert(size * n > 0);
    return 0;
}

START_TEST(stopped_by_callback)
{
    struct net_handle *h;
    int code = 0;
    made();
    ck_assert_int_eq(net_handle_take(client, &env, &h), RSP_OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", web.port);
    ck_assert(!curl_easy_setopt(h->easy, CURLOPT_URL, url) &&
              !curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, stop_here));
    ck_assert_int_eq(net_handle_perform(h, &env, "it", &code), RSP_EUSER);
    ck_assert_int_eq(code, CURLE_WRITE_ERROR);
    ck_assert_str_eq(error.subject, "it");
    net_handle_give(h, 1);
    good(ask("/"));
}
END_TEST

/* What sends to a connection that the other side has reset gets a fault, not a signal. */
START_TEST(no_signal)
{
    struct http_request q = {.method = "PUT", .url = url, .read = zeros, .length = 64 << 20};
    sigset_t pending;
    secure("server.pem");
    web.answer = NULL;
    options.cacert = file("ca.pem");
    made();
    signal(SIGPIPE, SIG_DFL);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/early", web.port);
    web.answer = answer;
    (void)http_exchange(client, &env, &q, &reply);
    sigpending(&pending);
    ck_assert(!sigismember(&pending, SIGPIPE));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("client");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, begin, end);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, trusted);
    tcase_add_test(t, not_trusted);
    tcase_add_test(t, wrong_host);
    tcase_add_test(t, expired);
    tcase_add_test(t, old_tls);
    tcase_add_test(t, no_tls_there);
    tcase_add_test(t, files_missing);
    tcase_add_test(t, refused);
    tcase_add_test(t, no_such_host);
    tcase_add_test(t, environment_not_asked);
    tcase_add_test(t, no_netrc);
    tcase_add_test(t, stall);
    tcase_add_test(t, connect_timeout);
    tcase_add_test(t, cancelled);
    tcase_add_test(t, rates);
    tcase_add_test(t, rates_of_an_exchange);
    tcase_add_test(t, threads);
    tcase_add_test(t, handles);
    tcase_add_test(t, stopped_by_callback);
    tcase_add_test(t, no_signal);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
