/* What this is: tests of the envelope: a known one, forged, cut, foreign.
 * Rests on: libcheck; the known envelope was made by an implementation apart from libsodium.
 * Does not: test who may read (roles). */
#include "keys_test.h"

#include "base/mem.h"
#include "seal/envelope.h"
#include "seal/items.h"

static const char known_hex[] =
    "525350454e56310a018010000000101112131415161718191a1b1c1d1e1f02805800000052c87130340ac25b57db4b359f23ae5e146e4e25"
    "12056704722506348c150c14753d0c933d04d4218fdb170249f0d4a76990f10718b9b56b9c262376862decbcfb0df2b552e7b334946b3084"
    "06ede7e1ff9e1aee9a99e10f";

static struct rsp_identity *id, *other;
static uint8_t key[32], epoch[16], lineage[16], commitment[32], bytes[256];
static size_t bytes_n;

static void begin(void)
{
    uint8_t secret[32];
    setup();
    ramp(secret, 32, 0);
    ck_assert_int_eq(identity_from_secret(&env, secret, "seed", &id), RSP_OK);
    ramp(secret, 32, 100);
    ck_assert_int_eq(identity_from_secret(&env, secret, NULL, &other), RSP_OK);
    ramp(epoch, 16, 16);
    rsp_lineage_of(&id->public, lineage);
    ramp(key, 32, 50);
    epoch_commitment(key, lineage, epoch, commitment);
    bytes_n = unhex(known_hex, bytes, sizeof bytes);
    memset(key, 0, sizeof key);
}

static void end(void)
{
    rsp_identity_free(id);
    rsp_identity_free(other);
    teardown();
}

static int open_n(const uint8_t *p, size_t n)
{
    int rc;
    memset(key, 0xee, sizeof key);
    rc = envelope_open((struct rsp_span){p, n}, lineage, epoch, commitment, &id, 1, key);
    ck_assert_int_eq(error.code, 0);
    return rc;
}

START_TEST(opens)
{
    struct rsp_identity *both[2] = {other, id};
    uint8_t want[32];
    size_t n;
    ramp(want, 32, 50);
    same_hex(commitment, 32, "f6885661b9e55856070979d98fb15a686ed27e4ffc9b31b4ef88f1ae7253882b");
    ck_assert_int_eq(open_n(bytes, bytes_n), RSP_OK);
    ck_assert_mem_eq(key, want, 32);
    memset(key, 0, sizeof key);
    ck_assert_int_eq(envelope_open((struct rsp_span){bytes, bytes_n}, lineage, epoch, commitment, both, 2, key),
                     RSP_OK);
    ck_assert_mem_eq(key, want, 32);
    ck_assert_int_eq(envelope_names((struct rsp_span){bytes, bytes_n}, &id->public, &n), 1);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(envelope_names((struct rsp_span){bytes, bytes_n}, &other->public, NULL), 0);
    ck_assert_int_eq(envelope_names((struct rsp_span){bytes, bytes_n - 1}, &id->public, &n), 0);
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(foreign)
{
    struct rsp_span e = {bytes, bytes_n};
    uint8_t zero[32] = {0};
    memset(key, 1, sizeof key);
    ck_assert_int_eq(envelope_open(e, lineage, epoch, commitment, &other, 1, key), RSP_EKEY);
    ck_assert_mem_eq(key, zero, 32);
    ck_assert_int_eq(envelope_open(e, lineage, epoch, commitment, NULL, 0, key), RSP_EKEY);
    lineage[0] ^= 1; /* what it opens to was not committed for that lineage */
    ck_assert_int_eq(open_n(bytes, bytes_n), RSP_EKEY);
    ck_assert_mem_eq(key, zero, 32);
    lineage[0] ^= 1;
    commitment[31] ^= 1;
    ck_assert_int_eq(open_n(bytes, bytes_n), RSP_EKEY);
    commitment[31] ^= 1;
    epoch[15] ^= 1;
    ck_assert_int_eq(open_n(bytes, bytes_n), RSP_EINTEGRITY);
}
END_TEST

START_TEST(every_bit_and_length)
{
    for (size_t i = 0; i < bytes_n * 8; i++) {
        int rc;
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        rc = open_n(bytes, bytes_n);
        ck_assert_msg(rc == RSP_EINTEGRITY || rc == RSP_EKEY, "bit %zu: status %d", i, rc);
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t n = 0; n < bytes_n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, bytes, n);
        ck_assert_int_eq(open_n(exact, n), RSP_EINTEGRITY);
        free(exact);
    }
    bytes[bytes_n] = 0;
    ck_assert_int_eq(open_n(bytes, bytes_n + 1), RSP_EINTEGRITY);
}
END_TEST

/* Of the known envelope's parts: E epoch, W wrap, and items that are unknown: a ancillary, c critical. */
static int arranged(const char *parts)
{
    struct buf b;
    int rc;
    buf_init(&b, &env);
    ck_assert_int_eq(buf_add(&b, bytes, 8), RSP_OK);
    for (; *parts; parts++) {
        if (*parts == 'E') ck_assert_int_eq(buf_add(&b, bytes + 8, 22), RSP_OK);
        if (*parts == 'W') ck_assert_int_eq(buf_add(&b, bytes + 30, 94), RSP_OK);
        if (*parts == 'a') ck_assert_int_eq(item_add(&b, 9, "new", 3), RSP_OK);
        if (*parts == 'c') ck_assert_int_eq(item_add(&b, ITEM_CRITICAL | 9, "new", 3), RSP_OK);
    }
    rc = open_n(b.p, b.n);
    buf_free(&b);
    return rc;
}

START_TEST(items)
{
    char many[300] = "E";
    ck_assert_int_eq(arranged("EW"), RSP_OK);
    ck_assert_int_eq(arranged("EWW"), RSP_OK);
    ck_assert_int_eq(arranged("EWa"), RSP_OK);
    ck_assert_int_eq(arranged("EWaa"), RSP_OK);
    ck_assert_int_eq(arranged("EWc"), RSP_EINTEGRITY);
    ck_assert_int_eq(arranged("WE"), RSP_EINTEGRITY);
    ck_assert_int_eq(arranged("EaW"), RSP_EINTEGRITY);
    ck_assert_int_eq(arranged("EEW"), RSP_EINTEGRITY);
    ck_assert_int_eq(arranged("E"), RSP_EINTEGRITY);
    ck_assert_int_eq(arranged("W"), RSP_EINTEGRITY);
    ck_assert_int_eq(arranged(""), RSP_EINTEGRITY);
    memset(many + 1, 'W', 256);
    ck_assert_int_eq(arranged(many), RSP_OK);
    many[257] = 'W';
    ck_assert_int_eq(arranged(many), RSP_EINTEGRITY);
}
END_TEST

START_TEST(written)
{
    struct rsp_public readers[3];
    uint8_t secret_key[32], opened[32];
    struct buf b;
    size_t n;
    ramp(secret_key, 32, 7);
    epoch_commitment(secret_key, lineage, epoch, commitment);
    readers[0] = other->public;
    readers[1] = id->public;
    memset(readers + 2, 0, sizeof *readers); /* X25519 of it is zero with every key */
    buf_init(&b, &env);
    ck_assert_int_eq(envelope_write(&env, epoch, secret_key, readers, 2, &b), RSP_OK);
    ck_assert_uint_eq(b.n, 8 + 22 + 2 * 94);
    ck_assert_mem_eq(b.p, bytes, 30);
    ck_assert_int_eq(open_n(b.p, b.n), RSP_OK);
    ck_assert_mem_eq(key, secret_key, 32);
    ck_assert_int_eq(envelope_open((struct rsp_span){b.p, b.n}, lineage, epoch, commitment, &other, 1, opened), RSP_OK);
    ck_assert_mem_eq(opened, secret_key, 32);
    ck_assert(envelope_names((struct rsp_span){b.p, b.n}, readers, &n) && n == 2);
    b.n = 0;
    ck_assert_int_eq(envelope_write(&env, epoch, secret_key, readers, 0, &b), RSP_EINVAL);
    ck_assert_int_eq(envelope_write(&env, epoch, secret_key, readers, 257, &b), RSP_EINVAL);
    ck_assert_int_eq(envelope_write(&env, epoch, secret_key, readers, 3, &b), RSP_EINVAL);
    buf_free(&b);
}
END_TEST

START_TEST(no_memory)
{
    struct rsp_public readers[30];
    int rc = RSP_ENOMEM;
    long nth;
    for (size_t i = 0; i < 30; i++) readers[i] = id->public;
    for (nth = 0; rc; nth++) {
        struct buf b;
        fail_nth = nth;
        buf_init(&b, &env);
        rc = envelope_write(&env, epoch, key, readers, 30, &b);
        ck_assert(!rc || rc == RSP_ENOMEM);
        buf_free(&b);
    }
    ck_assert_int_gt(nth, 2);
    fail_nth = -1;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("envelope");
    TCase *tc = tcase_create("envelope");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(tc, begin, end);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, opens);
    tcase_add_test(tc, foreign);
    tcase_add_test(tc, every_bit_and_length);
    tcase_add_test(tc, items);
    tcase_add_test(tc, written);
    tcase_add_test(tc, no_memory);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
