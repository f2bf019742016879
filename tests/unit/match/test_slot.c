/* What this is: tests of rsp_key_slot.
 * Rests on: libcheck.
 * Does not: ask a cluster. */
#include <check.h>
#include <string.h>

#include <respite/sys/filter.h>

static unsigned slot(const char *key)
{
    struct rsp_span span = {(const uint8_t *)key, strlen(key)};
    return rsp_key_slot(span);
}

START_TEST(known)
{
    struct rsp_span nothing = {NULL, 0};
    ck_assert_uint_eq(slot("123456789"), 12739);
    ck_assert_uint_eq(slot("foo"), 12182);
    ck_assert_uint_eq(slot("bar"), 5061);
    ck_assert_uint_eq(slot("somekey"), 11058);
    ck_assert_uint_eq(slot(""), 0);
    ck_assert_uint_eq(rsp_key_slot(nothing), 0);
}
END_TEST

START_TEST(tags)
{
    ck_assert_uint_eq(slot("{user1000}.following"), slot("{user1000}.followers"));
    ck_assert_uint_eq(slot("{user1000}.following"), slot("user1000"));
    ck_assert_uint_eq(slot("foo{{bar}}zap"), slot("{bar"));
    ck_assert_uint_eq(slot("foo{bar}{zap}"), slot("bar"));
    ck_assert_uint_eq(slot("a}b{bar}"), slot("bar"));
}
END_TEST

/* Without a closing brace, or with nothing inside, the whole key counts. */
START_TEST(no_tag)
{
    ck_assert_uint_ne(slot("foo{}{bar}"), slot("bar"));
    ck_assert_uint_ne(slot("foo{}{bar}"), slot(""));
    ck_assert_uint_ne(slot("{bar"), slot("bar"));
    ck_assert_uint_eq(slot("foo{"), slot("foo{"));
    ck_assert_uint_ne(slot("foo{"), slot("foo"));
    for (unsigned i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        struct rsp_span key = {&byte, 1};
        ck_assert_uint_lt(rsp_key_slot(key), 16384);
    }
}
END_TEST

static unsigned bit_by_bit(const uint8_t *p, size_t n)
{
    unsigned crc = 0;
    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned)p[i] << 8;
        for (int bit = 0; bit < 8; bit++) crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
    }
    return crc & 16383;
}

/* Every entry of the tables: each byte at each place of keys of each length, before and behind other bytes. */
START_TEST(tables)
{
    uint8_t key[13];
    for (size_t n = 1; n <= sizeof key; n++)
        for (size_t at = 0; at < n; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                for (size_t i = 0; i < n; i++) key[i] = (uint8_t)('A' + i);
                if (byte == '{' || byte == '}') continue;
                key[at] = (uint8_t)byte;
                ck_assert_uint_eq(rsp_key_slot((struct rsp_span){key, n}), bit_by_bit(key, n));
            }
    for (unsigned byte = 0; byte < 256; byte++)
        for (unsigned before = 0; before < 256; before++) {
            uint8_t pair[2] = {(uint8_t)before, (uint8_t)byte};
            ck_assert_uint_eq(rsp_key_slot((struct rsp_span){pair, 2}), bit_by_bit(pair, 2));
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slot");
    TCase *tc = tcase_create("slot");
    SRunner *runner;
    int failed;
    tcase_add_test(tc, known);
    tcase_add_test(tc, tags);
    tcase_add_test(tc, tables);
    tcase_add_test(tc, no_tag);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
