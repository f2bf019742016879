/* What this is: snapshots of any age in a repository of a test's own, for the tests of expire, prune and verify.
 * Rests on: fixture/yard.h. */
#ifndef TESTS_KEEP_TEST_H
#define TESTS_KEEP_TEST_H

#include <check.h>
#undef fail
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fixture/yard.h"
#include "repo/keep.h"

#define HOUR 3600000ll
#define DAY 86400000ll

__attribute__((unused)) static int64_t real_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

/* ---- time ---- */

static int64_t age_from, age_to;

static int age_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = age_to / 1000, .tv_nsec = age_to % 1000 * 1000000}};
    (void)ftw;
    if (flag == FTW_F && (int64_t)st->st_mtime * 1000 >= age_from) ck_assert_int_eq(utimensat(AT_FDCWD, path, t, 0), 0);
    return 0;
}

/* Everything that the store has had since `from` is from ms now. */
__attribute__((unused)) static void age_since(const struct yard *y, int64_t from, int64_t ms)
{
    char path[512];
    yard_path(y, "", path);
    age_from = from;
    age_to = ms;
    ck_assert_int_eq(nftw(path, age_one, 16, FTW_PHYS), 0);
}

/* What was written just now (all that tests date lies two hours or more back). */
__attribute__((unused)) static void age_new(const struct yard *y, int64_t ms)
{
    age_since(y, real_ms() - HOUR, ms);
}

/* ---- records about nothing ---- */

struct made {
    uint8_t hash[32], epoch[16];
};

/* A commit record dated date that arrives then; its objects do not exist. parent: only this is known to its signer;
 * NULL: all heads. */
__attribute__((unused)) static struct made commit_at(struct yard *y, int64_t date, int64_t arrival, uint64_t plain,
                                                     uint32_t flags)
{
    struct rsp_repo *repo = yard_host(y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_record draft, *r = NULL;
    struct made made;
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_COMMIT;
    memcpy(draft.source, y->source, 16);
    y->env.random(y, draft.snapshot, 16);
    y->env.random(y, draft.epoch, 16);
    y->env.random(y, draft.commitment, 32);
    draft.flags = flags;
    draft.keys = 100;
    draft.plain = plain;
    draft.manifest.kind = 2;
    memcpy(draft.manifest.epoch, draft.epoch, 16);
    y->now_ms = date;
    ck_assert_msg(rsp_record_publish(log, &draft, NULL, 0, &r) == RSP_OK, "%s", y->error.message);
    memcpy(made.hash, r->hash, 32);
    memcpy(made.epoch, r->epoch, 16);
    age_new(y, arrival);
    rsp_log_free(log);
    rsp_repo_free(repo);
    return made;
}

__attribute__((unused)) static struct made commit_good(struct yard *y, int64_t date)
{
    return commit_at(y, date, date, 1000, RSP_COMMIT_GOOD | RSP_COMMIT_FULL);
}

/* A record of that kind about the one with that hash, stored at ms. */
__attribute__((unused)) static struct made name_at(struct yard *y, int kind, const uint8_t hash[32], int64_t ms)
{
    struct rsp_repo *repo = yard_host(y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_record *target = rsp_log_by_hash(log, hash);
    struct made made;
    ck_assert_ptr_nonnull(target);
    y->now_ms = ms;
    memset(&made, 0, sizeof made);
    memcpy(made.hash, yard_name(log, kind, target)->hash, 32);
    age_new(y, ms);
    rsp_log_free(log);
    rsp_repo_free(repo);
    return made;
}

/* ---- real snapshots ---- */

/* bytes of plaintext in objects of at most object_bytes, dated and stored at ms. */
__attribute__((unused)) static struct made backup_at(struct yard *y, const char *source, int64_t ms, size_t bytes,
                                                     uint64_t object_bytes, int unsealed)
{
    struct rsp_snapshot_options o = {.size = sizeof o,
                                     .source = source,
                                     .threads = 1,
                                     .chunk_bytes = 4096,
                                     .object_bytes = object_bytes,
                                     .unsealed = unsealed};
    struct rsp_commit_facts facts = {.size = sizeof facts, .flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL, .keys = 10};
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_stream_info info;
    struct rsp_repo *repo = yard_host(y);
    struct rsp_snapshot_writer *w = NULL;
    struct rsp_stream_writer *s = NULL;
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    struct made made;
    memset(&info, 0, sizeof info);
    y->now_ms = ms;
    ck_assert_int_eq(rsp_snapshot_begin(repo, &o, &w), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, "dump.rdb", RSP_STREAM_RDB, 0, 0, &s), RSP_OK);
    while (bytes) {
        uint8_t *chunk = NULL;
        size_t cap = 0, n;
        ck_assert_int_eq(rsp_stream_chunk(s, &chunk, &cap), RSP_OK);
        n = bytes < cap ? bytes : cap;
        y->env.random(y, chunk, n);
        ck_assert_int_eq(rsp_stream_submit(s, chunk, n, NULL, 0), RSP_OK);
        bytes -= n;
    }
    ck_assert_int_eq(rsp_stream_end(s, &info), RSP_OK);
    ck_assert_msg(rsp_snapshot_commit(w, &m, &facts, &log, &r) == RSP_OK, "%s: %s", y->error.subject, y->error.message);
    memcpy(made.hash, r->hash, 32);
    memcpy(made.epoch, r->epoch, 16);
    rsp_log_free(log);
    rsp_snapshot_writer_free(w);
    rsp_repo_free(repo);
    age_new(y, ms);
    return made;
}

/* ---- what the store holds ---- */

static int64_t held_files;
static int count_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)path, (void)st, (void)ftw;
    held_files += flag == FTW_F;
    return 0;
}

/* Files below a folder of the store; of an epoch when one is given. */
__attribute__((unused)) static int64_t held_count(const struct yard *y, const char *folder, const uint8_t *epoch)
{
    char name[128], path[512], hex[33] = "";
    if (epoch) hex_text(hex, epoch, 16);
    snprintf(name, sizeof name, "%s%s%s", folder, epoch ? "/" : "", hex);
    yard_path(y, name, path);
    held_files = 0;
    nftw(path, count_one, 16, FTW_PHYS);
    return held_files;
}

__attribute__((unused)) static const struct rsp_record *record_of(const struct rsp_log *log, struct made m)
{
    const struct rsp_record *r = rsp_log_by_hash(log, m.hash);
    ck_assert_ptr_nonnull(r);
    return r;
}

__attribute__((unused)) static size_t living(const struct rsp_log *log)
{
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++) n += (size_t)rsp_record_living(log->records[i]);
    return n;
}

#endif
