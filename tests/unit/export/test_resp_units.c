/* What this is: tests of the command export: units and their numbers, values in parts, resumed runs, targets, faults,
 *   failing allocations.
 * Rests on: test_resp_lines.h, export/resp_make.h.
 * Does not: look at each kind of value (test_resp_make.c). */
#include "test_resp_lines.h"

/* ---- units ---- */

struct seen {
    struct resp_maker *maker;
    struct made keys; /* one a line, without the parts behind the first */
    uint64_t next;    /* record that must come */
    uint64_t stop;    /* units to go before a fault; 0: none */
    uint64_t units, in_parts, pieces;
    int open;
    struct made begun; /* of a command in pieces */
};

static int on_unit(void *ctx, const struct resp_unit *u)
{
    struct seen *s = ctx;
    struct made text = {NULL, 0, 0};
    uint32_t replies = 0;
    int in_pieces = s->begun.n || u->flags & RESP_UNIT_PIECE;
    if (in_pieces) put_bytes(&s->begun, u->p, u->n);
    if (u->flags & RESP_UNIT_PIECE) {
        ck_assert(u->n > 0 && u->n < (2u << 20));
        ck_assert(!(u->flags & (RESP_UNIT_LAST | RESP_UNIT_SEVERAL)));
        s->pieces++;
        lines(&text, NULL, 0);
    } else if (in_pieces) {
        ck_assert_uint_gt(s->begun.n, 0);
        lines(&text, s->begun.p, s->begun.n);
        free(s->begun.p);
        memset(&s->begun, 0, sizeof s->begun);
    } else {
        lines(&text, u->p, u->n);
    }
    for (size_t i = 0; i < text.n; i++) replies += text.p[i] == '\n';
    ck_assert_uint_eq(replies, u->replies);
    if (u->flags & RESP_UNIT_FUNCTION) {
        ck_assert_uint_eq(u->records, 0);
        free(text.p);
        return RSP_OK;
    }
    ck_assert_uint_ge(u->record, s->next);
    ck_assert_int_eq(s->open, !(u->flags & RESP_UNIT_FIRST));
    ck_assert_int_eq((u->flags & RESP_UNIT_LAST) != 0, u->records > 0);
    if (in_pieces) ck_assert_uint_eq(u->keys, !(u->flags & RESP_UNIT_PIECE));
    else if (u->flags & RESP_UNIT_FIRST) ck_assert_uint_gt(u->keys, 0);
    else ck_assert_uint_eq(u->keys, 0);
    if (u->flags & RESP_UNIT_MSET) {
        ck_assert_uint_eq(u->keys, u->records);
        put_bytes(&s->keys, text.p, text.n);
    } else if (u->flags & RESP_UNIT_FIRST) {
        put_bytes(&s->keys, u->key.p, u->key.n);
        put_byte(&s->keys, '\n');
    }
    s->open = !(u->flags & RESP_UNIT_LAST);
    s->in_parts += s->open != 0;
    s->next = u->record + u->records;
    s->units++;
    free(text.p);
    return s->units == s->stop ? RSP_ECANCELED : RSP_OK;
}

static int on_work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    return resp_maker_work(((struct seen *)ctx)->maker, worker, env, task);
}
static int on_join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    return resp_maker_join(((struct seen *)ctx)->maker, env, task, on_unit, ctx);
}
static void on_drop(void *ctx, struct rsp_rdb_task *task)
{
    resp_maker_drop(((struct seen *)ctx)->maker, task);
}

static int run_units(const struct made *f, const struct rsp_resp_options *o, uint64_t skip, struct seen *s,
                     struct rsp_resp_report *report)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, on_work, on_join, on_drop};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_source *source;
    int rc;
    memset(s, 0, sizeof *s);
    s->next = skip;
    ck_assert_int_eq(rsp_source_memory(NULL, f->p, f->n, &source), RSP_OK);
    ck_assert_int_eq(resp_maker_new(NULL, o, &s->maker), RSP_OK);
    resp_maker_skip(s->maker, skip);
    rc = rsp_rdb_run(NULL, source, &o->run, &ops, s, &result);
    if (report) resp_maker_report(s->maker, report);
    resp_maker_free(s->maker);
    rsp_source_free(source);
    put_byte(&s->keys, 0);
    return rc;
}

/* Strings, an aggregate, expired ones, and more strings than one MSET has. */
static void mixed_file(struct made *m)
{
    char key[16];
    begin(m, "REDIS0011");
    PUT(m, "\xf5\x10#!lua name=l\nx=1");
    for (int i = 0; i < 100; i++) {
        if (i == 5) PUT(m, "\xfc\x01\0\0\0\0\0\0\0");
        if (i == 90) PUT(m, "\x02\x01s\x01\x01m");
        put_byte(m, 0);
        put_str(m, key, (size_t)snprintf(key, sizeof key, "k%d", i));
        put_text(m, "v");
    }
    PUT(m, "\xfc\x01\0\0\0\0\0\0\0\x02\x01t\x01\x01m");
    finish(m);
}

START_TEST(units_and_resumption)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct made f;
    struct seen s;
    o.ttl = RSP_TTL_DROP_EXPIRED;
    mixed_file(&f);
    ck_assert_int_eq(run_units(&f, &o, 0, &s, &r), RSP_OK);
    /* k0..k4, k6..k69, k70..k89, s, k90..k99; k5 and t have expired */
    ck_assert_uint_eq(s.units, 5);
    ck_assert_uint_eq(s.next, 101);
    ck_assert_uint_eq(r.keys, 100);
    ck_assert_uint_eq(r.dropped, 2);
    ck_assert_uint_eq(r.functions, 1);
    free(s.keys.p);
    for (uint64_t skip = 1; skip <= 102; skip++) {
        memset(&r, 0, sizeof r);
        r.size = sizeof r;
        ck_assert_int_eq(run_units(&f, &o, skip, &s, &r), RSP_OK);
        ck_assert_uint_eq(r.keys, skip <= 5 ? 100 - skip : skip < 101 ? 101 - skip : 0);
        ck_assert_uint_eq(r.functions, 0);
        if (skip == 3) ck_assert_ptr_nonnull(strstr((char *)s.keys.p, "MSET k3 v k4 v\n"));
        if (skip == 98) ck_assert_str_eq((char *)s.keys.p, "MSET k97 v k98 v k99 v\n");
        free(s.keys.p);
    }
    ck_assert_int_eq(run_units(&f, &o, 200, &s, NULL), RSP_OK);
    ck_assert_uint_eq(s.units, 0);
    free(s.keys.p);
    free(f.p);
}
END_TEST

/* ---- records in parts ---- */

#define MANY 60000
static void parts_file(struct made *m)
{
    static char big[3u << 20];
    char text[32];
    unsigned x = 1;
    for (size_t i = 0; i < sizeof big; i++) big[i] = (char)((x = x * 1103515245u + 12345u) >> 24);
    begin(m, "REDIS0011");
    PUT(m, "\x00\x01"
           "a\x01x");
    PUT(m, "\x01\x01l");
    put_len(m, MANY);
    for (int i = 0; i < MANY; i++) put_str(m, text, (size_t)snprintf(text, sizeof text, "element number %d", i));
    PUT(m, "\xfc\x00\x00\x00\x00\x00\x01\0\0\x00\x01s"); /* a string of many batches */
    put_str(m, big, sizeof big);
    PUT(m, "\x04\x01h\x02\x01"
           "f");
    put_str(m, big, sizeof big); /* a field of many batches */
    PUT(m, "\x01g\x01v");
    PUT(m, "\x07\x01m\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x05");
    put_str(m, big, sizeof big);
    PUT(m, "\x00");
    PUT(m, "\x00\x01z\x01x");
    finish(m);
}

START_TEST(records_in_parts)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct made f, one, three;
    struct rsp_filter *filter;
    struct seen s;
    parts_file(&f);
    ck_assert_int_eq(export(&f, &o, NULL, &one, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 6);
    o.run.threads = 3;
    ck_assert_int_eq(export(&f, &o, NULL, &three, NULL), RSP_OK);
    ck_assert_uint_eq(one.n, three.n);
    ck_assert_mem_eq(one.p, three.p, one.n);
    free(three.p);
    ck_assert_int_eq(run_units(&f, &o, 0, &s, &r), RSP_OK);
    ck_assert_str_eq((char *)s.keys.p, "a\nl\ns\nh\nm\nz\n");
    ck_assert_uint_gt(s.in_parts, 5);
    ck_assert_uint_eq(s.next, 6);
    free(s.keys.p);
    ck_assert_int_eq(run_units(&f, &o, 3, &s, NULL), RSP_OK);
    ck_assert_str_eq((char *)s.keys.p, "h\nm\nz\n");
    free(s.keys.p);
    /* A filter that knows only at the end: what is refused leaves nothing. */
    ck_assert_int_eq(rsp_filter_new(NULL, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "size", "2MB~"), RSP_OK);
    o.run.filter = filter;
    ck_assert_int_eq(run_units(&f, &o, 0, &s, NULL), RSP_OK);
    ck_assert_str_eq((char *)s.keys.p, "s\nh\nm\n");
    ck_assert_uint_eq(s.next, 3);
    free(s.keys.p);
    rsp_filter_free(filter);
    o.run.filter = NULL;
    o.target.bulk_max = 1u << 20; /* the target takes no longer strings */
    ck_assert_int_eq(export(&f, &o, NULL, &three, NULL), RSP_EUNSUPPORTED);
    free(three.p);
    o.drop_losses = 1;
    ck_assert_int_eq(export(&f, &o, NULL, &three, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_OTHER], 3);
    free(three.p);
    free(one.p);
    free(f.p);
}
END_TEST

/* Stream 19 of nodes entries from 2-0 on, of 4000 bytes each; a group with one who has `pending`-0 pending. */
static void stream_file(struct made *m, unsigned nodes, unsigned pending)
{
    struct made lp = {NULL, 0, 0};
    static char value[4000];
    memset(value, 'v', sizeof value);
    begin(m, "REDIS0010");
    PUT(m, "\x00\x01"
           "a\x01x\xfc\x00\x00\x00\x00\x00\x01\0\0\x13\x01s");
    put_len(m, nodes);
    for (unsigned i = 0; i < nodes; i++) {
        put_len(m, 16);
        put_pel_id(m, i + 2);
        lp_begin(&lp);
        lp_int(&lp, 1), lp_int(&lp, 0), lp_int(&lp, 1);
        lp_str(&lp, "f", 1);
        lp_int(&lp, 0), lp_int(&lp, 2), lp_int(&lp, 0), lp_int(&lp, 0);
        lp_str(&lp, value, sizeof value);
        lp_int(&lp, 4);
        lp_end(&lp, 10);
        put_str(m, (const char *)lp.p, lp.n);
    }
    put_len(m, nodes), put_len(m, nodes + 1), put_len(m, 0);
    put_len(m, 2), put_len(m, 0), put_len(m, 0), put_len(m, 0), put_len(m, nodes + 1);
    put_len(m, 1);
    put_text(m, "g");
    put_len(m, pending), put_len(m, 0), put_len(m, 1);
    put_len(m, 1);
    put_pel_id(m, pending), put_le(m, 70, 8), put_len(m, 1);
    put_len(m, 1);
    put_text(m, "c");
    put_le(m, 80, 8);
    put_len(m, 1), put_pel_id(m, pending);
    PUT(m, "\x00\x01z\x01x");
    finish(m);
    free(lp.p);
}

/* The payload in the RESTORE of s: type, the value's bytes as in the file, version, checksum. */
static void same_payload(const struct made *f, const struct made *raw)
{
    static const char key[] = "\r\n$1\r\ns\r\n$13\r\n1099511627776\r\n$", head[] = "\x13\x01s";
    const uint8_t *p = memmem(raw->p, raw->n, key, sizeof key - 1), *end = raw->p + raw->n;
    const uint8_t *value = memmem(f->p, f->n, head, sizeof head - 1), *behind = f->p + f->n - 9 - 5;
    size_t n, want;
    ck_assert(p && value);
    value += sizeof head - 1;
    want = (size_t)(behind - value);
    p += sizeof key - 2;
    n = number(&p, end, '$');
    ck_assert_uint_eq(n, want + 11);
    ck_assert_uint_eq(*p, 0x13);
    ck_assert(!memcmp(p + 1, value, want));
    ck_assert_uint_eq(crc64(0, p, n - 8), load_le64(p + n - 8));
}

START_TEST(streams_in_parts)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct rsp_filter *filter;
    struct made f, raw, native;
    struct seen s;
    stream_file(&f, 1200, 1); /* pending, and trimmed */
    o.run.threads = 1 + 2 * (unsigned)_i;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 3);
    ck_assert_uint_eq(r.commands, 4);
    same_payload(&f, &raw);
    ck_assert_int_eq(run_units(&f, &o, 0, &s, &r), RSP_OK);
    ck_assert_uint_ge(s.pieces, 4);
    ck_assert_uint_eq(s.next, 3);
    ck_assert_str_eq((char *)s.keys.p, "a\ns\nz\n");
    free(s.keys.p);
    ck_assert_int_eq(run_units(&f, &o, 2, &s, &r), RSP_OK);
    ck_assert_str_eq((char *)s.keys.p, "z\n");
    ck_assert_uint_eq(s.pieces, 0);
    free(s.keys.p);
    /* A filter that knows only at the end. */
    ck_assert_int_eq(rsp_filter_new(NULL, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "size", _i ? "2MB~" : "~2MB"), RSP_OK);
    o.run.filter = filter;
    ck_assert_int_eq(run_units(&f, &o, 0, &s, NULL), RSP_OK);
    if (_i) ck_assert_str_eq((char *)s.keys.p, "s\n");
    else ck_assert_ptr_null(strstr((char *)s.keys.p, "s\n"));
    free(s.keys.p);
    rsp_filter_free(filter);
    o.run.filter = NULL;
    free(raw.p);
    /* Larger than the target takes: by commands, which do not make what is pending and gone. */
    o.target.bulk_max = 3u << 20;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EUNSUPPORTED);
    free(raw.p);
    o.drop_losses = 1;
    memset(&r, 0, sizeof r);
    r.size = sizeof r;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_STREAM], 1);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_OTHER], 0);
    free(raw.p), free(f.p);
    o.drop_losses = 0;
    stream_file(&f, 1200, 2);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_OK);
    o.payloads = 0;
    ck_assert_int_eq(export(&f, &o, NULL, &native, NULL), RSP_OK);
    ck_assert_uint_eq(raw.n, native.n);
    ck_assert(!memcmp(raw.p, native.p, raw.n));
    free(raw.p);
    /* Both: known only at the end, and too large by then. */
    o.payloads = 1;
    ck_assert_int_eq(rsp_filter_new(NULL, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "size", "2MB~"), RSP_OK);
    o.run.filter = filter;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 1);
    ck_assert_ptr_nonnull(memmem(native.p, native.n, raw.p + 23, raw.n - 23)); /* behind SELECT */
    rsp_filter_free(filter);
    free(raw.p), free(native.p), free(f.p);
}
END_TEST

START_TEST(no_place_for_a_payload)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_error words = {0};
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct made f, raw;
    stream_file(&f, 1200, 2);
    o.tmpdir = "/dev/null/none";
    ck_assert_int_lt(export(&f, &o, &env, &raw, NULL), 0);
    ck_assert_str_ne(words.message, "");
    free(raw.p), free(f.p);
}
END_TEST

/* Who would add to a key that exists says so; what notices it does not. */
static int on_several(void *ctx, const struct resp_unit *u)
{
    struct seen *s = ctx;
    const char *word = memchr(u->p, '\n', u->n);
    int notices = word && (!memcmp(word + 1, "$3\r\nSET\r\n", 9) || !memcmp(word + 1, "$7\r\nRESTORE", 11) ||
                           !memcmp(word + 1, "$6\r\nMSETNX", 10));
    ck_assert_int_eq((u->flags & RESP_UNIT_SEVERAL) != 0, !notices);
    s->units++;
    return RSP_OK;
}
static int join_several(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    return resp_maker_join(((struct seen *)ctx)->maker, env, task, on_several, ctx);
}

START_TEST(several)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, on_work, join_several, on_drop};
    struct rsp_resp_options o = options_for("redis:7.0", _i & 1);
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct made files[2];
    o.existing = _i & 2 ? RSP_EXISTING_FAIL : RSP_EXISTING_SKIP;
    aggregates_file(&files[0]);
    strings_file(&files[1]);
    for (size_t i = 0; i < 2; i++) {
        struct rsp_source *source;
        struct seen s = {0};
        ck_assert_int_eq(rsp_source_memory(NULL, files[i].p, files[i].n, &source), RSP_OK);
        ck_assert_int_eq(resp_maker_new(NULL, &o, &s.maker), RSP_OK);
        ck_assert_int_eq(rsp_rdb_run(NULL, source, &o.run, &ops, &s, &result), RSP_OK);
        ck_assert_uint_gt(s.units, 2);
        resp_maker_free(s.maker);
        rsp_source_free(source);
        free(files[i].p);
    }
}
END_TEST

START_TEST(a_target_without_modules)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct rsp_error words = {0};
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct made f, raw;
    if (_i) {
        parts_file(&f);
    } else {
        begin(&f, "REDIS0010");
        PUT(&f, "\x07\x01m\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x02\x05\x00");
        PUT(&f, "\x00\x01z\x01x");
        finish(&f);
    }
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, _i ? 6 : 2);
    free(raw.p);
    o.target.no_modules = 1;
    ck_assert_int_eq(export(&f, &o, &env, &raw, &r), RSP_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(words.message, "key \"m\""));
    ck_assert_str_ne(r.losses.module, "");
    ck_assert_ptr_nonnull(strstr(words.message, r.losses.module));
    free(raw.p);
    o.drop_losses = 1;
    memset(&r, 0, sizeof r);
    r.size = sizeof r;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, _i ? 5 : 1);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_MODULE], 1);
    free(raw.p), free(f.p);
}
END_TEST

START_TEST(a_fault_of_emit_stops)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct rsp_source *source;
    struct rsp_rdb_run_result result = {.size = sizeof result};
    static const struct rsp_rdb_run_ops ops = {sizeof ops, on_work, on_join, on_drop};
    struct seen s = {.stop = 2};
    struct made f;
    strings_file(&f);
    ck_assert_int_eq(rsp_source_memory(NULL, f.p, f.n, &source), RSP_OK);
    ck_assert_int_eq(resp_maker_new(NULL, &o, &s.maker), RSP_OK);
    ck_assert_int_eq(rsp_rdb_run(NULL, source, &o.run, &ops, &s, &result), RSP_ECANCELED);
    ck_assert_uint_eq(s.units, 2);
    resp_maker_free(s.maker);
    rsp_source_free(source);
    free(s.keys.p);
    free(f.p);
}
END_TEST

/* ---- targets, faults ---- */

START_TEST(targets)
{
    struct rsp_resp_target t = {.size = sizeof t};
    static const char *const bad[] = {"",          "redis",         "redis:",     "redis:x",
                                      "redis:7.",  "redis:7.0.0.0", "keydb:6.3",  "redis:7.0 ",
                                      "redis:2.4", "valkey:7.0",    "redis:700.0"};
    ck_assert_int_eq(rsp_resp_target_parse(NULL, "redis:7.0.15", &t), RSP_OK);
    ck_assert_uint_eq(t.version_n, 70015);
    ck_assert_uint_eq(t.rdb_version, 10);
    ck_assert_int_eq(rsp_resp_target_parse(NULL, "redis:8.10", &t), RSP_OK);
    ck_assert_uint_eq(t.rdb_version, 15);
    ck_assert_int_eq(rsp_resp_target_parse(NULL, "redis:99", &t), RSP_OK);
    ck_assert_uint_eq(t.rdb_version, 15);
    ck_assert_int_eq(rsp_resp_target_parse(NULL, "valkey:8.1", &t), RSP_OK);
    ck_assert_uint_eq(t.rdb_version, 11);
    ck_assert_int_eq(t.valkey, 1);
    ck_assert_int_eq(rsp_resp_target_parse(NULL, "valkey:9.1.2", &t), RSP_OK);
    ck_assert_uint_eq(t.rdb_version, 80);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ck_assert_int_lt(rsp_resp_target_parse(NULL, bad[i], &t), 0);
    ck_assert_int_eq(rsp_resp_target_of(NULL, "redis", 20400, &t), RSP_EVERSION);
    ck_assert_int_eq(rsp_resp_target_of(NULL, NULL, 70000, &t), RSP_EINVAL);
}
END_TEST

START_TEST(wrong_options)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f, raw;
    strings_file(&f);
    o.existing = 3;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EINVAL);
    o.existing = 0;
    o.ttl = -1;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EINVAL);
    o.ttl = 0;
    memset(&o.target, 0, sizeof o.target);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EINVAL);
    free(f.p);
}
END_TEST

START_TEST(malformed)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f, raw, text = {NULL, 0, 0};
    begin(&f, "REDIS0010");
    PUT(&f, "\x00\x01"
            "a\x01x\x10\x02hl\x0c\x0d\0\0\0\x02\0\x81"
            "f\x02\x01\x01\xff");
    finish(&f);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EFORMAT);
    lines(&text, raw.p, raw.n); /* what stands before the fault is there */
    ck_assert_str_eq((char *)text.p, "SELECT 0\nSET a x\n");
    free(text.p);
    free(raw.p);
    free(f.p);
    ghosts_file(&f);
    f.p[f.n - 9 - 16 - 1 - 16 - 2 - 1] = 'c';
    f.p[40] = 9; /* the first pending id comes behind the second */
    ck_assert_int_lt(export(&f, &o, NULL, &raw, NULL), 0);
    free(raw.p);
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

static void fail_each(const struct made *f, const struct rsp_resp_options *o)
{
    struct failing a = {-1, 0};
    struct rsp_error words;
    struct rsp_env env = {.size = sizeof env, .error = &words, .resize = resize, .resize_opaque = &a};
    int rc = RSP_ENOMEM;
    for (long n = 0; rc; n++) {
        struct made raw;
        memset(&words, 0, sizeof words);
        a.left = n;
        rc = export(f, o, &env, &raw, NULL);
        ck_assert(rc == RSP_OK || rc == RSP_ENOMEM);
        if (rc) ck_assert_int_eq(words.code, RSP_ENOMEM);
        ck_assert_int_eq(a.live, 0);
        free(raw.p);
    }
}

START_TEST(allocations_fail)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f;
    strings_file(&f);
    fail_each(&f, &o);
    free(f.p);
    ghosts_file(&f);
    fail_each(&f, &o);
    free(f.p);
    aggregates_file(&f);
    o.payloads = 1;
    fail_each(&f, &o);
    free(f.p);
    stream_file(&f, 700, 1);
    fail_each(&f, &o);
    o.target.bulk_max = 2u << 20;
    o.drop_losses = 1;
    fail_each(&f, &o);
    free(f.p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resp_units");
    TCase *t = tcase_create("resp_units");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 120);
    tcase_add_test(t, units_and_resumption);
    tcase_add_test(t, records_in_parts);
    tcase_add_loop_test(t, streams_in_parts, 0, 2);
    tcase_add_test(t, no_place_for_a_payload);
    tcase_add_loop_test(t, several, 0, 4);
    tcase_add_loop_test(t, a_target_without_modules, 0, 2);
    tcase_add_test(t, a_fault_of_emit_stops);
    tcase_add_test(t, targets);
    tcase_add_test(t, wrong_options);
    tcase_add_test(t, malformed);
    tcase_add_test(t, allocations_fail);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
