/* What this is: tests of the capture by BGSAVE: when a save is over, which file is taken, and what is said.
 * Rests on: scan_toy.h, libcheck.
 * Does not: need a real server. */
#include <check.h>
#undef fail
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "repl/bgsave.h"
#include "unit/repl/scan_toy.h"

static struct rsp_error error;
static struct rsp_env env;
static struct toy toy;
static struct rsp_server *server;
static struct rsp_source *source;
static volatile int cancel;
static char file[200], info[600], heard[4000];
static size_t file_bytes;

static struct {
    const char *dir, *name; /* told by CONFIG GET; NULL: the toy's own */
    int no_config, no_schedule, refuse, scheduled, for_ever, failed, elsewhere, folder, cancel_at, no_status, slow,
        fast;
    long older_s;
} plan;
static int polls, running, rewriting, saves;
static long long saved_at;

static void write_file(const char *path, size_t n)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("REDIS0010", f);
    for (size_t i = 9; i < n; i++) fputc((int)(i * 7 & 255), f);
    fclose(f);
}

/* As a server does: another file, renamed. */
static void save(void)
{
    char temp[220];
    saves++;
    saved_at = (long long)time(NULL);
    if (plan.elsewhere || plan.failed) return;
    snprintf(temp, sizeof temp, "%s.tmp", file);
    if (plan.folder) {
        mkdir(file, 0700);
        return;
    }
    write_file(temp, file_bytes);
    if (plan.older_s) {
        struct timespec t[2] = {{.tv_sec = time(NULL) - plan.older_s}, {.tv_sec = time(NULL) - plan.older_s}};
        ck_assert_int_eq(utimensat(AT_FDCWD, temp, t, 0), 0);
    }
    ck_assert_int_eq(rename(temp, file), 0);
}

static void tell_info(struct toy_out *out)
{
    snprintf(info, sizeof info,
             "redis_version:7.0.15\r\nrole:master\r\nloading:0\r\nrdb_bgsave_in_progress:%d\r\n"
             "aof_rewrite_in_progress:%d\r\nrdb_last_save_time:%lld\r\nrdb_saves:%d\r\n%s",
             running, rewriting, saved_at, saves,
             plan.no_status         ? ""
             : plan.failed && saves ? "rdb_last_bgsave_status:err\r\n"
                                    : "rdb_last_bgsave_status:ok\r\n");
    toy_bulk(out, info, strlen(info));
    polls++;
    if (running && !--running) save();
    if (rewriting && !plan.for_ever && !--rewriting && plan.scheduled) {
        if (plan.fast) save(); /* it came and went between two looks */
        else running = 2;
    }
    if (plan.cancel_at == polls) cancel = 1;
}

static void tell_setting(const char *name, struct toy_out *out)
{
    const char *value = !strcmp(name, "dir") ? (plan.dir ? plan.dir : toy.dir)
                                             : (plan.name ? plan.name : "my dump.rdb");
    if (plan.no_config) {
        toy_text(out, "-NOPERM this user has no permissions to run the 'config|get' command\r\n");
        return;
    }
    toy_text(out, "*2\r\n");
    toy_bulk(out, name, strlen(name));
    toy_bulk(out, value, strlen(value));
}

static void tell_bgsave(int schedule, struct toy_out *out)
{
    if (schedule && plan.no_schedule) {
        toy_text(out, "-ERR syntax error\r\n");
    } else if (plan.refuse && polls < 4) {
        toy_text(out, "-ERR Background save already in progress\r\n");
    } else if (rewriting) {
        toy_text(out, "+Background saving scheduled\r\n");
        plan.scheduled = 1;
    } else {
        running = 1 + plan.slow;
        if (plan.fast) running = 0, save();
        toy_text(out, "+Background saving started\r\n");
    }
}

static int answer(struct toy *t, int argc, char **argv, struct toy_out *out)
{
    size_t n = strlen(heard);
    (void)t;
    snprintf(heard + n, sizeof heard - n, "%s%s%s\n", argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
    if (!strcmp(argv[0], "INFO") && argc == 1) tell_info(out);
    else if (!strcmp(argv[0], "CONFIG") && argc == 3) tell_setting(argv[2], out);
    else if (!strcmp(argv[0], "BGSAVE")) tell_bgsave(argc > 1, out);
    else return 0;
    return 1;
}

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&plan, 0, sizeof plan);
    memset(&toy, 0, sizeof toy);
    env = (struct rsp_env){.size = sizeof env, .error = &error};
    toy.answer = answer;
    toy.info = toy.keyspace = "";
    polls = running = rewriting = saves = 0;
    saved_at = (long long)time(NULL) - 1000;
    cancel = 0;
    heard[0] = 0;
    server = NULL;
    source = NULL;
    file_bytes = 20000;
    toy_start(&toy);
    snprintf(file, sizeof file, "%s/my dump.rdb", toy.dir);
}

static void teardown(void)
{
    rsp_source_free(source);
    rsp_server_free(server);
    unlink(file);
    rmdir(file);
    toy_stop(&toy);
}

static int64_t taken_ms;

static int open_it(int64_t patience_ms)
{
    struct rsp_endpoint endpoint = {.size = sizeof endpoint};
    struct rsp_server_options so = {.size = sizeof so};
    struct rsp_capture_options o = {.size = sizeof o, .cancel = &cancel, .patience_ms = patience_ms};
    int rc;
    endpoint.socket = toy.path;
    ck_assert_msg(rsp_server_open(&env, &endpoint, &so, &server) == RSP_OK, "%s", error.message);
    toy_sync(&toy);
    rc = bgsave_open(server, &o, &taken_ms, &source);
    toy_sync(&toy);
    return rc;
}

/* Reads the rest; the status that ended it. */
static int read_on(size_t at)
{
    static uint8_t out[70000];
    size_t n;
    int rc;
    while ((rc = rsp_source_read(source, out, sizeof out, &n)) == RSP_OK) {
        for (size_t i = 0; i < n; i++, at++)
            if (at >= 9 && out[i] != (at * 7 & 255)) ck_abort_msg("byte %zu differs", at);
    }
    if (rc == RSP_END) ck_assert_uint_eq(at, file_bytes);
    return rc;
}

static void works(void)
{
    struct rsp_env clock;
    int64_t before;
    int rc;
    env_init(&clock, &env);
    before = clock.now_ms(clock.clock_opaque);
    rc = open_it(0);
    ck_assert_msg(rc == RSP_OK, "%d: %s: %s", rc, error.subject, error.message);
    ck_assert_int_eq(saves, 1);
    ck_assert(taken_ms >= before && taken_ms <= clock.now_ms(clock.clock_opaque));
    ck_assert_int_eq(read_on(0), RSP_END);
}

static unsigned times_heard(const char *text)
{
    unsigned n = 0;
    for (const char *p = heard; (p = strstr(p, text)); p += strlen(text)) n++;
    return n;
}

START_TEST(saved)
{
    if (_i & 1) write_file(file, 50); /* of the save before */
    plan.no_schedule = _i & 2;
    plan.slow = _i;
    works();
    ck_assert_str_eq(rsp_source_name(source), file);
    ck_assert_uint_eq(times_heard("BGSAVE SCHEDULE\n"), 1);
    ck_assert_uint_eq(times_heard("BGSAVE\n"), _i & 2 ? 1 : 0);
}
END_TEST

START_TEST(another_save_first)
{
    plan.refuse = 1;
    works();
    ck_assert_uint_ge(times_heard("BGSAVE"), 2);
}
END_TEST

START_TEST(behind_a_rewrite)
{
    rewriting = 4;
    works();
    ck_assert_uint_eq(times_heard("BGSAVE"), 1);
}
END_TEST

START_TEST(behind_a_rewrite_and_over)
{
    rewriting = 4;
    plan.fast = 1;
    works();
    ck_assert_uint_eq(times_heard("BGSAVE"), 1);
    ck_assert_int_eq(saves, 1);
}
END_TEST

static int64_t stands(void *opaque)
{
    (void)opaque;
    return 1700000000000;
}

/* Patience ends also where the time of day is set back, or stands. */
START_TEST(rewrite_without_end)
{
    if (_i) env.now_ms = stands;
    rewriting = 1;
    plan.for_ever = 1;
    ck_assert_int_eq(open_it(1), RSP_EBUSY);
    ck_assert_int_eq(error.code, RSP_EBUSY);
    ck_assert_int_eq(error.retryable, 1);
    ck_assert_ptr_nonnull(strstr(error.message, "AOF"));
}
END_TEST

START_TEST(save_failed)
{
    write_file(file, 50);
    plan.failed = 1;
    ck_assert_int_eq(open_it(0), RSP_EDENIED);
    ck_assert_ptr_nonnull(strstr(error.message, "rdb_last_bgsave_status:err"));
    ck_assert_ptr_null(source);
}
END_TEST

/* Nothing is asked of a server whose file could not be read anyway. */
START_TEST(not_on_this_host)
{
    plan.dir = _i ? "relative" : "/nowhere/at/all";
    ck_assert_int_eq(open_it(0), _i ? RSP_EDENIED : RSP_ENOTFOUND);
    if (!_i) {
        ck_assert_ptr_nonnull(strstr(error.message, "not on this host or not readable by this user"));
        ck_assert_str_eq(error.subject, "/nowhere/at/all");
    }
    ck_assert_uint_eq(times_heard("BGSAVE"), 0);
}
END_TEST

START_TEST(not_told)
{
    plan.no_config = _i == 0;
    plan.no_status = _i == 1;
    if (_i == 2) plan.name = "../x.rdb";
    ck_assert_int_eq(open_it(0), RSP_EDENIED);
    if (_i == 0) ck_assert_ptr_nonnull(strstr(error.message, "+config|get"));
    ck_assert_uint_eq(times_heard("BGSAVE"), 0);
}
END_TEST

/* The same path exists here, and is not the server's. */
START_TEST(file_of_another)
{
    plan.elsewhere = _i < 2;
    plan.older_s = _i == 2 ? 60 : _i == 3 ? -60 : 0;
    plan.folder = _i == 4;
    if (_i != 1 && _i != 4) write_file(file, 50);
    ck_assert_int_eq(open_it(0), _i == 4 ? RSP_EINVAL : RSP_ENOTFOUND);
    ck_assert_int_eq(error.code, _i == 4 ? RSP_EINVAL : RSP_ENOTFOUND);
    ck_assert_str_eq(error.subject, file);
    ck_assert_ptr_null(source);
}
END_TEST

/* The next save takes the name and leaves the descriptor; a change in place is one that nobody may make. */
START_TEST(while_it_is_read)
{
    uint8_t some[1000];
    size_t n;
    file_bytes = 300000;
    ck_assert_int_eq(open_it(0), RSP_OK);
    ck_assert_int_eq(rsp_source_read(source, some, sizeof some, &n), RSP_OK);
    switch (_i) {
    case 0: save(); break;
    case 1: ck_assert_int_eq(unlink(file), 0); break;
    case 2: ck_assert_int_eq(truncate(file, 5000), 0); break;
    case 3: ck_assert_int_eq(truncate(file, 300001), 0); break;
    default: ck_abort();
    }
    ck_assert_int_eq(read_on(n), _i < 2 ? RSP_END : _i == 2 ? RSP_ETRUNCATED : RSP_EIO);
}
END_TEST

START_TEST(cancelled)
{
    plan.cancel_at = 3;
    ck_assert_int_eq(open_it(0), RSP_ECANCELED);
}
END_TEST

static long fail_nth = -1;
static void *resize(void *opaque, void *p, size_t old_n, size_t new_n)
{
    (void)opaque, (void)old_n;
    if (!new_n) {
        free(p);
        return NULL;
    }
    return fail_nth >= 0 && fail_nth-- == 0 ? NULL : realloc(p, new_n);
}

START_TEST(no_memory)
{
    struct rsp_capture_options o = {.size = sizeof o};
    int rc;
    ck_assert_int_eq(open_it(0), RSP_OK);
    server_env(server)->resize = resize;
    plan.fast = 1;
    toy_sync(&toy);
    for (long nth = 0; nth < 40; nth++) {
        rsp_source_free(source);
        rsp_error_clear(&error);
        fail_nth = nth;
        rc = bgsave_open(server, &o, &taken_ms, &source);
        if (!rc && fail_nth >= 0) break;
        if (!rc) continue;
        ck_assert_int_eq(rc, RSP_ENOMEM);
        ck_assert_ptr_null(source);
        server->dead = 0;
    }
    fail_nth = -1;
    ck_assert_msg(rc == RSP_OK, "%s", error.message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bgsave");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, saved, 0, 4);
    tcase_add_test(t, another_save_first);
    tcase_add_test(t, behind_a_rewrite);
    tcase_add_test(t, behind_a_rewrite_and_over);
    tcase_add_loop_test(t, rewrite_without_end, 0, 2);
    tcase_add_test(t, save_failed);
    tcase_add_loop_test(t, not_on_this_host, 0, 2);
    tcase_add_loop_test(t, not_told, 0, 3);
    tcase_add_loop_test(t, file_of_another, 0, 5);
    tcase_add_loop_test(t, while_it_is_read, 0, 4);
    tcase_add_test(t, cancelled);
    tcase_add_test(t, no_memory);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
