/* What this is: tests of the command export: every type, target and policy; units and their numbers, values in parts,
 *   resumed runs, losses, faults, failing allocations.
 * Rests on: export/resp_make.h; files built here, byte by byte.
 * Does not: ask a server whether it takes the commands: tests/live/resp.sh does. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#undef fail

#include <respite/sys/resp.h>

#include "base/crc64.h"
#include "export/resp_make.h"
#define MUST(condition) ck_assert(condition)
#include "tests/rdb_builder.h"

#define PUT(m, literal) put_bytes((m), literal, sizeof(literal) - 1)

static void begin(struct made *m, const char *magic)
{
    memset(m, 0, sizeof *m);
    put_bytes(m, magic, 9);
}

/* ---- commands as lines: "SET k v\n"; what is not printable as \xHH ---- */

static size_t number(const uint8_t **p, const uint8_t *end, char mark)
{
    size_t n = 0;
    ck_assert(*p < end && **p == mark);
    for (++*p; *p < end && **p != '\r'; ++*p) {
        ck_assert(**p >= '0' && **p <= '9');
        n = n * 10 + (size_t)(**p - '0');
    }
    ck_assert(end - *p >= 2 && (*p)[1] == '\n');
    *p += 2;
    return n;
}

static void lines(struct made *out, const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;
    char hex[8];
    while (p < end) {
        size_t argc = number(&p, end, '*');
        ck_assert(argc > 0);
        for (size_t i = 0; i < argc; i++) {
            size_t len = number(&p, end, '$');
            ck_assert((size_t)(end - p) >= len + 2);
            if (i) put_byte(out, ' ');
            for (size_t k = 0; k < len; k++) {
                if (p[k] > 0x20 && p[k] < 0x7f) put_byte(out, p[k]);
                else put_bytes(out, hex, (size_t)snprintf(hex, sizeof hex, "\\x%02x", p[k]));
            }
            ck_assert(!memcmp(p + len, "\r\n", 2));
            p += len + 2;
        }
        put_byte(out, '\n');
    }
    put_byte(out, 0);
    out->n--;
}

static struct rsp_resp_options options_for(const char *target, int payloads)
{
    struct rsp_resp_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.run.size = sizeof o.run;
    o.run.threads = 1;
    o.target.size = sizeof o.target;
    ck_assert_int_eq(rsp_resp_target_parse(NULL, target, &o.target), RSP_OK);
    o.payloads = payloads;
    o.existing = RSP_EXISTING_REPLACE;
    o.now_ms = 1000000;
    return o;
}

static int export(const struct made *f, const struct rsp_resp_options *o, const struct rsp_env *env, struct made *raw,
                  struct rsp_resp_report *report)
{
    struct rsp_source *source = NULL;
    struct rsp_sink *sink = NULL;
    struct rsp_span view;
    int rc = rsp_source_memory(env, f->p, f->n, &source);
    memset(raw, 0, sizeof *raw);
    if (!rc) rc = rsp_sink_memory(env, &sink);
    if (!rc) rc = rsp_resp_export(env, source, o, sink, report);
    if (sink && !rsp_sink_view(sink, &view)) put_bytes(raw, view.p, view.n);
    rsp_sink_free(sink);
    rsp_source_free(source);
    return rc;
}

static void expect(const struct made *f, const struct rsp_resp_options *o, const char *want)
{
    struct made raw, text = {NULL, 0, 0};
    ck_assert_int_eq(export(f, o, NULL, &raw, NULL), RSP_OK);
    lines(&text, raw.p, raw.n);
    ck_assert_str_eq((const char *)text.p, want);
    free(text.p);
    free(raw.p);
}

static void finish(struct made *m)
{
    put_byte(m, 0xff);
    put_le(m, crc64(0, m->p, m->n), 8);
}

/* ---- strings ---- */

static void strings_file(struct made *m)
{
    begin(m, "REDIS0009");
    PUT(m, "\x00\x01"
           "a\x01x\x00\x01"
           "b\xc0\xf9\x00\x01" /* -7 */
           "c");
    put_lzf(m, "xxxxxxxxxxxxxxxxxxxx", 20);
    PUT(m, "\xfc\x40\x42\x0f\0\0\0\0\0\x00\x01" /* 1000000: now */
           "d\x01y\xfe\x02\xf8\x09\x00\x01"
           "e\x01z");
    finish(m);
}

START_TEST(plain_strings)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct rsp_resp_db map = {2, 5};
    struct made f;
    strings_file(&f);
    expect(&f, &o, "SELECT 0\nMSET a x b -7 c xxxxxxxxxxxxxxxxxxxx\nSET d y PXAT 1000000\nSELECT 2\nSET e z\n");
    o.existing = RSP_EXISTING_FAIL;
    expect(&f, &o, "SELECT 0\nMSETNX a x b -7 c xxxxxxxxxxxxxxxxxxxx\nSET d y PXAT 1000000 NX\nSELECT 2\nSET e z NX\n");
    o.existing = RSP_EXISTING_SKIP;
    expect(&f, &o,
           "SELECT 0\nSET a x NX\nSET b -7 NX\nSET c xxxxxxxxxxxxxxxxxxxx NX\nSET d y PXAT 1000000 NX\n"
           "SELECT 2\nSET e z NX\n");
    o = options_for("redis:6.0", 0);
    o.dbs = &map;
    o.dbs_n = 1;
    expect(&f, &o,
           "SELECT 0\nMSET a x b -7 c xxxxxxxxxxxxxxxxxxxx\nMULTI\nSET d y\nPEXPIREAT d 1000000\nEXEC\n"
           "SELECT 5\nSET e z\n");
    o = options_for("redis:2.6.1", 0);
    o.existing = RSP_EXISTING_SKIP;
    o.ttl = RSP_TTL_PERSIST;
    expect(&f, &o, "SELECT 0\nSETNX a x\nSETNX b -7\nSETNX c xxxxxxxxxxxxxxxxxxxx\nSETNX d y\nSELECT 2\nSETNX e z\n");
    o = options_for("valkey:8.1", 1);
    o.ttl = RSP_TTL_DROP_EXPIRED;
    expect(&f, &o,
           "SELECT 0\nMSET a x b -7 c xxxxxxxxxxxxxxxxxxxx\nSELECT 2\n"
           "RESTORE e 0 \\x00\\x01z\\x06\\x00\\xa3\\x8f\\xf9\\x1bH9\\x09\\x80 REPLACE IDLETIME 9\n");
    o.ttl = RSP_TTL_SHIFT;
    o.shift_ms = -5000000;
    o.payloads = 0;
    expect(&f, &o, "SELECT 0\nMSET a x b -7 c xxxxxxxxxxxxxxxxxxxx\nSET d y PXAT 1\nSELECT 2\nSET e z\n");
    free(f.p);
}
END_TEST

/* ---- aggregates ---- */

static void aggregates_file(struct made *m)
{
    begin(m, "REDIS0011");
    PUT(m, "\x01\x01l\x03\x01"
           "a\x00\xc0\x05");
    PUT(m, "\x02\x01s\x01\x01m");
    PUT(m, "\x05\x01z\x02\x01p\x9a\x99\x99\x99\x99\x99\xb9\x3f\x01q\0\0\0\0\0\0\xf0\xff");
    PUT(m, "\xfc\x41\x42\x0f\0\0\0\0\0\xf9\x07\x04\x01h\x01\x01"
           "f\x01v");
    PUT(m, "\x10\x02hl\x0c\x0c\0\0\0\x02\0\x81"
           "f\x02\x01\x01\xff");
    finish(m);
}

START_TEST(native_aggregates)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f;
    aggregates_file(&f);
    expect(&f, &o,
           "SELECT 0\nMULTI\nDEL l\nRPUSH l a  5\nEXEC\nMULTI\nDEL s\nSADD s m\nEXEC\n"
           "MULTI\nDEL z\nZADD z 0.1 p -inf q\nEXEC\nMULTI\nDEL h\nHSET h f v\nPEXPIREAT h 1000001\nEXEC\n"
           "MULTI\nDEL hl\nHSET hl f 1\nEXEC\n");
    o = options_for("redis:3.2", 0);
    o.existing = RSP_EXISTING_SKIP;
    o.ttl = RSP_TTL_PERSIST;
    expect(&f, &o, "SELECT 0\nRPUSH l a  5\nSADD s m\nZADD z 0.1 p -inf q\nHMSET h f v\nHMSET hl f 1\n");
    free(f.p);
}
END_TEST

/* The payload behind key and ttl of the first RESTORE in raw. */
static struct rsp_span payload_of(const struct made *raw)
{
    const uint8_t *p = raw->p, *end = raw->p + raw->n;
    for (;;) {
        size_t argc = number(&p, end, '*');
        int restore = 0;
        for (size_t i = 0; i < argc; i++) {
            size_t n = number(&p, end, '$');
            if (!i) restore = n == 7 && !memcmp(p, "RESTORE", 7);
            if (restore && i == 3) return (struct rsp_span){p, n};
            p += n + 2;
        }
    }
}

START_TEST(restore_payloads)
{
    static const uint8_t listpack[] = "\x10\x0c\x0c\0\0\0\x02\0\x81"
                                      "f\x02\x01\x01\xff\x0a\0\x31\xba\x08\x19\x49\xa0\xe3\xdd";
    struct rsp_resp_options o = options_for("redis:7.2", 1);
    struct made f, raw, text = {NULL, 0, 0};
    struct rsp_span p;
    begin(&f, "REDIS0010");
    PUT(&f, "\xfc\x40\x42\x0f\0\0\0\0\0\xf9\x07\x10\x02hl\x0c\x0c\0\0\0\x02\0\x81"
            "f\x02\x01\x01\xff");
    finish(&f);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_OK);
    p = payload_of(&raw);
    ck_assert_uint_eq(p.n, sizeof listpack - 1);
    ck_assert_mem_eq(p.p, listpack, p.n); /* as a server's DUMP says it */
    lines(&text, raw.p, raw.n);
    ck_assert_ptr_nonnull(strstr((char *)text.p, "RESTORE hl 1000000 "));
    ck_assert_ptr_nonnull(strstr((char *)text.p, " REPLACE ABSTTL FREQ 7\n"));
    free(text.p);
    free(raw.p);
    o = options_for("redis:6.2", 1); /* does not know the type */
    expect(&f, &o, "SELECT 0\nMULTI\nDEL hl\nHSET hl f 1\nPEXPIREAT hl 1000000\nEXEC\n");
    free(f.p);
}
END_TEST

START_TEST(payloads_of_old_targets)
{
    struct rsp_resp_options o = options_for("redis:4.0", 1);
    struct made f, raw, text = {NULL, 0, 0};
    begin(&f, "REDIS0009");
    PUT(&f, "\xfc\x41\x42\x0f\0\0\0\0\0\xf8\x07\x02\x01s\x01\x01m");
    finish(&f);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_OK);
    lines(&text, raw.p, raw.n);
    ck_assert_ptr_nonnull(strstr((char *)text.p, "RESTORE s 1 ")); /* relative */
    ck_assert_ptr_nonnull(strstr((char *)text.p, " REPLACE\n"));
    free(text.p);
    free(raw.p);
    o = options_for("redis:2.8", 1);
    o.now_ms = 2000000; /* the key is gone by then */
    memset(&text, 0, sizeof text);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_OK);
    lines(&text, raw.p, raw.n);
    ck_assert_ptr_nonnull(strstr((char *)text.p, "SELECT 0\nDEL s\nRESTORE s 1 "));
    free(text.p);
    free(raw.p);
    free(f.p);
}
END_TEST

/* ---- expiries of fields, losses ---- */

START_TEST(field_expiries)
{
    struct rsp_resp_options o = options_for("redis:7.4", 0);
    struct rsp_resp_report r = {.size = sizeof r};
    struct rsp_error words = {0};
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct made f, raw;
    begin(&f, "REDIS0012");
    PUT(&f, "\x18\x01h\x40\x42\x0f\0\0\0\0\0\x04\x01\x01"
            "a\x01x\x01\x01"
            "b\x01y\x00\x01"
            "c\x01z\x0b\x01"
            "d\x01w");
    finish(&f);
    expect(&f, &o,
           "SELECT 0\nMULTI\nDEL h\nHSET h a x b y c z d w\nHPEXPIREAT h 1000000 FIELDS 2 a b\n"
           "HPEXPIREAT h 1000010 FIELDS 1 d\nEXEC\n");
    o.ttl = RSP_TTL_DROP_EXPIRED;
    expect(&f, &o, "SELECT 0\nMULTI\nDEL h\nHSET h c z d w\nHPEXPIREAT h 1000010 FIELDS 1 d\nEXEC\n");
    o.ttl = RSP_TTL_PERSIST;
    o.payloads = 1; /* which would carry the expiries */
    expect(&f, &o, "SELECT 0\nMULTI\nDEL h\nHSET h a x b y c z d w\nEXEC\n");
    o = options_for("redis:7.2", 1);
    ck_assert_int_eq(export(&f, &o, &env, &raw, &r), RSP_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(words.message, "key \"h\" of db 0 cannot be carried whole to redis 7.2"));
    ck_assert_uint_eq(raw.n, 0);
    free(raw.p);
    o.drop_losses = 1;
    expect(&f, &o, "SELECT 0\nMULTI\nDEL h\nHSET h a x b y c z d w\nEXEC\n");
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_FIELD_TTL], 1);
    ck_assert_uint_eq(r.losses.first_n[RSP_LOSS_FIELD_TTL], 1);
    ck_assert_int_eq(r.losses.first[RSP_LOSS_FIELD_TTL][0], 'h');
    ck_assert_uint_eq(r.keys, 1);
    free(raw.p);
    free(f.p);
}
END_TEST

/* One value that a target does not take whole. */
static void lost(const char *magic, const char *body, size_t n, const char *target, int payloads, int loss,
                 uint64_t keys)
{
    struct rsp_resp_options o = options_for(target, payloads);
    struct rsp_resp_report r = {.size = sizeof r};
    struct made f, raw;
    begin(&f, magic);
    put_bytes(&f, body, n);
    finish(&f);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EUNSUPPORTED);
    free(raw.p);
    o.drop_losses = 1;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    for (int k = 0; k < RSP_LOSSES; k++) ck_assert_uint_eq(r.losses.n[k], k == loss);
    ck_assert_uint_eq(r.keys, keys);
    free(raw.p);
    free(f.p);
}
#define LOST(magic, body, ...) lost(magic, body, sizeof(body) - 1, __VA_ARGS__)

#define MODULE "\x07\x01m\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x02\x05\x00"
#define STREAM "\x15\x01x\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
START_TEST(losses)
{
    LOST("REDIS0009", MODULE, "redis:7.0", 0, RSP_LOSS_MODULE, 0);
    LOST("REDIS0009", MODULE, "redis:3.2", 1, RSP_LOSS_MODULE, 0);
    LOST("REDIS0011", STREAM, "redis:4.0", 1, RSP_LOSS_STREAM, 0);
    LOST("REDIS0010", "\xf5\x11#!lua name=l\nx=1 ", "redis:6.2", 1, RSP_LOSS_FUNCTION, 0);
    LOST("REDIS0009", "\xf7\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x02\x01\x02\x05\x00", "redis:7.0", 1, RSP_LOSS_AUX, 0);
    LOST("REDIS0014", "\x1c\x01y\x01\x00\x05\x00\x01v", "redis:8.6", 1, RSP_LOSS_ARRAY, 0);
    LOST("VALKEY081",
         "\x17\x01p\x01\x01/\x01\x01"
         "f\x01v",
         "redis:8.0", 1, RSP_LOSS_OTHER, 0);
    /* metadata of a key goes, the key stays */
    LOST("REDIS0013", "\xf3\x01\x01\0\0\0\x02\x05\x00\x00\x01k\x01v", "redis:7.0", 1, RSP_LOSS_MODULE, 1);
    for (int k = 0; k < RSP_LOSSES; k++) ck_assert_str_ne(rsp_resp_loss_text(k), "unknown");
    ck_assert_str_eq(rsp_resp_loss_text(RSP_LOSSES), "unknown");
}
END_TEST

START_TEST(what_belongs_to_no_key)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f;
    begin(&f, "REDIS0010");
    PUT(&f, "\xf5\x10#!lua name=l\nx=1");
    PUT(&f, "\xf7\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x02\x01\x02\x05\x00");
    finish(&f);
    o.drop_losses = 1;
    expect(&f, &o, "FUNCTION LOAD REPLACE #!lua\\x20name=l\\x0ax=1\n");
    o.existing = RSP_EXISTING_FAIL;
    expect(&f, &o, "FUNCTION LOAD #!lua\\x20name=l\\x0ax=1\n");
    o.no_functions = 1;
    o.drop_losses = 0;
    expect(&f, &o, "");
    free(f.p);
}
END_TEST

/* Types 22 mean two things. */
START_TEST(dialects)
{
    struct rsp_resp_options o = options_for("valkey:9.0", 1);
    struct made f, raw;
    begin(&f, "VALKEY080");
    PUT(&f, "\x16\x01h\x01\x01"
            "f\x01v\x41\x42\x0f\0\0\0\0\0");
    finish(&f);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_OK);
    ck_assert_uint_eq(payload_of(&raw).p[payload_of(&raw).n - 10], 80);
    free(raw.p);
    o = options_for("redis:8.0", 1);
    expect(&f, &o, "SELECT 0\nMULTI\nDEL h\nHSET h f v\nHPEXPIREAT h 1000001 FIELDS 1 f\nEXEC\n");
    free(f.p);
    begin(&f, "REDIS0012"); /* of a release candidate: no release takes it as a payload */
    PUT(&f, "\x16\x01h\x01\x80\x00\x0f\x42\x41\x01"
            "f\x01v");
    finish(&f);
    expect(&f, &o, "SELECT 0\nMULTI\nDEL h\nHSET h f v\nHPEXPIREAT h 1000001 FIELDS 1 f\nEXEC\n");
    o = options_for("valkey:9.0", 1);
    expect(&f, &o, "SELECT 0\nMULTI\nDEL h\nHSET h f v\nHPEXPIREAT h 1000001 FIELDS 1 f\nEXEC\n");
    free(f.p);
}
END_TEST

/* ---- streams ---- */

START_TEST(empty_stream)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f;
    begin(&f, "REDIS0011");
    PUT(&f, STREAM);
    finish(&f);
    expect(&f, &o,
           "SELECT 0\nMULTI\nDEL x\nXADD x MAXLEN 0 0-1 - -\nXSETID x 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0\nEXEC\n");
    o = options_for("redis:5.0", 0);
    expect(&f, &o, "SELECT 0\nMULTI\nDEL x\nXADD x MAXLEN 0 0-1 - -\nXSETID x 0-0\nEXEC\n");
    free(f.p);
}
END_TEST

static void put_pel_id(struct made *m, uint64_t ms)
{
    put_be(m, ms, 8);
    put_be(m, 0, 8);
}

/* No entries any more, of which two are pending: one in both groups. */
static void ghosts_file(struct made *m)
{
    begin(m, "REDIS0011");
    PUT(m, "\x15\x01x\x00\x00\x05\x00\x00\x00\x04\x00\x05\x02");
    PUT(m, "\x01g\x05\x00\x04\x02");
    put_pel_id(m, 2), put_le(m, 70, 8), put_byte(m, 1);
    put_pel_id(m, 4), put_le(m, 70, 8), put_byte(m, 1);
    PUT(m, "\x02\x01"
           "c");
    put_le(m, 80, 8), put_le(m, 80, 8), put_byte(m, 2), put_pel_id(m, 2), put_pel_id(m, 4);
    PUT(m, "\x01"
           "d");
    put_le(m, 80, 8), put_le(m, 80, 8), put_byte(m, 0);
    PUT(m, "\x01h\x02\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    put_pel_id(m, 2), put_le(m, 90, 8), put_byte(m, 3);
    PUT(m, "\x01\x01"
           "c");
    put_le(m, 80, 8), put_le(m, 80, 8), put_byte(m, 1), put_pel_id(m, 2);
    finish(m);
}

START_TEST(pending_without_message)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f;
    ghosts_file(&f);
    expect(&f, &o,
           "SELECT 0\nMULTI\nDEL x\nXADD x 2-0 - -\nXADD x 4-0 - -\nXGROUP CREATE x g 5-0\n"
           "XGROUP CREATECONSUMER x g c\nXCLAIM x g c 0 2-0 4-0 TIME 70 RETRYCOUNT 1 FORCE JUSTID\n"
           "XGROUP CREATECONSUMER x g d\nXGROUP CREATE x h 2-0\nXGROUP CREATECONSUMER x h c\n"
           "XCLAIM x h c 0 2-0 TIME 90 RETRYCOUNT 3 FORCE JUSTID\nXTRIM x MAXLEN 0\n"
           "XSETID x 5-0 ENTRIESADDED 5 MAXDELETEDID 4-0\nXGROUP SETID x g 5-0 ENTRIESREAD 4\nEXEC\n");
    o = options_for("redis:6.2", 0); /* where a claim needs no message; the counters are a loss */
    o.drop_losses = 1;
    expect(&f, &o,
           "SELECT 0\nMULTI\nDEL x\nXADD x MAXLEN 0 0-1 - -\nXSETID x 5-0\nXGROUP CREATE x g 5-0\n"
           "XGROUP CREATECONSUMER x g c\nXCLAIM x g c 0 2-0 4-0 TIME 70 RETRYCOUNT 1 FORCE JUSTID\n"
           "XGROUP CREATECONSUMER x g d\nXGROUP CREATE x h 2-0\nXGROUP CREATECONSUMER x h c\n"
           "XCLAIM x h c 0 2-0 TIME 90 RETRYCOUNT 3 FORCE JUSTID\nEXEC\n");
    free(f.p);
}
END_TEST

/* ---- units ---- */

struct seen {
    struct resp_maker *maker;
    struct made keys; /* one a line, without the parts behind the first */
    uint64_t next;    /* record that must come */
    uint64_t stop;    /* units to go before a fault; 0: none */
    uint64_t units, in_parts;
    int open;
};

static int on_unit(void *ctx, const struct resp_unit *u)
{
    struct seen *s = ctx;
    struct made text = {NULL, 0, 0};
    uint32_t replies = 0;
    lines(&text, u->p, u->n);
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
    if (u->flags & RESP_UNIT_FIRST) ck_assert_uint_gt(u->keys, 0);
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
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resp_make");
    TCase *t = tcase_create("resp_make");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 120);
    tcase_add_test(t, plain_strings);
    tcase_add_test(t, native_aggregates);
    tcase_add_test(t, restore_payloads);
    tcase_add_test(t, payloads_of_old_targets);
    tcase_add_test(t, field_expiries);
    tcase_add_test(t, losses);
    tcase_add_test(t, what_belongs_to_no_key);
    tcase_add_test(t, dialects);
    tcase_add_test(t, empty_stream);
    tcase_add_test(t, pending_without_message);
    tcase_add_test(t, units_and_resumption);
    tcase_add_test(t, records_in_parts);
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
