/* What this is: tests of the option table's parser, help and completion, and of the texts of cli/.
 * Rests on: libcheck.
 * Does not: know any real program's table. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <respite/version.h>

#include "cli/exit.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/signal.h"

enum { O_JSON, O_VERBOSE, O_KEY, O_LIMIT, O_BYTES, O_SIZE, O_WAIT, O_OUT, O_FORMAT, O_SHIFT, O_THREADS, O_COUNT };
enum { V_INFO = 1, V_EXPORT = 2, V_DIFF = 4 };

static const char *const bytes_words[] = {"utf8", "latin1", "base64", NULL};
static const char *const diff_words[] = {"text", "patch", NULL};

static const struct verb verbs[] = {
    {.name = "info", .bit = V_INFO, .operands = "FILE", .min = 1, .max = 1, .help = "what is in FILE"},
    {.name = "export",
     .aliases = "json,dump",
     .bit = V_EXPORT,
     .operands = "FILE...",
     .min = 1,
     .max = OPERANDS_MANY,
     .help = "the data as JSON"},
    {.name = "diff",
     .bit = V_DIFF,
     .operands = "OLD NEW",
     .min = 2,
     .max = 2,
     .help = "it's [what] differs: all of it"},
    {0},
};
static const struct opt opts[] = {
    {O_JSON, "json", 'j', OPT_FLAG, .verbs = V_INFO, .help = "report as JSON"},
    {O_VERBOSE, "verbose", 'v', OPT_FLAG, .verbs = VERB_ALL, .env = "TEST_VERBOSE", .help = "say more"},
    {O_KEY, "key", 'k', OPT_STRING, .repeat = 1, .arg = "GLOB", .verbs = V_INFO | V_EXPORT, .help = "only these keys"},
    {O_LIMIT, "limit", 0, OPT_INT, .arg = "N", .min = 1, .max = 500, .verbs = V_EXPORT, .help = "stop after N keys"},
    {O_BYTES, "bytes", 0, OPT_ENUM, .words = bytes_words, .text = "utf8", .verbs = V_EXPORT,
     .help = "how bytes are shown"},
    {O_SIZE, "buffer", 0, OPT_SIZE, .min = 1024, .max = 1 << 20, .text = "64K", .verbs = V_EXPORT, .help = "buffer"},
    {O_WAIT, "wait", 'w', OPT_DURATION, .verbs = V_EXPORT, .help = "how long to wait"},
    {O_OUT, "output", 'o', OPT_PATH, .verbs = V_EXPORT, .help = "where to"},
    {O_FORMAT, "format", 0, OPT_ENUM, .words = bytes_words, .verbs = V_EXPORT, .help = "form"},
    {O_FORMAT, "format", 0, OPT_ENUM, .words = diff_words, .verbs = V_DIFF, .help = "form of the differences"},
    {O_SHIFT, "shift", 0, OPT_INT, .min = -5, .max = INT64_MAX, .verbs = V_DIFF, .help = "may be negative"},
    {O_THREADS, "threads", 0, OPT_INT, .verbs = VERB_ALL, .env = "TEST_THREADS", .help = "workers"},
    {O_COUNT - 1, "secret-of-tests", 0, OPT_FLAG, .verbs = V_DIFF},
    {0},
};
static const struct program program = {
    .name = "tool", .about = "tests options", .version = "9.9", .verbs = verbs, .opts = opts, .count = O_COUNT};

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

/* Parses a line of words cut at blanks; what was written stands in out and err. */
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

static void go(const char *line)
{
    int code = run(line);
    ck_assert_msg(code == -1, "%s: %d %s", line, code, err);
    ck_assert_str_eq(err, "");
    ck_assert_str_eq(out, "");
}

START_TEST(forms)
{
    go("export --key a* -k b -kc --key=d=e --limit 7 --bytes=latin1 file1 - --buffer 2K -w 3s -v -- --key");
    ck_assert_uint_eq(o.verb->bit, V_EXPORT);
    ck_assert_uint_eq(o.value[O_KEY].n, 4);
    ck_assert_int_eq(o.value[O_KEY].count, 4);
    ck_assert_str_eq(o.value[O_KEY].list[0], "a*");
    ck_assert_str_eq(o.value[O_KEY].list[2], "c");
    ck_assert_str_eq(o.value[O_KEY].list[3], "d=e");
    ck_assert_int_eq(o.value[O_LIMIT].number, 7);
    ck_assert_int_eq(o.value[O_BYTES].number, 1);
    ck_assert_str_eq(o.value[O_BYTES].text, "latin1");
    ck_assert_int_eq(o.value[O_SIZE].number, 2048);
    ck_assert_int_eq(o.value[O_WAIT].number, 3000);
    ck_assert_int_eq(o.value[O_VERBOSE].count, 1);
    ck_assert_uint_eq(o.operands, 3);
    ck_assert_str_eq(o.operand[0], "file1");
    ck_assert_str_eq(o.operand[1], "-");
    ck_assert_str_eq(o.operand[2], "--key");
}
END_TEST

START_TEST(joined_letters)
{
    go("info -vjvk* f");
    ck_assert_int_eq(o.value[O_VERBOSE].count, 2);
    ck_assert_int_eq(o.value[O_JSON].count, 1);
    ck_assert_str_eq(o.value[O_KEY].list[0], "*");
    go("export f -o -");
    ck_assert_str_eq(o.value[O_OUT].text, "-");
    ck_assert_uint_eq(o.operands, 1);
}
END_TEST

START_TEST(defaults)
{
    go("export f");
    ck_assert_str_eq(o.value[O_BYTES].text, "utf8");
    ck_assert_int_eq(o.value[O_BYTES].count, 0);
    ck_assert_int_eq(o.value[O_BYTES].from, OPT_FROM_DEFAULT);
    ck_assert_int_eq(o.value[O_SIZE].number, 65536);
    ck_assert_int_eq(o.value[O_LIMIT].from, OPT_FROM_NONE);
    ck_assert_ptr_null(o.value[O_LIMIT].text);
    ck_assert_uint_eq(o.value[O_KEY].n, 0);
}
END_TEST

START_TEST(aliases)
{
    go("dump f");
    ck_assert_str_eq(o.verb->name, "export");
    ck_assert_str_eq(o.word, "dump");
    go("json f");
    ck_assert_str_eq(o.verb->name, "export");
    ck_assert_int_eq(run("jso f"), EXIT_USAGE);
    ck_assert_int_eq(run("json,dump f"), EXIT_USAGE);
}
END_TEST

START_TEST(environment)
{
    setenv("TEST_THREADS", "6", 1);
    setenv("TEST_VERBOSE", "no", 1);
    go("info f");
    ck_assert_int_eq(o.value[O_THREADS].number, 6);
    ck_assert_int_eq(o.value[O_THREADS].from, OPT_FROM_ENV);
    ck_assert_int_eq(o.value[O_VERBOSE].count, 0);
    go("info f --threads 2");
    ck_assert_int_eq(o.value[O_THREADS].number, 2);
    ck_assert_int_eq(o.value[O_THREADS].count, 1);
    setenv("TEST_THREADS", "six", 1);
    ck_assert_int_eq(run("info f"), EXIT_USAGE);
    ck_assert_str_eq(err, "tool: info: TEST_THREADS: 'six' is not a number\n");
    setenv("TEST_THREADS", "", 1);
    setenv("TEST_VERBOSE", "yes", 1);
    go("info f");
    ck_assert_int_eq(o.value[O_VERBOSE].count, 1);
    ck_assert_int_eq(o.value[O_THREADS].from, OPT_FROM_NONE);
}
END_TEST

START_TEST(same_name_by_verb)
{
    go("diff a b --format patch --shift -5");
    ck_assert_int_eq(o.value[O_FORMAT].number, 1);
    ck_assert_int_eq(o.value[O_SHIFT].number, -5);
    go("export a --format base64");
    ck_assert_int_eq(o.value[O_FORMAT].number, 2);
}
END_TEST

static const struct {
    const char *line, *err;
} bad[] = {
    {"", "tool: a verb is missing; 'tool --help' lists them\n"},
    {"inof f", "tool: unknown verb 'inof'; did you mean 'info'?\n"},
    {"zzz", "tool: unknown verb 'zzz'; 'tool --help' lists them\n"},
    {"--json info", "tool: the verb comes first: tool VERB [options]; '--json' is none\n"},
    {"export f --keys x", "tool: export: unknown option '--keys'; did you mean '--key'?\n"},
    {"export f --verb", "tool: export: unknown option '--verb'; did you mean '--verbose'?\n"},
    {"export f --zzzzzz", "tool: export: unknown option '--zzzzzz'\n"},
    {"export f --json", "tool: export: '--json' is no option of this verb, but of 'info'\n"},
    {"export f -x", "tool: export: unknown option '-x'\n"},
    {"json f -j", "tool: json: unknown option '-j'\n"},
    {"info f --json=1", "tool: info: --json takes no value\n"},
    {"export f --limit", "tool: export: --limit needs a value\n"},
    {"export f -k", "tool: export: -k needs a value\n"},
    {"export f --limit x", "tool: export: --limit: 'x' is not a number\n"},
    {"export f --limit 5x", "tool: export: --limit: '5x' is not a number\n"},
    {"export f --limit=", "tool: export: --limit: '' is not a number\n"},
    {"export f --limit 99999999999999999999", "tool: export: --limit: '99999999999999999999' is not a number\n"},
    {"export f --limit 0", "tool: export: --limit: '0' is not within 1 and 500\n"},
    {"export f --limit 501", "tool: export: --limit: '501' is not within 1 and 500\n"},
    {"diff a b --shift -6", "tool: diff: --shift: '-6' is less than -5\n"},
    {"info f --threads -1", "tool: info: --threads: '-1' is less than 0\n"},
    {"export f --limit 1 --limit 2", "tool: export: --limit may be given only once\n"},
    {"export f --bytes hex", "tool: export: --bytes: 'hex' is none of utf8|latin1|base64\n"},
    {"export f --buffer 2", "tool: export: --buffer: '2' is not within 1.0 KiB and 1.0 MiB\n"},
    {"export f --buffer much", "tool: export: --buffer: 'much' is not a size such as 64M or 1GiB\n"},
    {"export f --wait 1y", "tool: export: --wait: '1y' is not a duration such as 250ms, 30s or 2h\n"},
    {"info", "tool: info: FILE is missing; usage: tool info [options] FILE\n"},
    {"export", "tool: export: FILE is missing; usage: tool export [options] FILE...\n"},
    {"diff a", "tool: diff: NEW is missing; usage: tool diff [options] OLD NEW\n"},
    {"info a b", "tool: info: unexpected operand 'b'\n"},
    {"info f\033[2J\n --no", "tool: info: unknown option '--no'\n"},
    {"info \033[2J b\033", "tool: info: unexpected operand 'b\\x1b'\n"},
    {"__completion fish", "tool: __completion: bash or zsh\n"},
};

START_TEST(refused)
{
    int code = run(bad[_i].line);
    ck_assert_msg(code == EXIT_USAGE, "%s: %d", bad[_i].line, code);
    ck_assert_str_eq(err, bad[_i].err);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(help)
{
    static const char *const lines[] = {"info --help", "info f --json -h", "help info", "info --nonsense"};
    char first[sizeof out];
    ck_assert_int_eq(run("--help"), EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "usage: tool VERB"));
    ck_assert_ptr_nonnull(strstr(out, "  export FILE...          the data as JSON\n"));
    ck_assert_int_eq(run("help"), EXIT_OK);
    ck_assert_int_eq(run("--version"), EXIT_OK);
    ck_assert_str_eq(out, "tool 9.9\n");
    ck_assert_int_eq(run("help export"), EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "  -k, --key GLOB          only these keys (repeatable)\n"));
    ck_assert_ptr_nonnull(strstr(out, "--bytes utf8|latin1|base64\n                          how bytes"));
    ck_assert_ptr_nonnull(strstr(out, "(1 to 500)"));
    ck_assert_ptr_nonnull(strstr(out, "(default 64K)"));
    ck_assert_ptr_nonnull(strstr(out, "[TEST_VERBOSE]"));
    ck_assert_ptr_null(strstr(out, "--json"));
    ck_assert_int_eq(run("help nothing"), EXIT_USAGE);
    ck_assert_int_eq(run(lines[0]), EXIT_OK);
    memcpy(first, out, sizeof out);
    for (int i = 1; i < 3; i++) {
        ck_assert_int_eq(run(lines[i]), EXIT_OK);
        ck_assert_str_eq(out, first);
    }
    ck_assert_int_eq(run(lines[3]), EXIT_USAGE);
    ck_assert_int_eq(run("help diff"), EXIT_OK);
    ck_assert_ptr_null(strstr(out, "secret-of-tests"));
}
END_TEST

START_TEST(dump)
{
    ck_assert_int_eq(run("__options"), EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "key\tk\tGLOB\tinfo,export\tonly these keys\n"));
    ck_assert_ptr_nonnull(strstr(out, "\nverbose\tv\t-\tinfo,export,diff\tsay more\n"));
    ck_assert_ptr_nonnull(strstr(out, "\nformat\t-\ttext|patch\tdiff\tform of the differences\n"));
    ck_assert_ptr_null(strstr(out, "secret-of-tests"));
}
END_TEST

/* The script is run in bash, with the words that the shell would hand over; "words" at the end. */
static void complete(const char *words, const char *want)
{
    static char command[sizeof out + 1000];
    char got[2000];
    FILE *pipe;
    size_t n;
    char name[] = "/tmp/respite-completion-XXXXXX";
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

START_TEST(bash_completion)
{
    complete("i", "info\n");
    complete("\"\"", "info export diff help --help --version\n");
    complete("export --b", "--bytes --buffer\n");
    complete("json --key x --by", "--bytes\n");
    complete("export --bytes l", "latin1\n");
    complete("export --bytes = l", "latin1\n");
    complete("diff --format \"\"", "text patch\n");
    complete("export --limit 1", "\n");
    complete("help d", "diff\n");
    complete("export /et", "/etc\n");
    complete("export -o /et", "/etc\n");
}
END_TEST

START_TEST(zsh_completion)
{
    ck_assert_int_eq(run("__completion zsh"), EXIT_OK);
    ck_assert_ptr_nonnull(strstr(out, "#compdef tool\n"));
    ck_assert_ptr_nonnull(strstr(out, "'*'{-k+,--key=}'[only these keys]:GLOB:'"));
    ck_assert_ptr_nonnull(strstr(out, "'--bytes=[how bytes are shown]:utf8|latin1|base64:(utf8 latin1 base64)'"));
    ck_assert_ptr_nonnull(strstr(out, "'diff:it'\\''s \\[what\\] differs\\: all of it'"));
    ck_assert_ptr_nonnull(strstr(out, "export|json|dump)"));
    ck_assert_ptr_nonnull(strstr(out, "'(-o --output)'{-o+,--output=}'[where to]:FILE:_files'"));
}
END_TEST

START_TEST(exits)
{
    ck_assert_int_eq(exit_of_status(RSP_OK), 0);
    ck_assert_int_eq(exit_of_status(RSP_END), 0);
    ck_assert_int_eq(exit_of_status(RSP_EFORMAT), 23);
    ck_assert_int_eq(exit_of_status(RSP_EVERSION), 23);
    ck_assert_int_eq(exit_of_status(RSP_ECHECKSUM), 24);
    ck_assert_int_eq(exit_of_status(RSP_ELIMIT), 25);
    ck_assert_int_eq(exit_of_status(RSP_ENOTFOUND), 21);
    ck_assert_int_eq(exit_of_status(RSP_EINVAL), 2);
    ck_assert_int_eq(exit_of_status(RSP_ESTATE), 1);
    ck_assert_int_eq(exit_of_fault(RSP_EIO, EXIT_TARGET), 26);
    ck_assert_int_eq(exit_of_fault(RSP_ENOSPACE, EXIT_TARGET), 25);
    ck_assert_int_eq(exit_of_fault(RSP_OK, EXIT_TARGET), 0);
    ck_assert_ptr_nonnull(exit_text(130));
    ck_assert_ptr_null(exit_text(5));
}
END_TEST

START_TEST(signals)
{
    signal_install();
    ck_assert_int_eq(signal_caught(), 0);
    ck_assert_int_eq(signal_exit_status(), 0);
    kill(getpid(), SIGTERM);
    ck_assert_int_eq(signal_caught(), SIGTERM);
    ck_assert_int_eq(signal_exit_status(), 143);
    ck_assert_int_eq(exit_of_status(RSP_ECANCELED), 143);
}
END_TEST

START_TEST(texts)
{
    static const struct {
        int64_t ms;
        const char *want;
    } times[] = {{0, "1970-01-01T00:00:00.000Z"},
                 {1763616900123, "2025-11-20T05:35:00.123Z"},
                 {951782400000, "2000-02-29T00:00:00.000Z"},
                 {-1, "1969-12-31T23:59:59.999Z"},
                 {253402300799999, "9999-12-31T23:59:59.999Z"},
                 {253402300800000, "@253402300800000ms"},
                 {-62167219200000, "0000-01-01T00:00:00.000Z"},
                 {INT64_MIN, "@-9223372036854775808ms"},
                 {INT64_MAX, "@9223372036854775807ms"}};
    char text[TEXT_MAX];
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        ck_assert_str_eq(text_utc(text, times[i].ms), times[i].want);
    ck_assert_str_eq(text_size(text, 0), "0 B");
    ck_assert_str_eq(text_size(text, 1023), "1023 B");
    ck_assert_str_eq(text_size(text, 1536), "1.5 KiB");
    ck_assert_str_eq(text_size(text, 3ULL << 29), "1.5 GiB");
    ck_assert_str_eq(text_size(text, UINT64_MAX), "15.9 EiB");
    ck_assert_str_eq(text_duration(text, 250), "250ms");
    ck_assert_str_eq(text_duration(text, 12345), "12s");
    ck_assert_str_eq(text_duration(text, 185000), "3m05s");
    ck_assert_str_eq(text_duration(text, 7620000), "2h07m");
    ck_assert_str_eq(text_duration(text, 356400000), "4d03h");
    ck_assert_str_eq(text_duration(text, -5), "-5ms");
    ck_assert_str_eq(text_duration(text, INT64_MIN), "-106751991167d07h");
    ck_assert_str_eq(text_percent(text, 1, 8), "12.5%");
    ck_assert_str_eq(text_percent(text, 1, 0), "-");
}
END_TEST

START_TEST(progress_lines)
{
    char line[200];
    progress_format(line, sizeof line, 100, "a.rdb", 512 << 20, 1 << 30, 2);
    ck_assert_str_eq(line, "a.rdb: 512.0 MiB / 1.0 GiB   50%  256.0 MiB/s  2s left");
    progress_format(line, sizeof line, 100, NULL, 1 << 30, 1 << 30, 4);
    ck_assert_str_eq(line, "1.0 GiB / 1.0 GiB  100%  256.0 MiB/s  0s left");
    progress_format(line, sizeof line, 100, NULL, 3000, 2000, 0);
    ck_assert_str_eq(line, "2.9 KiB / 1.9 KiB  100%  0 B/s  - left");
    progress_format(line, sizeof line, 100, "-", 2048, 0, 2);
    ck_assert_str_eq(line, "-: 2.0 KiB  1.0 KiB/s");
    progress_format(line, sizeof line, 10, "a.rdb", 512 << 20, 1 << 30, 2);
    ck_assert_str_eq(line, "a.rdb: 512");
    progress_update(NULL, 5);
    progress_end(NULL);
    ck_assert_ptr_null(progress_start("x", 5, 1));
}
END_TEST

START_TEST(json)
{
    struct rsp_span good = {(const uint8_t *)"\xc3\xa4\"\\\n\x01", 6}, raw = {(const uint8_t *)"\xff\xfe", 2};
    struct rsp_span over = {(const uint8_t *)"\xc0\x80", 2};
    struct rsp_span surrogate = {(const uint8_t *)"\xed\xa0\x80", 3}, none = {0};
    FILE *f = tmpfile();
    struct json j;
    char text[1000];
    ck_assert_ptr_nonnull(f);
    json_init(&j, f, 0);
    json_object(&j, NULL);
    json_text(&j, "t",
              "a\xff"
              "b");
    json_array(&j, "a");
    json_bytes(&j, NULL, good);
    json_bytes(&j, NULL, raw);
    json_bytes(&j, NULL, over);
    json_bytes(&j, NULL, surrogate);
    json_bytes(&j, NULL, none);
    json_close(&j, ']');
    json_array(&j, "e");
    json_close(&j, ']');
    json_u64(&j, "u", UINT64_MAX);
    json_i64(&j, "i", INT64_MIN);
    json_double(&j, "d", 0.1);
    json_double(&j, "n", -1.0 / 0.0);
    json_bool(&j, "b", 1);
    json_null(&j, "z");
    json_close(&j, '}');
    json_init(&j, f, 1);
    json_object(&j, NULL);
    json_object(&j, "o");
    json_close(&j, '}');
    json_u64(&j, "u", 1);
    json_close(&j, '}');
    slurp(f, text, sizeof text);
    ck_assert_str_eq(text, "{\"t\":\"a\xef\xbf\xbd"
                           "b\",\"a\":[\"\xc3\xa4\\\"\\\\\\n\\u0001\",{\"base64\":\"//4=\"},"
                           "{\"base64\":\"wIA=\"},{\"base64\":\"7aCA\"},\"\"],\"e\":[],\"u\":18446744073709551615,"
                           "\"i\":-9223372036854775808,\"d\":0.1,\"n\":\"-inf\",\"b\":true,\"z\":null}\n"
                           "{\n  \"o\": {},\n  \"u\": 1\n}\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli");
    TCase *tc = tcase_create("cli");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, forms);
    tcase_add_test(tc, joined_letters);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, aliases);
    tcase_add_test(tc, environment);
    tcase_add_test(tc, same_name_by_verb);
    tcase_add_loop_test(tc, refused, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(tc, help);
    tcase_add_test(tc, dump);
    tcase_add_test(tc, bash_completion);
    tcase_add_test(tc, zsh_completion);
    tcase_add_test(tc, exits);
    tcase_add_test(tc, signals);
    tcase_add_test(tc, texts);
    tcase_add_test(tc, progress_lines);
    tcase_add_test(tc, json);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
