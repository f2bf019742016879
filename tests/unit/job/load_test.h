/* What this is: dumps to be restored into a server of the test's own, and the restore of them with what it reports.
 * Rests on: libcheck, rdb_builder.h, load_server.h.
 * Does not: test anything. */
#ifndef TESTS_JOB_LOAD_TEST_H
#define TESTS_JOB_LOAD_TEST_H

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
static struct rsp_place place;
static struct rsp_load_options options;
static struct rsp_load_report report;
static unsigned passes;

/* Strings in two databases, sets, and a list that does not lie in one batch. */
static inline void make_dump(int big)
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

static inline void setup(void)
{
    struct rsp_env e = {.size = sizeof e, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &e);
    snprintf(dir, sizeof dir, "/tmp/respite-load-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(mark, sizeof mark, "%s/mark", dir);
    fake_start(dir);
    memset(&place, 0, sizeof place);
    place.size = sizeof place;
    place.endpoint.size = sizeof place.endpoint;
    place.endpoint.socket = fake.path;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.resp.size = sizeof options.resp;
    options.resp.run.size = sizeof options.resp.run;
    options.resp.payloads = 1;
    rsp_loss_policy_default(&options.resp.losses);
    options.snapshot = "00112233445566778899aabbccddeeff";
    options.no_compare = 1;
    options.threads = 2;
    options.tmpdir = dir;
    make_dump(1);
}

static inline void teardown(void)
{
    fake_stop();
    made_free(&dump);
    unlink(mark);
    ck_assert_int_eq(rmdir(dir), 0);
}

static inline int open_dump(void *ctx, size_t stream, struct rsp_source **source)
{
    ck_assert_ptr_eq(ctx, &dump);
    ck_assert_uint_eq(stream, 0);
    passes++;
    return rsp_source_memory(&env, dump.p, dump.n, source);
}

static inline int load(void)
{
    memset(&error, 0, sizeof error);
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    return rsp_load(&env, open_dump, &dump, &place, &options, &report);
}

static inline int by_name(const void *a, const void *b)
{
    const struct fake_key *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c ? c : x->db - y->db;
}

/* What the server holds, in one number. */
static inline uint64_t state(void)
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

static inline void add_theirs(int db, const char *name)
{
    struct fake_key *k = fake_get(db, name);
    k->ours = 1;
    k->bytes = 1;
    k->elements = 1;
}

/* A large list and then a stream in parts, a set, a module's value. */
static inline void streams_dump(void)
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

#endif
