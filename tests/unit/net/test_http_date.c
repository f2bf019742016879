/* What this is: tests of the dates that servers write.
 * Rests on: libcheck.
 * Does not: speak to a server. */
#include <check.h>
#undef fail

#include "net/http.h"

static const struct {
    const char *text;
    int64_t ms; /* -1: none */
} dates[] = {{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000},
             {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777000},
             {"Sun Nov  6 08:49:37 1994", 784111777000},
             {"Fri, 20 Nov 2026 14:45:12 GMT", 1795185912000},
             {"2026-11-20T14:45:12.000Z", 1795185912000},
             {"2026-11-20T14:45:12Z", 1795185912000},
             {"2026-11-20T14:45:12.5Z", 1795185912500},
             {"2026-11-20T14:45:12.123456789Z", 1795185912123},
             {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
             {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800000},
             {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400000},
             {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800000},
             {"", -1},
             {"Thu", -1},
             {"Thu, ", -1},
             {"Thu, 29 Feb 2023 00:00:00 GMT", -1},
             {"Thu, 29 Feb 1900 00:00:00 GMT", -1},
             {"Thu, 00 Jan 1970 00:00:00 GMT", -1},
             {"Thu, 01 Jan 1970 24:00:00 GMT", -1},
             {"Thu, 01 Jan 1970 00:60:00 GMT", -1},
             {"Thu, 01 Jan 1970 00:00:61 GMT", -1},
             {"Thu, 01 Xxx 1970 00:00:00 GMT", -1},
             {"Thu, 01 Jan 1970 00:00:00 CET", -1},
             {"Thu, 01 Jan 1970 00:00:00", -1},
             {"2026-13-20T14:45:12Z", -1},
             {"2026-11-20T14:45:12", -1},
             {"2026-11-20T14:45:12+01:00", -1},
             {"2026-11-20T14:45:12.Z", -1},
             {"0000-11-20T14:45:12Z", -1},
             {"99999999999999999999", -1},
             {"Sun Nov 6", -1}};

START_TEST(date)
{
    int64_t ms = -1;
    int rc = http_date_parse(dates[_i].text, &ms);
    ck_assert_msg(rc == (dates[_i].ms < 0 ? -1 : 0), "%s", dates[_i].text);
    ck_assert_msg(ms == dates[_i].ms, "%s: %lld", dates[_i].text, (long long)ms);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http_date");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_add_loop_test(t, date, 0, sizeof dates / sizeof *dates);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
