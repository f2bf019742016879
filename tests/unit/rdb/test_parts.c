/* What this is: values larger than a block: whatever the block's size, and whether one value object
 *   reads all parts or each part has one of its own, the elements are those of the file seen whole.
 * Rests on: feed_test.h.
 * Does not: need files. */
#include "feed_test.h"

/* Sizes of an aggregate's elements: mostly small, some medium, few past RSP_RDB_BIG_BYTES. */
static size_t size_of(size_t i)
{
    switch (i % 40) {
    case 7: return 300000 + i;
    case 13: return MIB + i; /* just past what is always whole */
    case 14: return i % 80 < 40 ? MIB : 0;
    case 29: return 3 * MIB / 2;
    default: return i * 131 % 700;
    }
}

static void aggregate(const char *name, const char *magic, unsigned type, size_t n, int strings)
{
    file_begin(&file, magic);
    record_begin(&file, 0, "before");
    put_text(&file, "x");
    put_byte(&file, 0xfc);
    put_le(&file, 4102444800000, 8);
    record_begin(&file, type, "large");
    if (type == 24) put_le(&file, 4102444800000, 8);
    put_len(&file, n);
    for (size_t i = 0; i < n; i++) {
        if (type == 24) put_len(&file, i % 3);
        for (int k = 0; k < strings; k++) {
            size_t m = i + 20 * (size_t)k;
            if (i % 5 == 2 && k == 0) put_byte(&file, 0xc1), put_le(&file, i, 2);
            else put_noise(&file, size_of(m), m, m % 3 == 1);
        }
        if (type == 3) put_byte(&file, 3), put_bytes(&file, "1.5", 3);
        if (type == 5) put_le(&file, 0x3ff8000000000000 + i, 8);
        if (type == 22) put_le(&file, i % 2 ? UINT64_MAX : 4102444800000 + i, 8);
    }
    record_begin(&file, 2, "behind");
    put_len(&file, 1);
    put_text(&file, "m");
    file_end(&file);
    all_ways(name, &file, 1);
}

START_TEST(lists)
{
    aggregate("list", "REDIS0009", 1, 90, 1);
}
END_TEST
START_TEST(sets)
{
    aggregate("set", "REDIS0009", 2, 80, 1);
}
END_TEST
START_TEST(zsets)
{
    aggregate("zset", "REDIS0009", 3, 60, 1);
}
END_TEST
START_TEST(zsets2)
{
    aggregate("zset2", "REDIS0009", 5, 60, 1);
}
END_TEST
START_TEST(hashes)
{
    aggregate("hash", "REDIS0009", 4, 60, 2);
}
END_TEST
START_TEST(hashes_ttl)
{
    aggregate("hash metadata", "REDIS0012", 24, 60, 2);
}
END_TEST
START_TEST(hashes_valkey)
{
    aggregate("hash 2", "VALKEY080", 22, 60, 2);
}
END_TEST

/* Many small elements: cut between them only. */
START_TEST(small_elements)
{
    file_begin(&file, "REDIS0009");
    record_begin(&file, 4, "many");
    put_len(&file, 60000);
    for (uint64_t i = 0; i < 60000; i++) {
        put_byte(&file, 0xc2), put_le(&file, i, 4);
        put_noise(&file, 10 + i % 90, i, 0);
    }
    record_begin(&file, 5, "");
    put_len(&file, 60000);
    for (uint64_t i = 0; i < 60000; i++) {
        put_byte(&file, 0xc2), put_le(&file, i, 4);
        put_le(&file, 0x3ff8000000000000 + i, 8);
    }
    file_end(&file);
    all_ways("small elements", &file, 1);
}
END_TEST

START_TEST(strings)
{
    static const size_t sizes[] = {MIB - 10, MIB, MIB + 1, 5 * MIB + 77};
    for (size_t i = 0; i < 4; i++) {
        for (int lzf = 0; lzf < 2; lzf++) {
            file_begin(&file, "REDIS0009");
            record_begin(&file, 0, "s");
            put_noise(&file, sizes[i], i, lzf);
            record_begin(&file, 0, "t");
            put_text(&file, "tail");
            file_end(&file);
            all_ways(lzf ? "LZF string" : "string", &file, i == 3);
        }
    }
    /* so dense that its compressed form is small, and one that is a megabyte of compressed bytes */
    {
        uint8_t *zeros = calloc(1, 40 * MIB);
        file_begin(&file, "REDIS0009");
        record_begin(&file, 0, "zeros");
        put_lzf(&file, zeros, 40 * MIB);
        record_begin(&file, 0, "most zeros");
        put_lzf(&file, zeros, 180 * 1000);
        file_end(&file);
        free(zeros);
        all_ways("dense string", &file, 0);
    }
}
END_TEST

static void put_node(struct made *m, struct made *lp, size_t i)
{
    size_t n = 1 + i % 30;
    lp_begin(lp);
    for (size_t k = 0; k < n; k++) {
        uint8_t *p = noise(i * k % 600, i + k);
        if (k % 4 == 3) lp_int(lp, (int64_t)(i * k));
        else lp_str(lp, p, i * k % 600);
        free(p);
    }
    if (i % 50 == 20) { /* a node past RSP_RDB_BIG_BYTES: it has to be collected */
        uint8_t *p = noise(3 * MIB / 2, i);
        lp_str(lp, p, 3 * MIB / 2);
        free(p);
        n++;
    }
    lp_end(lp, n);
    if (i % 3) put_str(m, lp->p, lp->n);
    else put_lzf(m, lp->p, lp->n);
}

START_TEST(quicklists)
{
    struct made lp = {0};
    file_begin(&file, "REDIS0010");
    record_begin(&file, 18, "nodes");
    put_len(&file, 400);
    for (size_t i = 0; i < 400; i++) {
        int plain = i % 7 == 3;
        put_len(&file, plain ? 1 : 2);
        if (plain) put_noise(&file, 1 + size_of(i), i, i % 2);
        else put_node(&file, &lp, i);
    }
    file_end(&file);
    made_free(&lp);
    all_ways("quicklist2", &file, 1);
}
END_TEST

static void put_pel(struct made *m, size_t n, uint64_t from)
{
    for (size_t i = 0; i < n; i++) {
        put_be(m, from + i, 8), put_be(m, i, 8);
        put_le(m, 1700000000000 + i, 8);
        put_len(m, i % 9);
    }
}

static void put_stream(struct made *m, unsigned type, size_t nodes, size_t groups, size_t pel)
{
    struct made lp = {0};
    put_len(m, nodes);
    for (size_t i = 0; i < nodes; i++) put_stream_node(m, &lp, 1000 + i * 10);
    put_len(m, nodes * 3), put_len(m, 1000 + nodes * 10), put_len(m, 0);
    if (type != 15) put_len(m, 1000), put_len(m, 0), put_len(m, 1001), put_len(m, 0), put_len(m, nodes * 4);
    put_len(m, groups);
    for (size_t g = 0; g < groups; g++) {
        put_noise(m, g == 1 ? 3 * MIB / 2 : 5 + g, g, g == 2);
        put_len(m, 1000), put_len(m, g);
        if (type != 15) put_len(m, g ? g : UINT64_MAX);
        put_len(m, g % 3 == 2 ? 0 : pel);
        if (g % 3 != 2) put_pel(m, pel, g);
        put_len(m, 3);
        for (size_t c = 0; c < 3; c++) {
            put_noise(m, 8 + c, c, 0);
            put_le(m, 1700000000000, 8);
            if (type >= 21) put_le(m, 1700000000001 + c, 8);
            put_len(m, c == 1 ? 0 : pel / 2);
            for (size_t i = 0; c != 1 && i < pel / 2; i++) put_be(m, g + i * 2 + c / 2, 8), put_be(m, i, 8);
        }
        if (type == 27) {
            put_len(m, pel / 4);
            for (size_t i = 0; i < pel / 4; i++) put_be(m, g + i, 8), put_be(m, i, 8);
        }
    }
    if (type >= 26) {
        put_len(m, 100), put_len(m, 1000), put_len(m, 40);
        for (size_t i = 0; i < 40; i++) {
            put_noise(m, 9, i, 0);
            put_len(m, i % 4 ? 500 : 0);
            for (size_t k = 0; i % 4 && k < 500; k++) put_noise(m, 40, k, 0), put_len(m, k), put_len(m, i);
        }
        put_len(m, 5), put_len(m, 6);
    }
    made_free(&lp);
}

START_TEST(streams)
{
    static const unsigned types[] = {15, 19, 21, 26, 27};
    for (size_t i = 0; i < 5; i++) {
        file_begin(&file, i < 3 ? "REDIS0011" : "REDIS0014");
        record_begin(&file, types[i], "stream");
        put_stream(&file, types[i], 500, 5, 9000);
        record_begin(&file, types[i], "none");
        put_stream(&file, types[i], 0, 0, 0);
        record_begin(&file, types[i], "groups only");
        put_stream(&file, types[i], 0, 400, 20);
        file_end(&file);
        all_ways("stream", &file, 1);
    }
}
END_TEST

/* A node whose listpack is past RSP_RDB_BIG_BYTES. */
START_TEST(stream_large_node)
{
    struct made lp = {0};
    uint8_t *p = noise(3 * MIB, 1);
    for (int lzf = 0; lzf < 2; lzf++) {
        file_begin(&file, "REDIS0011");
        record_begin(&file, 15, "stream");
        put_len(&file, 2);
        for (unsigned node = 0; node < 2; node++) {
            put_len(&file, 16);
            put_be(&file, 7 + node, 8), put_be(&file, 0, 8);
            lp_begin(&lp);
            lp_int(&lp, 1), lp_int(&lp, 0), lp_int(&lp, 1), lp_str(&lp, "f", 1), lp_int(&lp, 0);
            lp_int(&lp, 2), lp_int(&lp, 0), lp_int(&lp, 0), lp_str(&lp, p, 3 * MIB), lp_int(&lp, 4);
            lp_end(&lp, 10);
            if (lzf) put_lzf(&file, lp.p, lp.n);
            else put_str(&file, lp.p, lp.n);
        }
        put_len(&file, 2), put_len(&file, 8), put_len(&file, 0), put_len(&file, 0);
        file_end(&file);
        all_ways("stream with a large node", &file, 1);
    }
    free(p);
    made_free(&lp);
}
END_TEST

START_TEST(whole_blobs)
{
    static const unsigned types[] = {16, 17, 20, 25};
    struct made lp = {0};
    for (size_t i = 0; i < 8; i++) {
        unsigned type = types[i / 2];
        size_t n = 0;
        lp_begin(&lp);
        for (size_t k = 0; k < 40000; k++) {
            uint8_t *p = noise(20 + k % 100, k);
            lp_str(&lp, p, 20 + k % 100), n++;
            if (type == 16 || type == 25) lp_int(&lp, (int64_t)k * 1000), n++;
            if (type == 17 || type == 25) lp_int(&lp, (int64_t)k), n++;
            free(p);
        }
        lp_end(&lp, n);
        file_begin(&file, "REDIS0012");
        record_begin(&file, type, "blob");
        if (type == 25) put_le(&file, 4102444800000, 8);
        if (i % 2) put_lzf(&file, lp.p, lp.n);
        else put_str(&file, lp.p, lp.n);
        file_end(&file);
        all_ways("a listpack", &file, 1);
    }
    made_free(&lp);
}
END_TEST

START_TEST(arrays)
{
    file_begin(&file, "REDIS0014");
    record_begin(&file, 28, "array");
    put_len(&file, 3000), put_len(&file, 1), put_len(&file, 77);
    for (size_t i = 0; i < 3000; i++) {
        put_len(&file, i * 3), put_len(&file, i % 4);
        if (i % 4 == 0) put_noise(&file, size_of(i / 4), i, i % 8 == 0);
        if (i % 4 == 1) put_le(&file, i * i, 8);
        if (i % 4 == 2) put_le(&file, 0x3ff8000000000000 + i, 8);
        if (i % 4 == 3) put_noise(&file, i % 8, i, 0);
    }
    file_end(&file);
    all_ways("array", &file, 1);
}
END_TEST

START_TEST(modules)
{
    file_begin(&file, "REDIS0009");
    for (int round = 0; round < 2; round++) {
        record_begin(&file, 7, round ? "few" : "many");
        put_len(&file, 0x1234567890abcdef);
        for (size_t i = 0; i < (round ? 3u : 300u); i++) {
            put_len(&file, 5);
            put_noise(&file, size_of(i), i, i % 3 == 0);
            put_len(&file, 2), put_len(&file, i * i * i);
            put_len(&file, 4), put_le(&file, i, 8);
            put_len(&file, 3), put_le(&file, i, 4);
            put_len(&file, 1), put_len(&file, i);
        }
        put_len(&file, 0);
    }
    file_end(&file);
    all_ways("module", &file, 1);
}
END_TEST

static void put_template(struct made *m, uint64_t id, size_t n)
{
    char name[24];
    put_byte(m, 0xf2);
    put_len(m, id), put_len(m, n);
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "field%08zu", i);
        put_text(m, name);
    }
}

static void put_names(struct made *m, struct made *lp, size_t n, int format)
{
    char name[24];
    put_len(m, (uint64_t)format);
    if (format) put_len(m, n);
    lp_begin(lp);
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "field%08zu", i);
        if (format) put_text(m, name);
        else lp_str(lp, name, strlen(name));
    }
    lp_end(lp, n);
    if (!format) put_str(m, lp->p, lp->n);
}

START_TEST(templates)
{
    struct made lp = {0};
    char name[40];
    size_t n = 300;
    for (int round = 0; round < 10; round++) {
        file_begin(&file, "REDIS0015");
        put_template(&file, 1ULL << 62, n);
        put_template(&file, 3, 30000);
        if (round < 2) { /* 32: values one by one, names elsewhere */
            record_begin(&file, 32, "ref");
            put_len(&file, round ? 3 : 1ULL << 62);
            for (size_t i = 0; i < (round ? 30000 : n); i++) put_noise(&file, round ? 30 : size_of(i), i, i % 2);
        } else if (round < 6) { /* 31: with the names */
            size_t k = round < 4 ? n : 30000;
            record_begin(&file, 31, "array");
            put_names(&file, &lp, k, round % 2);
            for (size_t i = 0; i < k; i++) put_noise(&file, round < 4 ? size_of(i) : 30, i, 0);
        } else { /* 29, 30: values in a listpack */
            int with_names = round < 8;
            record_begin(&file, with_names ? 29 : 30, "listpack");
            if (with_names) put_names(&file, &lp, 30000, round % 2);
            lp_begin(&lp);
            lp_int(&lp, 3);
            for (size_t i = 0; i < 30000; i++) {
                uint8_t *p = noise(40, i);
                lp_str(&lp, p, 40);
                free(p);
            }
            lp_end(&lp, 30001);
            if (round % 2) put_lzf(&file, lp.p, lp.n);
            else put_str(&file, lp.p, lp.n);
        }
        file_end(&file);
        snprintf(name, sizeof name, "templates, round %d", round);
        all_ways(name, &file, 1);
    }
    made_free(&lp);
}
END_TEST

START_TEST(path_hashes)
{
    file_begin(&file, "VALKEY081");
    record_begin(&file, 23, "paths");
    put_len(&file, 60);
    for (size_t i = 0; i < 60; i++) {
        put_noise(&file, i == 50 ? 3 * MIB / 2 : 10, i, 0);
        put_len(&file, 1 + i % 9);
        for (size_t k = 0; k < 1 + i % 9; k++) put_noise(&file, 12, k, 0), put_noise(&file, size_of(i + k), k, k % 2);
    }
    file_end(&file);
    all_ways("path hash", &file, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rdb parts");
    TCase *c = tcase_create("parts");
    tcase_set_timeout(c, 240);
    tcase_add_test(c, lists);
    tcase_add_test(c, sets);
    tcase_add_test(c, zsets);
    tcase_add_test(c, zsets2);
    tcase_add_test(c, hashes);
    tcase_add_test(c, hashes_ttl);
    tcase_add_test(c, hashes_valkey);
    tcase_add_test(c, small_elements);
    tcase_add_test(c, strings);
    tcase_add_test(c, quicklists);
    tcase_add_test(c, streams);
    tcase_add_test(c, stream_large_node);
    tcase_add_test(c, whole_blobs);
    tcase_add_test(c, arrays);
    tcase_add_test(c, modules);
    tcase_add_test(c, templates);
    tcase_add_test(c, path_hashes);
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
    made_free(&file);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
