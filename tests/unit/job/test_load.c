/* What this is: tests of the restore into a live server, against a server of the test's own: policies, refusals, and
 *   going on after a connection that broke at any write.
 * Rests on: libcheck, rdb_builder.h, load_server.h.
 * Does not: compare with what the server holds afterwards by a capture: tests/live does. */
#include <check.h>
#undef fail
#define MUST(condition) ck_assert(condition)
#include "rdb_builder.h"
#include "load_server.h"

#include "job/load_impl.h"

#define SMALL 300
#define BIG 60000

static struct rsp_error error;
static struct rsp_env env;
static char dir[64], mark[96];
static struct made dump;
static struct rsp_endpoint endpoint;
static struct rsp_load_options options;
static struct rsp_load_report report;
static unsigned passes;

/* Strings in two databases, sets, and a list that does not lie in one batch. */
static void make_dump(int big)
{
    char key[32], text[64];
    file_begin(&dump, "REDIS0010");
    put_byte(&dump, 0xf5);
    put_text(&dump, "#!lua name=a\nredis.register_function('f', function() return 1 end)");
    for (int db = 0; db < 2; db++) {
        put_byte(&dump, 0xfe);
        put_len(&dump, (unsigned)db);
        for (int i = 0; i < SMALL; i++) {
            int is_set = i % 10 == 9;
            snprintf(key, sizeof key, "key:%d", i);
            record_begin(&dump, is_set ? 2 : 0, key);
            snprintf(text, sizeof text, "value %d of %d", i, db);
            if (is_set) put_len(&dump, 3), put_text(&dump, "a"), put_text(&dump, "b");
            put_text(&dump, text);
            if (i != SMALL / 2 || db || !big) continue;
            record_begin(&dump, 1, "big");
            put_len(&dump, BIG);
            for (int k = 0; k < BIG; k++) {
                snprintf(text, sizeof text, "element number %d of a long list", k);
                put_text(&dump, text);
            }
        }
    }
    file_end(&dump);
}
#define KEYS (2 * SMALL + 1)

static void setup(void)
{
    struct rsp_env e = {.size = sizeof e, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &e);
    snprintf(dir, sizeof dir, "/tmp/respite-load-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(mark, sizeof mark, "%s/mark", dir);
    fake_start(dir);
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.size = sizeof endpoint;
    endpoint.socket = fake.path;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.resp.size = sizeof options.resp;
    options.resp.run.size = sizeof options.resp.run;
    options.resp.payloads = 1;
    options.snapshot = "00112233445566778899aabbccddeeff";
    options.no_compare = 1;
    options.threads = 2;
    options.tmpdir = dir;
    make_dump(1);
}

static void teardown(void)
{
    fake_stop();
    made_free(&dump);
    unlink(mark);
    ck_assert_int_eq(rmdir(dir), 0);
}

static int open_dump(void *ctx, struct rsp_source **source)
{
    ck_assert_ptr_eq(ctx, &dump);
    passes++;
    return rsp_source_memory(&env, dump.p, dump.n, source);
}

static int load(void)
{
    memset(&error, 0, sizeof error);
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    return rsp_load(&env, open_dump, &dump, &endpoint, &options, &report);
}

static int by_name(const void *a, const void *b)
{
    const struct fake_key *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c ? c : x->db - y->db;
}

/* What the server holds, in one number. */
static uint64_t state(void)
{
    static const uint8_t key[16];
    struct sip s;
    sip_init(&s, key, 0);
    qsort(fake.keys, fake.n, sizeof fake.keys[0], by_name);
    for (size_t i = 0; i < fake.n; i++) {
        const struct fake_key *k = &fake.keys[i];
        sip_add(&s, k->name, strlen(k->name));
        sip_add(&s, &k->db, sizeof k->db);
        sip_add(&s, &k->bytes, sizeof k->bytes);
        sip_add(&s, &k->elements, sizeof k->elements);
    }
    return sip_end64(&s);
}

static void add_theirs(int db, const char *name)
{
    struct fake_key *k = fake_get(db, name);
    k->ours = 1;
    k->bytes = 1;
    k->elements = 1;
}

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

/* A large list and then a stream in parts, a set, a module's value. */
static void streams_dump(void)
{
    char text[64];
    static char big[3u << 20];
    unsigned x = 1;
    for (size_t i = 0; i < sizeof big; i++) big[i] = (char)((x = x * 1103515245u + 12345u) >> 24);
    made_free(&dump);
    file_begin(&dump, "REDIS0010");
    put_byte(&dump, 0xfe);
    put_len(&dump, 0);
    record_begin(&dump, 1, "big");
    put_len(&dump, BIG);
    for (int k = 0; k < BIG; k++) {
        snprintf(text, sizeof text, "element number %d of a long list", k);
        put_text(&dump, text);
    }
    record_begin(&dump, 19, "stream"); /* no messages; a group with a long name */
    put_len(&dump, 0), put_len(&dump, 0), put_len(&dump, 9), put_len(&dump, 0);
    put_len(&dump, 0), put_len(&dump, 0), put_len(&dump, 0), put_len(&dump, 0), put_len(&dump, 9);
    put_len(&dump, 1);
    put_str(&dump, big, sizeof big);
    put_len(&dump, 1), put_len(&dump, 0), put_len(&dump, 1), put_len(&dump, 0), put_len(&dump, 0);
    record_begin(&dump, 2, "set");
    put_len(&dump, 1), put_text(&dump, "a");
    file_end(&dump);
}

/* The connection breaks at the n-th write; the second run goes on. What is there at the end is what one run makes. */
static void break_and_go_on(int existing, int payloads, unsigned long n)
{
    uint64_t want;
    unsigned runs = 0;
    int rc;
    options.resp.existing = existing;
    options.resp.payloads = payloads;
    options.checkpoint = NULL;
    fake_forget();
    add_theirs(0, "unrelated");
    ck_assert_int_eq(load(), RSP_OK);
    want = state();
    fake_forget();
    add_theirs(0, "unrelated");
    options.checkpoint = mark;
    do {
        fake.hang_at = fake.writes + n;
        rc = load();
        if (!rc) break;
        ck_assert_int_eq(rc, RSP_ENET);
        ck_assert_int_eq(report.target_fault, 1);
        n += n / 2 + 1;
    } while (++runs < 100);
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_uint_gt(runs, 0);
    ck_assert(state() == want);
    ck_assert_int_eq(access(mark, F_OK), -1);
}

START_TEST(a_stream_in_pieces)
{
    unsigned long all = 0;
    streams_dump();
    for (int theirs = 0; theirs < 2; theirs++) {
        fake_forget();
        options.resp.existing = _i;
        if (theirs) add_theirs(0, _i ? "stream" : "unrelated");
        ck_assert_int_eq(load(), RSP_OK);
        all = fake.writes;
        ck_assert_uint_eq(report.keys, theirs && _i == RSP_EXISTING_SKIP ? 2 : 3);
        ck_assert_uint_eq(report.skipped, theirs && _i == RSP_EXISTING_SKIP);
        ck_assert_uint_eq(fake_find(0, "big")->elements, BIG);
        if (theirs && _i == RSP_EXISTING_SKIP) ck_assert_int_eq(fake_find(0, "stream")->ours, 1);
        else ck_assert_uint_gt(fake_find(0, "stream")->bytes, 3u << 20);
    }
    break_and_go_on(_i, 1, 1);
    break_and_go_on(_i, 1, 100);
    break_and_go_on(_i, 1, all - 1); /* RESTORE of the stream */
    break_and_go_on(_i, 1, all);
}
END_TEST

/* It broke while the payload was under way: what was there before is not ours to delete. */
START_TEST(theirs_stays)
{
    streams_dump();
    options.resp.existing = RSP_EXISTING_SKIP;
    options.checkpoint = mark;
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_gt(fake.writes, 2);
    for (unsigned long n = fake.writes - 1, back = 0; back < 2; back++) {
        fake_forget();
        add_theirs(0, "stream");
        fake.hang_at = n + back; /* RESTORE of the stream, of the set */
        ck_assert_int_eq(load(), RSP_ENET);
        ck_assert_int_eq(fake_find(0, "stream")->ours, 1);
        fake.hang_at = 0;
        ck_assert_int_eq(load(), RSP_OK);
        ck_assert_int_eq(fake_find(0, "stream")->ours, 1);
        ck_assert_uint_eq(fake_find(0, "big")->elements, BIG);
    }
}
END_TEST

START_TEST(modules)
{
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
    options.resp.drop_losses = 1;
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(report.keys, 1);
    ck_assert_uint_eq(report.plan.losses.n[RSP_LOSS_MODULE], 1);
    ck_assert_ptr_null(fake_find(0, "mod"));
    fake_forget();
    fake.modules = 1;
    options.resp.drop_losses = 0;
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_ptr_nonnull(fake_find(0, "mod"));
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
    {"-MOVED 7 1.2.3.4:5\r\n", RSP_EUNSUPPORTED, "cluster is not supported yet"},
    {"-CLUSTERDOWN Hash slot not served\r\n", RSP_EUNSUPPORTED, "cluster is not supported yet"},
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

START_TEST(goes_on)
{
    static const unsigned long at[] = {1, 2, 3, 10, 60, 150, 300};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        if (at[i] > 10 && _i & 1) continue; /* with payloads there are not so many commands */
        break_and_go_on(_i / 2, _i & 1, at[i]);
    }
}
END_TEST

START_TEST(other_checkpoint)
{
    struct rsp_filter *filter;
    options.checkpoint = mark;
    fake.hang_at = 4;
    ck_assert_int_eq(load(), RSP_ENET);
    ck_assert_int_eq(access(mark, F_OK), 0);
    options.snapshot = "ffeeddccbbaa99887766554433221100";
    ck_assert_int_eq(load(), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "another snapshot"));
    options.snapshot = "00112233445566778899aabbccddeeff";
    options.resp.ttl = RSP_TTL_PERSIST;
    ck_assert_int_eq(load(), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "other options"));
    options.resp.ttl = 0;
    ck_assert_int_eq(rsp_filter_new(&env, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "key", "key:1*"), RSP_OK);
    options.resp.run.filter = filter;
    ck_assert_int_eq(load(), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "other keys"));
    options.resp.run.filter = NULL;
    rsp_filter_free(filter);
    fake.run = 1;
    ck_assert_int_eq(load(), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "started again"));
    fake.run = 0;
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(fake.n, KEYS);
    ck_assert_int_eq(access(mark, F_OK), -1);
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

/* The target does not let us read it again (this one speaks to one at a time): the restore is done, and says so. */
START_TEST(cannot_be_compared)
{
    endpoint.idle_ms = 300;
    options.no_compare = 0;
    options.resp.existing = _i;
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
    tcase_add_loop_test(t, a_stream_in_pieces, 0, 3);
    tcase_add_test(t, theirs_stays);
    tcase_add_test(t, modules);
    tcase_add_test(t, keys_exist);
    tcase_add_loop_test(t, left_alone, 0, 2);
    tcase_add_loop_test(t, replaced, 0, 2);
    tcase_add_test(t, databases);
    tcase_add_test(t, damaged);
    tcase_add_loop_test(t, refused, 0, (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(t, no_target_for_us);
    tcase_add_loop_test(t, goes_on, 0, 6);
    tcase_add_test(t, other_checkpoint);
    tcase_add_test(t, filtered);
    tcase_add_test(t, cancelled);
    tcase_add_loop_test(t, cannot_be_compared, 0, 3);
    tcase_add_test(t, memory_fails);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
