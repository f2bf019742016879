/* What this is: tests of the waits between tries, by a clock that only waiting moves.
 * Rests on: libcheck. LDFLAGS: -Wl,--wrap=nanosleep
 * Does not: speak to a server. */
#include <check.h>
#undef fail
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "net/client.h"

static struct rsp_error error;
static struct rsp_env env;
static struct net_client *client;
static struct net_options options;
static volatile int cancel;

int __wrap_nanosleep(const struct timespec *t, struct timespec *rest);
static int64_t clock_ms;
static int sleeps, cancel_at; /* cancels in the so-many-th sleep */

int __wrap_nanosleep(const struct timespec *t, struct timespec *rest)
{
    int64_t ms = (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
    (void)rest;
    ck_assert_int_le(ms, 200); /* cancel is looked at five times a second */
    clock_ms += ms;
    if (++sleeps == cancel_at) cancel = 1;
    return 0;
}

static uint32_t chance;
static int chance_fails;

static int random_of(void *opaque, void *bytes, size_t n)
{
    (void)opaque;
    ck_assert_uint_eq(n, sizeof chance);
    memcpy(bytes, &chance, n);
    return chance_fails ? RSP_EIO : RSP_OK;
}

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error, .random = random_of};
    rsp_error_clear(&error);
    env_init(&env, &given);
    client = NULL;
    options = (struct net_options){.cancel = &cancel};
    cancel = sleeps = cancel_at = chance_fails = 0;
    clock_ms = 0;
    chance = 0;
}

static void teardown(void)
{
    net_client_free(client);
}

static void made(void)
{
    ck_assert_msg(!net_client_new(&env, &options, &client), "%s", error.message);
}

static int64_t waited(struct net_retry *r, int64_t asked, int expect)
{
    int64_t from = clock_ms;
    int rc;
    rsp_error_clear(&error);
    fail(&env, RSP_ENET, "x", "gone");
    rc = net_retry_wait(client, &env, r, RSP_ENET, asked);
    ck_assert_int_eq(rc, expect);
    ck_assert_int_eq(error.code, expect);
    return clock_ms - from;
}

START_TEST(schedule)
{
    static const int64_t whole[] = {500, 1000, 2000, 4000, 5000, 5000, 5000};
    struct net_retry r = {0};
    options.tries = 8;
    options.wait_most_ms = 5000;
    made();
    for (int i = 0; i < 7; i++) {
        chance = _i == 1 ? (uint32_t)whole[i] / 2 : 0; /* least, whole; or there is no chance to be had */
        chance_fails = _i == 2;
        ck_assert_int_eq(waited(&r, 0, RSP_OK), _i == 1 ? whole[i] / 2 : whole[i]);
    }
    ck_assert_int_eq(waited(&r, 0, RSP_ENET), 0);
    ck_assert_str_eq(error.trail, "8 tries");
    ck_assert_int_eq(waited(&r, 0, RSP_ENET), 0);
    ck_assert_str_eq(error.trail, "8 tries");
}
END_TEST

START_TEST(schedule_usual)
{
    struct net_retry r = {0};
    made();
    ck_assert_int_eq(waited(&r, 0, RSP_OK), 500);
    ck_assert_int_eq(waited(&r, 7000, RSP_OK), 7000); /* what the server asked for */
    ck_assert_int_eq(waited(&r, 10, RSP_OK), 2000);
    ck_assert_int_eq(waited(&r, INT64_MAX, RSP_OK), 30000);
    ck_assert_int_eq(waited(&r, -5, RSP_OK), 8000);
    ck_assert_int_eq(waited(&r, 0, RSP_ENET), 0);
    ck_assert_str_eq(error.trail, "6 tries");
}
END_TEST

START_TEST(one_try)
{
    struct net_retry r = {0};
    options.tries = 1;
    made();
    ck_assert_int_eq(waited(&r, 0, RSP_ENET), 0);
    ck_assert_str_eq(error.trail, "");
    r.tried = UINT32_MAX;
    ck_assert_int_eq(waited(&r, 0, RSP_ENET), 0);
}
END_TEST

START_TEST(cancelled_between)
{
    struct net_retry r = {0};
    options.wait_ms = 25000;
    made();
    cancel_at = 3;
    waited(&r, 0, RSP_ECANCELED);
    ck_assert_int_eq(sleeps, 3);
    ck_assert_int_eq(net_retry_wait(client, &env, &r, RSP_ECANCELED, 0), RSP_ECANCELED);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("retry");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, schedule, 0, 3);
    tcase_add_test(t, schedule_usual);
    tcase_add_test(t, one_try);
    tcase_add_test(t, cancelled_between);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
