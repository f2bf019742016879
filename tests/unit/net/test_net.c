/* What this is: tests of the transport over TCP and unix sockets: bytes, waiting, waking, cancelling, words of faults.
 * Rests on: libcheck, peer.h.
 * Does not: TLS (test_tls.c). */
#include <arpa/inet.h>
#include <check.h>
#undef fail
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/net_impl.h"
#include "peer.h"

static struct rsp_error error;
static struct rsp_env env;
static struct net_conn *conn;
static struct peer peer;
static struct net_target target;
static char dir[64], path[96];

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error};
    rsp_error_clear(&error);
    env_init(&env, &given);
    conn = NULL;
    memset(&peer, 0, sizeof peer);
    memset(&target, 0, sizeof target);
    target.name = "the server";
    target.connect_ms = 10000;
    snprintf(dir, sizeof dir, "/tmp/respite-net-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s", dir);
}

static void teardown(void)
{
    net_close(conn);
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0);
}

static void start(enum peer_does does)
{
    peer.does = does;
    peer_start(&peer);
    if (peer.path) target.socket = peer.path;
    target.port = peer.port;
    ck_assert_msg(!net_open(&env, &target, NULL, &conn), "%s", error.message);
}

static void stop(void)
{
    net_close(conn);
    conn = NULL;
    peer_stop(&peer);
}

static void echo(const char *text)
{
    char back[64];
    size_t n = strlen(text), at = 0, got;
    ck_assert_int_eq(net_send_all(conn, text, n, 10000), RSP_OK);
    for (; at < n; at += got) ck_assert_int_eq(net_recv_some(conn, back + at, sizeof back - at, &got, 10000), RSP_OK);
    ck_assert_uint_eq(at, n);
    ck_assert_mem_eq(back, text, n);
}

static void expect_fault(int rc, int code, int retryable, const char *word)
{
    ck_assert_msg(rc == code, "%d %s", rc, error.message);
    ck_assert_int_eq(error.code, code);
    ck_assert_int_eq(error.retryable, retryable);
    ck_assert_str_eq(error.subject, "the server");
    ck_assert_msg(strstr(error.message, word) != NULL, "%s", error.message);
}

START_TEST(tcp)
{
    char text[8];
    size_t got;
    int seen;
    setenv("http_proxy", "http://127.0.0.1:1/", 1); /* must not matter */
    setenv("all_proxy", "http://127.0.0.1:1/", 1);
    start(PEER_ECHO);
    ck_assert_int_eq(net_recv(conn, text, sizeof text, &got), RSP_AGAIN);
    ck_assert_int_eq(net_wait(conn, NET_READ, 0, &seen), RSP_AGAIN);
    ck_assert_int_eq(net_wait(conn, NET_READ | NET_WRITE, -1, &seen), RSP_OK);
    ck_assert_int_eq(seen, NET_WRITE);
    echo("hello");
    ck_assert_int_ge(net_fd(conn), 0);
    ck_assert_str_eq(net_security(conn), "");
    stop();
}
END_TEST

START_TEST(names_and_families)
{
    target.host = "localhost";
    target.family = 4;
    start(PEER_ECHO);
    echo("by name");
    stop();
    peer.ipv6 = 1;
    target.host = "::1";
    target.family = 0;
    start(PEER_ECHO);
    echo("by address");
    net_close(conn);
    conn = NULL;
    target.family = 4;
    ck_assert_int_eq(net_open(&env, &target, NULL, &conn), RSP_ENET);
    stop();
}
END_TEST

START_TEST(unix_socket)
{
    peer.path = path;
    start(PEER_ECHO);
    echo("hello");
    stop();
    expect_fault(net_open(&env, &target, NULL, &conn), RSP_ENET, 1, "no socket /tmp/");
    ck_assert_ptr_null(conn);
}
END_TEST

START_TEST(socket_of_a_dead_server)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
    close(fd);
    target.socket = path;
    expect_fault(net_open(&env, &target, NULL, &conn), RSP_ENET, 1, "connection refused");
}
END_TEST

START_TEST(path_too_long)
{
    char room[300];
    memset(room, 'a', sizeof room - 1);
    room[0] = '/';
    room[sizeof room - 1] = 0;
    target.socket = room;
    expect_fault(net_open(&env, &target, NULL, &conn), RSP_EINVAL, 0, "too long");
}
END_TEST

/* libcurl repeats the names that stand in a server's certificate. */
START_TEST(words_of_a_certificate)
{
    struct net_conn c;
    memset(&c, 0, sizeof c);
    c.env = env;
    c.name = path;
    snprintf(c.reason, sizeof c.reason, "subject name '\033[2Jevil' does not match");
    ck_assert_int_eq(net_connect_fault(&c, &target, CURLE_PEER_FAILED_VERIFICATION), RSP_EAUTH);
    ck_assert_ptr_nonnull(strstr(error.message, "'\\x1b[2Jevil'"));
}
END_TEST

START_TEST(refused)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof to;
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound and not listening: nobody else gets the port meanwhile */
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, n), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&to, &n), 0);
    target.port = ntohs(to.sin_port);
    expect_fault(net_open(&env, &target, NULL, &conn), RSP_ENET, 1, "connection refused");
    close(fd);
}
END_TEST

START_TEST(no_such_host)
{
    target.host = "host.invalid";
    target.port = 6379;
    expect_fault(net_open(&env, &target, NULL, &conn), RSP_ENET, 1, "no such host");
}
END_TEST

static const char *const hosts[] = {"",    "a/b", "user@host", "a b",  "a:b", "[::1]",
                                    "a?b", "a#b", "::1%a/b",   "a\nb", "::zz"};

START_TEST(hosts_that_are_none)
{
    target.host = hosts[_i];
    target.port = 6379;
    expect_fault(net_open(&env, &target, NULL, &conn), RSP_EINVAL, 0, "");
}
END_TEST

START_TEST(ports_that_are_none)
{
    static char host[400];
    target.port = 0;
    expect_fault(net_open(&env, &target, NULL, &conn), RSP_EINVAL, 0, "port");
    target.port = 65536 + 80;
    expect_fault(net_open(&env, &target, NULL, &conn), RSP_EINVAL, 0, "port");
    target.port = 80;
    target.host = memset(host, 'a', sizeof host - 1);
    ck_assert_int_eq(net_open(&env, &target, NULL, &conn), RSP_EINVAL);
}
END_TEST

START_TEST(the_end)
{
    char text[8];
    size_t got;
    start(PEER_BYE);
    ck_assert_int_eq(net_recv_some(conn, text, sizeof text, &got, 10000), RSP_OK);
    ck_assert_uint_eq(got, 3);
    ck_assert_int_eq(net_recv_some(conn, text, sizeof text, &got, 10000), RSP_END);
    ck_assert_int_eq(net_recv(conn, text, sizeof text, &got), RSP_END);
    ck_assert_uint_eq(got, 0);
    stop();
}
END_TEST

/* SIGPIPE has its default action here: it would end the test. */
START_TEST(sending_to_who_has_gone)
{
    static char text[1 << 16];
    size_t sent;
    int rc = RSP_OK;
    start(PEER_BYE);
    peer_stop(&peer);
    for (int i = 0; i < 10000 && !rc; i++) rc = net_send_all(conn, text, sizeof text, 10000);
    expect_fault(rc, RSP_ENET, 1, "cannot send");
    ck_assert_int_eq(net_send(conn, text, 1, &sent), RSP_ENET);
}
END_TEST

START_TEST(silence)
{
    static char text[1 << 20];
    size_t got;
    int rc = RSP_OK;
    start(PEER_SILENT);
    expect_fault(net_recv_some(conn, text, sizeof text, &got, 20), RSP_ETIMEOUT, 1, "said nothing for 0.02 s");
    rsp_error_clear(&error);
    for (int i = 0; i < 1000 && !rc; i++) rc = net_send_all(conn, text, sizeof text, 20);
    expect_fault(rc, RSP_ETIMEOUT, 1, "took nothing for 0.02 s");
    stop();
}
END_TEST

static void *wake_soon(void *opaque)
{
    usleep(20000); /* so that the other is likely to wait; the test holds either way */
    net_wake(opaque);
    return NULL;
}

START_TEST(woken)
{
    pthread_t thread;
    int seen;
    start(PEER_ECHO);
    net_wake(conn);
    net_wake(conn);
    ck_assert_int_eq(net_wait(conn, NET_READ, -1, &seen), RSP_OK);
    ck_assert_int_eq(seen, NET_WOKEN);
    ck_assert_int_eq(net_wait(conn, NET_READ, 0, &seen), RSP_AGAIN);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, wake_soon, conn), 0);
        ck_assert_int_eq(net_wait(conn, i ? NET_READ : 0, -1, &seen), RSP_OK);
        ck_assert_int_eq(seen, NET_WOKEN);
        pthread_join(thread, NULL);
    }
    net_wake(conn);
    echo("being woken ends no transfer");
    stop();
}
END_TEST

static volatile int cancel;

/* Once the peer has accepted, so that the other is within net_open or behind it. */
static void *cancel_soon(void *opaque)
{
    (void)opaque;
    while (!__atomic_load_n(&peer.accepted, __ATOMIC_SEQ_CST)) usleep(1000);
    __atomic_store_n((int *)&cancel, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

START_TEST(cancelled)
{
    pthread_t thread;
    char text[8];
    size_t got;
    int rc, seen;
    cancel = 0;
    peer.does = PEER_SILENT;
    peer_start(&peer);
    target.port = peer.port;
    target.tls = _i; /* the handshake never ends */
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    rc = net_open(&env, &target, &cancel, &conn);
    if (!target.tls && !rc) rc = net_recv_some(conn, text, sizeof text, &got, 60000);
    pthread_join(thread, NULL);
    expect_fault(rc, RSP_ECANCELED, 0, "cancelled");
    if (conn) {
        ck_assert_int_eq(net_wait(conn, NET_READ, -1, &seen), RSP_ECANCELED);
        ck_assert_int_eq(net_recv_some(conn, text, sizeof text, &got, -1), RSP_ECANCELED);
    }
    stop();
}
END_TEST

START_TEST(no_connection_in_time)
{
    peer.does = PEER_SILENT;
    peer_start(&peer);
    target.port = peer.port;
    target.tls = 1;
    target.connect_ms = 50;
    expect_fault(net_open(&env, &target, NULL, &conn), RSP_ETIMEOUT, 1, "no connection within 50 ms");
    stop();
}
END_TEST

static int fail_after;
static long blocks;

static void *failing(void *opaque, void *p, size_t old_n, size_t new_n)
{
    (void)opaque, (void)old_n;
    if (!new_n) {
        blocks--;
        free(p);
        return NULL;
    }
    if (fail_after-- <= 0) return NULL;
    blocks += !p;
    return realloc(p, new_n);
}

START_TEST(every_allocation_fails)
{
    int rc = RSP_ENOMEM, n;
    peer.does = PEER_ECHO;
    peer_start(&peer);
    target.port = peer.port;
    env.resize = failing;
    for (n = 0; rc && n < 10; n++) {
        rsp_error_clear(&error);
        fail_after = n;
        rc = net_open(&env, &target, NULL, &conn);
        if (!rc) break;
        ck_assert(rc == RSP_ENOMEM && error.code == RSP_ENOMEM && !conn && !blocks);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(n, 0);
    stop();
    ck_assert_int_eq(blocks, 0);
}
END_TEST

START_TEST(closing_nothing)
{
    net_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net");
    TCase *tc = tcase_create("net");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, tcp);
    tcase_add_test(tc, names_and_families);
    tcase_add_test(tc, unix_socket);
    tcase_add_test(tc, socket_of_a_dead_server);
    tcase_add_test(tc, path_too_long);
    tcase_add_test(tc, words_of_a_certificate);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, no_such_host);
    tcase_add_loop_test(tc, hosts_that_are_none, 0, (int)(sizeof hosts / sizeof hosts[0]));
    tcase_add_test(tc, ports_that_are_none);
    tcase_add_test(tc, the_end);
    tcase_add_test(tc, sending_to_who_has_gone);
    tcase_add_test(tc, silence);
    tcase_add_test(tc, woken);
    tcase_add_loop_test(tc, cancelled, 0, 2);
    tcase_add_test(tc, no_connection_in_time);
    tcase_add_test(tc, every_allocation_fails);
    tcase_add_test(tc, closing_nothing);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
