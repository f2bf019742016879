/* What this is: tests of the command export: every type, target and policy, and what cannot be carried.
 * Rests on: test_resp_lines.h; files built here, byte by byte.
 * Does not: ask a server whether it takes the commands: tests/live/resp.sh does. */
#include "test_resp_lines.h"

/* ---- strings ---- */

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
    on_loss(&o, "drop,convert");
    expect(&f, &o, "SELECT 0\nMULTI\nDEL h\nHSET h a x b y c z d w\nEXEC\n");
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_FIELD_TTL], 1);
    ck_assert_uint_eq(r.losses.names[RSP_LOSS_FIELD_TTL][0].n, 1);
    ck_assert_int_eq(r.losses.names[RSP_LOSS_FIELD_TTL][0].p[0], 'h');
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
    on_loss(&o, "drop,convert");
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
    LOST("REDIS0013", "\xf3\x01\x01\0\0\0\x02\x05\x00\x00\x01k\x01v", "redis:7.0", 1, RSP_LOSS_KEY_META, 1);
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
    on_loss(&o, "drop,convert");
    expect(&f, &o, "FUNCTION LOAD REPLACE #!lua\\x20name=l\\x0ax=1\n");
    o.existing = RSP_EXISTING_FAIL;
    expect(&f, &o, "FUNCTION LOAD #!lua\\x20name=l\\x0ax=1\n");
    o.no_functions = 1;
    on_loss(&o, "fail");
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
    on_loss(&o, "drop,convert");
    expect(&f, &o,
           "SELECT 0\nMULTI\nDEL x\nXADD x MAXLEN 0 0-1 - -\nXSETID x 5-0\nXGROUP CREATE x g 5-0\n"
           "XGROUP CREATECONSUMER x g c\nXCLAIM x g c 0 2-0 4-0 TIME 70 RETRYCOUNT 1 FORCE JUSTID\n"
           "XGROUP CREATECONSUMER x g d\nXGROUP CREATE x h 2-0\nXGROUP CREATECONSUMER x h c\n"
           "XCLAIM x h c 0 2-0 TIME 90 RETRYCOUNT 3 FORCE JUSTID\nEXEC\n");
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
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
