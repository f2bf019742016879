/* What this is: what the tests of the command export share: files, commands as lines, an export in memory.
 * Rests on: libcheck, rdb_builder.h, export/resp_make.h.
 * Does not: test. */
#ifndef TEST_RESP_LINES_H
#define TEST_RESP_LINES_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#undef fail

#include <respite/sys/resp.h>

#include "base/bytes.h"
#include "base/crc64.h"
#include "export/resp_make.h"
#define MUST(condition) ck_assert(condition)
#include "tests/rdb_builder.h"

#define PUT(m, literal) put_bytes((m), literal, sizeof(literal) - 1)

static inline void begin(struct made *m, const char *magic)
{
    memset(m, 0, sizeof *m);
    put_bytes(m, magic, 9);
}

/* ---- commands as lines: "SET k v\n"; what is not printable as \xHH ---- */

static inline size_t number(const uint8_t **p, const uint8_t *end, char mark)
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

static inline void lines(struct made *out, const uint8_t *p, size_t n)
{
    const uint8_t *end = n ? p + n : p;
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

static inline struct rsp_resp_options options_for(const char *target, int payloads)
{
    struct rsp_resp_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.run.size = sizeof o.run;
    o.run.threads = 1;
    o.target.size = sizeof o.target;
    ck_assert_int_eq(rsp_target_parse(NULL, target, &o.target), RSP_OK);
    rsp_loss_policy_default(&o.losses);
    o.payloads = payloads;
    o.existing = RSP_EXISTING_REPLACE;
    o.now_ms = 1000000;
    return o;
}

static inline void on_loss(struct rsp_resp_options *o, const char *policy)
{
    rsp_loss_policy_default(&o->losses);
    ck_assert_int_eq(rsp_loss_policy_parse(NULL, policy, &o->losses), RSP_OK);
}

static inline int export(const struct made *f, const struct rsp_resp_options *o, const struct rsp_env *env,
                         struct made *raw, struct rsp_resp_report *report)
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

static inline void expect(const struct made *f, const struct rsp_resp_options *o, const char *want)
{
    struct made raw, text = {NULL, 0, 0};
    ck_assert_int_eq(export(f, o, NULL, &raw, NULL), RSP_OK);
    lines(&text, raw.p, raw.n);
    ck_assert_str_eq((const char *)text.p, want);
    free(text.p);
    free(raw.p);
}

static inline void finish(struct made *m)
{
    put_byte(m, 0xff);
    put_le(m, crc64(0, m->p, m->n), 8);
}

/* ---- files ---- */

static inline void strings_file(struct made *m)
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

static inline void aggregates_file(struct made *m)
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

static inline void put_pel_id(struct made *m, uint64_t ms)
{
    put_be(m, ms, 8);
    put_be(m, 0, 8);
}

/* No entries any more, of which two are pending: one in both groups. */
static inline void ghosts_file(struct made *m)
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

#endif
