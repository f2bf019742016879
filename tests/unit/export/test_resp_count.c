/* What this is: a maker that counts beside one that makes: the same units, lengths, losses and report, of every file in
 *   tests/data and of what those do not have.
 * Rests on: test_resp_crafted.h; tests/data.
 * Does not: test what the commands are: test_resp_make.c does. */
#include <ftw.h>

#include "test_resp_crafted.h"

#include "base/sip.h"

struct seen {
    struct resp_maker *maker;
    struct sip units;
    uint64_t n, bytes, uncopied;
};

static void add(struct seen *s, uint64_t v)
{
    sip_add(&s->units, &v, sizeof v);
}

static int emit(void *ctx, const struct resp_unit *u)
{
    struct seen *s = ctx;
    s->n++;
    s->bytes += u->n + u->uncopied;
    s->uncopied += u->uncopied;
    add(s, u->n + u->uncopied), add(s, u->flags), add(s, u->db), add(s, u->replies), add(s, u->keys);
    add(s, u->record), add(s, u->records);
    if (u->flags & RESP_UNIT_FUNCTION) sip_add(&s->units, u->p, u->n);
    return RSP_OK;
}

static int work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    return resp_maker_work(((struct seen *)ctx)->maker, worker, env, task);
}

static int join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    return resp_maker_join(((struct seen *)ctx)->maker, env, task, emit, ctx);
}

static void drop(void *ctx, struct rsp_rdb_task *task)
{
    if (task->result) resp_maker_drop(((struct seen *)ctx)->maker, task);
}

static int run(const uint8_t *p, size_t n, const struct rsp_resp_options *o, int count, struct seen *s,
               struct rsp_resp_report *report)
{
    static const uint8_t key[16];
    static const struct rsp_rdb_run_ops ops = {sizeof ops, work, join, drop};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_source *source = NULL;
    int rc;
    memset(s, 0, sizeof *s);
    memset(report, 0, sizeof *report);
    report->size = sizeof *report;
    sip_init(&s->units, key, 0);
    ck_assert_int_eq(resp_maker_new(NULL, o, &s->maker), RSP_OK);
    if (count) resp_maker_count(s->maker);
    ck_assert_int_eq(rsp_source_memory(NULL, p, n, &source), RSP_OK);
    rc = rsp_rdb_run(NULL, source, &o->run, &ops, s, &result);
    resp_maker_report(s->maker, report);
    rsp_source_free(source);
    resp_maker_free(s->maker);
    return rc;
}

static int on_lost(void *opaque, int loss, uint32_t db, struct rsp_span name)
{
    struct seen *s = opaque;
    add(s, (uint64_t)loss), add(s, db);
    sip_add(&s->units, name.p, name.n);
    return RSP_OK;
}

/* 1: it could be made. */
static int same(const char *name, const uint8_t *p, size_t n, const struct rsp_resp_options *o, uint64_t *uncopied)
{
    struct seen made, counted;
    struct rsp_resp_options told = *o;
    struct rsp_resp_report a, b;
    told.lost = on_lost;
    told.opaque = &made;
    if (run(p, n, &told, 0, &made, &a) != RSP_OK) return 0;
    ck_assert_uint_eq(made.uncopied, 0);
    told.opaque = &counted;
    ck_assert_int_eq(run(p, n, &told, 1, &counted, &b), RSP_OK);
    ck_assert_msg(made.n == counted.n && made.bytes == counted.bytes, "%s: %llu units, %llu bytes; counted %llu, %llu",
                  name, (unsigned long long)made.n, (unsigned long long)made.bytes, (unsigned long long)counted.n,
                  (unsigned long long)counted.bytes);
    ck_assert_msg(sip_end64(&made.units) == sip_end64(&counted.units), "%s: units differ", name);
    ck_assert_msg(!memcmp(&a, &b, sizeof a), "%s: reports differ", name);
    *uncopied += counted.uncopied;
    return 1;
}

static unsigned ways(const char *name, const uint8_t *p, size_t n, uint64_t *uncopied)
{
    static const char *const targets[] = {"redis:2.6", "redis:4.0", "redis:7.0", "redis:8.0", "valkey:9.0"};
    static const char *const policies[] = {"drop,convert", "drop", "drop,consumer-times=drop,eviction=drop"};
    unsigned made = 0;
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++)
        for (int existing = RSP_EXISTING_FAIL; existing <= RSP_EXISTING_REPLACE; existing++)
            for (int ttl = RSP_TTL_KEEP; ttl <= RSP_TTL_PERSIST; ttl++) {
                struct rsp_resp_options o = options_for(targets[t], (existing + ttl) % 3 != 0);
                o.existing = existing;
                o.ttl = ttl;
                o.shift_ms = 5;
                on_loss(&o, policies[(t + (size_t)(2 * existing + ttl)) % 3]);
                if (ttl == RSP_TTL_DROP_EXPIRED) o.now_ms = INT64_C(1700000000000);
                if (ttl == RSP_TTL_SHIFT) o.target.bulk_max = 100;
                made += (unsigned)same(name, p, n, &o, uncopied);
            }
    return made;
}

/* ---- every file ---- */

static unsigned files;
static uint64_t left_out;

static int one_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    size_t n = strlen(path);
    uint8_t *p;
    FILE *f;
    (void)at;
    if (type != FTW_F || n < 4 || strcmp(path + n - 4, ".rdb") || st->st_size > 4 << 20) return 0;
    p = malloc((size_t)st->st_size + 1);
    f = fopen(path, "rb");
    ck_assert_ptr_nonnull(p);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fread(p, 1, (size_t)st->st_size, f), (size_t)st->st_size);
    fclose(f);
    files += ways(path, p, (size_t)st->st_size, &left_out) > 0;
    free(p);
    return 0;
}

START_TEST(of_files)
{
    ck_assert_int_eq(nftw(getenv("DATA") ? getenv("DATA") : "tests/data", one_file, 16, FTW_PHYS), 0);
    ck_assert_uint_gt(files, 50);
    ck_assert_uint_gt(left_out, 100000);
}
END_TEST

/* ---- what they do not have ---- */

/* Long runs, a batch of more commands than a worker makes of one, strings packed, as numbers, too large, expiring. */
START_TEST(of_strings)
{
    static char text[200000];
    struct made f;
    uint64_t n = 0;
    char key[32];
    begin(&f, "REDIS0009");
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, i % 7 ? "key:%d" : "%d", i);
        if (i % 11 == 5) PUT(&f, "\xfc\x40\x42\x0f\0\0\0\0\0");
        if (i % 500 == 499) put_byte(&f, 0xfe), put_byte(&f, (uint8_t)(i / 500));
        put_byte(&f, 0);
        put_str(&f, key, strlen(key));
        if (i % 5 == 0) put_lzf(&f, text, i % 50 == 0 ? sizeof text : 25);
        else if (i % 5 == 1) PUT(&f, "\xc1\x39\x30"); /* 12345 */
        else put_str(&f, text, (size_t)(i % 5 == 2 ? i % 300 : i % 12));
    }
    finish(&f);
    ck_assert_uint_eq(ways("strings", f.p, f.n, &n), 60);
    ck_assert_uint_gt(n, 60 * 8 << 20);
    free(f.p);
}
END_TEST

/* What cannot be unpacked is counted by the length that it claims, or too large, and then its key is named. */
START_TEST(of_lies)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r;
    struct seen s;
    struct made f;
    begin(&f, "REDIS0009");
    PUT(&f, "\x00\x03"
            "lie\xc3\x03\x40\xc8"
            "\xff\xff\xff\x00\x03"
            "two\xc3\x03\x30"
            "\xff\xff\xff");
    finish(&f);
    on_loss(&o, "drop,convert");
    o.target.bulk_max = 100;
    ck_assert_int_eq(run(f.p, f.n, &o, 0, &s, &r), RSP_EFORMAT);
    ck_assert_int_eq(run(f.p, f.n, &o, 1, &s, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_OTHER], 1);
    ck_assert_uint_eq(r.losses.names[RSP_LOSS_OTHER][0].n, 3);
    ck_assert_mem_eq(r.losses.names[RSP_LOSS_OTHER][0].p, "lie", 3);
    ck_assert_uint_eq(r.keys, 1);
    ck_assert_uint_eq(s.bytes, strlen("*3\r\n$3\r\nSET\r\n$3\r\ntwo\r\n$48\r\n\r\n") + 48);
    free(f.p);
}
END_TEST

START_TEST(of_losses)
{
    struct rsp_resp_options o = crafted_options(&crafted[_i]);
    struct made f;
    uint64_t n = 0;
    crafted_file(&crafted[_i], &f);
    for (int action = RSP_LOSS_DROP; action <= RSP_LOSS_CONVERT; action++) {
        o.losses.action[crafted[_i].loss] = (uint8_t)action;
        ck_assert_int_eq(same(rsp_loss_name(crafted[_i].loss), f.p, f.n, &o, &n),
                         action == RSP_LOSS_DROP || rsp_loss_convertible(crafted[_i].loss));
    }
    ck_assert_uint_eq(ways(rsp_loss_name(crafted[_i].loss), f.p, f.n, &n), 60);
    free(f.p);
}
END_TEST

/* ---- beside another reading ---- */

static int count_beside(const struct rsp_env *env, const struct made *f, const struct rsp_resp_options *o,
                        struct rsp_losses *losses, int *read)
{
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_source *source = NULL;
    struct rsp_resp_count *c = NULL;
    int rc = rsp_resp_count_new(env, o, &c);
    *read = rc;
    if (rc) return rc;
    *read = rsp_source_memory(env, f->p, f->n, &source);
    if (!*read) *read = rsp_rdb_run(env, source, &o->run, rsp_resp_count_ops(), c, &result);
    rc = rsp_resp_count_report(c, losses);
    rsp_source_free(source);
    rsp_resp_count_free(c);
    return rc;
}

START_TEST(beside)
{
    struct rsp_resp_options o = crafted_options(&crafted[_i]);
    struct rsp_losses l;
    struct made f;
    int read;
    crafted_file(&crafted[_i], &f);
    for (int k = 0; k < RSP_LOSSES; k++) o.losses.action[k] = RSP_LOSS_FAIL; /* which means nothing here */
    ck_assert_int_eq(count_beside(NULL, &f, &o, &l, &read), RSP_OK);
    ck_assert_int_eq(read, RSP_OK);
    for (int k = 0; k < RSP_LOSSES; k++) ck_assert_uint_eq(l.n[k], k == crafted[_i].loss);
    free(f.p);
}
END_TEST

/* Damage ends the counting; the reading goes on. */
START_TEST(beside_damage)
{
    struct rsp_resp_options o = options_for("redis:6.2", 1);
    struct rsp_losses l;
    struct made f;
    int read;
    begin(&f, "REDIS0012");
    PUT(&f, "\xf5\x11#!lua name=l\nx=1 ");
    PUT(&f, "\x10\x01h\x0c\x0d\0\0\0\x02\0\x81"
            "f\x02\x01\x01\xff");
    PUT(&f, "\xf5\x11#!lua name=m\nx=1 ");
    finish(&f);
    ck_assert_int_eq(count_beside(NULL, &f, &o, &l, &read), RSP_EFORMAT);
    ck_assert_int_eq(read, RSP_OK);
    ck_assert_uint_eq(l.n[RSP_LOSS_FUNCTION], 1);
    memset(&o.target, 0, sizeof o.target);
    ck_assert_int_eq(count_beside(NULL, &f, &o, &l, &read), RSP_EINVAL);
    free(f.p);
}
END_TEST

struct failing {
    long left, live;
};

static void *resize(void *opaque, void *p, size_t old_size, size_t new_size)
{
    struct failing *a = opaque;
    (void)old_size;
    if (!new_size) {
        a->live -= p != NULL;
        free(p);
        return NULL;
    }
    if (!a->left) return NULL;
    a->left -= a->left > 0;
    a->live += p == NULL;
    return realloc(p, new_size);
}

START_TEST(beside_without_memory)
{
    struct rsp_resp_options o = options_for("redis:6.2", 1);
    struct failing a = {-1, 0};
    struct rsp_error words;
    struct rsp_env env = {.size = sizeof env, .error = &words, .resize = resize, .resize_opaque = &a};
    struct rsp_losses l;
    struct made f;
    int read = RSP_ENOMEM;
    ghosts_file(&f);
    for (long n = 0; read; n++) {
        memset(&words, 0, sizeof words);
        a.left = n;
        (void)count_beside(&env, &f, &o, &l, &read);
        ck_assert(read == RSP_OK || read == RSP_ENOMEM);
        if (read) ck_assert_int_eq(words.code, RSP_ENOMEM);
        ck_assert_int_eq(a.live, 0);
    }
    free(f.p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resp_count");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 120);
    tcase_add_test(t, of_files);
    tcase_add_test(t, of_strings);
    tcase_add_test(t, of_lies);
    tcase_add_loop_test(t, of_losses, 0, (int)CRAFTED_N);
    tcase_add_loop_test(t, beside, 0, (int)CRAFTED_N);
    tcase_add_test(t, beside_damage);
    tcase_add_test(t, beside_without_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
