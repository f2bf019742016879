/* What this is: what damaged and lying files do to the reader: no crash, no endless loop, no memory beyond
 *   a ceiling, and a fault where data is missing.
 * Rests on: libcheck, rdb_builder.h, rdb_drive.h, files in DATA. Best run under the address sanitizer.
 * Does not: say which fault a flipped byte gives. */
#include <check.h>
#undef fail

#include <stdio.h>

#define MUST(condition)                                                                                 \
    do {                                                                                                \
        if (!(condition)) ck_abort_msg("%s, byte %zu: %s does not hold", now_name, now_at, #condition); \
    } while (0)
static const char *now_name = "";
static size_t now_at;

#include "rdb_builder.h"
#include "rdb_drive.h"

#define CEILING (16u << 20)

/* Reads n bytes at p, in a block of exactly that size, at a depth. */
static int attempt(const uint8_t *p, size_t n, int depth, struct rsp_error *error)
{
    struct meter m = {0};
    struct rsp_env env = meter_env(&m, error);
    struct rsp_source *s;
    struct trace t;
    int rc;
    memset(error, 0, sizeof *error);
    MUST(rsp_source_memory(&env, p, n, &s) == RSP_OK);
    rc = drive(&env, s, depth, &t, 100 * n + 1000);
    rsp_source_free(s);
    MUST(!m.alive && !m.wrong_sizes && m.peak <= CEILING);
    MUST(rc <= 0 && (!rc || (error->code == rc && error->message[0])));
    MUST(rc != RSP_ESTATE && rc != RSP_ENOMEM);
    if (rc) MUST(error->has_offset && error->offset <= n);
    return rc;
}

static uint8_t *load(const char *name, size_t *n)
{
    char path[1024];
    uint8_t *p = malloc(1 << 20);
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", getenv("DATA") ? getenv("DATA") : "tests/data", name);
    f = fopen(path, "rb");
    now_name = name;
    now_at = 0;
    MUST(f && p);
    *n = fread(p, 1, 1 << 20, f);
    fclose(f);
    return p;
}

static const char *const names[] = {"hand/templates.rdb",       "hand/stream5.rdb",        "hand/modules.rdb",
                                    "hand/key-meta.rdb",        "hand/hash-ttl.rdb",       "hand/arrays.rdb",
                                    "hand/valkey81-update.rdb", "hand/lists.rdb",          "hand/rdb2-compact.rdb",
                                    "redis-8.6.3/expired.rdb",  "valkey-9.1.2/expired.rdb"};

START_TEST(truncated)
{
    size_t n;
    uint8_t *p = load(names[_i], &n);
    struct rsp_error e;
    MUST(n < 20000 && attempt(p, n, RSP_RDB_LOGICAL, &e) == RSP_OK);
    for (now_at = 0; now_at < n; now_at++) {
        uint8_t *exact = malloc(now_at ? now_at : 1);
        int rc;
        memcpy(exact, p, now_at);
        rc = attempt(exact, now_at, RSP_RDB_LOGICAL, &e);
        MUST(rc == RSP_ETRUNCATED && e.offset == now_at);
        free(exact);
    }
    free(p);
}
END_TEST

START_TEST(flipped)
{
    static const uint8_t flips[] = {0xff, 1, 0x80};
    size_t n, tried = 0, faults = 0;
    uint8_t *all = load(names[_i], &n), *p = malloc(n);
    struct rsp_error e;
    memcpy(p, all, n);
    free(all);
    for (now_at = 0; now_at < n; now_at++) {
        for (size_t k = 0; k < 3; k++) {
            p[now_at] ^= flips[k];
            if (attempt(p, n, RSP_RDB_LOGICAL, &e)) faults++;
            if (k == 1) (void)!attempt(p, n, RSP_RDB_ENCODED, &e);
            p[now_at] ^= flips[k];
            tried++;
        }
    }
    MUST(tried == 3 * n && faults > n / 20);
    free(p);
}
END_TEST

/* ---- lengths that claim more than there is ---- */

static struct made m;

static int bomb(int want)
{
    struct rsp_error e;
    uint8_t *exact = malloc(m.n);
    int rc = 0;
    memcpy(exact, m.p, m.n);
    for (int depth = RSP_RDB_RAW; depth <= RSP_RDB_LOGICAL; depth++) rc = attempt(exact, m.n, depth, &e);
    free(exact);
    if (want && rc != want) ck_abort_msg("%s: %d instead of %d: %s", now_name, rc, want, e.message);
    now_at++;
    return rc;
}

static void begin(const char *magic, unsigned type)
{
    file_begin(&m, magic);
    record_begin(&m, type, "k");
}

static const uint64_t claims[] = {1u << 20,   (1u << 20) + 1, 1u << 30,       UINT32_MAX,
                                  1ULL << 40, 1ULL << 63,     UINT64_MAX - 8, UINT64_MAX};

START_TEST(length_bombs)
{
    static const unsigned types[] = {0,  1,  2,  3,  4,  5,  9,  10, 11, 12, 13, 14, 15, 16,
                                     17, 18, 19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31};
    now_name = "length bombs";
    now_at = 0;
    for (size_t c = 0; c < sizeof claims / sizeof *claims; c++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) { /* as count or string length, at the first place */
            begin("REDIS0015", types[t]);
            if (types[t] == 24 || types[t] == 25) put_le(&m, 0, 8);
            if (types[t] == 29 || types[t] == 31) put_len(&m, 1);
            put_len(&m, claims[c]);
            bomb(types[t] == 22 || types[t] == 28 ? 0 : RSP_ETRUNCATED);
            put_bytes(&m,
                      "\x01"
                      "a\x01"
                      "b\x01"
                      "c",
                      6);
            bomb(0);
        }
        begin("REDIS0009", 4), put_len(&m, 1), put_text(&m, "f"), put_len(&m, claims[c]), bomb(RSP_ETRUNCATED);
        file_begin(&m, "REDIS0009"), put_byte(&m, 0), put_len(&m, claims[c]), put_byte(&m, 0);
        bomb(claims[c] > 512u << 20 ? RSP_ELIMIT : RSP_ETRUNCATED);
        file_begin(&m, "REDIS0009"), put_byte(&m, 0xfa), put_len(&m, claims[c]), put_byte(&m, 0);
        bomb(claims[c] > 512u << 20 ? RSP_ELIMIT : RSP_ETRUNCATED);
        file_begin(&m, "REDIS0015"), put_byte(&m, 0xf2), put_len(&m, claims[c]), put_len(&m, claims[c]);
        bomb(RSP_ETRUNCATED);
        file_begin(&m, "REDIS0015"), put_byte(&m, 0xf3), put_len(&m, 1), put_le(&m, 0, 4), put_len(&m, 5);
        put_len(&m, claims[c]), bomb(0);
        file_begin(&m, "REDIS0009"), put_byte(&m, 0xf7), put_len(&m, claims[c]), put_len(&m, 2), put_len(&m, 2);
        put_len(&m, 5), put_len(&m, claims[c]), bomb(0);
        file_begin(&m, "VALKEY081"), put_byte(&m, 0xf3), put_text(&m, "job"), put_len(&m, claims[c]);
        bomb(RSP_ETRUNCATED);
        begin("VALKEY081", 23), put_len(&m, 1), put_text(&m, "p"), put_len(&m, claims[c]), bomb(RSP_ETRUNCATED);
        begin("REDIS0009", 7), put_len(&m, 7), put_len(&m, 5), put_len(&m, claims[c]), bomb(RSP_ETRUNCATED);
    }
}
END_TEST

/* LZF strings that claim to hold more than they can, or do not hold what they claim. */
START_TEST(lzf_bombs)
{
    static const unsigned types[] = {0, 1, 4, 16, 18};
    now_name = "LZF bombs";
    now_at = 0;
    for (size_t c = 0; c < sizeof claims / sizeof *claims; c++) {
        for (size_t t = 0; t < 5; t++) {
            begin("REDIS0011", types[t]);
            if (types[t] && types[t] != 16) put_len(&m, 1);
            if (types[t] == 18) put_len(&m, 2);
            put_byte(&m, 0xc3), put_len(&m, 9), put_len(&m, claims[c]);
            put_bytes(&m,
                      "\x07"
                      "abcdefgh",
                      9);
            put_text(&m, "x");
            bomb(RSP_EFORMAT);
        }
        file_begin(&m, "REDIS0011"), put_byte(&m, 0), put_byte(&m, 0xc3), put_len(&m, claims[c]),
            put_len(&m, claims[c]);
        bomb(claims[c] > 512u << 20 ? RSP_ELIMIT : RSP_ETRUNCATED);
    }
    for (uint64_t n = 1; n < 12; n++) {
        begin("REDIS0011", 0);
        put_byte(&m, 0xc3), put_len(&m, 9), put_len(&m, n),
            put_bytes(&m,
                      "\x07"
                      "abcdefgh",
                      9);
        put_byte(&m, 0xff), put_le(&m, 0, 8);
        {
            struct rsp_error e;
            MUST((attempt(m.p, m.n, RSP_RDB_LOGICAL, &e) == RSP_OK) == (n == 8));
            MUST(attempt(m.p, m.n, RSP_RDB_RAW, &e) == RSP_OK);
        }
    }
}
END_TEST

/* A large LZF string, seen in parts, that ends too early, too late, or refers to nothing. */
START_TEST(lzf_in_parts)
{
    size_t n = 3 << 20;
    uint8_t *p = noise(n, 1), *out = malloc(n);
    unsigned k = lzf_compress(p, (unsigned)n, out, (unsigned)n - 1);
    now_name = "LZF in parts";
    for (int round = 0; round < 5; round++) {
        struct meter meter = {0};
        struct rsp_error error = {0};
        struct rsp_env env = meter_env(&meter, &error);
        struct drip d;
        struct rsp_source *s;
        struct trace t;
        int rc;
        now_at = (size_t)round;
        begin("REDIS0011", round == 4 ? 1 : 0);
        if (round == 4) put_len(&m, 2), put_text(&m, "first");
        put_byte(&m, 0xc3), put_len(&m, k);
        put_len(&m, round == 1 ? n - 1 : round == 2 ? n + 1 : n);
        put_bytes(&m, out, k);
        if (round == 3 || round == 4) memset(m.p + m.n - k + 600000, 0xff, 1000);
        file_end(&m);
        d = (struct drip){m.p, m.n, 0, 1 << 20, 0, 0, 0};
        s = drip_source(&env, &d);
        rc = drive(&env, s, RSP_RDB_LOGICAL, &t, 100000);
        rsp_source_free(s);
        MUST(rc == (round ? RSP_EFORMAT : RSP_OK));
        MUST(!round || (error.code == RSP_EFORMAT && error.has_offset && error.offset < m.n));
        MUST(!meter.alive && meter.peak <= CEILING);
    }
    free(p);
    free(out);
}
END_TEST

static void stream_begin(struct made *lp, int64_t live, int64_t deleted, int64_t fields)
{
    begin("REDIS0011", 15);
    put_len(&m, 1), put_len(&m, 16), put_be(&m, 7, 8), put_be(&m, 0, 8);
    lp_begin(lp);
    lp_int(lp, live), lp_int(lp, deleted), lp_int(lp, fields);
}

START_TEST(stream_bombs)
{
    static const int64_t counts[] = {-1, 0, 3, 100000, INT32_MAX, (int64_t)INT32_MAX + 1, INT64_MAX, INT64_MIN};
    struct made lp = {0};
    now_name = "stream bombs";
    now_at = 0;
    for (size_t i = 0; i < 8; i++) {
        for (size_t k = 0; k < 24; k++) {
            stream_begin(&lp, k % 3 ? 1 : counts[i], k % 3 == 1 ? counts[i] : 0, k % 3 == 2 ? counts[i] : 1);
            lp_str(&lp, "f", 1), lp_int(&lp, 0);
            lp_int(&lp, k / 3 < 4 ? 0 : 2), lp_int(&lp, 0), lp_int(&lp, 0), lp_int(&lp, counts[k / 3]);
            lp_str(&lp, "f", 1), lp_str(&lp, "v", 1), lp_int(&lp, counts[i]);
            lp_end(&lp, 12);
            put_str(&m, lp.p, lp.n);
            put_len(&m, 1), put_len(&m, 7), put_len(&m, 0), put_len(&m, 0);
            file_end(&m);
            bomb(0);
        }
    }
    made_free(&lp);
}
END_TEST

/* A large listpack whose stream claims as many fields as it has bytes: memory must follow what is there. */
START_TEST(stream_fields_claimed)
{
    struct made lp = {0};
    uint8_t *p = calloc(1, 1 << 20);
    struct rsp_error e;
    now_name = "stream fields claimed";
    for (int same = 0; same < 2; same++) {
        if (same) {
            stream_begin(&lp, 1, 0, 1 << 20);
        } else {
            stream_begin(&lp, 1, 0, 0);
            lp_int(&lp, 0), lp_int(&lp, 0), lp_int(&lp, 0), lp_int(&lp, 0), lp_int(&lp, 1 << 20);
        }
        lp_str(&lp, p, 1 << 20);
        lp_end(&lp, same ? 4 : 9);
        put_str(&m, lp.p, lp.n);
        put_len(&m, 1), put_len(&m, 7), put_len(&m, 0), put_len(&m, 0);
        file_end(&m);
        MUST(attempt(m.p, m.n, RSP_RDB_LOGICAL, &e) == RSP_EFORMAT);
    }
    free(p);
    made_free(&lp);
}
END_TEST

/* Everything one byte long, alone and behind a type, an opcode, a container. */
START_TEST(short_ones)
{
    now_name = "short";
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            now_at = a << 8 | b;
            file_begin(&m, b & 1 ? "REDIS0015" : "VALKEY081");
            put_byte(&m, a), put_byte(&m, b), put_byte(&m, b), put_byte(&m, a), put_byte(&m, 0xff);
            bomb(0);
            if (a > 34) continue;
            file_begin(&m, b & 1 ? "REDIS0015" : "VALKEY081");
            record_begin(&m, a, "k");
            for (int i = 0; i < 40; i++) put_byte(&m, i == 7 ? 0 : b);
            bomb(0);
        }
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rdb hostile");
    TCase *c = tcase_create("hostile");
    tcase_set_timeout(c, 240);
    tcase_add_loop_test(c, truncated, 0, sizeof names / sizeof *names);
    tcase_add_loop_test(c, flipped, 0, sizeof names / sizeof *names);
    tcase_add_test(c, length_bombs);
    tcase_add_test(c, lzf_bombs);
    tcase_add_test(c, lzf_in_parts);
    tcase_add_test(c, stream_bombs);
    tcase_add_test(c, stream_fields_claimed);
    tcase_add_test(c, short_ones);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(suite());
    int failed;
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    made_free(&m);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
