/* What this is: tests of verbs of two words, variables by a prefix, values of a configuration, options that may stand
 *   alone.
 * Rests on: libcheck.
 * Does not: know any real program's table. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/options.h"

enum { O_NAME, O_FORCE, O_TAG, O_SHARE, O_COUNT };
enum { V_NEW = 1, V_ADD = 2, V_LIST = 4 };

static const struct verb verbs[] = {
    {.name = "key new", .bit = V_NEW, .help = "make one"},
    {.name = "key add", .bit = V_ADD, .operands = "PUB", .min = 1, .max = 1, .help = "add one"},
    {.name = "list", .bit = V_LIST, .help = "all"},
    {0},
};
static const struct opt opts[] = {
    {O_NAME, "long-name", 'n', OPT_STRING, .text = "nobody", .verbs = VERB_ALL, .sections = 1, .help = "called so"},
    {O_FORCE, "force", 0, OPT_FLAG, .verbs = V_ADD | V_LIST, .env = "OTHER_FORCE", .sections = 1,
     .help = "all the same"},
    {O_TAG, "tag", 0, OPT_INT, .repeat = 1, .verbs = VERB_ALL, .sections = 1, .max = 9, .help = "facts"},
    {O_SHARE, "share", 0, OPT_PERCENT, .alone = "100%", .verbs = V_LIST, .help = "so much"},
    {0},
};

static int config_calls, config_freed, config_code = -1;
static int load(struct options *o)
{
    config_calls++;
    o->config = &config_freed;
    if (config_code != -1) return config_code;
    if (options_config(o, &opts[O_NAME], "file:1", "filed")) return EXIT_CONFIG;
    if (options_config(o, &opts[O_TAG], "file:2", "3") || options_config(o, &opts[O_TAG], "file:3", "4"))
        return EXIT_CONFIG;
    return -1;
}
static void unload(void *config)
{
    if (config) ++*(int *)config;
}

static const struct program program = {.name = "tool",
                                       .about = "tests options",
                                       .version = "9.9",
                                       .verbs = verbs,
                                       .opts = opts,
                                       .count = O_COUNT,
                                       .env_prefix = "TOOL_",
                                       .config = load,
                                       .config_free = unload};

static struct options o;
static char out[20000], err[4000];

static void slurp(FILE *f, char *text, size_t size)
{
    size_t n;
    rewind(f);
    n = fread(text, 1, size - 1, f);
    text[n] = 0;
    fclose(f);
}

static int run(const char *line)
{
    static char words[1000];
    static char *argv[60];
    int argc = 0, code, old_out = dup(1), old_err = dup(2);
    FILE *f_out = tmpfile(), *f_err = tmpfile();
    ck_assert(f_out && f_err && old_out >= 0 && old_err >= 0);
    options_free(&o);
    snprintf(words, sizeof words, "tool %s", line);
    for (char *p = strtok(words, " "); p; p = strtok(NULL, " ")) argv[argc++] = p;
    argv[argc] = NULL;
    fflush(stdout);
    dup2(fileno(f_out), 1);
    dup2(fileno(f_err), 2);
    code = options_parse(&program, argc, argv, &o);
    fflush(stdout);
    dup2(old_out, 1);
    dup2(old_err, 2);
    close(old_out);
    close(old_err);
    slurp(f_out, out, sizeof out);
    slurp(f_err, err, sizeof err);
    return code;
}

START_TEST(two_words)
{
    ck_assert_int_eq(run("key new --tag 1"), -1);
    ck_assert_uint_eq(o.verb->bit, V_NEW);
    ck_assert_str_eq(o.word, "key new");
    ck_assert_int_eq(run("key add abc --force"), -1);
    ck_assert_uint_eq(o.operands, 1);
    ck_assert_str_eq(o.operand[0], "abc");
    ck_assert_int_eq(run("key"), EXIT_USAGE);
    ck_assert_str_eq(err, "tool: 'key' needs a second word: new, add\n");
    ck_assert_int_eq(run("key --tag 1"), EXIT_USAGE);
    ck_assert_int_eq(run("key nwe"), EXIT_USAGE);
    ck_assert_str_eq(err, "tool: unknown verb 'key nwe'; did you mean 'key new'?\n");
    ck_assert_int_eq(run("key zzzz"), EXIT_USAGE);
    ck_assert_str_eq(err, "tool: unknown verb 'key zzzz'; there are: new, add\n");
    ck_assert_int_eq(run("new"), EXIT_USAGE);
    ck_assert_int_eq(run("key add"), EXIT_USAGE);
    ck_assert_str_eq(err, "tool: key add: PUB is missing; usage: tool key add [options] PUB\n");
}
END_TEST

START_TEST(help)
{
    ck_assert_int_eq(run("help key add"), EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "usage: tool key add [options] PUB\n"));
    ck_assert_ptr_nonnull(strstr(out, "[TOOL_LONG_NAME]"));
    ck_assert_ptr_nonnull(strstr(out, "[OTHER_FORCE]"));
    ck_assert_int_eq(run("key new --help"), EXIT_OK);
    ck_assert_ptr_null(strstr(out, "--force"));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(run(i ? "help key" : "key --help"), EXIT_OK);
        ck_assert_ptr_nonnull(strstr(out, "  key new                 make one\n"));
        ck_assert_ptr_null(strstr(out, "  list"));
    }
    ck_assert_int_eq(run("help list"), EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "--share[=PERCENT]"));
    ck_assert_int_eq(config_calls, 0);
}
END_TEST

START_TEST(precedence)
{
    ck_assert_int_eq(run("list"), -1);
    ck_assert_str_eq(o.value[O_NAME].text, "filed");
    ck_assert_int_eq(o.value[O_NAME].from, OPT_FROM_CONFIG);
    ck_assert_str_eq(o.value[O_NAME].where, "file:1");
    ck_assert_uint_eq(o.value[O_TAG].n, 2);
    ck_assert_str_eq(o.value[O_TAG].list[1], "4");
    setenv("TOOL_LONG_NAME", "air", 1);
    setenv("TOOL_TAG", "7", 1);
    ck_assert_int_eq(run("list"), -1);
    ck_assert_str_eq(o.value[O_NAME].text, "air");
    ck_assert_int_eq(o.value[O_NAME].from, OPT_FROM_ENV);
    ck_assert_uint_eq(o.value[O_TAG].n, 1);
    ck_assert_int_eq(run("list -n argued --tag 1"), -1);
    ck_assert_str_eq(o.value[O_NAME].text, "argued");
    ck_assert_str_eq(o.value[O_TAG].list[0], "1");
    ck_assert_uint_eq(o.value[O_TAG].n, 1);
    setenv("OTHER_FORCE", "yes", 1);
    ck_assert_int_eq(run("list"), -1);
    ck_assert_int_eq(o.value[O_FORCE].count, 1);
    setenv("TOOL_TAG", "12", 1);
    ck_assert_int_eq(run("list"), EXIT_USAGE);
    ck_assert_str_eq(err, "tool: list: TOOL_TAG: '12' is not within 0 and 9\n");
}
END_TEST

START_TEST(config_ends)
{
    int before = config_freed;
    config_code = EXIT_CONFIG;
    ck_assert_int_eq(run("list"), EXIT_CONFIG);
    options_free(&o);
    ck_assert_int_eq(config_freed, before + 1);
    config_code = -1;
    ck_assert_int_eq(run("list"), -1);
    ck_assert_int_eq(options_config_check(&o, &opts[O_TAG], "f:1", "8"), EXIT_OK);
    options_free(&o);
    ck_assert_int_eq(config_freed, before + 2);
}
END_TEST

START_TEST(alone_and_percent)
{
    ck_assert_int_eq(run("list --share"), -1);
    ck_assert_int_eq(o.value[O_SHARE].number, 100);
    ck_assert_int_eq(run("list --share=10%"), -1);
    ck_assert_int_eq(o.value[O_SHARE].number, 10);
    ck_assert_int_eq(run("list --share=1"), -1);
    ck_assert_int_eq(o.value[O_SHARE].number, 1);
    for (int i = 0; i < 6; i++) {
        static const char *const bad[] = {"0", "101%", "x", "%", "-1", "123456789%"};
        char line[60];
        snprintf(line, sizeof line, "list --share=%s", bad[i]);
        ck_assert_int_eq(run(line), EXIT_USAGE);
        ck_assert_ptr_nonnull(strstr(err, "is not within 1% and 100%"));
    }
    ck_assert_int_eq(run("list --share 10%"), EXIT_USAGE); /* the next word is no value */
}
END_TEST

/* As test_options.c has it. */
static void complete(const char *words, const char *want)
{
    static char command[sizeof out + 1000];
    char got[2000], name[] = "/tmp/respite-completion-XXXXXX";
    FILE *pipe;
    size_t n;
    int fd = mkstemp(name);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(run("__completion bash"), EXIT_OK);
    ck_assert_int_eq((int)write(fd, out, strlen(out)), (int)strlen(out));
    close(fd);
    snprintf(command, sizeof command,
             "bash -c 'set -eu; . %s; COMP_WORDS=(tool %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tool; "
             "echo ${COMPREPLY[@]+\"${COMPREPLY[@]}\"}' 2>&1",
             name, words);
    pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    n = fread(got, 1, sizeof got - 1, pipe);
    got[n] = 0;
    ck_assert_int_eq(pclose(pipe), 0);
    unlink(name);
    ck_assert_msg(!strcmp(got, want), "%s: %s", words, got);
}

START_TEST(completion)
{
    complete("\"\"", "key list help --help --version\n");
    complete("key \"\"", "new add\n");
    complete("key a", "add\n");
    complete("key new --", "--help --long-name --tag\n");
    complete("list --sh", "--share\n");
    complete("help k", "key\n");
    ck_assert_int_eq(run("__completion zsh"), EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "'key:new add'"));
    ck_assert_ptr_nonnull(strstr(out, "'add:add one'"));
    ck_assert_ptr_nonnull(strstr(out, "key-new)"));
    ck_assert_ptr_nonnull(strstr(out, "'--share=-[so much]::PERCENT:'"));
    ck_assert_int_eq(run("__options"), EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "force\t-\t-\tkey add,list\tall the same\n"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("options_groups");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_add_test(t, two_words);
    tcase_add_test(t, help);
    tcase_add_test(t, precedence);
    tcase_add_test(t, config_ends);
    tcase_add_test(t, alone_and_percent);
    tcase_add_test(t, completion);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
