/* What this is: tests of the transport over TLS: who is trusted, whose certificate is asked for, records that wait.
 * Rests on: libcheck, peer.h.
 * Does not: test what TLS shares with TCP (test_net.c). */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/net.h"
#include "peer.h"

static struct rsp_error error;
static struct rsp_env env;
static struct net_conn *conn;
static struct peer peer;
static struct net_target target;
static char dir[64];
static const char *const names[] = {"ca.pem",     "ca.key",     "other-ca.pem", "other-ca.key", "server.pem",
                                    "server.key", "client.pem", "client.key",   "locked.key"};
#define NAMES (sizeof names / sizeof names[0])
static char files[NAMES][96];

static const char *file(const char *name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (!strcmp(names[i], name)) return files[i];
    ck_abort_msg("%s", name);
}

static void begin(void)
{
    snprintf(dir, sizeof dir, "/tmp/respite-tls-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    certificates_make(dir);
    for (size_t i = 0; i < NAMES; i++) snprintf(files[i], sizeof files[i], "%s/%s", dir, names[i]);
}

static void end(void)
{
    for (size_t i = 0; i < NAMES; i++) unlink(files[i]);
    rmdir(dir);
}

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error};
    rsp_error_clear(&error);
    env_init(&env, &given);
    conn = NULL;
    memset(&peer, 0, sizeof peer);
    peer.cert = file("server.pem");
    peer.key = file("server.key");
    peer.ca = file("ca.pem");
    memset(&target, 0, sizeof target);
    target.name = "the server";
    target.tls = 1;
    target.cacert = file("ca.pem");
    target.connect_ms = 20000;
}

static void teardown(void)
{
    net_close(conn);
}

static void listening(enum peer_does does)
{
    peer.does = does;
    peer_start(&peer);
    target.port = peer.port;
}

static int open_it(void)
{
    net_close(conn);
    conn = NULL;
    rsp_error_clear(&error);
    return net_open(&env, &target, NULL, &conn);
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
    ck_assert_int_eq(net_send_all(conn, text, n, 20000), RSP_OK);
    for (; at < n; at += got) /* one byte each: the others wait inside */
        ck_assert_msg(!net_recv_some(conn, back + at, 1, &got, 20000), "%s", error.message);
    ck_assert_mem_eq(back, text, n);
}

static void expect_fault(int rc, int code, const char *word)
{
    ck_assert_msg(rc == code, "%d %s", rc, error.message);
    ck_assert_int_eq(error.code, code);
    ck_assert_msg(strstr(error.message, word) != NULL, "%s", error.message);
}

START_TEST(trusted)
{
    peer.tls12 = _i;
    listening(PEER_ECHO);
    ck_assert_msg(!open_it(), "%s", error.message);
    echo("hello");
    ck_assert_msg(!strncmp(net_security(conn), _i ? "TLSv1.2 ECDHE" : "TLSv1.3 TLS_", 12), "%s", net_security(conn));
    stop();
}
END_TEST

START_TEST(not_trusted)
{
    char folder[96];
    listening(PEER_ECHO);
    target.cacert = file("other-ca.pem");
    expect_fault(open_it(), RSP_EAUTH, "certificate is not accepted");
    ck_assert_int_eq(error.retryable, 0);
    target.cacert = NULL; /* the system's */
    expect_fault(open_it(), RSP_EAUTH, "certificate is not accepted");
    snprintf(folder, sizeof folder, "%s", dir); /* holds ca.pem, but not under the name of its hash */
    target.cacertdir = folder;
    expect_fault(open_it(), RSP_EAUTH, "certificate is not accepted");
    target.insecure = 1;
    ck_assert_int_eq(open_it(), RSP_OK);
    echo("hello");
    stop();
}
END_TEST

START_TEST(names_are_verified)
{
    listening(PEER_ECHO);
    target.host = "localhost";
    target.family = 4;
    expect_fault(open_it(), RSP_EAUTH, "certificate is not accepted");
    target.sni = "redis.test";
    ck_assert_msg(!open_it(), "%s", error.message);
    echo("another name");
    target.sni = "other.test";
    expect_fault(open_it(), RSP_EAUTH, "other.test");
    target.sni = "a/b";
    ck_assert_int_eq(open_it(), RSP_EINVAL);
    stop();
}
END_TEST

START_TEST(over_ipv6_and_unix)
{
    char path[96];
    peer.ipv6 = 1;
    target.host = "::1";
    target.sni = "redis.test";
    listening(PEER_ECHO);
    ck_assert_msg(!open_it(), "%s", error.message);
    echo("hello");
    stop();
    snprintf(path, sizeof path, "%s/socket", dir);
    peer.path = target.socket = path;
    listening(PEER_ECHO);
    ck_assert_msg(!open_it(), "%s", error.message);
    echo("hello");
    stop();
}
END_TEST

START_TEST(client_certificate)
{
    char text[8];
    size_t got;
    int rc;
    peer.ask_cert = 1;
    peer.tls12 = _i;
    listening(PEER_ECHO);
    rc = open_it(); /* TLS 1.3: seems to succeed */
    if (!rc) rc = net_recv_some(conn, text, sizeof text, &got, 20000);
    expect_fault(rc, RSP_EAUTH, "no client certificate was given");
    target.cert = file("client.pem");
    target.key = file("client.key");
    ck_assert_msg(!open_it(), "%s", error.message);
    echo("hello");
    stop();
}
END_TEST

/* The words of who was refused arrive although something was sent first. */
START_TEST(refused_while_sending)
{
    char text[64] = "PING\r\n";
    size_t got;
    int rc;
    peer.ask_cert = 1;
    listening(PEER_ECHO);
    ck_assert_int_eq(open_it(), RSP_OK);
    rc = net_send_all(conn, text, 6, 20000);
    if (!rc) rc = net_recv_some(conn, text, sizeof text, &got, 20000);
    ck_assert(rc == RSP_EAUTH || rc == RSP_ENET); /* a reset may have been faster than the alert */
    ck_assert_msg(strstr(error.message, "client certificate"), "%s", error.message);
    stop();
}
END_TEST

START_TEST(own_files)
{
    listening(PEER_ECHO);
    target.cert = file("client.pem");
    target.key = file("locked.key"); /* must not ask at the terminal */
    expect_fault(open_it(), RSP_EAUTH, "our certificate or its key");
    target.key = file("other-ca.key");
    expect_fault(open_it(), RSP_EAUTH, "our certificate or its key");
    target.key = "/nonexistent/key";
    expect_fault(open_it(), RSP_EINVAL, "/nonexistent/key");
    target.key = NULL;
    target.cert = "/nonexistent/cert";
    expect_fault(open_it(), RSP_EINVAL, "/nonexistent/cert");
    target.cert = NULL;
    target.cacertdir = "/nonexistent/certs";
    expect_fault(open_it(), RSP_EINVAL, "/nonexistent/certs");
    target.cacertdir = NULL;
    target.cacert = file("ca.key");
    expect_fault(open_it(), RSP_EINVAL, "CA certificates");
    target.cacert = "/nonexistent/ca";
    expect_fault(open_it(), RSP_EINVAL, "/nonexistent/ca");
    ck_assert_int_ne(error.sys_errno, 0);
    stop();
}
END_TEST

START_TEST(ciphers)
{
    listening(PEER_ECHO);
    target.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256";
    ck_assert_msg(!open_it(), "%s", error.message);
    ck_assert_str_eq(net_security(conn), "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256");
    target.ciphersuites = "no-such-suite";
    expect_fault(open_it(), RSP_EINVAL, "ciphers");
    target.ciphersuites = NULL;
    target.ciphers = "no-such-cipher";
    expect_fault(open_it(), RSP_EINVAL, "ciphers");
    stop();
}
END_TEST

START_TEST(no_tls_there)
{
    peer.cert = NULL;
    peer.says = "-ERR unknown command\r\n";
    listening(PEER_BYE);
    expect_fault(open_it(), RSP_ENET, "does not speak TLS");
    stop();
}
END_TEST

START_TEST(the_end)
{
    char text[8];
    size_t got = 0;
    int rc;
    listening(_i ? PEER_CUT : PEER_BYE);
    ck_assert_int_eq(open_it(), RSP_OK);
    ck_assert_int_eq(net_recv_some(conn, text, sizeof text, &got, 20000), RSP_OK);
    ck_assert_mem_eq(text, "bye", 3);
    rc = net_recv_some(conn, text, sizeof text, &got, 20000);
    if (_i && rc == RSP_ENET) expect_fault(rc, RSP_ENET, "cannot receive"); /* as libcurl sees a missing farewell */
    else ck_assert_int_eq(rc, RSP_END);
    stop();
}
END_TEST

/* SIGPIPE has its default action here: it would end the test. */
START_TEST(sending_to_who_has_gone)
{
    static char text[1 << 16];
    int rc = RSP_OK;
    listening(PEER_CUT);
    ck_assert_int_eq(open_it(), RSP_OK);
    peer_stop(&peer);
    for (int i = 0; i < 10000 && !rc; i++) rc = net_send_all(conn, text, sizeof text, 20000);
    expect_fault(rc, RSP_ENET, "cannot send");
}
END_TEST

/* Bytes that wait may be given again from another place, and more of them. */
START_TEST(records_that_wait)
{
    const size_t n = 24 << 20;
    uint8_t *whole = malloc(n), *copy = NULL;
    uint64_t sum = 0;
    size_t at = 0, sent, tries = 0;
    int seen;
    ck_assert_ptr_nonnull(whole);
    for (size_t i = 0; i < n; i++) {
        whole[i] = (uint8_t)(i * 2654435761u >> 24);
        sum = sum * 31 + whole[i];
    }
    listening(PEER_SINK);
    ck_assert_int_eq(open_it(), RSP_OK);
    while (at < n) {
        size_t offered = n - at < 50000 + tries ? n - at : 50000 + tries;
        int rc;
        copy = malloc(offered);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole + at, offered);
        rc = net_send(conn, copy, offered, &sent);
        memset(copy, 0xee, offered);
        free(copy);
        at += sent;
        if (rc == RSP_AGAIN) {
            if (!tries++) ck_assert_int_eq(net_send(conn, whole + at, 1, &sent), RSP_ESTATE);
            if (tries == 10) peer_go(&peer);
            if (tries >= 10) ck_assert_int_eq(net_wait(conn, NET_WRITE, 20000, &seen), RSP_OK);
        } else {
            ck_assert_msg(!rc, "%s", error.message);
        }
    }
    ck_assert_uint_ge(tries, 10);
    net_close(conn);
    conn = NULL;
    /* the sink ends by itself at the close; only then may it be told to stop */
    for (int i = 0; i < 20000 && __atomic_load_n(&peer.bytes, __ATOMIC_SEQ_CST) < n; i++) usleep(1000);
    peer_stop(&peer);
    ck_assert_uint_eq(peer.bytes, n);
    ck_assert_uint_eq(peer.sum, sum);
    free(whole);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tc = tcase_create("tls");
    SRunner *runner;
    int failures;
    tcase_add_unchecked_fixture(tc, begin, end);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, trusted, 0, 2);
    tcase_add_test(tc, not_trusted);
    tcase_add_test(tc, names_are_verified);
    tcase_add_test(tc, over_ipv6_and_unix);
    tcase_add_loop_test(tc, client_certificate, 0, 2);
    tcase_add_test(tc, refused_while_sending);
    tcase_add_test(tc, own_files);
    tcase_add_test(tc, ciphers);
    tcase_add_test(tc, no_tls_there);
    tcase_add_loop_test(tc, the_end, 0, 2);
    tcase_add_test(tc, sending_to_who_has_gone);
    tcase_add_test(tc, records_that_wait);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
