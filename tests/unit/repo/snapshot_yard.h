/* What this is: making snapshots in a yard, and reading them.
 * Rests on: yard.h, repo/snapshot_impl.h; check.h before it.
 * Does not: damage them. */
#ifndef TESTS_UNIT_REPO_SNAPSHOT_YARD_H
#define TESTS_UNIT_REPO_SNAPSHOT_YARD_H

#include <stdlib.h>
#include <string.h>

#include "repo/snapshot_impl.h"
#include "fixture/yard.h"

struct snap_options {
    const char *source;
    size_t chunk, used; /* used: how much of each chunk's buffer is filled; 0: all */
    uint64_t object;
    int unsealed, prove;
    unsigned threads; /* 0: 2 */
};

/* Linked instead of the real ones: nothing in these tests is about power cuts. */
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}
int __wrap_fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static struct yard y;
static struct rsp_repo *repo; /* by host and reader */

static inline void setup(void)
{
    struct rsp_identity *both[2];
    yard_open(&y);
    both[0] = y.host;
    both[1] = y.reader;
    ck_assert_int_eq(yard_repo(&y, 1, both, 2, &repo), RSP_OK);
}

static inline void teardown(void)
{
    rsp_repo_free(repo);
    yard_close(&y);
}

/* Bytes that compress a little. */
static inline uint8_t *snap_data(size_t n, unsigned seed)
{
    uint8_t *p = malloc(n + 1);
    uint64_t x = seed * 2654435761u + 1;
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        p[i] = (uint8_t)('a' + (x >> 60));
    }
    return p;
}

/* Each chunk has its number as a note of 4 bytes. The first status that is not RSP_OK. */
static inline int snap_try_feed(struct rsp_stream_writer *s, const uint8_t *data, size_t n, size_t used, unsigned note)
{
    for (size_t at = 0; at < n;) {
        uint8_t *chunk, text[4] = {(uint8_t)note, (uint8_t)(note >> 8), 0, 0};
        size_t cap, take;
        int rc = rsp_stream_chunk(s, &chunk, &cap);
        if (rc) return rc;
        take = used && used < cap ? used : cap;
        if (take > n - at) take = n - at;
        memcpy(chunk, data + at, take);
        if ((rc = rsp_stream_submit(s, chunk, take, text, sizeof text))) return rc;
        at += take;
        note++;
    }
    return RSP_OK;
}

static inline void snap_feed(struct rsp_stream_writer *s, const uint8_t *data, size_t n, size_t used, unsigned note)
{
    uint8_t *unused;
    size_t cap;
    ck_assert_int_eq(snap_try_feed(s, data, n, used, note), RSP_OK);
    ck_assert_int_eq(rsp_stream_chunk(s, &unused, &cap), RSP_OK);
    ck_assert_int_eq(rsp_stream_submit(s, unused, 0, NULL, 0), RSP_OK); /* given back */
}

/* One stream, "dump.rdb", committed; or the status of the step that failed, and no commit. */
static inline int snap_try(struct rsp_repo *into, const struct snap_options *o, const uint8_t *data, size_t n,
                           struct rsp_log **log, struct rsp_record **record)
{
    struct rsp_snapshot_options so = {.size = sizeof so,
                                      .source = o->source,
                                      .chunk_bytes = o->chunk,
                                      .object_bytes = o->object,
                                      .unsealed = o->unsealed,
                                      .threads = o->threads ? o->threads : 2};
    struct rsp_manifest m = {.size = sizeof m, .tool = {(const uint8_t *)"test", 4}};
    struct rsp_stream_info facts = {.records = 5};
    struct rsp_commit_facts cf = {.size = sizeof cf, .flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL, .keys = 12};
    struct rsp_snapshot_writer *w = NULL;
    struct rsp_stream_writer *s = NULL;
    int rc;
    *log = NULL;
    *record = NULL;
    rc = rsp_snapshot_begin(into, &so, &w);
    if (!rc) rc = rsp_snapshot_stream(w, NULL, "dump.rdb", RSP_STREAM_RDB, 0, 0, &s);
    if (!rc) rc = snap_try_feed(s, data, n, o->used, 0);
    if (!rc) rc = rsp_stream_end(s, &facts);
    if (!rc && o->prove) rc = rsp_snapshot_prove(w);
    if (!rc) rc = rsp_snapshot_commit(w, &m, &cf, log, record);
    rsp_snapshot_writer_free(w);
    return rc;
}

static inline struct rsp_record *snap_make(const struct snap_options *o, const uint8_t *data, size_t n,
                                           struct rsp_log **log)
{
    struct rsp_record *r;
    int rc = snap_try(repo, o, data, n, log, &r);
    ck_assert_msg(rc == RSP_OK, "%s: %s: %s", rsp_status_name(rc), y.error.subject, y.error.message);
    ck_assert_ptr_nonnull(r);
    ck_assert_int_eq((*log)->faults, 0);
    return r;
}

/* ---- reading ---- */

static inline struct rsp_snapshot *opened(const struct rsp_record *r)
{
    struct rsp_snapshot *s = NULL;
    int rc = rsp_snapshot_open(repo, r, &s);
    ck_assert_msg(rc == RSP_OK, "%s: %s: %s", rsp_status_name(rc), y.error.subject, y.error.message);
    return s;
}

static inline int open_status(const struct rsp_record *r)
{
    struct rsp_snapshot *s = NULL;
    int rc;
    rsp_error_clear(&y.error);
    rc = rsp_snapshot_open(repo, r, &s);
    ck_assert(rc == RSP_OK ? s != NULL : s == NULL);
    if (rc) ck_assert_int_eq(y.error.code, rc);
    rsp_snapshot_free(s);
    return rc;
}

/* Reads from `from` to the end and compares; the status that ended it. */
static inline int read_from(struct rsp_snapshot *s, size_t stream, uint64_t from, unsigned threads, const uint8_t *data,
                            size_t n)
{
    struct rsp_source *source = NULL;
    uint8_t *out = malloc(n + 100);
    size_t at = (size_t)from, got;
    int rc;
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_snapshot_source(s, stream, from, threads, &source), RSP_OK);
    while ((rc = rsp_source_read(source, out, 70001, &got)) == RSP_OK) {
        ck_assert(got <= n - at);
        ck_assert_mem_eq(out, data + at, got);
        ck_assert_int_eq(y.error.code, 0); /* a fault that lies ahead is not told yet */
        at += got;
    }
    if (rc == RSP_END) ck_assert_uint_eq(at, n);
    else ck_assert_int_eq(y.error.code, rc);
    rsp_source_free(source);
    free(out);
    return rc;
}

/* Everything that can be opened and read again. */
static inline int read_all(struct rsp_repo *from, const struct rsp_record *r, const uint8_t *data, size_t n)
{
    struct rsp_snapshot *s = NULL;
    struct rsp_source *source = NULL;
    uint8_t out[5000];
    size_t at = 0, got;
    int rc = rsp_snapshot_open(from, r, &s);
    if (!rc) rc = rsp_snapshot_source(s, 0, 0, 1, &source);
    while (!rc && (rc = rsp_source_read(source, out, sizeof out, &got)) == RSP_OK) {
        ck_assert(got <= n - at);
        ck_assert_mem_eq(out, data + at, got);
        at += got;
    }
    if (rc == RSP_END) ck_assert_uint_eq(at, n);
    rsp_source_free(source);
    rsp_snapshot_free(s);
    return rc == RSP_END ? RSP_OK : rc;
}

#endif
