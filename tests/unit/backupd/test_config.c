/* What this is: tests of the configuration file: grammar, refusals with their line, which value counts.
 * Rests on: libcheck.
 * Does not: open repositories. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backupd/config.h"
#include "backupd/options.h"
#include "cli/exit.h"
#include "cli/print.h"

static struct options o;
static char err[4000], path[] = "/tmp/respite-config-XXXXXX";

static void slurp(FILE *f)
{
    size_t n;
    rewind(f);
    n = fread(err, 1, sizeof err - 1, f);
    err[n] = 0;
    fclose(f);
}

/* Parses the words with text as the file of --config. */
static int run(const char *text, size_t n, const char *line)
{
    static char words[1000];
    static char *argv[60];
    int argc = 0, code, old_err = dup(2);
    FILE *f_err = tmpfile(), *f = fopen(path, "w");
    ck_assert(f_err && f && old_err >= 0);
    ck_assert_uint_eq(fwrite(text, 1, n, f), n);
    fclose(f);
    options_free(&o);
    snprintf(words, sizeof words, "backupd %s --config %s", line, path);
    for (char *p = strtok(words, " "); p; p = strtok(NULL, " ")) argv[argc++] = p;
    argv[argc] = NULL;
    dup2(fileno(f_err), 2);
    code = options_parse(&backupd_program, argc, argv, &o);
    dup2(old_err, 2);
    close(old_err);
    slurp(f_err);
    return code;
}

static void go(const char *text, const char *line)
{
    int code = run(text, strlen(text), line);
    ck_assert_msg(code == -1, "%s: %d %s", line, code, err);
}

static const char *const sample = "# a comment\n"
                                  "; another\n"
                                  "\n"
                                  "[global]\n"
                                  "repo = main\r\n"
                                  "  level=5  \n"
                                  "keep-daily = 3\n"
                                  "[ repo   main ]\n"
                                  "url = file:/srv/a\n"
                                  "keep-daily = 14\n"
                                  "passphrase-command = \"cat \\\"a # b\\\" \\\\x\" ; why\n"
                                  "[repo other]\n"
                                  "url = file:/srv/b\n"
                                  "[source cache]\n"
                                  "from = /var/lib/redis/dump.rdb\n"
                                  "tag = a=1\n"
                                  "tag = b=2\n"
                                  "level = 7\n"
                                  "no-digest = yes\n"
                                  "[source two]\n"
                                  "repo = other\n"
                                  "no-digest = no";

static const char *url(void)
{
    const char *name, *u;
    int code;
    u = config_url(&o, o.value[O_REPO].text, &name, &code);
    ck_assert_int_eq(code, EXIT_OK);
    return u;
}

START_TEST(values)
{
    char where[100];
    go(sample, "backup --source cache");
    ck_assert_str_eq(url(), "file:/srv/a");
    ck_assert_int_eq(o.value[O_LEVEL].number, 7);
    ck_assert_int_eq(o.value[O_NO_DIGEST].count, 1);
    ck_assert_uint_eq(o.value[O_TAG].n, 2);
    ck_assert_str_eq(o.value[O_TAG].list[1], "b=2");
    ck_assert_str_eq(o.value[O_FROM].text, "/var/lib/redis/dump.rdb");
    ck_assert_str_eq(o.value[O_PASSPHRASE_COMMAND].text, "cat \"a # b\" \\x");
    snprintf(where, sizeof where, "%s:18", path);
    ck_assert_str_eq(o.value[O_LEVEL].where, where);
    go(sample, "backup --source two --level 9");
    ck_assert_str_eq(url(), "file:/srv/b");
    ck_assert_int_eq(o.value[O_LEVEL].number, 9);
    ck_assert_int_eq(o.value[O_LEVEL].from, OPT_FROM_ARGV);
    ck_assert_int_eq(o.value[O_NO_DIGEST].count, 0);
    ck_assert_ptr_null(o.value[O_PASSPHRASE_COMMAND].text);
    go(sample, "backup");
    ck_assert_int_eq(o.value[O_LEVEL].number, 5);
    ck_assert_str_eq(o.value[O_SOURCE].text, CONFIG_SOURCE);
    go(sample, "expire");
    ck_assert_int_eq(o.value[O_KEEP_DAILY].number, 14);
    go(sample, "expire --repo other");
    ck_assert_int_eq(o.value[O_KEEP_DAILY].number, 3);
    go(sample, "expire --repo file:/elsewhere");
    ck_assert_str_eq(url(), "file:/elsewhere");
    ck_assert_str_eq(config_source_name(&o, 1), "two");
    ck_assert_ptr_null(config_source_name(&o, 2));
}
END_TEST

START_TEST(environment)
{
    setenv("RESPITE_LEVEL", "2", 1);
    go(sample, "backup --source cache");
    ck_assert_int_eq(o.value[O_LEVEL].number, 2);
    ck_assert_int_eq(o.value[O_LEVEL].from, OPT_FROM_ENV);
    setenv("RESPITE_REPO", "other", 1);
    go(sample, "expire");
    ck_assert_str_eq(url(), "file:/srv/b");
}
END_TEST

static const char *const servers = "[source cache]\n"
                                   "uri = redis://u:s3cret@a:7000\n"
                                   "method = scan\n"
                                   "[source b-6379]\n"
                                   "patience = 5s\n"
                                   "[source default]\n"
                                   "host = d\n";

static void is_source(const char *name, enum opt_from from)
{
    ck_assert_str_eq(o.value[O_SOURCE].text, name);
    ck_assert_int_eq(o.value[O_SOURCE].from, from);
}

/* The operand is the source, or the server is, under its address; a restore is led nowhere. */
START_TEST(sources)
{
    go(servers, "backup cache");
    is_source("cache", OPT_FROM_ARGV);
    ck_assert_str_eq(o.value[O_URI].text, "redis://u:s3cret@a:7000");
    ck_assert_int_eq(o.value[O_METHOD].number, 2);
    ck_assert(config_has_source(&o, "cache") && !config_has_source(&o, "other"));
    go(servers, "check --source cache");
    ck_assert_int_eq(o.value[O_URI].from, OPT_FROM_CONFIG);
    go(servers, "backup redis://b");
    is_source("b-6379", OPT_FROM_ARGV);
    ck_assert_int_eq(o.value[O_PATIENCE].number, 5000);
    ck_assert_ptr_null(o.value[O_HOST].text);
    go(servers, "backup redis://b --source cache");
    is_source("cache", OPT_FROM_ARGV);
    go(servers, "backup -h b");
    is_source("b-6379", OPT_FROM_ARGV);
    go(servers, "backup");
    is_source(CONFIG_SOURCE, OPT_FROM_DEFAULT);
    ck_assert_str_eq(o.value[O_HOST].text, "d");
    go(servers, "backup --from /x");
    is_source(CONFIG_SOURCE, OPT_FROM_DEFAULT);
    setenv("RESPITE_HOST", "b", 1);
    go(servers, "check");
    is_source("b-6379", OPT_FROM_ENV);
    go(servers, "backup --from /x");
    is_source(CONFIG_SOURCE, OPT_FROM_DEFAULT);
    unsetenv("RESPITE_HOST");
    go(servers, "restore latest --source cache");
    ck_assert_ptr_null(o.value[O_URI].text);
    go(servers, "restore latest");
    ck_assert_ptr_null(o.value[O_HOST].text);
    ck_assert_int_eq(run(servers, strlen(servers), "backup cache --source default"), EXIT_USAGE);
    /* A password is its owner's. */
    chmod(path, 0604);
    ck_assert_int_eq(run(servers, strlen(servers), "list"), EXIT_CONFIG);
    ck_assert_ptr_nonnull(strstr(err, ":2: a password stands here"));
    ck_assert_ptr_null(strstr(err, "s3cret"));
    go("[source a]\nuri = redis://b\n", "list");
    chmod(path, 0600);
}
END_TEST

static const struct {
    const char *text, *err; /* behind "backupd: PATH:" */
} bad[] = {
    {"level = 3\n", "1: a key stands before the first section\n"},
    {"[global]\nlevel\n", "2: neither a [section] nor 'key = value'\n"},
    {"[global]\n= 3\n", "2: a key is missing before '='\n"},
    {"[global]\nlevel =\n", "2: level: has no value\n"},
    {"[global]\nlevel = \"\"\n", "2: level: has no value\n"},
    {"[global]\nlevel = 23\n", "2: level: '23' is not within 1 and 22\n"},
    {"[global]\nlevel = 3 # fast\n",
     "2: a comment stands on a line of its own; if '#' belongs to the value, use quotation marks\n"},
    {"[global]\nlevel = 3\n\nlevel = 3\n", "4: level: stands twice in this section; before at PATH:2\n"},
    {"[global]\nlevels = 3\n", "2: unknown key 'levels'\n"},
    {"[global]\nfrom = /x\n", "2: key 'from' does not belong into [global], but into [source NAME]\n"},
    {"[repo a]\nlevel = 3\n", "2: key 'level' does not belong into [repo], but into [global]\n"},
    {"[global]\njson = yes\n", "2: unknown key 'json'\n"},
    {"[repo a]\npassphrase = x\n",
     "2: no secret stands in this file: name a file by passphrase-file, pass-file (of a server's password), "
     "repo-password-file or s3-secret-file, or a command by passphrase-command, repo-password-command or "
     "s3-secret-command\n"},
    {"[source a]\npass = x\n",
     "2: no secret stands in this file: name a file by passphrase-file, pass-file (of a server's password), "
     "repo-password-file or s3-secret-file, or a command by passphrase-command, repo-password-command or "
     "s3-secret-command\n"},
    {"[repo a]\nurl = s3://b\nlock = forever\n",
     "3: lock: 'forever' is not such as governance:30d or compliance:30d\n"},
    {"[source a]\nhost-key = SHA256:x\n", "2: key 'host-key' does not belong into [source], but into [repo NAME]\n"},
    {"[source a]\nuri = x@host\n",
     "2: uri: is no URI such as redis://host:port, rediss://host:port, unix:///path, sentinel://host:port/NAME or cluster://host:port\n"},
    {"[global]\nuri = redis://a\n", "2: key 'uri' does not belong into [global], but into [source NAME]\n"},
    {"[source a]\nport = 70000\n", "2: port: '70000' is not within 1 and 65535\n"},
    {"[source a]\nto = /x\n", "2: unknown key 'to'\n"},
    {"[repo a]\nurl = /srv\n", "2: url: '/srv' is no URL such as file:/srv/backup\n"},
    {"[repo a]\nurl = file:/a\nurl = file:/b\n", "3: url: stands twice in this section; before at PATH:2\n"},
    {"[global]\nurl = file:/a\n", "2: unknown key 'url'\n"},
    {"[global]\nverbose = maybe\n", "2: verbose: 'maybe' is neither yes nor no\n"},
    {"[global]\nstate = \"/a\n", "2: the closing quotation mark is missing\n"},
    {"[global]\nstate = \"/a\" b\n", "2: 'b' stands behind the closing quotation mark\n"},
    {"[global]\nstate = /a\"b\n", "2: a quotation mark within a value: put the whole value in quotation marks\n"},
    {"[global]\nstate = a\033[2J\n", "2: a control character\n"},
    {"[global\n", "1: a section is [global], [repo NAME] or [source NAME]\n"},
    {"[global] x\n", "1: a section is [global], [repo NAME] or [source NAME]\n"},
    {"[global x]\n", "1: [global] has no name\n"},
    {"[repo]\n", "1: [repo NAME] wants a name without blanks, ':' and '/'\n"},
    {"[repo a b]\n", "1: [repo NAME] wants a name without blanks, ':' and '/'\n"},
    {"[repo a:b]\n", "1: [repo NAME] wants a name without blanks, ':' and '/'\n"},
    {"[]\n", "1: unknown section []; there are [global], [repo NAME] and [source NAME]\n"},
    {"[server a]\n", "1: unknown section [server a]; there are [global], [repo NAME] and [source NAME]\n"},
    {"[repo a]\nurl = file:/a\n[repo a]\n", "3: the section stands already at line 1\n"},
    {"[source a]\ncheck = deep\n", "2: check: 'deep' is none of full|quick\n"},
};

/* Also in a section that does not count, and by a verb that has no such option. */
START_TEST(refused)
{
    char want[1000];
    const char *at = strstr(bad[_i].err, "PATH"), *head;
    int code = run(bad[_i].text, strlen(bad[_i].text), "list --repo file:/x");
    ck_assert_msg(code == EXIT_CONFIG, "%s: %d %s", bad[_i].text, code, err);
    /* A bad value is told by the parser of values, which names the verb. */
    head = strstr(err, "list: ") ? "backupd: list: " : "backupd: ";
    if (at)
        snprintf(want, sizeof want, "%s%s:%.*s%s%s", head, path, (int)(at - bad[_i].err), bad[_i].err, path, at + 4);
    else snprintf(want, sizeof want, "%s%s:%s", head, path, bad[_i].err);
    ck_assert_str_eq(err, want);
}
END_TEST

START_TEST(files)
{
    const char *name;
    int code;
    ck_assert_int_eq(run("[global]\nlevel = \0003\n", 19, "list"), EXIT_CONFIG);
    ck_assert_ptr_nonnull(strstr(err, ":2: a byte of zero"));
    go("", "list");
    ck_assert_ptr_null(config_url(&o, NULL, &name, &code));
    ck_assert_int_eq(code, EXIT_OK);
    chmod(path, 0646);
    ck_assert_int_eq(run("", 0, "list"), EXIT_CONFIG);
    ck_assert_ptr_nonnull(strstr(err, "everybody may write to it"));
    chmod(path, 0600);
    unlink(path);
    mkdir(path, 0700);
    options_free(&o);
    {
        char *argv[] = {"backupd", "list", "--config", path, NULL};
        ck_assert_int_eq(options_parse(&backupd_program, 4, argv, &o), EXIT_CONFIG);
        options_free(&o);
        rmdir(path);
        ck_assert_int_eq(options_parse(&backupd_program, 4, argv, &o), EXIT_CONFIG);
    }
}
END_TEST

/* Cut anywhere it is a shorter file or an error with its line, never a crash. */
START_TEST(cut)
{
    size_t n = strlen(sample);
    for (size_t i = 0; i < n; i++) {
        int code = run(sample, i, "backup");
        ck_assert_msg(code == -1 || (code == EXIT_CONFIG && strstr(err, path)), "%zu: %d %s", i, code, err);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("config");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures, fd;
    fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, values);
    tcase_add_test(t, environment);
    tcase_add_test(t, sources);
    tcase_add_loop_test(t, refused, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(t, cut);
    tcase_add_test(t, files);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    unlink(path);
    return failures != 0;
}
