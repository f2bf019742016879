/* What this is: tests of SFTP's texts: lines of folders, prints of host keys, key files, quoting; and of what is said
 *   before anybody is spoken to.
 * Rests on: libcheck, net/sftp_impl.h.
 * Does not: speak to a server (tests/live/store). */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/sftp_impl.h"

static struct rsp_error error;
static struct rsp_env env;
static int left; /* allocations that succeed; -1: all */

static void *resize(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    if (!left) return NULL;
    if (left > 0) left--;
    return realloc(p, n);
}

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error, .resize = resize};
    left = -1;
    rsp_error_clear(&error);
    env_init(&env, &given);
}

/* ---- lines ---- */

static const struct {
    const char *line;
    int kind; /* -1: not understood */
    const char *name;
} lines[] = {
    {"-rw-r--r--    1 root     root         3000 Nov 20 15:02 f", SFTP_FILE, "f"},
    {"-rw-rw-rw-   1 domain users  1 Nov 20  2024 data.1", SFTP_FILE, "data.1"},
    {"-rw-r--r--+   1 root     root         3000 Nov 20 15:02 f", SFTP_FILE, "f"},
    {"-rw-r--r--.   1 root     root         3000 Nov 20 15:02 f", SFTP_FILE, "f"},
    {"drwxr-sr-t    3 root     root         4096 Nov 20 15:02 ..", SFTP_FOLDER, ".."},
    {"drwx------    3 root     root         4096 Nov 20 15:02 a", SFTP_FOLDER, "a"},
    {"lrwxrwxrwx    1 root     root            1 Nov 20 15:02 l -> f", SFTP_OTHER, "f"},
    {"prw-r--r--    1 root     root            0 Nov 20 15:02 pipe", SFTP_OTHER, "pipe"},
    {"-rw-r--r--    1 root     root         3000 Nov 20 15:02 a b", SFTP_FILE, "b"},
    {"-rw-r--r-- f", SFTP_FILE, "f"},
    {"-rw-r--r-- ", -1, NULL},
    {"-rw-r--r--f", -1, NULL},
    {"-rw-r--r--", -1, NULL},
    {"-rw-r--r--    1 root     root         3000 Nov 20 15:02 ", SFTP_FILE, ""},
    {"", -1, NULL},
    {"total 5", -1, NULL},
    {"05-20-26  10:00AM  12 file", -1, NULL},
    {"xrw-r--r--    1 root     root         3000 Nov 20 15:02 f", -1, NULL},
    {"-rw-r-?r--    1 root     root         3000 Nov 20 15:02 f", -1, NULL},
    {"-rw-r--r--x   1 root     root         3000 Nov 20 15:02 f", -1, NULL},
};

START_TEST(a_line)
{
    const char *line = lines[_i].line;
    enum sftp_kind kind = SFTP_OTHER;
    struct rsp_span name = {0};
    size_t n = strlen(line);
    uint8_t *p = malloc(n ? n : 1); /* no byte more than there is */
    memcpy(p, line, n);
    if (lines[_i].kind < 0) {
        ck_assert_int_eq(sftp_line(p, n, &kind, &name), -1);
    } else {
        ck_assert_int_eq(sftp_line(p, n, &kind, &name), 0);
        ck_assert_int_eq((int)kind, lines[_i].kind);
        ck_assert_uint_eq(name.n, strlen(lines[_i].name));
        ck_assert(!memcmp(name.p, lines[_i].name, name.n));
    }
    free(p);
}
END_TEST

START_TEST(a_line_with_a_zero)
{
    static const uint8_t line[] = "-rw-r--r-- 1 root root 3000 Nov 20 15:02 f\0g";
    enum sftp_kind kind;
    struct rsp_span name;
    ck_assert_int_eq(sftp_line(line, sizeof line - 1, &kind, &name), -1);
    ck_assert_int_eq(sftp_line(line, sizeof line - 3, &kind, &name), 0);
}
END_TEST

/* ---- prints ---- */

START_TEST(prints)
{
    char print[SFTP_PRINT_BYTES], other[SFTP_PRINT_BYTES], text[80];
    sftp_print((const uint8_t *)"abc", 3, print);
    ck_assert_str_eq(print, "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
    sftp_print((const uint8_t *)"abd", 3, other);
    ck_assert_int_eq(sftp_pin_is(print, print), 1);
    ck_assert_int_eq(sftp_pin_is(print + 7, print), 1);
    snprintf(text, sizeof text, "%s=", print);
    ck_assert_int_eq(sftp_pin_is(text, print), 1);
    ck_assert_int_eq(sftp_pin_is(other, print), 0);
    snprintf(text, sizeof text, "%s==", print);
    ck_assert_int_eq(sftp_pin_is(text, print), -1);
    snprintf(text, sizeof text, "%.30s", print);
    ck_assert_int_eq(sftp_pin_is(text, print), -1);
    snprintf(text, sizeof text, "%sA", print);
    ck_assert_int_eq(sftp_pin_is(text, print), -1);
    ck_assert_int_eq(sftp_pin_is("", print), -1);
    ck_assert_int_eq(sftp_pin_is("MD5:aa:bb", print), -1);
}
END_TEST

/* ---- keys ---- */

#define HEAD "-----BEGIN OPENSSH PRIVATE KEY-----\n"
static const struct {
    const char *text;
    int rsa, locked;
} keys[] = {
    /* "openssh-key-v1\0" "\0\0\0\4none" "\0\0\0\4none" "\0\0\0\0" "\0\0\0\1" and the type */
    {HEAD "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQ==\n", 0, 0},
    {HEAD "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAdzc2gtcnNh\n", 1, 0},
    {HEAD "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGA==\n", 0, 1},
    {"-----BEGIN RSA PRIVATE KEY-----\nMIIE", 1, 0},
    {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", 1, 1},
    {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE", 0, 1},
    {"-----BEGIN PRIVATE KEY-----\nMC4CAQ", 0, 0},
    {"", 0, 0},
};

START_TEST(a_key)
{
    int rsa = -1, locked = -1;
    sftp_key_look((const uint8_t *)keys[_i].text, strlen(keys[_i].text), &rsa, &locked);
    ck_assert_int_eq(rsa, keys[_i].rsa);
    ck_assert_int_eq(locked, keys[_i].locked);
}
END_TEST

/* ---- commands ---- */

START_TEST(quoting)
{
    struct sftp_commands l;
    sftp_commands_init(&l, &env);
    ck_assert_int_eq(sftp_command(&l, 0, "rename", "/a b\"'\\c", "/d"), RSP_OK);
    ck_assert_int_eq(sftp_command(&l, 1, "rm", "/e", NULL), RSP_OK);
    ck_assert_str_eq((const char *)l.text.p, "rename \"/a b\\\"\\'\\\\c\" \"/d\"");
    ck_assert_str_eq((const char *)l.text.p + strlen((const char *)l.text.p) + 1, "*rm \"/e\"");
    sftp_commands_free(&l);
}
END_TEST

/* ---- before anybody is spoken to ---- */

#define PIN "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0"
static const struct {
    struct sftp_login login;
    int status;
    const char *words;
} logins[] = {
    {{.host = "h", .password = "p", .pin = PIN}, RSP_EINVAL, "no user"},
    {{.host = "h", .user = "", .password = "p", .pin = PIN}, RSP_EINVAL, "no user"},
    {{.host = "h", .user = "u", .password = "p"}, RSP_EINVAL, "known_hosts"},
    {{.host = "h", .user = "u", .password = "p", .pin = "SHA256:x"}, RSP_EINVAL, "fingerprint"},
    {{.host = "h", .user = "u", .pin = PIN}, RSP_EINVAL, "nothing to log in with"},
    {{.host = "h", .user = "u", .key = "/nonexistent/key", .pin = PIN}, RSP_ENOTFOUND, "cannot read"},
    {{.host = "h", .user = "u", .key = "/dev/null", .pin = PIN}, RSP_EINVAL, "not an SSH key"},
    {{.host = "h", .user = "u", .password = "p", .pin = PIN}, RSP_OK, ""},
    {{.host = "h", .user = "u", .agent = 1, .known_hosts = "/nonexistent"}, RSP_OK, ""},
};

START_TEST(a_login)
{
    struct net_client *client = NULL;
    struct sftp_server *server = NULL;
    ck_assert_int_eq(net_client_new(&env, NULL, &client), RSP_OK);
    ck_assert_int_eq(sftp_server_new(&env, client, &logins[_i].login, &server), logins[_i].status);
    ck_assert_ptr_nonnull(strstr(error.message, logins[_i].words));
    ck_assert(!logins[_i].status == !!server);
    sftp_server_free(server);
    net_client_free(client);
}
END_TEST

START_TEST(every_allocation_fails)
{
    const struct sftp_login login = {.host = "127.0.0.1", .port = 1, .user = "u", .password = "p", .pin = PIN};
    int rc = RSP_ENOMEM;
    for (int n = 0; rc == RSP_ENOMEM; n++) {
        struct net_client *client = NULL;
        struct sftp_server *server = NULL;
        struct sftp_commands l;
        ck_assert_int_lt(n, 100);
        rsp_error_clear(&error);
        sftp_commands_init(&l, &env);
        left = n;
        rc = net_client_new(&env, NULL, &client);
        if (!rc) rc = sftp_server_new(&env, client, &login, &server);
        if (!rc) rc = sftp_command(&l, 1, "rm", "/x", NULL);
        if (!rc) {
            struct sftp_call call = {server, &env, "/x", "the file"};
            rc = sftp_run(&call, &l);
        }
        left = -1;
        sftp_commands_free(&l);
        sftp_server_free(server);
        net_client_free(client);
    }
    ck_assert_int_eq(rc, RSP_ENET); /* nobody listens there */
    ck_assert_int_eq(error.retryable, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sftp");
    TCase *tc = tcase_create("sftp");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_loop_test(tc, a_line, 0, (int)(sizeof lines / sizeof lines[0]));
    tcase_add_test(tc, a_line_with_a_zero);
    tcase_add_test(tc, prints);
    tcase_add_loop_test(tc, a_key, 0, (int)(sizeof keys / sizeof keys[0]));
    tcase_add_test(tc, quoting);
    tcase_add_loop_test(tc, a_login, 0, (int)(sizeof logins / sizeof logins[0]));
    tcase_add_test(tc, every_allocation_fails);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
