/* What this is: tests of the options that name a server: what counts, what is refused, where the password comes from.
 * Rests on: libcheck.
 * Does not: connect. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/connection.h"
#include "cli/exit.h"
#include "cli/print.h"

enum {
    O_URI,
    O_HOST,
    O_PORT,
    O_SOCKET,
    O_USER,
    O_PASS,
    O_ASKPASS,
    O_PASS_FILE,
    O_CONNECT_DB,
    O_TLS,
    O_SNI,
    O_CACERT,
    O_CACERTDIR,
    O_CERT,
    O_TLS_KEY,
    O_TLS_CIPHERS,
    O_TLS_CIPHERSUITES,
    O_INSECURE,
    O_IPV4,
    O_IPV6,
    O_CONNECT_TIMEOUT,
    O_IDLE_TIMEOUT,
    O_CLUSTER,
    O_SENTINEL_USER,
    O_SENTINEL_PASS,
    O_SENTINEL_PASS_FILE,
    O_COUNT
};
static const struct verb verbs[] = {
    {.name = "go", .bit = 1, .operands = "[URI]", .max = 1, .help = "goes"},
    {.name = "plain", .bit = 2, .help = "has no address"},
    {0},
};
static const struct opt opts[] = {CONNECTION_ROWS(1, 0), CONNECTION_OWN_ROWS(1), {0}};
static const int ids[CONNECTION_COUNT] = CONNECTION_IDS;

static struct options o;
static struct connection n;
static struct opt_value operand;
static char config_uri[200], err[4000], path[] = "/tmp/respite-connection-XXXXXX";

static int config(struct options *parsed)
{
    for (const struct opt *opt = opts; opt->name && config_uri[0]; opt++)
        if (opt->id == O_URI) return options_config(parsed, opt, "conf:3", config_uri) ? EXIT_CONFIG : -1;
    return -1;
}

static const struct program program = {.name = "test",
                                       .about = "tests",
                                       .version = "0",
                                       .verbs = verbs,
                                       .opts = opts,
                                       .count = O_COUNT,
                                       .env_prefix = "RESPITE_",
                                       .config = config};

/* The endpoint of a command line: -1, or the exit status; its words are in err. */
static int go(const char *line)
{
    static char words[1000];
    static char *argv[60];
    static struct rsp_error error;
    struct rsp_env env = {.size = sizeof env, .error = &error};
    int argc = 0, code, old_err = dup(2);
    FILE *f_err = tmpfile();
    size_t got;
    ck_assert(f_err && old_err >= 0);
    connection_close(&n);
    options_free(&o);
    snprintf(words, sizeof words, "test go %s", line);
    for (char *p = strtok(words, " "); p; p = strtok(NULL, " ")) argv[argc++] = p;
    argv[argc] = NULL;
    fflush(stderr);
    dup2(fileno(f_err), 2);
    code = options_parse(&program, argc, argv, &o);
    if (code < 0) {
        operand = (struct opt_value){.count = 1, .from = OPT_FROM_ARGV, .text = o.operands ? o.operand[0] : NULL};
        code = connection_open(&n, &env, &o, ids, o.operands ? &operand : NULL);
    }
    fflush(stderr);
    dup2(old_err, 2);
    close(old_err);
    rewind(f_err);
    got = fread(err, 1, sizeof err - 1, f_err);
    err[got] = 0;
    fclose(f_err);
    return code;
}

static void well(const char *line)
{
    int code = go(line);
    ck_assert_msg(code == -1, "%s: %d %s", line, code, err);
}

static void bad(const char *line, int want, const char *words)
{
    int code = go(line);
    ck_assert_msg(code == want, "%s: %d %s", line, code, err);
    ck_assert_msg(strstr(err, words), "%s: %s", line, err);
    ck_assert_msg(!strstr(err, "s3cret"), "%s: %s", line, err);
    ck_assert(!n.place.endpoint.password);
}

static void teardown(void)
{
    static const char *const names[] = {"REDISCLI_AUTH", "RESPITE_URI", "RESPITE_HOST", "RESPITE_PORT"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unsetenv(names[i]);
    config_uri[0] = 0;
    connection_close(&n);
    options_free(&o);
    unlink(path);
}

static void password_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    ck_assert(f);
    fputs(text, f);
    fclose(f);
    ck_assert(!chmod(path, mode));
}

START_TEST(letters)
{
    well("-h db.example -p 7000 --user bk -4 -t 250ms");
    ck_assert_str_eq(n.place.endpoint.host, "db.example");
    ck_assert_uint_eq(n.place.endpoint.port, 7000);
    ck_assert_str_eq(n.place.endpoint.user, "bk");
    ck_assert_int_eq(n.place.endpoint.family, 4);
    ck_assert_int_eq(n.place.endpoint.connect_ms, 250);
    ck_assert(!n.place.endpoint.tls && !n.place.endpoint.password && !n.place.endpoint.socket);
    well("-s /run/redis.sock -n 3");
    ck_assert_str_eq(n.place.endpoint.socket, "/run/redis.sock");
    ck_assert_uint_eq(n.place.endpoint.db, 3);
    /* As redis-cli: the socket overrides host and port. */
    well("-h a -p 1 -s /x");
    ck_assert_str_eq(n.place.endpoint.socket, "/x");
    well("-h a --tls --sni b --cacert c --cert d --key e --insecure --tls-ciphers f --tls-ciphersuites g -6");
    ck_assert_int_eq(n.place.endpoint.tls, 1);
    ck_assert_str_eq(n.place.endpoint.sni, "b");
    ck_assert_str_eq(n.place.endpoint.cacert, "c");
    ck_assert_str_eq(n.place.endpoint.cert, "d");
    ck_assert_str_eq(n.place.endpoint.key, "e");
    ck_assert_int_eq(n.place.endpoint.insecure, 1);
    ck_assert_str_eq(n.place.endpoint.ciphers, "f");
    ck_assert_str_eq(n.place.endpoint.ciphersuites, "g");
    ck_assert_int_eq(n.place.endpoint.family, 6);
    well("rediss://h --cacertdir c");
    ck_assert_int_eq(n.place.endpoint.tls, 1);
    ck_assert_str_eq(n.place.endpoint.cacertdir, "c");
    well("");
    ck_assert(!n.place.endpoint.host && !n.place.endpoint.port);
}
END_TEST

START_TEST(secrets_in_arguments)
{
    static const char *const lines[] = {"-a s3cret",
                                        "--pass s3cret -h a",
                                        "--pass=s3cret",
                                        "-as3cret",
                                        "redis://:s3cret@a",
                                        "redis://s3cret@a",
                                        "redis://u:s3c@s3cret@a:1/2",
                                        "-u rediss://u:s3cret@a",
                                        "--uri unix://u:s3cret@/x"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) bad(lines[i], EXIT_USAGE, "REDISCLI_AUTH");
    setenv("REDISCLI_AUTH", "other", 1);
    bad("-a s3cret", EXIT_USAGE, "--pass-file");
    well("unix:///run/a@b:c");
}
END_TEST

START_TEST(at_odds)
{
    bad("redis://a -h b", EXIT_USAGE, "named twice");
    bad("redis://a -p 1", EXIT_USAGE, "named twice");
    bad("redis://a -u redis://b", EXIT_USAGE, "named twice");
    bad("-u redis://b -s /x", EXIT_USAGE, "named twice");
    bad("-h a -4 -6", EXIT_USAGE, "-4 and -6");
    bad("-h a --cacert x", EXIT_USAGE, "--cacert");
    bad("redis://a --insecure", EXIT_USAGE, "--insecure");
    bad("-h a --tls --cert x", EXIT_USAGE, "--tls-key");
    bad("-h a --tls --key x", EXIT_USAGE, "--cert");
    bad("-p 0", EXIT_USAGE, "-p");
    bad("redis://a:b", EXIT_USAGE, "port");
    bad("-u redis://a/x", EXIT_USAGE, "URI");
    bad("--askpass", EXIT_USAGE, "no terminal");
    bad("--pass-file /nowhere/x", EXIT_USAGE, "/nowhere/x");
}
END_TEST

START_TEST(nearer_counts)
{
    setenv("RESPITE_URI", "redis://u:s3cret@env:7001/2", 1);
    well("");
    ck_assert_str_eq(n.place.endpoint.host, "env");
    ck_assert_uint_eq(n.place.endpoint.port, 7001);
    ck_assert_str_eq(n.place.endpoint.user, "u");
    ck_assert_str_eq(n.place.endpoint.password, "s3cret");
    ck_assert_uint_eq(n.place.endpoint.db, 2);
    /* The whole URI gives way, its password too. */
    well("-h near");
    ck_assert_str_eq(n.place.endpoint.host, "near");
    ck_assert(!n.place.endpoint.port && !n.place.endpoint.password && !n.place.endpoint.user);
    well("redis://other");
    ck_assert_str_eq(n.place.endpoint.host, "other");
    ck_assert(!n.place.endpoint.password);
    well("--user me");
    ck_assert_str_eq(n.place.endpoint.user, "me");
    setenv("RESPITE_HOST", "host", 1);
    bad("", EXIT_USAGE, "named twice");
    unsetenv("RESPITE_URI");
    well("-p 5");
    ck_assert_str_eq(n.place.endpoint.host, "host");
    well("redis://other");
    ck_assert_str_eq(n.place.endpoint.host, "other");
    unsetenv("RESPITE_HOST");
    snprintf(config_uri, sizeof config_uri, "rediss://:s3cret@conf");
    well("");
    ck_assert_str_eq(n.place.endpoint.host, "conf");
    ck_assert_str_eq(n.place.endpoint.password, "s3cret");
    well("-h near");
    ck_assert(!n.place.endpoint.password && !n.place.endpoint.tls);
    snprintf(config_uri, sizeof config_uri, "redis://:s3cret@conf:port");
    bad("", EXIT_CONFIG, "conf:3");
}
END_TEST

START_TEST(passwords)
{
    char line[100];
    snprintf(line, sizeof line, "-h a --pass-file %s", path);
    setenv("REDISCLI_AUTH", "of the environment", 1);
    well("-h a");
    ck_assert_str_eq(n.place.endpoint.password, "of the environment");
    password_file("of a file\n", 0600);
    well(line);
    ck_assert_str_eq(n.place.endpoint.password, "of a file");
    ck_assert_str_eq(err, "");
    password_file("of a file", 0644);
    well(line);
    ck_assert(strstr(err, "chmod 600"));
    password_file("\n", 0600);
    bad(line, EXIT_USAGE, "empty");
    snprintf(config_uri, sizeof config_uri, "redis://:far@conf");
    well("");
    ck_assert_str_eq(n.place.endpoint.host, "conf");
    ck_assert_str_eq(n.place.endpoint.password, "of the environment");
    bad("--askpass", EXIT_USAGE, "no terminal"); /* and not what the environment holds */
    connection_close(&n);
    ck_assert(!n.room && !n.place.endpoint.password);
}
END_TEST

START_TEST(texts)
{
    static const struct {
        const char *line, *name;
    } names[] = {{"redis://10.0.0.2", "10.0.0.2-6379"},
                 {"redis://a:7000/3", "a-7000"},
                 {"rediss://[::1]:7", "___1_-7"},
                 {"unix:///run/redis.sock?db=2", "_run_redis.sock"},
                 {"-h db -p 9", "db-9"},
                 {"-p 9", "127.0.0.1-9"},
                 {"-h db", "db-6379"},
                 {"-s /run/a~b", "_run_a_b"}};
    char out[CONNECTION_NAME];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        well(names[i].line);
        connection_name(&o, ids, o.operands ? &operand : NULL, out);
        ck_assert_str_eq(out, names[i].name);
    }
    setenv("RESPITE_URI", "redis://u:s3cret@env", 1);
    well("");
    connection_name(&o, ids, NULL, out);
    ck_assert_str_eq(out, "env-6379");
    ck_assert_int_eq(connection_named(&o, ids, NULL), OPT_FROM_ENV);
    connection_hide("redis://u:s3c@s3cret@env:1/2", out, sizeof out);
    ck_assert_str_eq(out, "redis://***@env:1/2");
    connection_hide("redis://env:1", out, sizeof out);
    ck_assert_str_eq(out, "redis://env:1");
    ck_assert(connection_has_password("redis://x@h") && !connection_has_password("redis://h") &&
              connection_has_password("redis:///x@h") && !connection_has_password("unix:///a@b"));
    ck_assert_int_eq(connection_exit(RSP_ENET, EXIT_SOURCE), EXIT_SOURCE);
    ck_assert_int_eq(connection_exit(RSP_EAUTH, EXIT_TARGET), EXIT_TARGET);
    ck_assert_int_eq(connection_exit(RSP_ETRUNCATED, EXIT_SOURCE), EXIT_SOURCE);
    ck_assert_int_eq(connection_exit(RSP_ECHECKSUM, EXIT_TARGET), EXIT_INTEGRITY);
}
END_TEST

int main(void)
{
    SRunner *runner;
    Suite *suite = suite_create("connection");
    TCase *c = tcase_create("connection");
    int failed, fd = mkstemp(path), null = open("/dev/null", O_RDONLY);
    if (fd < 0 || null < 0) return 1;
    close(fd);
    /* Nobody can be asked: no terminal, not even a controlling one. */
    dup2(null, 0);
    (void)setsid();
    tcase_add_checked_fixture(c, teardown, teardown);
    tcase_add_test(c, letters);
    tcase_add_test(c, secrets_in_arguments);
    tcase_add_test(c, at_odds);
    tcase_add_test(c, nearer_counts);
    tcase_add_test(c, passwords);
    tcase_add_test(c, texts);
    suite_add_tcase(suite, c);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    unlink(path);
    return failed != 0;
}
