/* What this is: tests of the conformance suite: a sound store passes, and each planted fault is found.
 * Rests on: store_dir.h, bad_store.h.
 * Does not: look at a remote store (tests/live/store). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/store/bad_store.h"
#include "unit/store/store_dir.h"

#define PART 5000

static char rows[16384]; /* "what verdict: found" */
static int worst;

static int keep(void *opaque, const struct rsp_probe_row *row)
{
    size_t n = strlen(rows);
    (void)opaque;
    ck_assert_ptr_nonnull(row->found);
    ck_assert(*row->found);
    snprintf(rows + n, sizeof rows - n, "%s %d: %s\n", row->what, row->verdict, row->found);
    if (row->verdict > worst) worst = row->verdict;
    if (row->verdict >= RSP_PROBE_WARN && strcmp(row->what, "server") != 0 && strcmp(row->what, "stat") != 0 &&
        strcmp(row->what, "get") != 0 && strcmp(row->what, "many") != 0)
        ck_assert_msg(row->advice != NULL, "%s has no advice", row->what);
    return opaque && *(int *)opaque ? RSP_EUSER : RSP_OK;
}

/* The verdict of a row, or -1. */
static int verdict_of(const char *what)
{
    char start[64];
    const char *at = rows;
    size_t n = (size_t)snprintf(start, sizeof start, "%s ", what);
    while (at && *at) {
        if (!strncmp(at, start, n) && at[n + 1] == ':') return at[n] - '0';
        at = strchr(at, '\n');
        if (at) at++;
    }
    return -1;
}

static int probe(struct rsp_store *t, int may_delete, int read_only)
{
    const struct rsp_probe_options o = {
        .size = sizeof o, .may_delete = may_delete, .read_only = read_only, .large = 3 * PART + 1};
    rows[0] = 0;
    worst = 0;
    rsp_error_clear(&error);
    return rsp_store_probe(t, &o, keep, NULL);
}

START_TEST(test_directory)
{
    ck_assert_int_eq(probe(s, 1, 0), RSP_OK);
    ck_assert_msg(worst == RSP_PROBE_OK, "%s", rows);
    ck_assert_int_eq(error.code, 0);
    ck_assert_str_eq(list(""), "");
    ck_assert_int_eq(verdict_of("clean"), RSP_PROBE_OK);
    ck_assert_int_eq(verdict_of("pages"), RSP_PROBE_OK);
    ck_assert_int_eq(verdict_of("create only"), RSP_PROBE_OK);
    ck_assert_int_eq(verdict_of("rights"), -1);
    ck_assert_int_eq(probe(s, 0, 0), RSP_OK);
    ck_assert_msg(worst == RSP_PROBE_NOTE, "%s", rows);
    ck_assert_int_eq(verdict_of("rights"), RSP_PROBE_NOTE);
}
END_TEST

/* Parts as they are by default, and no record for words. */
START_TEST(test_defaults)
{
    struct rsp_store *t;
    env.error = NULL;
    t = opened(url, 0, 0);
    rows[0] = 0;
    worst = 0;
    ck_assert_int_eq(rsp_store_probe(t, NULL, keep, NULL), RSP_OK);
    ck_assert_msg(worst == RSP_PROBE_NOTE, "%s", rows);
    rsp_store_free(t);
}
END_TEST

START_TEST(test_read_only)
{
    struct rsp_store *t;
    ck_assert_int_eq(probe(s, 0, 1), RSP_OK);
    ck_assert_int_eq(verdict_of("read"), RSP_PROBE_NOTE);
    ck_assert_int_eq(verdict_of("put"), -1);
    ck_assert_str_eq(list(""), "");
    ck_assert_int_eq(put("log/a", "bytes"), RSP_OK);
    ck_assert_int_eq(put("log/b", ""), RSP_OK);
    t = opened(url, 0, 1);
    ck_assert_int_eq(probe(t, 0, 0), RSP_OK);
    ck_assert_msg(worst == RSP_PROBE_OK, "%s", rows);
    ck_assert_int_eq(verdict_of("read"), RSP_PROBE_OK);
    ck_assert_int_eq(verdict_of("clean"), -1);
    ck_assert_str_eq(list(""), "log/a log/b ");
    rsp_store_free(t);
}
END_TEST

START_TEST(test_stopped)
{
    int stop = 1;
    const struct rsp_probe_options o = {.size = sizeof o, .large = 3 * PART + 1};
    rows[0] = 0;
    ck_assert_int_eq(rsp_store_probe(s, &o, keep, &stop), RSP_EUSER);
    ck_assert_ptr_eq(strchr(rows, '\n') + 1, rows + strlen(rows));
    ck_assert_str_eq(list(""), "");
}
END_TEST

/* ---- planted faults ---- */

static const struct {
    enum wrong wrong;
    const char *what; /* the row that finds it */
    int verdict;
    int may_delete;
    size_t left; /* objects that stay */
} planted[] = {
    {W_NOTHING, "put", RSP_PROBE_OK, 1, 0},
    {W_PUT_REFUSED, "put", RSP_PROBE_FAILED, 1, 0},
    {W_PUT_GROWS, "put", RSP_PROBE_FAILED, 1, 0},
    {W_TWICE_REFUSED, "put twice", RSP_PROBE_FAILED, 1, 0},
    {W_OVERWRITES, "put twice", RSP_PROBE_FAILED, 1, 0},
    {W_OVERWRITES, "taken", RSP_PROBE_FAILED, 1, 0},
    {W_UPLOAD_FAILS, "upload", RSP_PROBE_FAILED, 1, 0},
    {W_UPLOAD_CUT, "upload", RSP_PROBE_FAILED, 1, 0},
    {W_UPLOAD_FLIP, "upload", RSP_PROBE_FAILED, 1, 0},
    {W_BESIDE_FAILS, "beside", RSP_PROBE_FAILED, 1, 0},
    {W_BESIDE_MIXED, "beside", RSP_PROBE_FAILED, 1, 0},
    {W_BESIDE_ENDS, "beside", RSP_PROBE_FAILED, 1, 0},
    {W_SEEN_EARLY, "unseen", RSP_PROBE_FAILED, 1, 0},
    {W_LISTED_EARLY, "unseen", RSP_PROBE_FAILED, 1, 0},
    {W_DROP_COMMITS, "unseen", RSP_PROBE_FAILED, 1, 0},
    {W_LARGE_OVERWRITES, "taken", RSP_PROBE_FAILED, 1, 0},
    {W_RACE_OVERWRITES, "taken", RSP_PROBE_FAILED, 1, 0},
    {W_RANGE_SHIFTED, "range", RSP_PROBE_FAILED, 1, 0},
    {W_RANGE_OVER, "range", RSP_PROBE_FAILED, 1, 0},
    {W_RANGE_BEHIND, "range", RSP_PROBE_FAILED, 1, 0},
    {W_RANGE_NOTHING, "range", RSP_PROBE_FAILED, 1, 0},
    {W_LIST_ORDER, "list", RSP_PROBE_FAILED, 1, 0},
    {W_LIST_LOSES, "list", RSP_PROBE_FAILED, 1, 0},
    {W_LIST_SIZE, "list", RSP_PROBE_FAILED, 1, 0},
    {W_LIST_TIME, "list", RSP_PROBE_FAILED, 1, 0},
    {W_LIST_PREFIX, "list", RSP_PROBE_FAILED, 1, 0},
    {W_LIST_NONE, "list", RSP_PROBE_FAILED, 1, 0},
    {W_LIST_FAILS, "list", RSP_PROBE_FAILED, 1, 0},
    {W_LIST_FAILS, "clean", RSP_PROBE_FAILED, 1, 0},
    {W_DEEP, "names", RSP_PROBE_FAILED, 1, 0},
    {W_WIDE, "names", RSP_PROBE_FAILED, 1, 0},
    {W_LONG, "names", RSP_PROBE_FAILED, 1, 0},
    {W_PAGE, "pages", RSP_PROBE_FAILED, 1, 0},
    {W_STAT_SIZE, "stat", RSP_PROBE_FAILED, 1, 0},
    {W_STAT_TIME, "stat", RSP_PROBE_FAILED, 1, 0},
    {W_STAT_BELOW, "stat", RSP_PROBE_FAILED, 1, 0},
    {W_GET_MAX, "get", RSP_PROBE_FAILED, 1, 0},
    {W_GET_OTHER, "get", RSP_PROBE_FAILED, 1, 0},
    {W_MANY_STATUS, "many", RSP_PROBE_FAILED, 1, 0},
    {W_MANY_BYTES, "many", RSP_PROBE_FAILED, 1, 0},
    {W_REPLACE_NOT, "replace", RSP_PROBE_FAILED, 1, 0},
    {W_REPLACE_DENIED, "replace", RSP_PROBE_FAILED, 1, 0},
    {W_REPLACE_DENIED, "replace", RSP_PROBE_OK, 0, 0},
    {W_REPLACE_DENIED, "rights", RSP_PROBE_NOTE, 0, 0},
    {W_DELETE_NOT, "delete", RSP_PROBE_FAILED, 1, SIZE_MAX},
    {W_DELETE_NOT, "clean", RSP_PROBE_FAILED, 1, SIZE_MAX},
    {W_DELETE_AGAIN, "delete", RSP_PROBE_FAILED, 1, SIZE_MAX},
    {W_DELETE_DENIED, "delete", RSP_PROBE_FAILED, 1, SIZE_MAX},
    {W_DELETE_DENIED, "delete", RSP_PROBE_NOTE, 0, SIZE_MAX},
    {W_DELETE_DENIED, "clean", RSP_PROBE_NOTE, 0, SIZE_MAX},
    {W_DELETE_DENIED, "rights", RSP_PROBE_NOTE, 0, SIZE_MAX},
    {W_DELETE_FAILS, "delete", RSP_PROBE_FAILED, 0, SIZE_MAX},
    {W_DELETE_FAILS, "clean", RSP_PROBE_FAILED, 0, SIZE_MAX},
    {W_GHOST, "clean", RSP_PROBE_FAILED, 1, 0},
    {W_LEFT_BEHIND, "clean", RSP_PROBE_FAILED, 1, 0},
    {W_FOLDER_LEFT, "clean", RSP_PROBE_NOTE, 1, 0},
    {W_LEFTOVERS_FAIL, "leftovers", RSP_PROBE_FAILED, 1, 0},
    {W_LEFTOVERS_FAIL, "clean", RSP_PROBE_FAILED, 1, 0},
    {W_LEFT_OLD, "leftovers", RSP_PROBE_NOTE, 1, 0},
    {W_CLOCK_FAILS, "clock", RSP_PROBE_FAILED, 1, 0},
    {W_CLOCK_OFF, "clock", RSP_PROBE_WARN, 1, 0},
    {W_CLOCK_OFF, "list", RSP_PROBE_FAILED, 1, 0}, /* its times are by another clock */
    {W_CLOCK_NEAR, "clock", RSP_PROBE_NOTE, 1, 0},
    {W_CLOCK_MAD, "clock", RSP_PROBE_WARN, 1, 0},
    {W_SPACE_FAILS, "space", RSP_PROBE_FAILED, 1, 0},
    {W_SPACE_LOW, "space", RSP_PROBE_WARN, 1, 0},
    {W_ABILITIES_FAIL, "server", RSP_PROBE_FAILED, 1, 0},
    {W_PLAIN_BUCKET, "create only", RSP_PROBE_NOTE, 1, 0},
    {W_PLAIN_BUCKET, "versions", RSP_PROBE_NOTE, 1, 0},
    {W_PLAIN_BUCKET, "lock", RSP_PROBE_NOTE, 1, 0},
    {W_GOOD_BUCKET, "versions", RSP_PROBE_OK, 1, 0},
    {W_GOOD_BUCKET, "lock", RSP_PROBE_OK, 1, 0},
    {W_SLOW, "pages", RSP_PROBE_NOTE, 1, 0},
};

START_TEST(test_planted)
{
    const int i = _i;
    struct rsp_store *t;
    env.now_ms = bad_store_clock;
    t = bad_store(&env, planted[i].wrong, PART);
    ck_assert_int_eq(probe(t, planted[i].may_delete, 0), RSP_OK);
    ck_assert_msg(verdict_of(planted[i].what) == planted[i].verdict, "%d: %s should be %d:\n%s", (int)planted[i].wrong,
                  planted[i].what, planted[i].verdict, rows);
    if (planted[i].wrong == W_NOTHING || planted[i].wrong == W_GOOD_BUCKET)
        ck_assert_msg(worst == RSP_PROBE_OK, "%s", rows);
    if (planted[i].left != SIZE_MAX) ck_assert_uint_eq(bad_store_objects(t), planted[i].left);
    ck_assert_int_eq(error.code, 0);
    rsp_store_free(t);
}
END_TEST

/* Only a fault that was planted is told: the other rows stay sound. */
START_TEST(test_nothing_else)
{
    static const struct {
        enum wrong wrong;
        const char *what;
    } apart[] = {{W_RANGE_SHIFTED, "range"}, {W_LIST_ORDER, "list"},     {W_PAGE, "pages"},
                 {W_STAT_SIZE, "stat"},      {W_GET_MAX, "get"},         {W_GET_OTHER, "get"},
                 {W_MANY_BYTES, "many"},     {W_REPLACE_NOT, "replace"}, {W_DEEP, "names"},
                 {W_LEFT_BEHIND, "clean"},   {W_LIST_LOSES, "list"}};
    env.now_ms = bad_store_clock;
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
        struct rsp_store *t = bad_store(&env, apart[i].wrong, PART);
        int failed = 0;
        ck_assert_int_eq(probe(t, 1, 0), RSP_OK);
        for (const char *at = rows; (at = strstr(at, " 3: ")); at++) failed++;
        ck_assert_msg(failed == 1 && verdict_of(apart[i].what) == RSP_PROBE_FAILED, "%s:\n%s", apart[i].what, rows);
        rsp_store_free(t);
    }
}
END_TEST

START_TEST(test_read_only_skew)
{
    struct rsp_store *t;
    env.now_ms = bad_store_clock;
    t = bad_store(&env, W_GOOD_BUCKET, PART);
    bad_store_read_only(t);
    ck_assert_int_eq(probe(t, 0, 0), RSP_OK);
    ck_assert_int_eq(verdict_of("clock"), RSP_PROBE_WARN);
    ck_assert_ptr_nonnull(strstr(rows, "6 min behind"));
    rsp_store_free(t);
}
END_TEST

/* What is no fault of the store ends it, and the objects go all the same. */
START_TEST(test_canceled)
{
    struct rsp_store *t;
    env.now_ms = bad_store_clock;
    t = bad_store(&env, W_CANCELED, PART);
    ck_assert_int_eq(probe(t, 1, 0), RSP_ECANCELED);
    ck_assert_int_eq(error.code, RSP_ECANCELED);
    ck_assert_uint_eq(bad_store_objects(t), 0);
    rsp_store_free(t);
}
END_TEST

static size_t until, given;
static void *sparse(void *opaque, void *p, size_t old_n, size_t new_n)
{
    (void)opaque;
    (void)old_n;
    if (!new_n) {
        free(p);
        return NULL;
    }
    return given++ >= until ? NULL : realloc(p, new_n);
}

START_TEST(test_memory)
{
    size_t failed = 0;
    env.resize = sparse;
    env.now_ms = bad_store_clock;
    for (until = 4; until < 5000; until += 1 + until / 8) {
        struct rsp_store *t;
        int rc;
        given = 0;
        t = bad_store(&env, W_NOTHING, PART);
        rc = probe(t, 1, 0);
        if (rc) {
            ck_assert_int_eq(rc, RSP_ENOMEM);
            failed++;
        } else {
            ck_assert_msg(worst == RSP_PROBE_OK, "%s", rows);
        }
        ck_assert_uint_eq(bad_store_objects(t), 0);
        rsp_store_free(t);
    }
    ck_assert_uint_gt(failed, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store/probe");
    TCase *c = tcase_create("suite");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 120);
    tcase_add_test(c, test_directory);
    tcase_add_test(c, test_defaults);
    tcase_add_test(c, test_read_only);
    tcase_add_test(c, test_stopped);
    tcase_add_loop_test(c, test_planted, 0, (int)(sizeof planted / sizeof *planted));
    tcase_add_test(c, test_nothing_else);
    tcase_add_test(c, test_read_only_skew);
    tcase_add_test(c, test_canceled);
    tcase_add_test(c, test_memory);
    suite_add_tcase(suite, c);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
