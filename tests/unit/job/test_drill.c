/* What this is: tests of rsp_drill: what the manifest must agree with, private servers that do not do what they should,
 *   and that nothing is left behind.
 * Rests on: place.h, libcheck. Servers are small scripts that know --version.
 * Does not: start a real server (tests/live/backupd). */
#include <check.h>
#undef fail
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "job/drill.h"
#include "job/dump.h"
#include "unit/job/place.h"

static char dir[64], tmpdir[80], server[96];
static struct rsp_error error;
static struct rsp_env env;
static struct dump dump;
static struct rsp_drill_report report;
static struct rsp_drill_options options;
static struct rsp_manifest manifest;
static struct rsp_db_count dbs[3];
static struct rsp_stream_info stream;
static const char *servers[1];
static int open_status;
static unsigned opened;

static int open_dump(void *ctx, struct rsp_source **source)
{
    (void)ctx;
    opened++;
    if (open_status) {
        snprintf(error.message, sizeof error.message, "as the test has it");
        return error.code = open_status;
    }
    return rsp_source_memory(&env, dump.p, dump.n, source);
}

/* A server that does what body says when it is not asked for its version. */
static void serve(const char *version, const char *body)
{
    FILE *f = fopen(server, "we");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "#!/bin/sh\n[ \"$1\" != --version ] || { echo '%s'; exit; }\n%s\n", version, body);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(server, 0755), 0);
}

/* What a decode says of the dump: the manifest is made of it. */
static void learn(void)
{
    struct rsp_check_options co = {.size = sizeof co, .digest = 1};
    struct rsp_check_report c = {.size = sizeof c};
    struct rsp_source *source = NULL;
    const struct rsp_dd1_row *row;
    ck_assert_int_eq(rsp_dd1_table_new(&env, &co.dd1), RSP_OK);
    ck_assert_int_eq(rsp_source_memory(&env, dump.p, dump.n, &source), RSP_OK);
    co.run.size = sizeof co.run;
    co.run.threads = 1;
    ck_assert_int_eq(rsp_check_file(&env, source, &co, &c), RSP_OK);
    rsp_source_free(source);
    for (size_t i = 0; (row = rsp_dd1_table_db(co.dd1, i, &dbs[i].db)) != NULL; i++) {
        ck_assert_uint_lt(i, 2);
        dbs[i].keys = row->keys;
        dbs[i].expires = row->expires;
        manifest.dbs_n = i + 1;
    }
    stream.kind = RSP_STREAM_RDB;
    stream.records = rsp_dd1_table_total(co.dd1)->keys;
    stream.has_dd1 = 1;
    dd1_bytes(&rsp_dd1_table_total(co.dd1)->with_expiry, stream.dd1);
    rsp_dd1_table_free(co.dd1);
}

static void setup(void)
{
    struct rsp_env outer = {.size = sizeof outer, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &outer);
    snprintf(dir, sizeof dir, "/tmp/respite-drilled-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(tmpdir, sizeof tmpdir, "%s/tmp", dir);
    snprintf(server, sizeof server, "%s/redis-server", dir);
    ck_assert_int_eq(mkdir(tmpdir, 0700), 0);
    dump_make(&dump, 3000, 100, 0);
    memset(&manifest, 0, sizeof manifest);
    manifest.size = sizeof manifest;
    manifest.dbs = dbs;
    manifest.streams = &stream;
    manifest.streams_n = 1;
    memset(&stream, 0, sizeof stream);
    learn();
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    servers[0] = server;
    options.servers = servers;
    options.servers_n = 1;
    options.tmpdir = tmpdir;
    options.threads = 2;
    options.start_ms = 20000;
    open_status = RSP_OK;
    opened = 0;
    serve("Redis server v=7.0.15", "exit 0"); /* loads no more than 10, and the dump is 11 */
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
    dump_free(&dump);
}

/* Nothing that a drill made is there any more. */
static void ck_nothing_left(void)
{
    DIR *d = opendir(tmpdir);
    struct dirent *e;
    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d))) ck_assert_msg(*e->d_name == '.', "%s is left", e->d_name);
    closedir(d);
}

static int drill(void)
{
    int rc;
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    rsp_error_clear(&error);
    rc = rsp_drill(&env, open_dump, NULL, &manifest, &options, &report);
    ck_nothing_left();
    return rc;
}

static void ck_failed(const char *words)
{
    ck_assert_int_eq(drill(), RSP_OK);
    ck_assert_int_eq(report.proof, RSP_PROOF_FAILED);
    ck_assert_msg(strstr(report.what, words) != NULL, "%s", report.what);
    ck_assert_int_eq(error.code, 0);
}

/* ---- decoded ---- */

START_TEST(not_proven_here)
{
    char text[512];
    ck_assert_int_eq(drill(), RSP_OK);
    ck_assert_int_eq(report.proof, RSP_PROOF_DECODED);
    ck_assert_str_eq(report.why_not, "no server at hand loads RDB 11: redis 7.0.15 takes up to 10");
    ck_assert_uint_eq(report.keys, 3000);
    ck_assert_int_eq(memcmp(report.dd1, stream.dd1, 16), 0);
    ck_assert_str_eq(report.engine.path, "");
    ck_assert_uint_eq(opened, 1);
    rsp_drill_text(&report, text, sizeof text);
    ck_assert_int_eq(strncmp(text, "proof=decoded keys=3000 decode_ms=", 34), 0);
    ck_assert_ptr_null(strstr(text, "engine"));
}
END_TEST

START_TEST(manifest_differs)
{
    dbs[1].keys--;
    ck_failed("database 1: 1500 keys");
    dbs[1].keys++;
    dbs[0].expires++;
    ck_failed("database 0: 1500 keys");
    dbs[0].expires--;
    manifest.dbs_n = 1;
    ck_failed("database 1: 1500 keys");
    manifest.dbs_n = 3;
    dbs[2].db = 7;
    dbs[2].keys = 5;
    ck_failed("database 7 has no keys");
    manifest.dbs_n = 2;
    stream.records++;
    ck_failed("3000 keys, the manifest says 3001");
    stream.records--;
    stream.dd1[15] ^= 1;
    ck_failed("digest");
    stream.dd1[15] ^= 1;
    ck_assert_int_eq(drill(), RSP_OK);
    ck_assert_int_eq(report.proof, RSP_PROOF_DECODED);
}
END_TEST

START_TEST(damaged)
{
    dump.p[dump.n / 2] ^= 1;
    ck_failed("checksum");
    dump.p[dump.n / 2] ^= 1;
    dump.n -= 100;
    ck_failed("offset");
    dump.n = 3;
    ck_failed("the data ends here");
}
END_TEST

START_TEST(snapshot_faults)
{
    open_status = RSP_EINTEGRITY;
    ck_failed("as the test has it");
    open_status = RSP_ENET;
    ck_assert_int_eq(drill(), RSP_ENET);
    ck_assert_int_eq(error.code, RSP_ENET);
}
END_TEST

START_TEST(database_too_high)
{
    static const uint8_t head[] = "REDIS0011\xfe\x80\x00\x01\x00\x00\x00\x01k\x01v\xff\0\0\0\0\0\0\0\0";
    serve("Redis server v=8.0.2", "exit 0");
    memcpy(dump.p, head, sizeof head - 1);
    dump.n = sizeof head - 1;
    dump_sum(&dump);
    manifest.dbs_n = 0;
    memset(dbs, 0, sizeof dbs);
    learn();
    ck_assert_int_eq(drill(), RSP_OK);
    ck_assert_int_eq(report.proof, RSP_PROOF_DECODED);
    ck_assert_ptr_nonnull(strstr(report.why_not, "database 65536"));
}
END_TEST

/* ---- servers that do not do what they should ---- */

START_TEST(ends_at_once)
{
    serve("Redis server v=8.0.2", "echo '1:C 20 Nov 2026 11:46:49.081 # cannot do anything today'; exit 7");
    ck_assert_int_eq(drill(), RSP_EIO);
    ck_assert_str_eq(error.subject, server);
    ck_assert_ptr_nonnull(strstr(error.message, "exit status 7; cannot do anything today"));
    ck_assert_int_eq(report.proof, RSP_PROOF_DECODED);
}
END_TEST

START_TEST(refuses)
{
    serve("Redis server v=8.0.2", "head -c 100 dump.rdb >/dev/null; echo; echo Bad data; exit 1");
    ck_failed("did not load it: redis 8.0.2: exit status 1; Bad data");
    /* Also when it takes all of it first, and when it looks at the file again: the name is gone by then. */
    serve("Redis server v=8.0.2", "cat dump.rdb >/dev/null; cat dump.rdb 2>/dev/null || echo none; exit 1");
    ck_failed("exit status 1; none");
    ck_assert_str_eq(report.engine.path, server);
}
END_TEST

START_TEST(starves)
{
    serve("Redis server v=8.0.2", "cat dump.rdb >/dev/null; echo '# Out Of Memory allocating 5 bytes!'; exit 1");
    ck_assert_int_eq(drill(), RSP_ENOMEM);
    serve("Redis server v=8.0.2", "head -c 5 dump.rdb >/dev/null; kill -9 $$");
    ck_assert_int_eq(drill(), RSP_ENOMEM);
    ck_assert_ptr_nonnull(strstr(error.message, "signal 9"));
}
END_TEST

START_TEST(stalls)
{
    options.start_ms = 300;
    serve("Redis server v=8.0.2", "exec sleep 600");
    ck_assert_int_eq(drill(), RSP_ETIMEOUT);
    serve("Redis server v=8.0.2", "exec 3<dump.rdb; exec sleep 600");
    dump_free(&dump);
    dump_make(&dump, 3000, 3000, 0); /* more than a pipe holds */
    manifest.dbs_n = 0;
    learn();
    ck_assert_int_eq(drill(), RSP_ETIMEOUT);
    serve("Redis server v=8.0.2", "cat dump.rdb >/dev/null; exec sleep 600");
    ck_assert_int_eq(drill(), RSP_ETIMEOUT);
}
END_TEST

/* Its settings: no port, a private socket, nothing written. And what it is started with. */
START_TEST(settings)
{
    serve("Redis server v=8.0.2",
          "cat dump.rdb >/dev/null\n"
          "for line in 'port 0' 'appendonly no' 'save \"\"' 'unixsocketperm 700'; do\n"
          "    grep -qx \"$line\" server.conf || { echo no \"$line\"; exit 1; }\n"
          "done\n"
          "[ \"$(stat -c %a .)\" = 700 ] || echo mode\n"
          "[ \"$(env | sort | cut -d = -f 1 | grep -v '^_$\\|^PWD$' | tr '\\n' ' ')\" = "
          "'LC_ALL PATH ' ] || { env; exit 1; }\n"
          "for n in 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$n ] || { echo open $n; exit 1; }; done\n"
          "echo all is well; exit 1");
    ck_failed("; all is well");
}
END_TEST

static volatile int cancel;

static void cancel_later(void *opaque, uint64_t bytes)
{
    (void)opaque;
    if (bytes > dump.n) cancel = 1; /* the second pass */
}

START_TEST(cancelled)
{
    serve("Redis server v=8.0.2", "exec 3<dump.rdb; exec sleep 600");
    options.progress = cancel_later;
    options.cancel = &cancel;
    cancel = 0;
    ck_assert_int_eq(drill(), RSP_ECANCELED);
    cancel = 1;
    ck_assert_int_eq(drill(), RSP_ECANCELED);
    cancel = 0;
}
END_TEST

START_TEST(long_path)
{
    char deep[300];
    memset(deep, 'd', sizeof deep);
    memcpy(deep, tmpdir, strlen(tmpdir));
    deep[strlen(tmpdir)] = '/';
    deep[200] = 0;
    ck_assert_int_eq(mkdir(deep, 0700), 0);
    options.tmpdir = deep;
    serve("Redis server v=8.0.2", "cat dump.rdb >/dev/null; echo here; exit 1");
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    ck_assert_int_eq(rsp_drill(&env, open_dump, NULL, &manifest, &options, &report), RSP_OK);
    ck_assert_ptr_nonnull(strstr(report.what, "here"));
    ck_assert_int_eq(rmdir(deep), 0);
}
END_TEST

/* ---- several streams ---- */

#define SHARDS 3
static struct dump shards[SHARDS];
static struct rsp_stream_info shard_streams[SHARDS + 1];
static int told_proof[SHARDS + 1];
static unsigned told_n;
static uint64_t most_bytes;

static int open_shard(void *ctx, size_t at, struct rsp_source **source)
{
    (void)ctx;
    ck_assert_uint_lt(at, SHARDS + 1);
    ck_assert_uint_ne(at, 1); /* no RDB */
    at -= at > 1;
    if (open_status && at == SHARDS - 1) {
        snprintf(error.message, sizeof error.message, "as the test has it");
        return error.code = open_status;
    }
    return rsp_source_memory(&env, shards[at].p, shards[at].n, source);
}

static void on_told(void *opaque, size_t at, const struct rsp_drill_report *r)
{
    (void)opaque;
    ck_assert_uint_eq(r->streams, 1);
    told_proof[at] = r->proof;
    told_n++;
}

static void on_bytes(void *opaque, uint64_t bytes)
{
    (void)opaque;
    ck_assert_uint_ge(bytes, most_bytes);
    most_bytes = bytes;
}

/* Three dumps of different databases, and something between them that is none. */
static void make_shards(void)
{
    static const char *const names[SHARDS + 1] = {"shard-0.rdb", "aof", "shard-1.rdb", "shard-2.rdb"};
    struct rsp_db_count sum[2] = {{0}, {.db = 1}};
    struct dump kept = dump;
    for (unsigned i = 0; i < SHARDS; i++) {
        struct rsp_stream_info *info = &shard_streams[i + (i > 0)];
        dump_make(&shards[i], i ? 10 * i : 1, 20, 0); /* the first has nothing in db 1 */
        dump = shards[i];
        manifest.dbs_n = 0;
        memset(&stream, 0, sizeof stream);
        learn();
        *info = stream;
        for (size_t k = 0; k < manifest.dbs_n; k++) {
            sum[dbs[k].db].keys += dbs[k].keys;
            sum[dbs[k].db].expires += dbs[k].expires;
        }
    }
    dump = kept;
    memcpy(dbs, sum, sizeof sum);
    manifest.dbs_n = 2;
    shard_streams[1].kind = RSP_STREAM_AOF_PART;
    for (unsigned i = 0; i <= SHARDS; i++)
        shard_streams[i].name = (struct rsp_span){(const uint8_t *)names[i], strlen(names[i])};
    manifest.streams = shard_streams;
    manifest.streams_n = SHARDS + 1;
    options.told = on_told;
    options.progress = on_bytes;
}

static void free_shards(void)
{
    for (unsigned i = 0; i < SHARDS; i++) dump_free(&shards[i]);
}

static int drill_all(void)
{
    int rc;
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    rsp_error_clear(&error);
    told_n = 0;
    most_bytes = 0;
    rc = rsp_drill_all(&env, open_shard, NULL, &manifest, &options, &report);
    ck_nothing_left();
    return rc;
}

static void ck_all_failed(const char *words, unsigned told)
{
    ck_assert_int_eq(drill_all(), RSP_OK);
    ck_assert_int_eq(report.proof, RSP_PROOF_FAILED);
    ck_assert_str_eq(report.what, words);
    ck_assert_uint_eq(told_n, told);
    ck_assert_int_eq(error.code, 0);
}

START_TEST(all_streams)
{
    struct rsp_dd1_sum sum = {0}, one;
    uint8_t total[16];
    char text[512];
    make_shards();
    for (unsigned i = 0; i <= SHARDS; i++) {
        if (i == 1) continue;
        one.hi = one.lo = 0;
        for (int k = 0; k < 8; k++) {
            one.hi = one.hi << 8 | shard_streams[i].dd1[k];
            one.lo = one.lo << 8 | shard_streams[i].dd1[8 + k];
        }
        rsp_dd1_add(&sum, &one);
    }
    dd1_bytes(&sum, total);
    ck_assert_int_eq(drill_all(), RSP_OK);
    ck_assert_int_eq(report.proof, RSP_PROOF_DECODED);
    ck_assert_str_eq(report.why_not, "shard-0.rdb: no server at hand loads RDB 11: redis 7.0.15 takes up to 10");
    ck_assert_uint_eq(report.keys, 31);
    ck_assert_uint_eq(report.streams, SHARDS);
    ck_assert_mem_eq(report.dd1, total, 16);
    ck_assert_uint_eq(told_n, SHARDS);
    ck_assert_uint_gt(most_bytes, shards[2].n);
    rsp_drill_text(&report, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, " streams=3"));
    free_shards();
}
END_TEST

START_TEST(one_of_all)
{
    make_shards();
    shard_streams[2].dd1[3] ^= 1;
    ck_all_failed("shard-1.rdb: the dataset's digest is not the one in the manifest", SHARDS);
    ck_assert_int_eq(told_proof[0], RSP_PROOF_DECODED);
    ck_assert_int_eq(told_proof[2], RSP_PROOF_FAILED);
    ck_assert_int_eq(told_proof[3], RSP_PROOF_DECODED);
    shard_streams[2].dd1[3] ^= 1;
    shard_streams[3].records++;
    ck_all_failed("shard-2.rdb: 20 keys, the manifest says 21", SHARDS);
    shard_streams[3].records--;
    dbs[1].keys++; /* of all together */
    ck_all_failed("database 1: 15 keys, 5 with an expiry; the manifest says otherwise", SHARDS);
    dbs[1].keys--;
    manifest.dbs_n = 3;
    dbs[2].db = 9;
    dbs[2].keys = 1;
    ck_all_failed("database 9 has no keys, the manifest says 1", SHARDS);
    manifest.dbs_n = 2;
    open_status = RSP_EINTEGRITY;
    ck_assert_int_eq(drill_all(), RSP_OK);
    ck_assert_int_eq(report.proof, RSP_PROOF_FAILED);
    ck_assert_int_eq(strncmp(report.what, "shard-2.rdb: ", 13), 0);
    open_status = RSP_ENET;
    ck_assert_int_eq(drill_all(), RSP_ENET);
    open_status = RSP_OK;
    manifest.streams = shard_streams + 1;
    manifest.streams_n = 1;
    ck_assert_int_eq(drill_all(), RSP_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(error.message, "no RDB"));
    free_shards();
}
END_TEST

/* ---- memory ---- */

static unsigned left;

static void *fails_late(void *opaque, void *p, size_t old_n, size_t new_n)
{
    (void)opaque, (void)old_n;
    if (!new_n) {
        free(p);
        return NULL;
    }
    if (!left || !--left) return NULL;
    return realloc(p, new_n);
}

START_TEST(no_memory)
{
    struct rsp_env outer = env, poor = env;
    int rc = RSP_ENOMEM;
    poor.resize = fails_late;
    serve("Redis server v=8.0.2", "cat dump.rdb >/dev/null; echo well; exit 1");
    options.threads = 1;
    dump_free(&dump);
    dump_make(&dump, 20, 10, 0);
    manifest.dbs_n = 0;
    learn();
    for (unsigned n = 1; rc; n++) {
        ck_assert_uint_lt(n, 2000);
        env = poor;
        left = n;
        rc = drill();
        env = outer;
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENOMEM, "%u: %d", n, rc);
    }
    ck_assert_ptr_nonnull(strstr(report.what, "well"));
}
END_TEST

START_TEST(no_memory_for_all)
{
    struct rsp_env outer = env, poor = env;
    int rc = RSP_ENOMEM;
    poor.resize = fails_late;
    options.threads = 1;
    make_shards();
    for (unsigned n = 1; rc; n++) {
        ck_assert_uint_lt(n, 4000);
        env = poor;
        left = n;
        rc = drill_all();
        env = outer;
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENOMEM, "%u: %d", n, rc);
    }
    ck_assert_int_eq(report.proof, RSP_PROOF_DECODED);
    free_shards();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drill");
    TCase *t = tcase_create("drill");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, not_proven_here);
    tcase_add_test(t, manifest_differs);
    tcase_add_test(t, damaged);
    tcase_add_test(t, snapshot_faults);
    tcase_add_test(t, database_too_high);
    tcase_add_test(t, ends_at_once);
    tcase_add_test(t, refuses);
    tcase_add_test(t, starves);
    tcase_add_test(t, stalls);
    tcase_add_test(t, settings);
    tcase_add_test(t, cancelled);
    tcase_add_test(t, long_path);
    tcase_add_test(t, no_memory);
    tcase_add_test(t, all_streams);
    tcase_add_test(t, one_of_all);
    tcase_add_test(t, no_memory_for_all);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
