/* What this is: tests of what is made of INFO: full, old, missing, doubled, hostile.
 * Rests on: libcheck.
 * Does not: connect. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "repl/server_impl.h"

static struct rsp_server *s;

static void setup(void)
{
    s = calloc(1, sizeof *s);
    env_init(&s->env, NULL);
    s->env.error = &s->spare;
    buf_init(&s->info, &s->env);
}

static void teardown(void)
{
    buf_free(&s->info);
    mem_free(&s->env, s->replicas, s->replicas_cap * sizeof *s->replicas);
    free(s);
}

/* In a block of exactly its size. */
static const struct rsp_server_facts *told(const char *text, size_t n)
{
    uint8_t *p = malloc(n ? n : 1);
    memcpy(p, text, n);
    ck_assert_int_eq(server_info_parse(s, p, n), RSP_OK);
    free(p);
    return &s->facts;
}
#define TOLD(text) told(text, sizeof(text) - 1)

START_TEST(master)
{
    const struct rsp_server_facts *f = TOLD(
        "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nos:Linux 6.1 x86_64\r\nprocess_id:4711\r\n"
        "run_id:0123456789abcdef0123456789abcdef01234567\r\ntcp_port:6380\r\nconfig_file:/etc/redis/redis.conf\r\n"
        "\r\n# Memory\r\nused_memory:1000\r\nused_memory_rss:2000\r\ntotal_system_memory:3000\r\nmaxmemory:4000\r\n"
        "\r\n# Persistence\r\nloading:0\r\nasync_loading:0\r\nrdb_changes_since_last_save:12\r\n"
        "rdb_bgsave_in_progress:1\r\naof_enabled:1\r\naof_rewrite_in_progress:0\r\nrdb_last_cow_size:77\r\n"
        "# Stats\r\ntotal_commands_processed:99\r\n"
        "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
        "slave0:ip=10.0.0.1,port=6379,state=online,offset=155,lag=1\r\n"
        "slave1:ip=::1,port=6380,state=wait_bgsave,offset=0,lag=0,type=replica\r\n"
        "master_replid:49a9cd087c67804d0cfff60bf14aad3cd2c65b02\r\nmaster_repl_offset:160\r\n"
        "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\ndb15:keys=4,expires=2,avg_ttl=0,subexpiry=0\r\n");
    ck_assert_str_eq(f->kind, "redis");
    ck_assert_uint_eq(f->version_n, 70015);
    ck_assert_uint_eq(f->rdb_version, 10);
    ck_assert_int_eq(f->dialect, 1);
    ck_assert_str_eq(f->os, "Linux 6.1 x86_64");
    ck_assert_str_eq(f->config_file, "/etc/redis/redis.conf");
    ck_assert_str_eq(f->run_id, "0123456789abcdef0123456789abcdef01234567");
    ck_assert_str_eq(f->replid, "49a9cd087c67804d0cfff60bf14aad3cd2c65b02");
    ck_assert_uint_eq(f->process_id, 4711);
    ck_assert_uint_eq(f->port, 6380);
    ck_assert_uint_eq(f->used_memory, 1000);
    ck_assert_uint_eq(f->used_memory_rss, 2000);
    ck_assert_uint_eq(f->system_memory, 3000);
    ck_assert_uint_eq(f->maxmemory, 4000);
    ck_assert_uint_eq(f->cow_last, 77);
    ck_assert_uint_eq(f->changes, 12);
    ck_assert_uint_eq(f->commands, 99);
    ck_assert(f->save_running && !f->rewrite_running && f->aof_enabled && !f->loading && f->can_info);
    ck_assert_int_eq(f->load_eta_s, -1);
    ck_assert_int_eq(f->role, RSP_SERVER_MASTER);
    ck_assert_uint_eq(f->offset, 160);
    ck_assert_uint_eq(f->keys, 7);
    ck_assert_uint_eq(f->expires, 3);
    ck_assert_uint_eq(s->replicas_n, 2);
    ck_assert_str_eq(s->replicas[0].host, "10.0.0.1");
    ck_assert_int_eq(s->replicas[0].online, 1);
    ck_assert_uint_eq(s->replicas[0].offset, 155);
    ck_assert_int_eq(s->replicas[0].lag_s, 1);
    ck_assert_str_eq(s->replicas[1].host, "::1");
    ck_assert_int_eq(s->replicas[1].online, 0);
}
END_TEST

START_TEST(replica)
{
    const struct rsp_server_facts *f = TOLD(
        "redis_version:7.0.15\nrole:slave\nmaster_host:db.example\nmaster_port:6379\nmaster_link_status:up\n"
        "master_last_io_seconds_ago:3\nslave_repl_offset:150\nmaster_repl_offset:149\nloading:1\n"
        "loading_eta_seconds:12");
    ck_assert_int_eq(f->role, RSP_SERVER_REPLICA);
    ck_assert_str_eq(f->master_host, "db.example");
    ck_assert_uint_eq(f->master_port, 6379);
    ck_assert_int_eq(f->master_link_up, 1);
    ck_assert_int_eq(f->master_silence_s, 3);
    ck_assert_uint_eq(f->offset, 150);
    ck_assert_int_eq(f->loading, 1);
    ck_assert_int_eq(f->load_eta_s, 12);
    f = TOLD("role:slave\nmaster_link_status:down\nmaster_last_io_seconds_ago:-1\n");
    ck_assert_int_eq(f->master_silence_s, -1);
    ck_assert_int_eq(f->master_link_up, 0);
}
END_TEST

START_TEST(valkey)
{
    const struct rsp_server_facts *f = TOLD(
        "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\nserver_mode:cluster\r\n");
    ck_assert_str_eq(f->kind, "valkey");
    ck_assert_str_eq(f->version, "9.1.2");
    ck_assert_uint_eq(f->rdb_version, 80);
    ck_assert_int_eq(f->dialect, 2);
    ck_assert_str_eq(f->mode, "cluster");
}
END_TEST

START_TEST(very_old)
{
    const struct rsp_server_facts *f = TOLD(
        "redis_version:2.4.18\r\nbgsave_in_progress:1\r\nbgrewriteaof_in_progress:1\r\n"
        "changes_since_last_save:5\r\nrole:master\r\nslave0:10.0.0.1,6379,online\r\ndb0:keys=1,expires=0\r\n");
    ck_assert_uint_eq(f->version_n, 20418);
    ck_assert_uint_eq(f->rdb_version, 2);
    ck_assert(f->save_running && f->rewrite_running);
    ck_assert_uint_eq(f->changes, 5);
    ck_assert_uint_eq(s->replicas_n, 1);
    ck_assert_str_eq(s->replicas[0].host, "10.0.0.1");
    ck_assert_uint_eq(s->replicas[0].port, 6379);
    ck_assert_int_eq(s->replicas[0].online, 1);
    ck_assert_int_eq(s->replicas[0].lag_s, -1);
}
END_TEST

START_TEST(sentinel)
{
    const struct rsp_server_facts *f = TOLD("redis_version:7.0.15\r\nredis_mode:sentinel\r\nslave0:ip=a,port=1\r\n");
    ck_assert_int_eq(f->role, RSP_SERVER_SENTINEL);
    ck_assert_uint_eq(s->replicas_n, 0);
}
END_TEST

/* Numbers too large, names without values, bytes that are no text, the same name twice. */
START_TEST(hostile)
{
    const struct rsp_server_facts *f = TOLD(
        "redis_version:7.0.15\r\nredis_version:1.0\r\nused_memory:99999999999999999999999\r\ntcp_port:70000\r\n"
        "run_id:short\r\nmaster_replid:49a9cd087c67804d0cfff60bf14aad3cd2c65b02x\r\nos:a\x1b[31mb\r\n"
        "process_id:x\r\n:\r\nrole\r\nrole:\r\nrole:MASTER\r\nmaxmemory:-5\r\ndb0:\r\ndb1:keys\r\n"
        "db2:keys=18446744073709551615,expires=18446744073709551614\r\ndb3:keys=5,expires=9\r\ndbx:keys=7\r\n"
        "slave:ip=a,port=1\r\nslavex:ip=a,port=1\r\nslave0:\r\nslave1:,,,,\r\nslave2:ip=\r\n"
        "slave3:port=99999,ip=b\x01,offset=,lag=99999999999999,state=on\r\n\r\r\n\n\n");
    ck_assert_str_eq(f->version, "7.0.15");
    ck_assert_uint_eq(f->used_memory, UINT64_MAX);
    ck_assert_uint_eq(f->port, 0);
    ck_assert_str_eq(f->run_id, "");
    ck_assert_str_eq(f->replid, "");
    ck_assert_str_eq(f->os, "a?[31mb");
    ck_assert_uint_eq(f->process_id, 0);
    ck_assert_uint_eq(f->maxmemory, 0);
    ck_assert_uint_eq(f->keys, UINT64_MAX);
    ck_assert_uint_eq(f->expires, UINT64_MAX);
    ck_assert_uint_eq(s->replicas_n, 1);
    ck_assert_str_eq(s->replicas[0].host, "b?");
    ck_assert_uint_eq(s->replicas[0].port, 0);
    ck_assert_int_eq(s->replicas[0].lag_s, INT32_MAX);
}
END_TEST

START_TEST(cut_anywhere)
{
    static const char text[] = "redis_version:7.0.15\r\nrole:master\r\nslave0:ip=10.0.0.1,port=6379,state=online,"
                               "offset=155,lag=1\r\ndb0:keys=3,expires=1\r\n";
    for (size_t n = 0; n < sizeof text; n++) {
        told(text, n);
        ck_assert_uint_le(s->facts.keys, 3);
        ck_assert_uint_le(s->replicas_n, 1);
    }
}
END_TEST

START_TEST(long_lines)
{
    size_t n = 5000, at = 0;
    char *text = malloc(2 * n + 100);
    memcpy(text, "config_file:", 12), at = 12;
    memset(text + at, 'x', n), at += n;
    memcpy(text + at, "\r\nmaster_host:", 14), at += 14;
    memset(text + at, 'y', n), at += n;
    memcpy(text + at, "\r\nrole:slave", 12), at += 12;
    told(text, at);
    ck_assert_uint_eq(strlen(s->facts.config_file), sizeof s->facts.config_file - 1);
    told("role:slave\r\n", 12);
    ck_assert_str_eq(s->facts.config_file, "");
    free(text);
}
END_TEST

START_TEST(many_replicas)
{
    struct buf b;
    char line[64];
    buf_init(&b, &s->env);
    ck_assert_int_eq(buf_add(&b, "role:master\n", 12), RSP_OK);
    for (int i = 0; i < 3000; i++) {
        int k = snprintf(line, sizeof line, "slave%d:ip=h%d,port=1,state=online,offset=0,lag=0\n", i, i);
        ck_assert_int_eq(buf_add(&b, line, (size_t)k), RSP_OK);
    }
    told((const char *)b.p, b.n);
    ck_assert_uint_eq(s->replicas_n, SERVER_REPLICAS);
    buf_free(&b);
}
END_TEST

START_TEST(info_by_name)
{
    struct rsp_span v;
    TOLD("used_memory_rss:5\r\nused_memory:7\r\nempty:\r\nlast:x");
    v = rsp_server_info(s, "used_memory");
    ck_assert(server_span_is(v, "7"));
    ck_assert_uint_eq(rsp_server_info(s, "empty").n, 0);
    ck_assert_uint_eq(rsp_server_info(s, "used").n, 0);
    ck_assert_uint_eq(rsp_server_info(s, "").n, 0);
    ck_assert(server_span_is(rsp_server_info(s, "last"), "x"));
}
END_TEST

START_TEST(version_numbers)
{
    ck_assert_uint_eq(server_version_n("7.0.15"), 70015);
    ck_assert_uint_eq(server_version_n("8.10.1-rc2"), 81001);
    ck_assert_uint_eq(server_version_n("7.3.240"), 70399);
    ck_assert_uint_eq(server_version_n("255.255.255"), 999999);
    ck_assert_uint_eq(server_version_n("6"), 60000);
    ck_assert_uint_eq(server_version_n("6."), 60000);
    ck_assert_uint_eq(server_version_n("99999999999999999999.1"), 990100);
    ck_assert_uint_eq(server_version_n(""), 0);
    ck_assert_uint_eq(server_version_n("v7"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_info");
    TCase *t = tcase_create("server_info");
    SRunner *runner;
    int failures;
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, master);
    tcase_add_test(t, replica);
    tcase_add_test(t, valkey);
    tcase_add_test(t, very_old);
    tcase_add_test(t, sentinel);
    tcase_add_test(t, hostile);
    tcase_add_test(t, cut_anywhere);
    tcase_add_test(t, long_lines);
    tcase_add_test(t, many_replicas);
    tcase_add_test(t, info_by_name);
    tcase_add_test(t, version_numbers);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
