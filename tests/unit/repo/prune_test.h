/* What this is: what the tests of prune share: a run of it, its faults, and what must hold afterwards.
 * Rests on: keep_test.h; -Wl,--wrap=rsp_store_delete,--wrap=rsp_store_put. */
#ifndef TESTS_PRUNE_TEST_H
#define TESTS_PRUNE_TEST_H

#include "keep_test.h"

static struct yard y;
static int64_t now;

/* ---- faults ---- */

static int changes_left; /* deletes and puts until one fails; negative: never */
static int delete_calls;

int __real_rsp_store_delete(struct rsp_store *store, const char *name);
int __wrap_rsp_store_delete(struct rsp_store *store, const char *name);
int __wrap_rsp_store_delete(struct rsp_store *store, const char *name)
{
    delete_calls++;
    if (changes_left == 0) return RSP_EIO;
    if (changes_left > 0) changes_left--;
    return __real_rsp_store_delete(store, name);
}

int __real_rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n);
int __wrap_rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n);
int __wrap_rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n)
{
    if (changes_left == 0) return RSP_EIO;
    if (changes_left > 0) changes_left--;
    return __real_rsp_store_put(store, name, p, n);
}

/* ---- set-up ---- */

__attribute__((unused)) static void setup(void)
{
    changes_left = -1;
    delete_calls = 0;
    yard_open(&y);
    now = real_ms();
    age_new(&y, now - 900 * DAY);
}
__attribute__((unused)) static void teardown(void)
{
    changes_left = -1;
    yard_close(&y);
}

static uint64_t told;
__attribute__((unused)) static void removing(void *opaque, const char *name, uint64_t bytes, const char *why)
{
    (void)opaque, (void)bytes;
    told++;
    ck_assert_uint_gt(strlen(name), 5);
    ck_assert_uint_gt(strlen(why), 3);
    ck_assert(!strstr(name, "roles/") && !strstr(name, "repository/") && !strstr(name, "segments/"));
}

__attribute__((unused)) static int prune_with(int dry_run, int64_t quarantine_ms, struct rsp_prune_report *report)
{
    struct rsp_prune_options o = {.size = sizeof o,
                                  .quarantine_ms = quarantine_ms,
                                  .debris_age_ms = 7 * DAY,
                                  .dry_run = dry_run,
                                  .removing = removing};
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    int rc;
    told = 0;
    memset(report, 0, sizeof *report);
    report->size = sizeof *report;
    rsp_error_clear(&y.error);
    rc = rsp_prune(log, &o, report);
    rsp_log_free(log);
    rsp_repo_free(repo);
    return rc;
}

__attribute__((unused)) static int prune(struct rsp_prune_report *report)
{
    return prune_with(0, DAY, report);
}

/* The log is sound, and every byte of `expected` living snapshots is there. */
__attribute__((unused)) static void sound(uint64_t expected)
{
    struct rsp_verify_options o = {.size = sizeof o, .read_stored = 1};
    struct rsp_verify_report report = {.size = sizeof report};
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    ck_assert_msg(!log->faults, "%s: %s", log->troubles[0].name, log->troubles[0].text);
    ck_assert_int_eq(rsp_verify(log, &o, &report), RSP_OK);
    ck_assert_msg(!log->faults, "%s: %s", log->troubles[0].name, log->troubles[0].text);
    ck_assert_uint_eq(report.snapshots, expected);
    ck_assert_uint_eq(report.damaged, 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

__attribute__((unused)) static struct made backup(int day, size_t bytes)
{
    return backup_at(&y, "web", now - day * DAY, bytes, 8192, 0);
}

/* The whole set-up again as it was, without writing it anew. */
__attribute__((unused)) static void shell(const char *format)
{
    char command[512];
    snprintf(command, sizeof command, format, y.dir, y.dir);
    ck_assert_int_eq(system(command), 0);
}
__attribute__((unused)) static void save(void)
{
    shell("mkdir %s/saved && cd %s && cp -a repo state saved");
}
__attribute__((unused)) static void restore(void)
{
    shell("find %s/repo %s/state -mindepth 1 -delete");
    shell("cd %s && cp -a saved/. %s");
}

#endif
