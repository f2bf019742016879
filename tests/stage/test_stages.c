/* What this is: every stage of the streams and of compression under the stage contract, alone
 *   and in chains.
 * Rests on: stage_contract.h, pack_data.h.
 * Does not: test the single formats' faults; unit/pack/test_pack.c does. */
#include "stage/stage_contract.h"

#include "stage/pack_data.h"

#define SMALL 1200
#define LARGE 150001

/* A caller's own stage that follows the contract. */
static int flip_step(void *opaque, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    (void)opaque;
    while (in->pos < in->n && out->pos < out->n) out->p[out->pos++] = (uint8_t)(in->p[in->pos++] ^ 0x5a);
    return op == RSP_STAGE_END && in->pos == in->n ? RSP_END : RSP_OK;
}

static int flip(const struct rsp_env *env, struct rsp_stage **ret)
{
    static const struct rsp_stage_ops ops = {sizeof ops, "flip", flip_step, NULL};
    return rsp_stage_custom(env, &ops, NULL, ret);
}

static int zstd_c(const struct rsp_env *env, struct rsp_stage **ret)
{
    return rsp_stage_zstd_compress(env, 0, ret);
}

typedef int maker(const struct rsp_env *env, struct rsp_stage **ret);

static int chain_of(const struct rsp_env *env, maker *const *make, size_t n, struct rsp_stage **ret)
{
    struct rsp_stage *s[16];
    for (size_t i = 0; i < n; i++) ck_assert_int_eq(make[i](env, &s[i]), RSP_OK);
    return rsp_chain_new(env, s, n, ret);
}

#define CHAIN(name, ...)                                               \
    static int name(const struct rsp_env *env, struct rsp_stage **ret) \
    {                                                                  \
        static maker *const m[] = {__VA_ARGS__};                       \
        return chain_of(env, m, sizeof m / sizeof *m, ret);            \
    }
CHAIN(chain_one, flip)
CHAIN(chain_flips, flip, flip, flip, flip, flip, flip, flip, flip, flip, flip, flip, flip, flip, flip, flip, flip)
CHAIN(chain_zstd, zstd_c, rsp_stage_zstd_decompress)
CHAIN(chain_zstd_twice, zstd_c, flip, flip, zstd_c, rsp_stage_zstd_decompress, rsp_stage_zstd_decompress)
CHAIN(chain_of_chains, chain_zstd, chain_flips, chain_zstd)
CHAIN(chain_nested, rsp_stage_zstd_decompress, rsp_stage_gzip_decompress, rsp_stage_lz4_decompress)
CHAIN(chain_convert, rsp_stage_gzip_decompress, zstd_c)

enum form { PLAIN, FLIPPED, ZSTD_FORM, GZIP_FORM, LZ4_FORM, ZSTD_PAIR, GZIP_PAIR, LZ4_PAIR, NESTED };

static struct data form(enum form f, struct data plain)
{
    struct data half = {plain.p, plain.n / 2}, rest = {plain.p + plain.n / 2, plain.n - plain.n / 2};
    struct data d;
    switch (f) {
    case PLAIN: return data_join(plain, (struct data){NULL, 0});
    case FLIPPED:
        d = data_join(plain, (struct data){NULL, 0});
        for (size_t i = 0; i < d.n; i++) d.p[i] ^= 0x5a;
        return d;
    case ZSTD_FORM: return data_zstd(plain);
    case GZIP_FORM: return data_gzip(plain);
    case LZ4_FORM: return data_lz4(plain);
    case ZSTD_PAIR: return data_join_own(data_zstd(half), data_zstd(rest));
    case GZIP_PAIR: return data_join_own(data_gzip(half), data_gzip(rest));
    case LZ4_PAIR: return data_join_own(data_lz4(half), data_lz4(rest));
    default: {
        struct data lz4 = data_lz4(plain), gzip = data_gzip(lz4);
        d = data_zstd(gzip);
        free(lz4.p);
        free(gzip.p);
        return d;
    }
    }
}

static const struct stage_case {
    struct contract_case c;
    enum form in, out; /* out ZSTD_FORM: whatever opens to the plain bytes */
    int cuts;          /* input cut anywhere is RSP_ETRUNCATED */
} cases[] = {
    {{"flip", flip}, PLAIN, FLIPPED, 0},
    {{"zstd compress", zstd_c}, PLAIN, ZSTD_FORM, 0},
    {{"zstd", rsp_stage_zstd_decompress}, ZSTD_FORM, PLAIN, 1},
    {{"gzip", rsp_stage_gzip_decompress}, GZIP_FORM, PLAIN, 1},
    {{"lz4", rsp_stage_lz4_decompress}, LZ4_FORM, PLAIN, 1},
    {{"zstd, two frames", rsp_stage_zstd_decompress}, ZSTD_PAIR, PLAIN, 0},
    {{"gzip, two members", rsp_stage_gzip_decompress}, GZIP_PAIR, PLAIN, 0},
    {{"lz4, two frames", rsp_stage_lz4_decompress}, LZ4_PAIR, PLAIN, 0},
    {{"chain of one", chain_one}, PLAIN, FLIPPED, 0},
    {{"chain of sixteen", chain_flips}, PLAIN, PLAIN, 0},
    {{"there and back", chain_zstd}, PLAIN, PLAIN, 0},
    {{"there and back twice", chain_zstd_twice}, PLAIN, PLAIN, 0},
    {{"chain of chains", chain_of_chains}, PLAIN, PLAIN, 0},
    {{"three deep", chain_nested}, NESTED, PLAIN, 1},
    {{"gzip to zstd", chain_convert}, GZIP_FORM, ZSTD_FORM, 1},
};
#define CASES (int)(sizeof cases / sizeof *cases)

static void same(const struct contract_bytes *out, const struct contract_bytes *want)
{
    ck_assert_uint_eq(out->n, want->n);
    if (want->n) ck_assert_mem_eq(out->p, want->p, want->n);
}

static void opens(const struct contract_bytes *out, const struct contract_bytes *want)
{
    uint8_t *p = malloc(want->n + 1);
    size_t n = ZSTD_decompress(p, want->n + 1, out->p, out->n);
    ck_assert(!ZSTD_isError(n));
    ck_assert_uint_eq(n, want->n);
    if (n) ck_assert_mem_eq(p, want->p, n);
    free(p);
}

static struct contract_bytes bytes_of(struct data d)
{
    return (struct contract_bytes){d.p, d.n, d.n};
}

static void windows_of(const struct stage_case *c, size_t small, size_t large)
{
    struct contract_bytes in[2], want[2];
    for (int i = 0; i < 2; i++) {
        struct data plain = data_plain(i ? large : small, 1);
        in[i] = bytes_of(form(c->in, plain));
        want[i] = bytes_of(form(c->out == ZSTD_FORM ? PLAIN : c->out, plain));
        free(plain.p);
    }
    contract_all_windows(&c->c, in, want, c->out == ZSTD_FORM ? opens : same);
    for (int i = 0; i < 2; i++) {
        free(in[i].p);
        free(want[i].p);
    }
}

START_TEST(windows)
{
    windows_of(&cases[_i], SMALL, LARGE);
}
END_TEST

START_TEST(windows_empty)
{
    windows_of(&cases[_i], 0, 1);
}
END_TEST

START_TEST(cuts)
{
    struct data plain;
    struct contract_bytes in;
    if (!cases[_i].cuts) return;
    plain = data_plain(400, 2);
    in = bytes_of(form(cases[_i].in, plain));
    contract_cuts(&cases[_i].c, &in);
    free(in.p);
    free(plain.p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stages");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, windows, 0, CASES);
    tcase_add_loop_test(t, windows_empty, 0, CASES);
    tcase_add_loop_test(t, cuts, 0, CASES);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
