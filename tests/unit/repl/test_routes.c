/* What this is: tests of the way of commands to the nodes of a cluster that redirects them, waits, dies, or answers wrongly.
 * Rests on: libcheck, routes_nodes.h.
 * Does not: ask real servers (tests/live/cluster). */
/* LDFLAGS: -Wl,--wrap=rsp_cluster_look -Wl,--wrap=rsp_cluster_map_free */
#include <check.h>
#undef fail

#include "routes_nodes.h"

#include "repl/routes.h"

#define KEYS 200
#define ROUNDS 5 /* commands of each key */

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_place place;
static struct routes *routes;
static unsigned long told_n, again_n, gone_n, errors_n;
static char last_error[128];
static uint64_t gone_from[1024];

static int told(void *ctx, const struct pipe_note *note, const struct pipe_reply *r)
{
    (void)ctx;
    if (r->error.n) {
        errors_n++;
        snprintf(last_error, sizeof last_error, "%.*s", (int)(r->error.n < 100 ? r->error.n : 100),
                 (const char *)r->error.p);
    }
    again_n += note->again;
    told_n += r->i + 1 == r->of;
    return RSP_OK;
}

static int gone(void *ctx, const struct pipe_note *note)
{
    (void)ctx;
    if (gone_n < 1024) gone_from[gone_n] = note->from;
    gone_n++;
    routes_mark_again(routes, note->slot);
    return RSP_OK;
}

static unsigned warned;
static void log_to(void *opaque, int level, const char *line)
{
    (void)opaque;
    warned += level == RSP_LOG_WARN && strstr(line, "waiting for the cluster");
}

static void setup(void)
{
    struct rsp_env e = {.size = sizeof e, .error = &error, .log = log_to};
    signal(SIGPIPE, SIG_IGN);
    memset(&error, 0, sizeof error);
    env_init(&env, &e);
    memset(&place, 0, sizeof place);
    place.size = sizeof place;
    place.kind = RSP_PLACE_CLUSTER;
    place.endpoint.size = sizeof place.endpoint;
    place.endpoint.idle_ms = 20000;
    told_n = again_n = gone_n = errors_n = warned = 0;
    nodes_start(3);
}

static void teardown(void)
{
    if (routes) routes_stop(routes);
    routes_free(routes);
    routes = NULL;
    nodes_stop();
}

static void begin(int64_t patience_ms)
{
    int rc = routes_open(&env, &place, NULL, patience_ms, &routes);
    ck_assert_msg(!rc, "%s", error.message);
    ck_assert_uint_eq(routes_n(routes), 3);
    ck_assert_int_eq(routes_start(routes, told, gone, NULL), RSP_OK);
}

static const char *name_of(int k)
{
    static char name[32];
    snprintf(name, sizeof name, "key:%d", k);
    return name;
}

static unsigned slot_of(int k)
{
    const char *name = name_of(k);
    return rsp_key_slot((struct rsp_span){(const uint8_t *)name, strlen(name)});
}

enum form { ONE, SEVERAL, TRANSACTION };

static int put_key(int k, int value, enum form form, int repeat)
{
    struct pipe_note note = {.kind = 1, .from = (uint64_t)k, .repeat = (uint8_t)repeat, .part = !repeat};
    unsigned n = form == ONE ? 1 : 2, replies = form == TRANSACTION ? n + 2 : n;
    struct buf b;
    int rc;
    buf_init(&b, &env);
    if (form == TRANSACTION) ck_assert_int_eq(resp_words(&b, "MULTI"), RSP_OK);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_int_eq(resp_begin(&b, 3), RSP_OK);
        ck_assert_int_eq(resp_text(&b, "RPUSH"), RSP_OK);
        ck_assert_int_eq(resp_text(&b, name_of(k)), RSP_OK);
        ck_assert_int_eq(resp_u64(&b, (uint64_t)value * n + i), RSP_OK);
    }
    if (form == TRANSACTION) ck_assert_int_eq(resp_words(&b, "EXEC"), RSP_OK);
    rc = routes_put(routes, &note, slot_of(k), b.p, b.n, replies);
    buf_free(&b);
    return rc;
}

static int put_all(enum form form, int repeat)
{
    int rc = RSP_OK;
    for (int value = 0; value < ROUNDS && !rc; value++)
        for (int k = 0; k < KEYS && !rc; k++) rc = put_key(k, value, form, repeat);
    return rc ? rc : routes_drain(routes);
}

/* All values of a key, in order, each once (or, with repeats, from some value on once more), wherever they were executed.
 * Where the last one was is returned; -1: not so. */
static int in_order(int k, int n, int repeats)
{
    char head[64];
    int next = 0, node = -1;
    snprintf(head, sizeof head, " RPUSH %s ", name_of(k));
    for (const char *p = cluster.done; (p = strstr(p, head)); p += strlen(head)) {
        int value = atoi(p + strlen(head));
        if (repeats && value < next) next = value;
        if (value != next++) return -1;
        node = p[-1] - '0';
    }
    return next == n ? node : -1;
}

static void expect_all(int n)
{
    for (int k = 0; k < KEYS; k++) {
        int node = in_order(k, n, 0);
        ck_assert_msg(node == cluster.owner[slot_of(k)] || node == cluster.importing[slot_of(k)], "key %d: node %d", k,
                      node);
    }
    ck_assert_uint_eq(told_n, KEYS * ROUNDS);
    ck_assert_uint_eq(errors_n + gone_n + again_n, 0);
}

static const int commands_of[] = {1, 2, 2};

START_TEST(plain)
{
    begin(2000);
    ck_assert_int_eq(put_all((enum form)_i, 1), RSP_OK);
    expect_all(ROUNDS * commands_of[_i]);
    ck_assert_int_eq(cluster.looks, 1);
    ck_assert_uint_eq(routes_done(routes, 77), 77);
}
END_TEST

/* The map is behind: a third of the slots is at the next node, which the map knows; then at one that it does not know. */
START_TEST(moved)
{
    for (int s = 0; s < RSP_SLOTS; s += 3) cluster.shown[s] = cluster.owner[s];
    begin(2000);
    for (int s = 0; s < RSP_SLOTS; s += 3) {
        cluster.owner[s] = _i / 3 ? 3 : (cluster.owner[s] + 1) % 3;
        cluster.shown[s] = -1;
    }
    ck_assert_int_eq(put_all((enum form)(_i % 3), _i % 2), RSP_OK);
    expect_all(ROUNDS * commands_of[_i % 3]);
    ck_assert_int_eq(cluster.looks > 1, _i / 3);
    ck_assert_int_eq(routes_again(routes, 0), 0);
}
END_TEST

/* Slots on their way to a node that owns none yet. */
START_TEST(asked)
{
    begin(2000);
    for (int s = 0; s < RSP_SLOTS; s += 2) cluster.importing[s] = _i / 3 ? 3 : (cluster.owner[s] + 1) % 3;
    ck_assert_int_eq(put_all((enum form)(_i % 3), 0), RSP_OK);
    expect_all(ROUNDS * commands_of[_i % 3]);
}
END_TEST

/* Some commands are not executed now: later ones of the same key must not be there first. */
START_TEST(try_again)
{
    static const char *const says[] = {"TRYAGAIN Multiple keys request during rehashing of slot",
                                       "CLUSTERDOWN Hash slot not served", "LOADING Redis is loading the dataset"};
    begin(5000);
    cluster.says = says[_i];
    cluster.times = 3;
    for (int value = 0; value < ROUNDS; value++) ck_assert_int_eq(put_key(value, 0, ONE, 1), RSP_OK);
    ck_assert_int_eq(routes_drain(routes), RSP_OK);
    ck_assert_uint_eq(told_n, ROUNDS);
    ck_assert_uint_eq(errors_n, 0);
    for (int k = 0; k < ROUNDS; k++) ck_assert_int_ge(in_order(k, 1, 0), 0);
}
END_TEST

/* Parts of one value: the first is refused, those behind it are executed. It has to be begun anew, and is said once. */
START_TEST(out_of_order)
{
    begin(2000);
    cluster.says = "CLUSTERDOWN Hash slot not served";
    cluster.times = 1;
    for (int value = 0; value < ROUNDS; value++) ck_assert_int_eq(put_key(5, value, _i ? SEVERAL : ONE, 0), RSP_OK);
    ck_assert_int_eq(routes_drain(routes), RSP_OK);
    ck_assert_uint_ge(gone_n, 1);
    ck_assert_uint_eq(gone_from[0], 5);
    ck_assert_int_eq(routes_again(routes, slot_of(5)), 1);
}
END_TEST

/* A primary hangs up, its run id being the same or not; or another takes over its slots. */
START_TEST(cut)
{
    int replaced = _i % 3 == 1, restarted = _i % 3 == 2;
    begin(5000);
    cluster.node[1].hang_at = 150;
    cluster.node[1].executes_last = _i / 3;
    if (restarted) cluster.node[1].run = 7;
    if (replaced) {
        for (int s = 0; s < RSP_SLOTS; s++)
            if (cluster.owner[s] == 1) cluster.owner[s] = 3;
        for (int s = 0; s < RSP_SLOTS; s++) cluster.shown[s] = cluster.owner[s];
        cluster.node[1].hang_at = 1;
    }
    ck_assert_int_eq(put_all(ONE, 1), RSP_OK);
    for (int k = 0; k < KEYS; k++) ck_assert_msg(in_order(k, ROUNDS, 1) >= 0, "key %d", k);
    ck_assert_uint_eq(told_n, KEYS * ROUNDS);
    ck_assert_uint_eq(errors_n + gone_n, 0);
    ck_assert_uint_gt(again_n, 0);
    for (unsigned s = 0; s < RSP_SLOTS; s++) {
        int was = s * 3 / RSP_SLOTS == 1;
        ck_assert_int_eq(routes_again(routes, s), was && (replaced || restarted));
    }
}
END_TEST

/* What must not be executed twice is not sent again; whoever put it is told. */
START_TEST(cut_parts)
{
    begin(5000);
    cluster.node[1].hang_at = 100;
    ck_assert_int_eq(put_all(SEVERAL, 0), RSP_OK);
    ck_assert_uint_gt(gone_n, 0);
    ck_assert_uint_eq(told_n + gone_n, KEYS * ROUNDS);
    for (unsigned long i = 0; i < gone_n; i++) ck_assert_int_eq(routes_again(routes, slot_of((int)gone_from[i])), 1);
    for (int k = 0; k < KEYS; k++)
        if (cluster.owner[slot_of(k)] != 1) ck_assert_int_ge(in_order(k, ROUNDS * 2, 0), 0);
}
END_TEST

START_TEST(nobody_takes_over)
{
    begin(700);
    cluster.node[1].hang_at = 50;
    cluster.node[1].refuses = 1;
    ck_assert_int_lt(put_all(ONE, 1), 0);
    ck_assert_int_ne(error.code, RSP_OK);
    ck_assert_int_lt(put_key(0, 0, ONE, 1), 0); /* for good */
}
END_TEST

START_TEST(not_well)
{
    cluster.not_ok = 2; /* twice, then it is */
    ck_assert_int_eq(routes_open(&env, &place, NULL, 500, &routes), RSP_EBUSY);
    ck_assert_ptr_nonnull(strstr(error.message, "not well"));
    ck_assert_uint_eq(warned, 0); /* whoever looks at the map has waited, and said so */
    rsp_error_clear(&error);
    cluster.not_ok = 0;
    warned = 0;
    begin(5000);
    ck_assert_uint_eq(warned, 0);
    cluster.not_ok = 2;
    cluster.node[2].hang_at = 30;
    ck_assert_int_eq(put_all(ONE, 1), RSP_OK);
    ck_assert_int_ge(cluster.looks, 5);
    ck_assert_uint_eq(warned, 1); /* however often it looks */
}
END_TEST

/* From one to the other, for ever. */
START_TEST(ping_pong)
{
    begin(700);
    cluster.ping_pong = 1;
    ck_assert_int_eq(put_all(ONE, 1), RSP_EBUSY);
    ck_assert_ptr_nonnull(strstr(error.message, "redirected"));
    ck_assert_uint_eq(told_n, 0);
}
END_TEST

/* Redirections that are none are errors of the command. */
START_TEST(wrong_replies)
{
    static const char *const says[] = {
        "MOVED",        "MOVED x",      "MOVED 99999 127.0.0.1:1", "MOVED 1 127.0.0.1", "ASK 0 127.0.0.1:0",
        "ASK 1 :70000", "MOVED -1 a:1", "OOM command not allowed"};
    begin(2000);
    cluster.says = says[_i];
    cluster.times = 1;
    ck_assert_int_eq(put_key(77, 0, ONE, 1), RSP_OK);
    ck_assert_int_eq(routes_drain(routes), RSP_OK);
    ck_assert_uint_eq(errors_n, 1);
    ck_assert_str_eq(last_error, says[_i]);
}
END_TEST

/* A command in pieces is sent to where a question about its key ended. */
START_TEST(pieces)
{
    static const char head[] = "*3\r\n$5\r\nRPUSH\r\n$5\r\nkey:9\r\n$20\r\n";
    struct pipe_note note = {.kind = 1, .from = 9};
    unsigned slot = slot_of(9);
    char want[64];
    begin(2000);
    if (_i == 1) cluster.owner[slot] = (cluster.owner[slot] + 1) % 3;
    if (_i == 2) cluster.importing[slot] = 3;
    /* Behind the question, and what is put before it */
    if (_i == 3) cluster.node[cluster.owner[slot]].hang_at = cluster.owner[slot] == cluster.owner[slot_of(1)] ? 3 : 2;
    ck_assert_int_eq(put_key(1, 0, ONE, 1), RSP_OK);
    ck_assert_int_eq(routes_put(routes, &note, slot, head, sizeof head - 1, 0), RSP_OK);
    ck_assert_int_eq(routes_put(routes, &note, slot, "0123456789", 10, 0), RSP_OK);
    ck_assert_int_eq(routes_put(routes, &note, slot, "abcdefghij\r\n", 12, 1), RSP_OK);
    ck_assert_int_eq(put_key(9, 3, ONE, 1), RSP_OK);
    ck_assert_int_eq(routes_drain(routes), RSP_OK);
    if (_i == 3) {
        ck_assert_uint_eq(gone_n, 1);
        ck_assert_uint_eq(gone_from[0], 9);
        return;
    }
    snprintf(want, sizeof want, "%d RPUSH key:9 0123456789abcdefghij\n", _i == 2 ? 3 : cluster.owner[slot]);
    ck_assert_msg(strstr(cluster.done, want) != NULL, "%s", cluster.done);
    ck_assert_uint_eq(told_n, 3);
    ck_assert_uint_eq(gone_n, 0);
}
END_TEST

START_TEST(to_each)
{
    struct pipe_note note = {.kind = 1};
    struct buf b;
    begin(2000);
    buf_init(&b, &env);
    ck_assert_int_eq(resp_words(&b, "PING"), RSP_OK);
    ck_assert_int_eq(routes_put_each(routes, &note, b.p, b.n, 1), RSP_OK);
    ck_assert_uint_eq(told_n, 3);
    buf_free(&b);
}
END_TEST

static int left = -1;
static void *failing(void *opaque, void *p, size_t old, size_t n)
{
    (void)opaque, (void)old;
    if (!n) {
        free(p);
        return NULL;
    }
    if (left < 0) return realloc(p, n);
    return left-- > 0 ? realloc(p, n) : (left = 0, NULL);
}

START_TEST(memory_fails)
{
    struct rsp_env e = {.size = sizeof e, .error = &error};
    int rc = RSP_ENOMEM, n = 0;
    e.resize = failing;
    for (; rc; n++) {
        struct buf b;
        nodes_stop();
        nodes_start(3);
        for (int s = 0; s < RSP_SLOTS; s += 2) cluster.importing[s] = 3;
        for (int s = 1; s < RSP_SLOTS; s += 4) {
            cluster.shown[s] = cluster.owner[s];
            cluster.owner[s] = (cluster.owner[s] + 1) % 3;
        }
        rsp_error_clear(&error);
        env_init(&env, &e);
        left = n;
        routes = NULL;
        rc = routes_open(&env, &place, NULL, 2000, &routes);
        if (!rc) rc = routes_start(routes, told, gone, NULL);
        left = rc ? left : -1;
        buf_init(&b, &env);
        for (int k = 0; k < 20 && !rc; k++) {
            struct pipe_note note = {.kind = 1, .from = (uint64_t)k, .repeat = 1};
            b.n = 0;
            left = -1;
            ck_assert_int_eq(resp_begin(&b, 2), RSP_OK);
            ck_assert_int_eq(resp_text(&b, "INCR"), RSP_OK);
            ck_assert_int_eq(resp_text(&b, name_of(k)), RSP_OK);
            left = n - k > 0 ? (n - k) % 23 : 0;
            rc = routes_put(routes, &note, slot_of(k), b.p, b.n, 1);
        }
        if (!rc) rc = routes_drain(routes);
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENOMEM, "%d %s", rc, error.message);
        left = -1;
        buf_free(&b);
        if (routes) routes_stop(routes);
        routes_free(routes);
        routes = NULL;
        if (n > 120) break;
    }
    ck_assert_int_gt(n, 10);
    begin(2000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("routes");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, plain, 0, 3);
    tcase_add_loop_test(t, moved, 0, 6);
    tcase_add_loop_test(t, asked, 0, 6);
    tcase_add_loop_test(t, try_again, 0, 3);
    tcase_add_loop_test(t, out_of_order, 0, 2);
    tcase_add_loop_test(t, cut, 0, 6);
    tcase_add_test(t, cut_parts);
    tcase_add_test(t, nobody_takes_over);
    tcase_add_test(t, not_well);
    tcase_add_test(t, ping_pong);
    tcase_add_loop_test(t, wrong_replies, 0, 8);
    tcase_add_loop_test(t, pieces, 0, 4);
    tcase_add_test(t, to_each);
    tcase_add_test(t, memory_fails);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, getenv("VV") ? CK_VERBOSE : CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
