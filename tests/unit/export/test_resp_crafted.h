/* What this is: a value for each kind of loss, built byte by byte: key k (or a function, or module data), with a plain
 *   key z behind it.
 * Rests on: test_resp_lines.h.
 * Does not: test. */
#ifndef TEST_RESP_CRAFTED_H
#define TEST_RESP_CRAFTED_H

#include "test_resp_lines.h"

#define ID(n) "\0\0\0\0\0\0\0" n "\0\0\0\0\0\0\0\0"
#define TIME "\x46\0\0\0\0\0\0\0"
#define IDMP_NONE "\x40\x64\x40\x64\x00\x00\x00"       /* 100 s, 100 messages, no producers, no counts */
#define STREAM5 "\x00\x00\x05\x00\x00\x00\x00\x00\x00" /* no messages, none added; the last id was 5-0 */

struct crafted {
    int loss;
    const char *target;
    int payloads;
    const char *magic, *body;
    size_t n;
    uint32_t db;
};
#define CRAFTED(loss, target, payloads, magic, body)                        \
    {                                                                       \
        RSP_LOSS_##loss, target, payloads, magic, body, sizeof(body) - 1, 0 \
    }
#define ONE_FIELD \
    "\x01\x01"    \
    "f\x01v"

static const struct crafted crafted[] = {
    CRAFTED(MODULE, "redis:7.0", 0, "REDIS0009", "\x07\x01k\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x02\x05\x00"),
    CRAFTED(MODULE, "redis:3.2", 1, "REDIS0009", "\x07\x01k\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x02\x05\x00"),
    CRAFTED(FIELD_TTL, "redis:7.2", 1, "REDIS0012",
            "\x18\x01k\x40\x42\x0f\0\0\0\0\0\x02\x01\x01"
            "a\x01x\x00\x01"
            "b\x01y"),
    CRAFTED(FIELD_TTL, "valkey:8.1", 1, "VALKEY080", "\x16\x01k" ONE_FIELD "\x41\x42\x0f\0\0\0\0\0"),
    CRAFTED(ARRAY, "redis:8.6", 1, "REDIS0014", "\x1c\x01k\x01\x00\x05\x00\x01v"),
    CRAFTED(FUNCTION, "redis:6.2", 1, "REDIS0010", "\xf5\x11#!lua name=l\nx=1 "),
    CRAFTED(AUX, "redis:7.0", 1, "REDIS0009", "\xf7\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x02\x01\x02\x05\x00"),
    CRAFTED(STREAM, "redis:4.0", 1, "REDIS0011", "\x15\x01k" STREAM5 "\x00"),
    CRAFTED(OTHER, "redis:8.0", 1, "VALKEY081", "\x17\x01k\x01\x01/" ONE_FIELD),
    /* deleted up to 4-0, 5 were added */
    CRAFTED(STREAM_COUNTERS, "redis:6.2", 1, "REDIS0011", "\x15\x01k\x00\x00\x05\x00\x00\x00\x04\x00\x05\x00"),
    /* group g at 3-0 has read 2 of none */
    CRAFTED(STREAM_COUNTERS, "redis:6.2", 1, "REDIS0011",
            "\x15\x01k" STREAM5 "\x01\x01"
            "g\x03\x00\x02\x00\x00"),
    /* consumer c with nothing pending */
    CRAFTED(CONSUMER_TIMES, "redis:7.0", 1, "REDIS0011",
            "\x15\x01k" STREAM5 "\x01\x01"
            "g\x05\x00\x00\x00\x01\x01"
            "c" TIME TIME "\x00"),
    CRAFTED(CONSUMER_TIMES, "redis:6.0", 0, "REDIS0009",
            "\x0f\x01k\x00\x00\x05\x00\x01\x01"
            "g\x05\x00\x00\x01\x01"
            "c" TIME "\x00"),
    /* a producer p with one message */
    CRAFTED(STREAM_IDMP, "redis:8.4", 1, "REDIS0013",
            "\x1a\x01k" STREAM5 "\x00\x40\x64\x40\x64\x01\x01p\x01\x01i\x01\x00\x00\x00"),
    CRAFTED(STREAM_IDMP, "redis:8.6", 0, "REDIS0013",
            "\x1a\x01k" STREAM5 "\x00\x40\x64\x40\x64\x00\x01\x00"), /* one counted */
    CRAFTED(STREAM_IDMP, "redis:7.2", 1, "REDIS0013",
            "\x1a\x01k" STREAM5 "\x00\x40\x65\x40\x64\x00\x00\x00"), /* 101 s */
    /* 2-0 is pending and nobody's */
    CRAFTED(STREAM_NACK, "redis:8.6", 1, "REDIS0014",
            "\x1b\x01k" STREAM5 "\x01\x01"
            "g\x05\x00\x00\x01" ID("\x02") TIME "\x01\x00\x01" ID("\x02") IDMP_NONE),
    CRAFTED(KEY_META, "redis:7.0", 1, "REDIS0013", "\xf3\x01\x01\0\0\0\x02\x05\x00\x00\x01k\x01v"),
    CRAFTED(KEY_META, "redis:8.6", 0, "REDIS0013", "\xf3\x01\x01\0\0\0\x02\x05\x00\x04\x01k" ONE_FIELD),
    CRAFTED(KEY_META, "redis:7.0", 1, "REDIS0013", "\xf3\x01\x01\0\0\0\x02\x05\x00\x02\x01k\x01\x01m"),
    CRAFTED(EVICTION, "redis:4.0", 1, "REDIS0009", "\xf8\x09\x00\x01k\x01v"),
    CRAFTED(EVICTION, "redis:7.0", 0, "REDIS0009", "\xf9\x09\x02\x01k\x01\x01m"),
    CRAFTED(DATABASE, "redis:7.0", 1, "REDIS0009", "\xfe\x02\x00\x01k\x01v\xfe\x00"),
};
#define CRAFTED_N (sizeof crafted / sizeof *crafted)

static inline struct rsp_resp_options crafted_options(const struct crafted *c)
{
    struct rsp_resp_options o = options_for(c->target, c->payloads);
    if (c->loss == RSP_LOSS_DATABASE) o.target.cluster = 1;
    return o;
}

static inline void crafted_file(const struct crafted *c, struct made *f)
{
    begin(f, c->magic);
    put_bytes(f, c->body, c->n);
    PUT(f, "\x00\x01z\x01z");
    finish(f);
}

#endif
