/* What this is: tests of the stage rules and of chains that the shared harness does not reach:
 *   faults, early ends, flushing, ownership.
 * Rests on: libcheck.
 * Does not: try windows; stage/test_stages.c does. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <respite/stage.h>

static struct rsp_error error;
static struct rsp_env env = {.size = sizeof env, .error = &error};

static void setup(void)
{
    rsp_error_clear(&error);
}

/* A stage that does as its letters say, one per call; '.' passes bytes on. */
struct actor {
    const char *script;
    int closed, calls;
    enum rsp_stage_op last_op;
};

static int act(void *opaque, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    struct actor *a = opaque;
    char c = a->script[a->calls];
    if (c) a->calls++;
    a->last_op = op;
    switch (c) {
    case 'f': return RSP_ECHECKSUM;
    case 'i': in->pos = in->n + 1; return RSP_OK;
    case 'o': out->pos = out->n + 1; return RSP_OK;
    case 'p': return 9;
    case 'e': return RSP_END;
    case 'a': return RSP_AGAIN;
    default: break;
    }
    while (in->pos < in->n && out->pos < out->n) out->p[out->pos++] = in->p[in->pos++];
    return op == RSP_STAGE_END && in->pos == in->n ? RSP_END : RSP_OK;
}

static void act_close(void *opaque)
{
    ((struct actor *)opaque)->closed++;
}

static struct rsp_stage *actor(struct actor *a, const char *script)
{
    static const struct rsp_stage_ops ops = {sizeof ops, "actor", act, act_close};
    struct rsp_stage *s;
    memset(a, 0, sizeof *a);
    a->script = script;
    ck_assert_int_eq(rsp_stage_custom(&env, &ops, a, &s), RSP_OK);
    return s;
}

static int step(struct rsp_stage *s, const char *text, size_t *taken, char *made, enum rsp_stage_op op)
{
    uint8_t room[100];
    struct rsp_in in = {(const uint8_t *)text, strlen(text), 0};
    struct rsp_out out = {room, sizeof room, 0};
    int rc = rsp_stage_step(s, &in, &out, op);
    if (rc >= 0) {
        memcpy(made, room, out.pos);
        made[out.pos] = 0;
        *taken = in.pos;
    }
    return rc;
}

START_TEST(dead_after_fault)
{
    static const struct {
        const char *script;
        int rc;
    } cases[] = {
        {"f", RSP_ECHECKSUM}, {"i", RSP_EINVAL}, {"o", RSP_EINVAL}, {"p", RSP_EINVAL}, {"a", RSP_EINVAL},
    };
    struct actor a;
    struct rsp_stage *s = actor(&a, cases[_i].script);
    char made[101];
    size_t taken;
    ck_assert_int_eq(step(s, "x", &taken, made, RSP_STAGE_RUN), cases[_i].rc);
    ck_assert_int_eq(error.code, cases[_i].rc);
    ck_assert_str_eq(error.subject, "actor");
    ck_assert_int_ne(error.message[0], 0);
    ck_assert_int_eq(step(s, "x", &taken, made, RSP_STAGE_RUN), RSP_ESTATE);
    ck_assert_int_eq(a.calls, 1);
    rsp_stage_free(s);
    ck_assert_int_eq(a.closed, 1);
}
END_TEST

START_TEST(no_step_after_end)
{
    struct actor a;
    struct rsp_stage *s = actor(&a, "");
    char made[101];
    size_t taken;
    ck_assert_str_eq(rsp_stage_name(s), "actor");
    ck_assert_int_eq(step(s, "x", &taken, made, RSP_STAGE_END), RSP_END);
    ck_assert_str_eq(made, "x");
    ck_assert_int_eq(step(s, "", &taken, made, RSP_STAGE_END), RSP_ESTATE);
    rsp_stage_free(s);
    rsp_stage_free(NULL);
}
END_TEST

START_TEST(no_functions)
{
    struct rsp_stage_ops ops = {sizeof ops, "nothing", NULL, NULL};
    struct rsp_stage *s;
    ck_assert_int_eq(rsp_stage_custom(&env, &ops, NULL, &s), RSP_EINVAL);
    ck_assert_ptr_null(s);
    /* A caller built against a shorter struct: members behind its size are not read. */
    ops.step = act;
    ops.size = offsetof(struct rsp_stage_ops, step);
    ck_assert_int_eq(rsp_stage_custom(&env, &ops, NULL, &s), RSP_EINVAL);
}
END_TEST

START_TEST(chain_count)
{
    struct rsp_stage *s[17], *c;
    struct actor a[17];
    for (int i = 0; i < 17; i++) s[i] = actor(&a[i], "");
    ck_assert_int_eq(rsp_chain_new(&env, s, 0, &c), RSP_EINVAL);
    ck_assert_ptr_null(c);
    ck_assert_int_eq(rsp_chain_new(&env, s, 17, &c), RSP_EINVAL);
    for (int i = 0; i < 17; i++) ck_assert_int_eq(a[i].closed, 0); /* still the caller's */
    ck_assert_int_eq(rsp_chain_new(&env, s, 16, &c), RSP_OK);
    rsp_stage_free(c);
    for (int i = 0; i < 16; i++) ck_assert_int_eq(a[i].closed, 1);
    rsp_stage_free(s[16]);
}
END_TEST

START_TEST(chain_faults)
{
    static const struct {
        const char *one, *two;
        int rc;
        const char *subject;
    } cases[] = {
        {"f", "", RSP_ECHECKSUM, "actor"},
        {"", "f", RSP_ECHECKSUM, "actor"},
        {"", ".e", RSP_EFORMAT, "actor"}, /* the second ends, the first still has something for it */
    };
    struct actor a, b;
    struct rsp_stage *s[2] = {actor(&a, cases[_i].one), actor(&b, cases[_i].two)}, *c;
    char made[101];
    size_t taken;
    int rc;
    ck_assert_int_eq(rsp_chain_new(&env, s, 2, &c), RSP_OK);
    rc = step(c, "abc", &taken, made, RSP_STAGE_RUN);
    if (rc == RSP_OK) rc = step(c, "def", &taken, made, RSP_STAGE_RUN);
    ck_assert_int_eq(rc, cases[_i].rc);
    ck_assert_int_eq(error.code, rc);
    ck_assert_str_eq(error.subject, cases[_i].subject);
    ck_assert_int_eq(step(c, "x", &taken, made, RSP_STAGE_RUN), RSP_ESTATE);
    rsp_stage_free(c);
    ck_assert_int_eq(a.closed + b.closed, 2);
}
END_TEST

/* The first stage ends before its input does: what is left stays in the caller's hands. */
START_TEST(chain_early_end)
{
    struct actor a, b;
    struct rsp_stage *s[2] = {actor(&a, ".e"), actor(&b, "")}, *c;
    char made[101];
    size_t taken;
    ck_assert_int_eq(rsp_chain_new(&env, s, 2, &c), RSP_OK);
    ck_assert_int_eq(step(c, "abc", &taken, made, RSP_STAGE_RUN), RSP_END);
    ck_assert_str_eq(made, "abc");
    ck_assert_uint_eq(taken, 3);
    ck_assert_int_eq(b.last_op, RSP_STAGE_END);
    rsp_stage_free(c);
}
END_TEST

/* What was absorbed comes out of a flushed chain of compressors, and the stream goes on. */
START_TEST(chain_flush)
{
    struct rsp_stage *s[4], *c;
    char made[101];
    size_t taken;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(rsp_stage_zstd_compress(&env, 1, &s[i]), RSP_OK);
        ck_assert_int_eq(rsp_stage_zstd_decompress(&env, &s[3 - i]), RSP_OK);
    }
    ck_assert_int_eq(rsp_chain_new(&env, s, 4, &c), RSP_OK);
    ck_assert_int_eq(step(c, "first", &taken, made, RSP_STAGE_RUN), RSP_OK);
    ck_assert_str_eq(made, ""); /* or the flush below would prove nothing */
    ck_assert_int_eq(step(c, " piece", &taken, made, RSP_STAGE_FLUSH), RSP_OK);
    ck_assert_str_eq(made, "first piece");
    ck_assert_int_eq(step(c, "", &taken, made, RSP_STAGE_FLUSH), RSP_OK);
    ck_assert_str_eq(made, "");
    for (int i = 0; i < 100; i++) /* polling with nothing is no fault */
        ck_assert_int_eq(step(c, "", &taken, made, RSP_STAGE_RUN), RSP_OK);
    ck_assert_int_eq(step(c, "rest", &taken, made, RSP_STAGE_END), RSP_END);
    ck_assert_str_eq(made, "rest");
    rsp_stage_free(c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chain");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, dead_after_fault, 0, 5);
    tcase_add_test(t, no_step_after_end);
    tcase_add_test(t, no_functions);
    tcase_add_test(t, chain_count);
    tcase_add_loop_test(t, chain_faults, 0, 3);
    tcase_add_test(t, chain_early_end);
    tcase_add_test(t, chain_flush);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
