/* What this is: tests of backupd's small texts: points in time, flags, words of a command, paths within paths.
 * Rests on: libcheck.
 * Does not: open repositories. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backupd/context.h"
#include "backupd/identity.h"
#include "backupd/init_recovery.h"

START_TEST(times)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"1970-01-01", 0},
                {"2026-11-20T05:35:00Z", 1795152900000},
                {"2026-11-20 05:35", 1795152900000},
                {"2000-02-29T00:00:01", 951782401000},
                {"@1795152900", 1795152900000},
                {"1795152900123", 1795152900123},
                {"0", 0},
                {"9999-12-31T23:59:59Z", 253402300799000}};
    static const char *const bad[] = {"",
                                      "now",
                                      "2026-",
                                      "2026-13-01",
                                      "2026-02-29",
                                      "2026-00-01",
                                      "2026-11-2",
                                      "2026-11-20T",
                                      "2026-11-20T5",
                                      "2026-11-20T24:00",
                                      "@",
                                      "@x",
                                      "@999999999999",
                                      "-5",
                                      "12345678901234567",
                                      "2026-11-20X",
                                      "2026-11-20T05:35:00ZZ",
                                      "2026-11-20T05:60"};
    char text[TEXT_MAX];
    int64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(!parse_time(good[i].text, &ms), "%s", good[i].text);
        ck_assert_msg(ms == good[i].ms, "%s: %lld", good[i].text, (long long)ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) ck_assert_msg(parse_time(bad[i], &ms), "%s", bad[i]);
    /* Back and forth over the years. */
    for (int64_t day = 0; day < 40000; day += 13) {
        text_utc(text, day * 86400000);
        memcpy(text + 19, "Z", 2);
        ck_assert(!parse_time(text, &ms));
        ck_assert_int_eq(ms, day * 86400000);
    }
}
END_TEST

static int split(const char *text, const char *want)
{
    static char copy[300], got[300];
    char *words[8];
    int n;
    snprintf(copy, sizeof copy, "%s", text);
    n = split_words(copy, words, 8);
    got[0] = 0;
    for (int i = 0; i < n; i++) snprintf(got + strlen(got), sizeof got - strlen(got), "<%s>", words[i]);
    return n < 0 ? want == NULL : want && !strcmp(got, want) && !words[n];
}

START_TEST(commands)
{
    ck_assert(split("", ""));
    ck_assert(split("  ", ""));
    ck_assert(split("a", "<a>"));
    ck_assert(split(" a  bc\td ", "<a><bc><d>"));
    ck_assert(split("a 'b c' d", "<a><b c><d>"));
    ck_assert(split("a \"b 'c'\" d", "<a><b 'c'><d>"));
    ck_assert(split("a'b c'd", "<ab cd>"));
    ck_assert(split("a '' b", "<a><><b>"));
    ck_assert(split("a\\ b \\\\ \\'", "<a b><\\><'>"));
    ck_assert(split("'a\\b'", "<a\\b>"));
    ck_assert(split("\"a\\\"b\"", "<a\"b>"));
    ck_assert(split("$(x) ; `y` | z", "<$(x)><;><`y`><|><z>"));
    ck_assert(split("a 'b", NULL));
    ck_assert(split("a \"b", NULL));
    ck_assert(split("1 2 3 4 5 6 7", "<1><2><3><4><5><6><7>"));
    ck_assert(split("1 2 3 4 5 6 7 8", NULL));
}
END_TEST

START_TEST(paths)
{
    char dir[] = "/tmp/respite-words-XXXXXX", link[64];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
    ck_assert_int_eq(mkdir("repo", 0700), 0);
    snprintf(link, sizeof link, "%s/link", dir);
    ck_assert_int_eq(symlink("repo", link), 0);
    ck_assert_int_eq(path_inside("repo/a", "repo"), 1);
    ck_assert_int_eq(path_inside("repo", "repo"), 1);
    ck_assert_int_eq(path_inside("link/a/b", "repo"), 1);
    ck_assert_int_eq(path_inside("./repo/../repo/x", "repo/"), 1);
    ck_assert_int_eq(path_inside("repo2", "repo"), 0);
    ck_assert_int_eq(path_inside("sheet", "repo"), 0);
    ck_assert_int_eq(path_inside("repo/../sheet", "repo"), 0);
    ck_assert_int_eq(path_inside("new/a", "new"), 1); /* neither is there yet */
    ck_assert_int_eq(path_inside("sheet", "new/er"), 0);
    ck_assert_int_eq(path_inside("/tmp/x", "/"), 1);
    ck_assert_int_eq(path_inside("/", dir), 0);
    unlink("link");
    rmdir("repo");
    ck_assert_int_eq(chdir("/"), 0);
    rmdir(dir);
}
END_TEST

START_TEST(names)
{
    char rights[RIGHTS_TEXT], flags[FLAGS_TEXT], id[SNAPSHOT_TEXT];
    uint8_t sources[2][16] = {{0}}, bytes[16] = {0xab, 0xcd, 0xef, 0x01, 0x23, 0x45};
    struct rsp_member m = {.flags = RSP_ROLE_WRITE | RSP_ROLE_KEEP};
    struct rsp_record r = {.flags = RSP_COMMIT_GOOD | RSP_COMMIT_UNSEALED, .state = RSP_RECORD_PINNED};
    rights_text(rights, &m);
    ck_assert_str_eq(rights, "write,keep");
    m.sources = sources;
    m.sources_n = 2;
    rights_text(rights, &m);
    ck_assert_str_eq(rights, "write(2 sources),keep");
    m.flags = 0;
    rights_text(rights, &m);
    ck_assert_str_eq(rights, "-");
    flags_text(flags, &r);
    ck_assert_str_eq(flags, "unsealed,good,pinned");
    r.flags = r.state = 0;
    flags_text(flags, &r);
    ck_assert_str_eq(flags, "-");
    r.flags = r.state = UINT32_MAX;
    flags_text(flags, &r);
    ck_assert_uint_lt(strlen(flags), FLAGS_TEXT - 1);
    snapshot_text(id, bytes);
    ck_assert_str_eq(id, "abcdef0123");
    ck_assert_int_eq(name_usable("host-1.example"), 1);
    ck_assert_int_eq(name_usable(""), 0);
    ck_assert_int_eq(name_usable("a b"), 0);
    ck_assert_int_eq(name_usable("rsp-pub-x"), 0);
    ck_assert_int_eq(name_usable("0123456789012345678901234567890123456789012345678901234567890123"), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("words");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_add_test(t, times);
    tcase_add_test(t, commands);
    tcase_add_test(t, paths);
    tcase_add_test(t, names);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
