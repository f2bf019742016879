/* What this is: two repositories of one lineage for the tests of copy and repair: y, and z, which began as its mirror.
 * Rests on: libcheck, fixture/judge.h, repo/record_impl.h.
 * Does not: test. */
#ifndef TESTS_UNIT_REPO_COPY_YARD_H
#define TESTS_UNIT_REPO_COPY_YARD_H

#include <check.h>
#undef fail
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture/judge.h"
#include "repo/record_impl.h"
#include "seal/identity.h"
#include "seal/items.h"

#define C(number) (uint16_t)(ITEM_CRITICAL | (number))

static struct yard y, z;
static uint8_t data[3][60000];
static uint8_t made[3][32]; /* hashes of y's commits */

__attribute__((unused)) static void setup(void)
{
    struct rsp_store_options so = {.size = sizeof so, .create = 1};
    struct rsp_repo *ours;
    yard_open(&y);
    z = y;
    snprintf(z.dir, sizeof z.dir, "%.40s/z", y.dir);
    snprintf(z.url, sizeof z.url, "file:%s/repo", z.dir);
    z.spares = 0;
    z.store = NULL;
    ck_assert_int_eq(rsp_store_open(&y.env, z.url, &so, &z.store), RSP_OK);
    ours = yard_host(&y);
    ck_assert_int_eq(rsp_repo_init(&y.env, z.store, y.state, NULL, NULL, 0, ours, z.id), RSP_OK);
    rsp_repo_free(ours);
    for (size_t i = 0; i < 3; i++) {
        struct rsp_log *log = NULL;
        y.env.random(&y, data[i], sizeof data[i]);
        y.now_ms += YARD_DAY;
        memcpy(made[i], yard_snapshot(&y, &log, data[i], sizeof data[i], 4096)->hash, 32);
        rsp_log_free(log);
    }
    z.now_ms = y.now_ms;
}

__attribute__((unused)) static void teardown(void)
{
    while (z.spares) rsp_repo_free(z.spare[--z.spares]);
    rsp_store_free(z.store);
    yard_close(&y);
}

/* A repository and its whole log, by one identity. */
struct opened {
    struct rsp_repo *repo;
    struct rsp_log *log;
};
__attribute__((unused)) static struct opened open_by(struct yard *of, struct rsp_identity *id)
{
    struct opened o;
    ck_assert_msg(yard_repo(of, 0, &id, 1, &o.repo) == RSP_OK, "%s", y.error.message);
    o.log = yard_log(o.repo);
    return o;
}
__attribute__((unused)) static void close_one(struct opened *o)
{
    rsp_log_free(o->log);
    rsp_repo_free(o->repo);
}

static char why[300];
static int told[6]; /* how often each fate was */
__attribute__((unused)) static void on_told(void *opaque, const struct rsp_record *r, int fate,
                                            const struct rsp_record *copy, const char *words)
{
    (void)opaque, (void)r;
    told[fate]++;
    if (fate == RSP_COPY_MADE && copy) ck_assert(copy->copied && rsp_record_living(copy));
    if (words) snprintf(why, sizeof why, "%s", words);
}

/* From y to z, by that keeper of z. */
__attribute__((unused)) static int copy_by(struct rsp_identity *keeper, struct rsp_copy_options *o,
                                           struct rsp_copy_report *report)
{
    struct opened from = open_by(&y, y.reader), to = open_by(&z, keeper);
    int rc;
    memset(told, 0, sizeof told);
    memset(report, 0, sizeof *report);
    why[0] = 0;
    report->size = sizeof *report;
    o->size = sizeof *o;
    o->told = on_told;
    rsp_error_clear(&y.error);
    rc = rsp_copy(from.log, to.log, o, report);
    close_one(&from);
    close_one(&to);
    return rc;
}

__attribute__((unused)) static void copy_all(struct rsp_copy_report *report)
{
    struct rsp_copy_options o = {.threads = 2};
    int rc = copy_by(y.keeper, &o, report);
    ck_assert_msg(rc == RSP_OK, "%s: %s: %s", rsp_status_name(rc), y.error.subject, y.error.message);
}

__attribute__((unused)) static size_t living_in(const struct rsp_log *log)
{
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++) n += (size_t)rsp_record_living(log->records[i]);
    return n;
}

/* All that z has is sound to the last byte, and there are so many snapshots. */
__attribute__((unused)) static void sound_in(struct yard *of, size_t snapshots)
{
    struct opened o = open_by(of, y.reader);
    struct rsp_verify_options vo = {.size = sizeof vo, .read_stored = 1};
    struct rsp_verify_report report = {.size = sizeof report};
    ck_assert_int_eq(rsp_verify(o.log, &vo, &report), RSP_OK);
    ck_assert_msg(!o.log->faults, "%s: %s", o.log->troubles[0].name, o.log->troubles[0].text);
    ck_assert_uint_eq(report.snapshots, snapshots);
    close_one(&o);
}

/* The name of the first object below a folder of the epoch that the commit is of. */
__attribute__((unused)) static void object_of(const struct rsp_record *r, int manifest, char name[NAME_MAX_BYTES])
{
    const struct rsp_ref *ref = manifest ? &r->manifest : &r->refs[0];
    name_object(name, ref->kind, ref->epoch, ref->object);
}

#endif
