/* What this is: tests of what the command export loses: every kind under every action, told, counted, left out wholly.
 * Rests on: test_resp_crafted.h, test_resp_run.h.
 * Does not: look at the table of servers (tests/unit/rdb/test_target.c) or a maker that counts (test_resp_count.c). */
#include "test_resp_crafted.h"
#include "test_resp_run.h"

struct told {
    unsigned n;
    int loss, stop;
    uint32_t db;
    char name[64];
};

static int on_lost(void *opaque, int loss, uint32_t db, struct rsp_span name)
{
    struct told *t = opaque;
    t->n++;
    t->loss = loss;
    t->db = db;
    snprintf(t->name, sizeof t->name, "%.*s", (int)name.n, (const char *)name.p);
    return t->stop;
}

static int has_key(const struct made *raw, const char *key)
{
    char bulk[32];
    return raw->n && memmem(raw->p, raw->n, bulk, (size_t)snprintf(bulk, sizeof bulk, "\r\n$1\r\n%s\r\n", key));
}

static int is_record(int loss)
{
    return loss != RSP_LOSS_FUNCTION && loss != RSP_LOSS_AUX;
}

/* One crafted value under one action. */
static void under(const struct crafted *c, int action, struct made *raw, struct rsp_resp_report *r, struct told *t,
                  int want)
{
    struct rsp_resp_options o = crafted_options(c);
    struct rsp_error words = {0};
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct made f;
    memset(t, 0, sizeof *t);
    memset(r, 0, sizeof *r);
    r->size = sizeof *r;
    o.losses.action[c->loss] = (uint8_t)action;
    o.lost = on_lost;
    o.opaque = t;
    crafted_file(c, &f);
    ck_assert_msg(export(&f, &o, &env, raw, r) == want, "%s to %s, action %d: %s", rsp_loss_name(c->loss), c->target,
                  action, words.message);
    if (want) ck_assert_ptr_nonnull(strstr(words.message, rsp_loss_text(c->loss)));
    for (int k = 0; k < RSP_LOSSES; k++) ck_assert_uint_eq(r->losses.n[k], k == c->loss);
    ck_assert_uint_eq(t->n, 1);
    ck_assert_int_eq(t->loss, c->loss);
    ck_assert_int_eq(rsp_losses_judge(&r->losses, &o.losses), want ? c->loss : -1);
    if (is_record(c->loss)) ck_assert_str_eq(t->name, "k");
    else ck_assert_str_eq(t->name, c->loss == RSP_LOSS_AUX ? "MBbloom--" : "#!lua name=l");
    ck_assert_uint_eq(t->db, c->loss == RSP_LOSS_DATABASE ? 2 : 0);
    ck_assert_uint_eq(r->losses.names[c->loss][0].db, t->db);
    ck_assert_mem_eq(r->losses.names[c->loss][0].p, t->name, strlen(t->name));
    free(f.p);
}

START_TEST(actions)
{
    const struct crafted *c = &crafted[_i];
    struct rsp_resp_report r;
    struct made raw;
    struct told t;
    under(c, RSP_LOSS_FAIL, &raw, &r, &t, RSP_EUNSUPPORTED);
    ck_assert(!has_key(&raw, "z") && !has_key(&raw, "k"));
    free(raw.p);
    under(c, RSP_LOSS_DROP, &raw, &r, &t, RSP_OK);
    ck_assert(has_key(&raw, "z") && !has_key(&raw, "k"));
    ck_assert(!memmem(raw.p, raw.n, "FUNCTION", 8));
    ck_assert_uint_eq(r.keys, 1);
    free(raw.p);
    under(c, RSP_LOSS_CONVERT, &raw, &r, &t, rsp_loss_convertible(c->loss) ? RSP_OK : RSP_EUNSUPPORTED);
    ck_assert_int_eq(has_key(&raw, "k"), rsp_loss_convertible(c->loss));
    if (rsp_loss_convertible(c->loss)) ck_assert_uint_eq(r.keys, 2);
    free(raw.p);
}
END_TEST

/* The same values where all of it is carried. */
START_TEST(no_loss)
{
    const struct crafted *c = &crafted[_i];
    static const char *const valkey[] = {"valkey:9.2"}, *const redis[] = {"redis:8.10"};
    struct rsp_resp_options o = options_for(c->magic[0] == 'V' ? *valkey : *redis, 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct made f, raw;
    if (c->loss == RSP_LOSS_AUX) return; /* no command carries it, ever */
    for (int k = 0; k < RSP_LOSSES; k++) o.losses.action[k] = RSP_LOSS_FAIL;
    crafted_file(c, &f);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    for (int k = 0; k < RSP_LOSSES; k++) ck_assert_uint_eq(r.losses.n[k], 0);
    ck_assert_uint_eq(r.keys, 1 + (uint64_t)is_record(c->loss));
    free(raw.p), free(f.p);
}
END_TEST

START_TEST(a_report_that_stops)
{
    struct rsp_resp_options o = crafted_options(&crafted[0]);
    struct rsp_error words = {0};
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct told t = {.stop = RSP_EIO};
    struct made f, raw;
    on_loss(&o, "drop");
    o.lost = on_lost;
    o.opaque = &t;
    crafted_file(&crafted[0], &f);
    ck_assert_int_eq(export(&f, &o, &env, &raw, NULL), RSP_EIO);
    ck_assert_str_ne(words.message, "");
    free(raw.p), free(f.p);
}
END_TEST

/* ---- what is kept ---- */

static void one(const char *magic, const char *body, size_t n, struct rsp_resp_options o, const char *want)
{
    struct made f;
    begin(&f, magic);
    put_bytes(&f, body, n);
    finish(&f);
    expect(&f, &o, want);
    free(f.p);
}
#define ONE(magic, body, ...) one(magic, body, sizeof(body) - 1, __VA_ARGS__)

START_TEST(converted)
{
    struct rsp_resp_options o = options_for("redis:4.0", 1);
    ONE("REDIS0009", "\xf8\x09\x00\x01k\x01v", o, "SELECT 0\nSET k v\n");
    o = options_for("redis:2.6.1", 1); /* which has no SET NX */
    o.existing = RSP_EXISTING_FAIL;
    ONE("REDIS0009", "\xf8\x09\x00\x01k\x01v", o, "SELECT 0\nSETNX k v\n");
    o = options_for("redis:8.8", 0); /* an array's cursor is carried: it wrote 7 last */
    ONE("REDIS0014", "\x1c\x01k\x01\x01\x07\x05\x00\x01v", o,
        "SELECT 0\nMULTI\nDEL k\nARMSET k 5 v\nARSEEK k 8\nEXEC\n");
    ONE("REDIS0014", "\x1c\x01k\x01\x01\x80\0\0\0\x07\x05\x00\x01v", o,
        "SELECT 0\nMULTI\nDEL k\nARMSET k 5 v\nARSEEK k 8\nEXEC\n");
    ONE("REDIS0014", "\x1c\x01k\x01\x01\x41\x07\x05\x00\x01v", o,
        "SELECT 0\nMULTI\nDEL k\nARMSET k 5 v\nARSEEK k 264\nEXEC\n");
    o = options_for("redis:7.2", 1); /* hashes of templates lose nothing */
    ONE("REDIS0015",
        "\xf2\x00\x01\x01"
        "f\x20\x01k\x00\x01v",
        o, "SELECT 0\nMULTI\nDEL k\nHSET k f v\nEXEC\n");
}
END_TEST

/* A group that has read nothing, or everything: a server of later finds that itself. */
START_TEST(counters_that_are_found_again)
{
    struct rsp_resp_options o = options_for("redis:6.2", 1);
    o.losses.action[RSP_LOSS_CONSUMER_TIMES] = RSP_LOSS_FAIL;
    ONE("REDIS0011",
        "\x15\x01k" STREAM5 "\x02\x01"
        "g\x03\x00\x00\x00\x00\x01"
        "h\x05\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00",
        o,
        "SELECT 0\nMULTI\nDEL k\nXADD k MAXLEN 0 0-1 - -\nXSETID k 5-0\nXGROUP CREATE k g 3-0\n"
        "XGROUP CREATE k h 5-0\nEXEC\n");
}
END_TEST

/* ---- databases, single keys ---- */

START_TEST(databases)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct rsp_resp_db map[] = {{2, 0}, {0, 1}};
    struct rsp_resp_report r = {.size = sizeof r};
    struct made f, raw;
    strings_file(&f); /* four keys of database 0, one of 2 */
    o.losses.action[RSP_LOSS_EVICTION] = RSP_LOSS_CONVERT;
    o.losses.action[RSP_LOSS_DATABASE] = RSP_LOSS_DROP;
    o.target.cluster = 1;
    expect(&f, &o, "SELECT 0\nSET a x\nSET b -7\nSET c xxxxxxxxxxxxxxxxxxxx\nSET d y PXAT 1000000\n");
    o.dbs = map;
    o.dbs_n = 1;
    expect(&f, &o, "SELECT 0\nSET a x\nSET b -7\nSET c xxxxxxxxxxxxxxxxxxxx\nSET d y PXAT 1000000\nSET e z\n");
    o.dbs_n = 2;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_DATABASE], 4);
    ck_assert_uint_eq(r.losses.names[RSP_LOSS_DATABASE][3].db, 1);
    ck_assert_uint_eq(r.losses.names[RSP_LOSS_DATABASE][3].p[0], 'd');
    free(raw.p);
    o.target.cluster = 0;
    o.target.databases = 2;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_DATABASE], 0);
    free(raw.p);
    o.dbs_n = 0;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_DATABASE], 1);
    free(raw.p);
    o.losses.action[RSP_LOSS_DATABASE] = RSP_LOSS_FAIL;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_EUNSUPPORTED);
    free(raw.p), free(f.p);
}
END_TEST

START_TEST(single_keys)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f;
    strings_file(&f);
    o.single_keys = 1;
    expect(&f, &o,
           "SELECT 0\nSET a x\nSET b -7\nSET c xxxxxxxxxxxxxxxxxxxx\nSET d y PXAT 1000000\nSELECT 2\nSET e z\n");
    o.existing = RSP_EXISTING_FAIL;
    expect(&f, &o,
           "SELECT 0\nSET a x NX\nSET b -7 NX\nSET c xxxxxxxxxxxxxxxxxxxx NX\nSET d y PXAT 1000000 NX\nSELECT 2\n"
           "SET e z NX\n");
    free(f.p);
}
END_TEST

/* ---- what only a later part shows ---- */

/* a, a hash of several batches whose last field expires, z. */
static void late_file(struct made *m)
{
    char text[64];
    begin(m, "REDIS0012");
    PUT(m, "\x00\x01"
           "a\x01x\xf9\x05\x18\x01h\x40\x42\x0f\0\0\0\0\0");
    put_len(m, MANY);
    for (int i = 0; i < MANY; i++) {
        put_byte(m, i == MANY - 1);
        put_str(m, text, (size_t)snprintf(text, sizeof text, "a field of some length, number %d", i));
        put_text(m, "and its value, which is as long");
    }
    PUT(m, "\x00\x01z\x01x");
    finish(m);
}

static int on_late(void *ctx, const struct resp_unit *u)
{
    struct made *all = ctx;
    put_byte(all, u->flags & RESP_UNIT_UNDONE ? 'U' : u->flags & RESP_UNIT_LAST ? 'L' : '-');
    if (u->flags & RESP_UNIT_UNDONE) {
        struct made text = {NULL, 0, 0};
        lines(&text, u->p, u->n);
        ck_assert_str_eq((char *)text.p, "DEL h\n");
        ck_assert_uint_eq(u->records, 1);
        free(text.p);
    }
    return RSP_OK;
}

struct late {
    struct resp_maker *maker;
    struct made seen;
};
static int late_work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    return resp_maker_work(((struct late *)ctx)->maker, worker, env, task);
}
static int late_join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct late *l = ctx;
    return resp_maker_join(l->maker, env, task, on_late, &l->seen);
}
static void late_drop(void *ctx, struct rsp_rdb_task *task)
{
    resp_maker_drop(((struct late *)ctx)->maker, task);
}

START_TEST(undone)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, late_work, late_join, late_drop};
    struct rsp_resp_options o = options_for("redis:7.2", 1);
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_resp_report r = {.size = sizeof r};
    struct rsp_source *source;
    struct rsp_filter *filter;
    struct late l = {NULL, {NULL, 0, 0}};
    struct made f, raw;
    late_file(&f);
    o.run.threads = 1 + 2 * (unsigned)_i;
    on_loss(&o, "drop");
    ck_assert_int_eq(rsp_source_memory(NULL, f.p, f.n, &source), RSP_OK);
    ck_assert_int_eq(resp_maker_new(NULL, &o, &l.maker), RSP_OK);
    ck_assert_int_eq(rsp_rdb_run(NULL, source, &o.run, &ops, &l, &result), RSP_OK);
    resp_maker_report(l.maker, &r);
    resp_maker_free(l.maker);
    rsp_source_free(source);
    ck_assert_uint_gt(l.seen.n, 3);
    ck_assert_mem_eq(l.seen.p + l.seen.n - 2, "UL", 2); /* the end of h, then z */
    ck_assert(!memchr(l.seen.p, 'U', l.seen.n - 2));
    ck_assert_uint_eq(r.keys, 2);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_FIELD_TTL], 1);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_EVICTION], 1);
    free(l.seen.p);
    /* While a filter cannot tell yet nothing is sent that would have to be undone. */
    ck_assert_int_eq(rsp_filter_new(NULL, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "size", "1MB~"), RSP_OK);
    o.run.filter = filter;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(raw.n, 0);
    ck_assert_uint_eq(r.keys, 0);
    free(raw.p);
    o.run.filter = NULL;
    rsp_filter_free(filter);
    on_loss(&o, "convert");
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 3);
    ck_assert(!memmem(raw.p, raw.n, "HPEXPIREAT", 10));
    free(raw.p);
    on_loss(&o, "fail");
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_EUNSUPPORTED);
    free(raw.p), free(f.p);
}
END_TEST

/* A stream that is too large for a payload: its attributes and its consumers' times go. */
START_TEST(too_large_for_a_payload)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct made f, raw;
    stream_file(&f, 1200, _i ? 2 : 1);
    o.target.bulk_max = 3u << 20;
    on_loss(&o, "convert");
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 3);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_STREAM_NACK], !_i);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_CONSUMER_TIMES], 1);
    free(raw.p);
    on_loss(&o, "consumer-times=drop,stream-nack=convert");
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 2);
    free(raw.p), free(f.p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resp_losses");
    TCase *t = tcase_create("resp_losses");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, actions, 0, (int)CRAFTED_N);
    tcase_add_loop_test(t, no_loss, 0, (int)CRAFTED_N);
    tcase_add_test(t, a_report_that_stops);
    tcase_add_test(t, converted);
    tcase_add_test(t, counters_that_are_found_again);
    tcase_add_test(t, databases);
    tcase_add_test(t, single_keys);
    tcase_add_loop_test(t, undone, 0, 2);
    tcase_add_loop_test(t, too_large_for_a_payload, 0, 2);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
