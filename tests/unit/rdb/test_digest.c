/* What this is: dd1 is equal for equal data, however it is stored and cut, and differs when the data does.
 * Rests on: file_test.h, sys/digest.h, base/sip.h.
 * Does not: test decoding. */
#include <respite/sys/digest.h>

#include "base/sip.h"
#include "file_test.h"

struct digests {
    char with[RSP_DD1_TEXT], without[RSP_DD1_TEXT];
    uint64_t keys, broken;
    unsigned parts; /* items that are not whole records */
};

/* The digests of a file read in blocks of that size, which decides how large values are cut. */
static struct digests digests(const struct file *f, size_t block_bytes)
{
    struct rsp_rdb_feed_options o = {.size = sizeof o, .block_bytes = block_bytes};
    struct rsp_rdb_feed *feed = NULL;
    struct rsp_source *source = NULL;
    struct rsp_dd1_table *table = NULL;
    struct rsp_dd1_worker *worker = NULL;
    struct rsp_rdb_batch *batch = NULL;
    struct digests d;
    int rc;
    memset(&d, 0, sizeof d);
    MUST(rsp_source_memory(NULL, f->p, f->n, &source) == RSP_OK);
    MUST(rsp_rdb_feed_new(NULL, source, &o, &feed) == RSP_OK);
    MUST(rsp_dd1_table_new(NULL, &table) == RSP_OK);
    MUST(rsp_dd1_worker_new(NULL, &worker) == RSP_OK);
    while (!(rc = rsp_rdb_feed_next(feed, &batch))) {
        struct rsp_rdb_task task = {batch, NULL, NULL};
        struct rsp_dd1_part *part = NULL;
        for (size_t i = 0; i < batch->count; i++) {
            unsigned both = RSP_ITEM_FIRST | RSP_ITEM_LAST;
            if (batch->items[i].kind == RSP_RDB_KEY && (batch->items[i].flags & both) != both) d.parts++;
        }
        MUST(rsp_dd1_batch(worker, &task, &part) == RSP_OK);
        MUST(rsp_dd1_fold(table, &task, part) == RSP_OK);
        rsp_rdb_batch_release(batch);
    }
    MUST(rc == RSP_END);
    rsp_dd1_text(&rsp_dd1_table_total(table)->with_expiry, d.with);
    rsp_dd1_text(&rsp_dd1_table_total(table)->without, d.without);
    d.keys = rsp_dd1_table_total(table)->keys;
    d.broken = rsp_dd1_table_broken(table, NULL);
    rsp_dd1_worker_free(worker);
    rsp_dd1_table_free(table);
    rsp_rdb_feed_free(feed);
    rsp_source_free(source);
    return d;
}

static struct digests digests_free(struct file *f)
{
    struct digests d = digests(f, 0);
    MUST(d.broken == 0);
    free(f->p);
    return d;
}

static struct digests blob(unsigned type, void (*form)(struct file *, const char *const *, size_t),
                           const char *const *s, size_t n, int quicklist)
{
    struct file f;
    begin(&f);
    key(&f, type, "k");
    if (quicklist) length(&f, 1);
    if (quicklist == 2) length(&f, 2);
    form(&f, s, n);
    finish(&f);
    return digests_free(&f);
}

/* n strings in that order, plainly stored: hashes count pairs. */
static struct digests plain(unsigned type, const char *const *s, size_t n, size_t count)
{
    struct file f;
    begin(&f);
    key(&f, type, "k");
    length(&f, count);
    for (size_t i = 0; i < n; i++) text(&f, s[i]);
    finish(&f);
    return digests_free(&f);
}

static const char *const abc[] = {"a", "1", "b", "22", "c", "three"};
static const char *const cab[] = {"c", "three", "a", "1", "b", "22"};

START_TEST(hash_forms)
{
    struct digests d = plain(4, abc, 6, 3);
    ck_assert_str_eq(plain(4, cab, 6, 3).with, d.with);
    ck_assert_str_eq(blob(16, listpack, abc, 6, 0).with, d.with);
    ck_assert_str_eq(blob(16, listpack, cab, 6, 0).with, d.with);
    ck_assert_str_eq(blob(13, ziplist, abc, 6, 0).with, d.with);
    ck_assert_str_ne(plain(4, abc, 4, 2).with, d.with);
}
END_TEST

START_TEST(list_forms)
{
    struct digests d = plain(1, abc, 6, 6);
    ck_assert_str_eq(blob(10, ziplist, abc, 6, 0).with, d.with);
    ck_assert_str_eq(blob(14, ziplist, abc, 6, 1).with, d.with);
    ck_assert_str_eq(blob(18, listpack, abc, 6, 2).with, d.with);
    ck_assert_str_ne(plain(1, cab, 6, 6).with, d.with);
}
END_TEST

START_TEST(set_forms)
{
    struct digests d = plain(2, abc, 6, 6);
    ck_assert_str_eq(plain(2, cab, 6, 6).with, d.with);
    ck_assert_str_eq(blob(20, listpack, cab, 6, 0).with, d.with);
    ck_assert_str_ne(plain(1, abc, 6, 6).with, d.with);
}
END_TEST

static struct digests zset(unsigned type, const char *score)
{
    struct file f;
    double v = strtod(score, NULL);
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    begin(&f);
    key(&f, type, "k");
    if (type != 17) length(&f, 1);
    if (type == 17) {
        const char *const s[] = {"m", score};
        listpack(&f, s, 2);
    } else {
        text(&f, "m");
        if (type == 5) le64(&f, bits);
        else text(&f, score);
    }
    finish(&f);
    return digests_free(&f);
}

START_TEST(zset_forms)
{
    ck_assert_str_eq(zset(3, "1.5").with, zset(5, "1.5").with);
    ck_assert_str_eq(zset(17, "1.5").with, zset(5, "1.5").with);
    ck_assert_str_eq(zset(17, "7").with, zset(3, "7").with);
    ck_assert_str_eq(zset(5, "-0").with, zset(3, "0").with);
    ck_assert_str_ne(zset(5, "1.5").with, zset(5, "1.25").with);
}
END_TEST

static void two_keys(struct file *f, const char *first, const char *second, uint64_t expire)
{
    begin(f);
    key(f, 0, first);
    text(f, "v");
    byte(f, 0xfc);
    le64(f, expire);
    key(f, 0, second);
    text(f, "v");
    finish(f);
}

START_TEST(keys_and_expiries)
{
    struct file f;
    struct digests a, b, c, d;
    two_keys(&f, "one", "two", 5000);
    a = digests_free(&f);
    two_keys(&f, "one", "two", 6000);
    b = digests_free(&f);
    two_keys(&f, "two", "one", 5000);
    c = digests_free(&f);
    begin(&f);
    byte(&f, 0xfc);
    le64(&f, 5000);
    key(&f, 0, "two");
    text(&f, "v");
    key(&f, 0, "one");
    text(&f, "v");
    finish(&f);
    d = digests_free(&f);
    ck_assert_uint_eq(a.keys, 2);
    ck_assert_str_ne(a.with, b.with);
    ck_assert_str_eq(a.without, b.without);
    ck_assert_str_ne(a.with, c.with);
    ck_assert_str_eq(a.without, c.without);
    ck_assert_str_eq(a.with, d.with);
}
END_TEST

static void u64_into(uint8_t *p, uint64_t v)
{
    for (int k = 0; k < 8; k++) p[k] = (uint8_t)(v >> 8 * k);
}

/* The definition, computed by hand for the string "k" = "v". */
START_TEST(by_definition)
{
    static const uint8_t dd1_key[] = "respite dd1 key.";
    uint8_t value[10] = {'s'}, record[49];
    struct sip128 h;
    char want[RSP_DD1_TEXT];
    struct file f;
    u64_into(value + 1, 1);
    value[9] = 'v';
    h = sip128_of(dd1_key, value, sizeof value);
    u64_into(record, 0); /* a string */
    u64_into(record + 8, 1);
    record[16] = 'k';
    u64_into(record + 17, 1);
    u64_into(record + 25, h.lo);
    u64_into(record + 33, h.hi);
    u64_into(record + 41, 1ULL << 63);
    h = sip128_of(dd1_key, record, sizeof record);
    snprintf(want, sizeof want, "dd1:%016llx%016llx", (unsigned long long)h.hi, (unsigned long long)h.lo);
    begin(&f);
    key(&f, 0, "k");
    text(&f, "v");
    finish(&f);
    ck_assert_str_eq(digests_free(&f).with, want);
}
END_TEST

/* Pinned: a change here makes every digest that was ever stored worthless. */
START_TEST(golden)
{
    struct file f;
    begin(&f);
    key(&f, 0, "string");
    text(&f, "value");
    key(&f, 1, "list");
    length(&f, 3);
    for (int i = 0; i < 3; i++) text(&f, abc[i]);
    key(&f, 2, "set");
    length(&f, 3);
    for (int i = 0; i < 3; i++) text(&f, abc[i]);
    byte(&f, 0xfc);
    le64(&f, 4102444800000);
    key(&f, 4, "hash");
    length(&f, 3);
    for (int i = 0; i < 6; i++) text(&f, abc[i]);
    key(&f, 3, "zset");
    length(&f, 1);
    text(&f, "m");
    text(&f, "-2.5");
    finish(&f);
    ck_assert_str_eq(digests_free(&f).with, "dd1:94e3adde5348c5c13e1192a916281bf2");
}
END_TEST

/* A large value, in blocks that cut it and in one that does not. */
static void cut_and_whole(struct file *f)
{
    struct digests whole = digests(f, 32u << 20), cut = digests(f, 64u << 10);
    ck_assert_uint_eq(whole.parts, 0);
    ck_assert_uint_gt(cut.parts, 2);
    ck_assert_uint_eq(whole.broken + cut.broken, 0);
    ck_assert_str_eq(cut.with, whole.with);
    free(f->p);
}

static void numbered(struct file *f, unsigned type, size_t n, unsigned strings, const uint8_t *big, size_t big_n)
{
    begin(f);
    key(f, type, "k");
    length(f, n);
    for (size_t i = 0; i < n; i++) {
        char s[40];
        if (i == n / 2 && big_n) {
            bytes(f, big, big_n);
        } else {
            snprintf(s, sizeof s, "element number %zu", i);
            text(f, s);
        }
        for (unsigned k = 1; k < strings; k++) {
            if (i == n / 3 && big_n) bytes(f, big, big_n);
            else text(f, "its value");
        }
    }
    finish(f);
}

START_TEST(parts)
{
    static const unsigned types[] = {1, 2, 4};
    size_t big_n = 3u << 20;
    uint8_t *big = malloc(big_n);
    struct file f;
    MUST(big);
    for (size_t i = 0; i < big_n; i++) big[i] = (uint8_t)(i * i >> 7);
    for (size_t i = 0; i < 3; i++) {
        numbered(&f, types[i], 60000, types[i] == 4 ? 2 : 1, NULL, 0);
        cut_and_whole(&f);
        numbered(&f, types[i], 60000, types[i] == 4 ? 2 : 1, big, big_n);
        cut_and_whole(&f);
    }
    free(big);
}
END_TEST

START_TEST(big_strings)
{
    size_t big_n = 3u << 20;
    uint8_t *big = malloc(big_n);
    char raw[RSP_DD1_TEXT];
    struct file f;
    MUST(big);
    for (size_t i = 0; i < big_n; i++) big[i] = (uint8_t)(i * i >> 7);
    begin(&f);
    key(&f, 0, "k");
    bytes(&f, big, big_n);
    finish(&f);
    memcpy(raw, digests(&f, 0).with, sizeof raw);
    cut_and_whole(&f);
    begin(&f);
    key(&f, 0, "k");
    lzf(&f, big, big_n);
    finish(&f);
    ck_assert_str_eq(digests(&f, 0).with, raw);
    cut_and_whole(&f);
    free(big);
}
END_TEST

START_TEST(malformed)
{
    struct file f;
    struct digests d;
    begin(&f);
    key(&f, 16, "k");
    text(&f, "no listpack");
    key(&f, 0, "after");
    text(&f, "v");
    finish(&f);
    d = digests(&f, 0);
    ck_assert_uint_eq(d.broken, 1);
    ck_assert_uint_eq(d.keys, 1);
    free(f.p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("digest");
    TCase *t = tcase_create("digest");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 60);
    tcase_add_test(t, hash_forms);
    tcase_add_test(t, list_forms);
    tcase_add_test(t, set_forms);
    tcase_add_test(t, zset_forms);
    tcase_add_test(t, keys_and_expiries);
    tcase_add_test(t, by_definition);
    tcase_add_test(t, golden);
    tcase_add_test(t, parts);
    tcase_add_test(t, big_strings);
    tcase_add_test(t, malformed);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
