/* What this is: tests of what a restore into a cluster does about values of several commands when a connection breaks, and when
 *   another server takes over that has got half of them: nothing is lost, nothing stays half.
 * Rests on: libcheck, load_test.h; the map is replaced by the linker: one server has all slots.
 * Does not: follow redirections (tests/unit/repl/test_routes.c). */
/* LDFLAGS: -Wl,--wrap=rsp_cluster_look -Wl,--wrap=rsp_cluster_map_free -Wl,--wrap=rsp_cluster_endpoint */
#include "load_test.h"

static unsigned looks, taken_over_at; /* looks at the map: from that one on the server is another one */

int __wrap_rsp_cluster_look(const struct rsp_env *e, const struct rsp_place *p, const struct rsp_server_options *o,
                            struct rsp_cluster_map **ret);
int __wrap_rsp_cluster_look(const struct rsp_env *e, const struct rsp_place *p, const struct rsp_server_options *o,
                            struct rsp_cluster_map **ret)
{
    struct rsp_cluster_map *m = calloc(1, sizeof *m);
    (void)e, (void)p, (void)o;
    m->ok = 1;
    m->shards = calloc(1, sizeof *m->shards);
    m->shards_n = 1;
    m->shards->nodes = calloc(1, sizeof *m->shards->nodes);
    m->shards->nodes_n = 1;
    snprintf(m->shards->nodes->id, sizeof m->shards->nodes->id, "%040d", 1);
    snprintf(m->shards->nodes->host, sizeof m->shards->nodes->host, "127.0.0.1");
    m->shards->nodes->port = 7000;
    m->shards->nodes->primary = 1;
    if (++looks == taken_over_at) { /* it has got half of the lists */
        fake.run++;
        for (size_t i = 0; i < fake.n; i++)
            if (fake.keys[i].elements > 1000) fake.keys[i].elements /= 2;
    }
    *ret = m;
    return RSP_OK;
}

void __wrap_rsp_cluster_map_free(const struct rsp_env *e, struct rsp_cluster_map *m);
void __wrap_rsp_cluster_map_free(const struct rsp_env *e, struct rsp_cluster_map *m)
{
    (void)e;
    if (!m) return;
    free(m->shards->nodes);
    free(m->shards);
    free(m);
}

void __wrap_rsp_cluster_endpoint(const struct rsp_place *p, const struct rsp_cluster_node *node,
                                 struct rsp_endpoint *e);
void __wrap_rsp_cluster_endpoint(const struct rsp_place *p, const struct rsp_cluster_node *node, struct rsp_endpoint *e)
{
    (void)node;
    *e = p->endpoint;
}

/* Two lists that do not lie in one batch, and sets behind each. */
static void lists_dump(void)
{
    char text[64];
    made_free(&dump);
    file_begin(&dump, "REDIS0010");
    put_byte(&dump, 0xf5);
    put_text(&dump, "#!lua name=a\nredis.register_function('f', function() return 1 end)");
    put_byte(&dump, 0xfe);
    put_len(&dump, 0);
    for (int list = 0; list < 2; list++) {
        snprintf(text, sizeof text, "big:%d", list);
        record_begin(&dump, 1, text);
        put_len(&dump, BIG);
        for (int k = 0; k < BIG; k++) {
            snprintf(text, sizeof text, "element number %d of a long list", k);
            put_text(&dump, text);
        }
        for (int i = 0; i < SMALL; i++) {
            snprintf(text, sizeof text, "set:%d:%d", list, i);
            record_begin(&dump, 2, text);
            put_len(&dump, 1);
            put_text(&dump, text);
        }
    }
    file_end(&dump);
}

static void begin(void)
{
    setup();
    lists_dump();
    looks = taken_over_at = 0;
    fake.mode = "cluster";
    place.kind = RSP_PLACE_CLUSTER;
    options.resp.payloads = 0;
}

static void all_there(void)
{
    ck_assert_uint_eq(fake.n, 2 + 2 * SMALL);
    ck_assert_uint_eq(fake_find(0, "big:0")->elements, BIG);
    ck_assert_uint_eq(fake_find(0, "big:1")->elements, BIG);
    ck_assert_uint_eq(fake_find(0, "set:1:299")->elements, 1);
}

/* Of a write at the end, the server has not got it, and is there again: or another one is. */
START_TEST(connection_breaks)
{
    unsigned long all;
    options.resp.existing = _i / 4;
    if (_i & 1) options.checkpoint = mark;
    ck_assert_msg(load() == RSP_OK, "%s", error.message);
    all_there();
    all = fake.writes;
    for (unsigned long back = 0; back <= SMALL + 200; back += SMALL / 3) {
        fake_forget();
        fake.hang_at = all - back;
        taken_over_at = _i & 2 ? looks + 2 : 0;
        ck_assert_msg(load() == RSP_OK, "%s", error.message);
        all_there();
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("load cluster");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, begin, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, connection_breaks, 0, 12);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
