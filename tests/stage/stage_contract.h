/* What this is: the harness that holds any stage to the contract of respite/stage.h: every window
 *   size on both sides, both ways to learn of the end, and input that is cut anywhere.
 * Rests on: libcheck, respite/stage.h.
 * Does not: know a format. Windows are allocated anew for each call and freed after it, so that
 *   the address sanitizer sees a stage that reads or writes beside them or keeps a pointer. */
#ifndef TESTS_STAGE_CONTRACT_H
#define TESTS_STAGE_CONTRACT_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <respite/stage.h>

struct contract_case {
    const char *name;
    int (*make)(const struct rsp_env *env, struct rsp_stage **ret);
};

struct contract_bytes {
    uint8_t *p;
    size_t n, cap;
};

static const size_t contract_windows[] = {1, 2, 7, 64, 4096, 70000};
#define CONTRACT_WINDOWS (sizeof contract_windows / sizeof *contract_windows)

enum contract_end { CONTRACT_END_WITH_DATA, CONTRACT_END_LATE };

static void contract_add(struct contract_bytes *b, const uint8_t *p, size_t n)
{
    if (n > b->cap - b->n) {
        b->cap = (b->n + n) * 2;
        b->p = realloc(b->p, b->cap);
        ck_assert_ptr_nonnull(b->p);
    }
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
}

/* One call over windows of exactly these sizes. Moves *at and out. */
static int contract_step(struct rsp_stage *s, const uint8_t *p, size_t *at, size_t in_n, size_t out_n,
                         enum rsp_stage_op op, struct contract_bytes *out, int *moved)
{
    uint8_t *in_copy = malloc(in_n ? in_n : 1), *out_copy = malloc(out_n);
    struct rsp_in in = {in_copy, in_n, 0};
    struct rsp_out o = {out_copy, out_n, 0};
    int rc;
    if (in_n) memcpy(in_copy, p + *at, in_n);
    rc = rsp_stage_step(s, &in, &o, op);
    ck_assert_uint_le(in.pos, in_n);
    ck_assert_uint_le(o.pos, out_n);
    if (in_n) ck_assert_mem_eq(in_copy, p + *at, in_n);
    contract_add(out, out_copy, o.pos);
    *at += in.pos;
    *moved = in.pos || o.pos;
    free(in_copy);
    free(out_copy);
    return rc;
}

/* Drives a stage over n bytes at p: its last status (RSP_END or a fault); *taken (may be NULL) is
 * how much it absorbed. A stage that stands still though it could move fails the test. */
static inline int contract_drive(struct rsp_stage *s, const uint8_t *p, size_t n, size_t in_window, size_t out_window,
                                 enum contract_end end, struct contract_bytes *out, size_t *taken)
{
    size_t at = 0;
    int rc, moved;
    for (;;) {
        size_t k = n - at < in_window ? n - at : in_window;
        enum rsp_stage_op op = RSP_STAGE_RUN;
        if (at == n || (end == CONTRACT_END_WITH_DATA && at + k == n)) op = RSP_STAGE_END;
        rc = contract_step(s, p, &at, k, out_window, op, out, &moved);
        if (rc != RSP_OK) break;
        /* With input and room, or at the end with room, there is always something to do. */
        ck_assert_msg(moved, "%s stands still at %zu of %zu", rsp_stage_name(s), at, n);
    }
    if (taken) *taken = at;
    return rc;
}

static inline struct rsp_stage *contract_make(const struct contract_case *c, struct rsp_error *error)
{
    struct rsp_env env;
    struct rsp_stage *s;
    memset(&env, 0, sizeof env);
    memset(error, 0, sizeof *error);
    env.size = sizeof env;
    env.error = error;
    ck_assert_int_eq(c->make(&env, &s), RSP_OK);
    return s;
}

/* All windows. The first input is a small one, for windows of a few bytes, so that the test is
 * quick; check is called with the output and what was expected of it. */
static inline void contract_all_windows(const struct contract_case *c, const struct contract_bytes in[2],
                                        const struct contract_bytes want[2],
                                        void (*check)(const struct contract_bytes *out,
                                                      const struct contract_bytes *want))
{
    for (size_t i = 0; i < CONTRACT_WINDOWS * CONTRACT_WINDOWS * 2; i++) {
        size_t a = contract_windows[i / 2 % CONTRACT_WINDOWS], b = contract_windows[i / 2 / CONTRACT_WINDOWS];
        int large = a >= 64 && b >= 64;
        if (!large && (a > 4096 || b > 4096)) continue; /* beyond all of a small input: as 4096 */
        struct contract_bytes out = {NULL, 0, 0};
        struct rsp_error error;
        struct rsp_stage *s = contract_make(c, &error);
        size_t taken;
        int rc = contract_drive(s, in[large].p, in[large].n, a, b, i % 2 ? CONTRACT_END_LATE : CONTRACT_END_WITH_DATA,
                                &out, &taken);
        ck_assert_msg(rc == RSP_END, "%s: windows %zu, %zu: status %d: %s", c->name, a, b, rc, error.message);
        ck_assert_uint_eq(taken, in[large].n);
        ck_assert_int_eq(error.code, 0);
        check(&out, &want[large]);
        rsp_stage_free(s);
        free(out.p);
    }
}

/* Input cut at every byte is a fault, with words, and the stage is dead afterwards. */
static inline void contract_cuts(const struct contract_case *c, const struct contract_bytes *in)
{
    for (size_t cut = 0; cut < in->n; cut++) {
        static const size_t windows[] = {1, 7, 70000};
        for (size_t w = 0; w < 3; w++) {
            struct contract_bytes out = {NULL, 0, 0};
            struct rsp_error error;
            struct rsp_stage *s = contract_make(c, &error);
            size_t at = 0;
            int moved, rc = contract_drive(s, in->p, cut, windows[w], w ? 4096 : 64,
                                           cut % 2 ? CONTRACT_END_LATE : CONTRACT_END_WITH_DATA, &out, NULL);
            ck_assert_msg(rc == RSP_ETRUNCATED, "%s: cut at %zu of %zu: status %d", c->name, cut, in->n, rc);
            ck_assert_int_eq(error.code, rc);
            ck_assert_int_ne(error.message[0], 0);
            rc = contract_step(s, in->p, &at, 0, 1, RSP_STAGE_END, &out, &moved);
            ck_assert_int_eq(rc, RSP_ESTATE);
            ck_assert_int_eq(moved, 0);
            rsp_stage_free(s);
            free(out.p);
        }
    }
}

#endif
