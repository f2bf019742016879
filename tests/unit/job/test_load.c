/* What this is: tests of the restore into a live server, against a server of the test's own: policies and refusals.
 * Rests on: libcheck, load_test.h.
 * Does not: break a connection (test_load_goes_on.c), nor compare with what the server holds by a capture (tests/live). */
#include "load_test.h"

#include <ftw.h>
#include <inttypes.h>

START_TEST(written)
{
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(fake.n, KEYS);
    ck_assert_uint_eq(report.keys, KEYS);
    ck_assert_uint_eq(report.plan.keys, KEYS);
    ck_assert_uint_eq(report.functions, 1);
    ck_assert_uint_eq(fake.libraries, 1);
    ck_assert_uint_eq(report.skipped, 0);
    ck_assert_uint_gt(report.plan.bytes, 1000000);
    ck_assert_uint_gt(report.plan.estimate_ms, 0);
    ck_assert_uint_ge(report.sent_bytes, report.plan.bytes);
    ck_assert_int_eq(report.compared, 0);
    ck_assert_uint_eq(fake_find(0, "big")->elements, BIG);
    ck_assert_uint_eq(passes, 2); /* the source may be dear */
}
END_TEST

/* A library of the same name is left alone; a function of that name in another library is no such thing. */
START_TEST(functions_exist)
{
    options.resp.existing = RSP_EXISTING_SKIP;
    fake.libraries = 1;
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(report.functions, 0);
    ck_assert_uint_eq(report.plan.functions, 1);
    fake_forget();
    for (int existing = RSP_EXISTING_FAIL; existing <= RSP_EXISTING_REPLACE; existing++) {
        options.resp.existing = existing;
        fake.clash = "-ERR Function f already exists\r\n";
        ck_assert_int_eq(load(), RSP_EEXIST);
        ck_assert_ptr_nonnull(strstr(error.message, "the function library \"a\" clashes"));
        ck_assert_ptr_nonnull(strstr(error.message, "Function f already exists"));
        ck_assert_uint_eq(report.functions, 0);
        fake_forget();
    }
}
END_TEST

START_TEST(modules)
{
#define MODULE(name, ...) "*4\r\n$4\r\nname\r\n$" #name "\r\n" __VA_ARGS__ "\r\n$3\r\nver\r\n:1\r\n"
    static const struct {
        const char *answer;
        int taken;
    } lists[] = {
        {"*1\r\n" MODULE(2, "bf"), 1},
        {"*2\r\n" MODULE(3, "lua") MODULE(2, "bf"), 1},
        {"*1\r\n" MODULE(9, "vectorset"), 0},
        {"*2\r\n" MODULE(9, "vectorset") MODULE(6, "ReJSON"), 0},
        {"*1\r\n" MODULE(4, "mine"), 0},
        {"-NOPERM this user has no permissions to run the 'module|list' command\r\n", 1},
        {"*1\r\n*2\r\n$3\r\nver\r\n:1\r\n", 1}, /* who knows what that is */
    };
    made_free(&dump);
    file_begin(&dump, "REDIS0010");
    put_byte(&dump, 0xfe);
    put_len(&dump, 0);
    record_begin(&dump, 7, "mod");
    put_byte(&dump, 0x81);
    put_be(&dump, 0x3016e5a289bef804, 8);
    put_len(&dump, 2), put_len(&dump, 5), put_len(&dump, 0);
    record_begin(&dump, 0, "plain");
    put_text(&dump, "1");
    file_end(&dump);
    ck_assert_int_eq(load(), RSP_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.message, "no modules loaded"));
    ck_assert_ptr_nonnull(strstr(error.message, "\"mod\" (MBbloom--)"));
    ck_assert_uint_eq(fake.writes, 0);
    ck_assert_int_eq(rsp_loss_policy_parse(&env, "drop", &options.resp.losses), RSP_OK);
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(report.keys, 1);
    ck_assert_uint_eq(report.plan.losses.n[RSP_LOSS_MODULE], 1);
    ck_assert_ptr_null(fake_find(0, "mod"));
    rsp_loss_policy_default(&options.resp.losses);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        fake_forget();
        fake.modules = lists[i].answer;
        ck_assert_msg(load() == (lists[i].taken ? RSP_OK : RSP_EUNSUPPORTED), "%s", fake.modules);
        if (lists[i].taken) ck_assert_ptr_nonnull(fake_find(0, "mod"));
        else ck_assert_ptr_nonnull(strstr(error.message, "no module loaded"));
        if (!lists[i].taken) ck_assert_uint_eq(fake.writes, 0);
    }
}
END_TEST

START_TEST(keys_exist)
{
    add_theirs(1, "key:7");
    add_theirs(1, "key:8");
    add_theirs(1, "unrelated");
    ck_assert_int_eq(load(), RSP_EEXIST);
    ck_assert_ptr_nonnull(strstr(error.message, "2 keys are there already, the first \"key:7\" in database 1"));
    ck_assert_uint_eq(report.plan.existing, 2);
    ck_assert_int_eq(report.target_fault, 1);
    ck_assert_uint_eq(fake.writes, 0);
    options.dry_run = 1;
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(report.plan.existing, 2);
    ck_assert_uint_eq(report.plan.target_keys, 3);
    ck_assert_uint_eq(fake.writes, 0);
}
END_TEST

START_TEST(left_alone)
{
    options.resp.existing = RSP_EXISTING_SKIP;
    options.resp.payloads = _i;
    add_theirs(0, "key:9"); /* a set: of one command, or by its payload */
    add_theirs(0, "key:10");
    add_theirs(0, "big");
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(report.skipped, 3);
    ck_assert_uint_eq(report.keys, KEYS - 3);
    ck_assert_uint_eq(fake.n, KEYS);
    ck_assert_int_eq(fake_find(0, "key:9")->ours, 1);
    ck_assert_uint_eq(fake_find(0, "key:9")->elements, 1);
    ck_assert_int_eq(fake_find(0, "key:10")->ours, 1);
    ck_assert_uint_eq(fake_find(0, "big")->elements, 1);
    /* All of it is there now: nothing changes. */
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(report.skipped, KEYS);
    ck_assert_uint_eq(report.keys, 0);
    ck_assert_uint_eq(fake_find(0, "big")->elements, 1);
}
END_TEST

START_TEST(replaced)
{
    uint64_t want;
    options.resp.existing = RSP_EXISTING_REPLACE;
    options.resp.payloads = _i;
    ck_assert_int_eq(load(), RSP_OK);
    want = state();
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert(state() == want);
    ck_assert_uint_eq(report.keys, KEYS);
}
END_TEST

START_TEST(databases)
{
    static const struct rsp_resp_db dbs[] = {{0, 5}};
    options.resp.dbs = dbs;
    options.resp.dbs_n = 1;
    add_theirs(0, "key:1"); /* not where it goes */
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_ptr_nonnull(fake_find(5, "key:1"));
    fake_forget();
    fake.databases = 5;
    ck_assert_int_eq(load(), RSP_EDENIED);
    ck_assert_ptr_nonnull(strstr(error.message, "no database 5"));
    ck_assert_uint_eq(fake.writes, 0);
}
END_TEST

START_TEST(damaged)
{
    dump.p[dump.n / 2] ^= 1;
    ck_assert_int_eq(load(), RSP_ECHECKSUM);
    ck_assert_int_eq(report.target_fault, 0);
    ck_assert_ptr_nonnull(strstr(error.message, "nothing was written"));
    dump.p[dump.n / 2] ^= 1;
    dump.n /= 2;
    ck_assert_int_eq(load(), RSP_ETRUNCATED);
    dump.p[0] = 'X';
    ck_assert_int_eq(load(), RSP_EFORMAT);
    ck_assert_uint_eq(fake.writes, 0);
}
END_TEST

static const struct {
    const char *says;
    int code;
    const char *words;
} refusals[] = {
    {"-OOM command not allowed when used memory > 'maxmemory'.\r\n", RSP_ENOSPACE, "memory is full"},
    {"-READONLY You can't write against a read only replica.\r\n", RSP_EDENIED, "become a replica"},
    {"-MISCONF Redis is configured to save RDB snapshots\r\n", RSP_EDENIED, "last save failed"},
    {"-NOREPLICAS Not enough good replicas to write.\r\n", RSP_EDENIED, "min-replicas"},
    {"-MOVED 7 1.2.3.4:5\r\n", RSP_EUNSUPPORTED, "is a node of a cluster"},
    {"-CLUSTERDOWN Hash slot not served\r\n", RSP_EDENIED, "CLUSTERDOWN"},
    {"-LOADING Redis is loading the dataset in memory\r\n", RSP_EBUSY, "LOADING"},
    {"-NOPERM this user has no permissions to run the 'msetnx' command\r\n", RSP_EDENIED, "+msetnx"},
    {"-BUSYKEY Target key name already exists.\r\n", RSP_EEXIST, "appeared meanwhile"},
    {":0\r\n", RSP_EEXIST, "appeared meanwhile"},
    {"$-1\r\n", RSP_EEXIST, "appeared meanwhile"},
    {"-ERR something \x01 else\r\n", RSP_EDENIED, "something \\x01 else"},
};

START_TEST(refused)
{
    fake.refuse_at = 3; /* behind the function and a first run of strings or a set */
    fake.refuse_with = refusals[_i].says;
    if (refusals[_i].says[0] == ':') fake.refuse_at = 2;
    ck_assert_int_eq(load(), refusals[_i].code);
    ck_assert_int_eq(error.code, refusals[_i].code);
    ck_assert_ptr_nonnull(strstr(error.message, refusals[_i].words));
    ck_assert(strstr(error.message, "key \"") || strstr(error.trail, "key \""));
    ck_assert_int_eq(report.target_fault, 1);
}
END_TEST

START_TEST(no_target_for_us)
{
    fake.mode = "cluster";
    ck_assert_int_eq(load(), RSP_EUNSUPPORTED);
    fake.mode = "standalone";
    fake.role = "slave";
    ck_assert_int_eq(load(), RSP_EDENIED);
    ck_assert_ptr_nonnull(strstr(error.message, "restore into its master, 10.0.0.9:6400"));
    ck_assert_uint_eq(passes, 0);
    ck_assert_uint_eq(fake.writes, 0);
}
END_TEST

START_TEST(filtered)
{
    struct rsp_filter *filter;
    ck_assert_int_eq(rsp_filter_new(&env, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "size", "1MB~"), RSP_OK); /* known only at the end of a record */
    options.resp.run.filter = filter;
    add_theirs(0, "key:1");
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(report.keys, 1);
    ck_assert_uint_eq(report.plan.keys, 1);
    ck_assert_uint_eq(fake_find(0, "big")->elements, BIG);
    rsp_filter_free(filter);
}
END_TEST

static volatile int cancel;
static void on_pass(void *opaque, const char *what)
{
    if (!strcmp(what, opaque)) cancel = 1;
}

START_TEST(cancelled)
{
    static char *const passes_of[] = {"checking", "looking for keys that exist", "writing"};
    options.cancel = &cancel;
    options.pass = on_pass;
    add_theirs(0, "unrelated");
    for (size_t i = 0; i < 3; i++) {
        cancel = 0;
        options.opaque = passes_of[i];
        ck_assert_int_eq(load(), RSP_ECANCELED);
        ck_assert_int_eq(report.target_fault, 0);
    }
    ck_assert_uint_eq(fake.n, 1);
}
END_TEST

/* ---- checked before ---- */

/* The plan of what dump holds, with and without a check of our own. 1: it was found sound. */
static int same_plan(const char *name)
{
    struct rsp_load_plan plan;
    int rc;
    options.dry_run = 1;
    options.checked = 0;
    if (load() != RSP_OK) return 0;
    plan = report.plan;
    options.checked = 1;
    rc = load();
    ck_assert_msg(rc == RSP_OK, "%s: %d %s", name, rc, error.message);
    ck_assert_msg(
        !memcmp(&plan, &report.plan, sizeof plan),
        "%s: %" PRIu64 " keys, %" PRIu64 " bytes, estimate %" PRIu64 "; checked %" PRIu64 ", %" PRIu64 ", %" PRIu64,
        name, plan.keys, plan.bytes, plan.estimate_ms, report.plan.keys, report.plan.bytes, report.plan.estimate_ms);
    return 1;
}

static unsigned sound;

static int one_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    size_t n = strlen(path);
    FILE *f;
    (void)at;
    if (type != FTW_F || n < 4 || strcmp(path + n - 4, ".rdb") || st->st_size > 1 << 20) return 0;
    made_free(&dump);
    dump.p = malloc((size_t)st->st_size + 1);
    f = fopen(path, "rb");
    ck_assert(f && dump.p);
    dump.n = fread(dump.p, 1, (size_t)st->st_size, f);
    dump.cap = (size_t)st->st_size + 1;
    fclose(f);
    sound += (unsigned)same_plan(path);
    return 0;
}

START_TEST(checked_plan)
{
    ck_assert_int_eq(same_plan("strings, sets, a list"), 1);
    options.resp.existing = RSP_EXISTING_SKIP;
    ck_assert_int_eq(same_plan("left alone"), 1);
    options.resp.payloads = 0;
    ck_assert_int_eq(same_plan("without payloads"), 1);
    options.resp.payloads = 1;
    streams_dump();
    ck_assert_int_eq(same_plan("streams"), 1);
    ck_assert_int_eq(rsp_loss_policy_parse(&env, "drop", &options.resp.losses), RSP_OK);
    ck_assert_int_eq(nftw(getenv("DATA") ? getenv("DATA") : "tests/data", one_file, 16, FTW_PHYS), 0);
    ck_assert_uint_gt(sound, 50);
}
END_TEST

/* A claim that is wrong as far as the first pass sees: nothing is written. */
START_TEST(checked_and_damaged)
{
    options.checked = 1;
    dump.p[dump.n / 2] ^= 1;
    ck_assert_int_eq(load(), RSP_ECHECKSUM);
    ck_assert_int_eq(report.target_fault, 0);
    ck_assert_ptr_nonnull(strstr(error.message, "nothing was written"));
    dump.p[dump.n / 2] ^= 1;
    put_byte(&dump, 'x');
    ck_assert_int_eq(load(), RSP_EFORMAT);
    dump.n /= 2;
    ck_assert_int_eq(load(), RSP_ETRUNCATED);
    ck_assert(strstr(error.message, "nothing was written") || strstr(error.trail, "nothing was written"));
    dump.p[0] = 'X';
    ck_assert_int_eq(load(), RSP_EFORMAT);
    ck_assert_uint_eq(fake.writes, 0);
}
END_TEST

/* The target does not let us read it again (this one speaks to one at a time): the restore is done, and says so. */
START_TEST(cannot_be_compared)
{
    place.endpoint.idle_ms = 300;
    options.no_compare = 0;
    options.resp.existing = _i % 3;
    options.checked = _i / 3; /* then what is to be compared is made while writing */
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(report.keys, KEYS);
    ck_assert_int_eq(report.compared, 0);
    ck_assert_str_ne(report.why_not, "");
    ck_assert_int_eq(error.code, 0);
}
END_TEST

static int left = -1;
static void *failing(void *opaque, void *p, size_t old, size_t n)
{
    (void)opaque, (void)old;
    if (!n) {
        free(p);
        return NULL;
    }
    if (__atomic_load_n(&left, __ATOMIC_RELAXED) < 0) return realloc(p, n);
    return __atomic_fetch_sub(&left, 1, __ATOMIC_RELAXED) > 0 ? realloc(p, n) : (left = 0, NULL);
}

START_TEST(memory_fails)
{
    int rc = RSP_ENOMEM, n = 0;
    made_free(&dump);
    make_dump(0);
    options.threads = 1;
    options.resp.existing = RSP_EXISTING_SKIP;
    options.checkpoint = mark;
    options.checked = _i;
    options.no_compare = !_i;
    place.endpoint.idle_ms = 300;
    env.resize = failing;
    for (; rc; n += 3) {
        fake_forget();
        unlink(mark);
        left = n;
        rc = load();
        left = -1;
        ck_assert(rc == RSP_OK || rc == RSP_ENOMEM);
        ck_assert_int_lt(n, 20000);
    }
    ck_assert_int_gt(n, 100);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("load");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, written);
    tcase_add_test(t, functions_exist);
    tcase_add_test(t, modules);
    tcase_add_test(t, keys_exist);
    tcase_add_loop_test(t, left_alone, 0, 2);
    tcase_add_loop_test(t, replaced, 0, 2);
    tcase_add_test(t, databases);
    tcase_add_test(t, damaged);
    tcase_add_loop_test(t, refused, 0, (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(t, no_target_for_us);
    tcase_add_test(t, filtered);
    tcase_add_test(t, cancelled);
    tcase_add_test(t, checked_plan);
    tcase_add_test(t, checked_and_damaged);
    tcase_add_loop_test(t, cannot_be_compared, 0, 6);
    tcase_add_loop_test(t, memory_fails, 0, 2);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
