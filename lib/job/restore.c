/* What this is: a snapshot's stream into a file, checked on the way.
 * Rests on: restore.h, target.h, dump.h.
 * Does not: open chunks (repo/). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "job/dump.h"
#include "job/restore.h"
#include "job/target.h"

#define PIECE (1u << 20)

struct restore {
    struct rsp_env env;
    struct rsp_restore_options o;
    const char *path;
    int dir;
    const struct rsp_stream_info *stream;
    struct rsp_source *inner, *through;
    struct target target;
    uint8_t *scratch; /* PIECE bytes */
    uint64_t bytes, resumed, findings;
    uint64_t keys;
    char first[200];
};

/* What was read goes to the file; what is there already stays. */
static int put(struct restore *r, const uint8_t *p, size_t n)
{
    int rc, same = 0;
    rc = r->o.resume ? target_same(&r->target, p, n, r->bytes, r->scratch, &same) : RSP_OK;
    if (!rc && !same) rc = target_write(&r->target, p, n, r->bytes);
    if (rc) return rc;
    if (same) r->resumed += n;
    r->bytes += n;
    if (r->o.progress) r->o.progress(r->o.opaque, r->bytes);
    return RSP_OK;
}

static int read_through(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct restore *r = opaque;
    int rc = rsp_source_read(r->inner, out, cap < PIECE ? cap : PIECE, got);
    return rc ? rc : put(r, out, *got);
}

static int copy_rest(struct restore *r)
{
    uint8_t *buf = mem_alloc(&r->env, PIECE);
    int rc = buf ? RSP_OK : RSP_ENOMEM;
    while (!rc) {
        size_t got = 0;
        if (r->o.cancel && *r->o.cancel) rc = fail(&r->env, RSP_ECANCELED, NULL, "cancelled");
        else rc = read_through(r, buf, PIECE, &got);
        if (rc == RSP_AGAIN) rc = RSP_OK;
    }
    mem_free(&r->env, buf, PIECE);
    return rc == RSP_END ? RSP_OK : rc;
}

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct restore *r = opaque;
    if (!r->findings++) snprintf(r->first, sizeof r->first, "offset %" PRIu64 ": %s", f->offset, f->reason);
    return RSP_OK;
}

/* Copies and looks whether it is a whole dump with a right checksum. */
static int copy_checked(struct restore *r)
{
    static const struct rsp_source_ops ops = {sizeof ops, read_through, NULL};
    struct rsp_check_options co = {.size = sizeof co, .quick = 1, .found = on_finding, .opaque = r};
    struct rsp_check_report report = {.size = sizeof report};
    int rc = rsp_source_custom(&r->env, &ops, r, r->path, &r->through);
    if (rc) return rc;
    co.run.size = sizeof co.run;
    co.run.threads = r->o.threads;
    co.run.cancel = r->o.cancel;
    rc = rsp_check_file(&r->env, r->through, &co, &report);
    rsp_source_free(r->through); /* whoever read ahead has ended */
    r->through = NULL;
    if (rc) return rc;
    if (report.not_rdb) return fail(&r->env, RSP_EINTEGRITY, r->path, "what the snapshot holds is not an RDB file");
    if (r->findings) return fail(&r->env, RSP_EINTEGRITY, r->path, "what the snapshot holds is damaged: %s", r->first);
    r->keys = report.run.feed.keys;
    if (r->stream->records && r->keys != r->stream->records)
        return fail(&r->env, RSP_EINTEGRITY, r->path, "%" PRIu64 " keys were restored, the manifest says %" PRIu64,
                    r->keys, r->stream->records);
    return copy_rest(r); /* the end, behind which nothing may come */
}

static int restore(struct restore *r, struct rsp_snapshot *s)
{
    int rc = target_open_at(&r->target, &r->env, r->dir, r->path, r->o.force, r->o.resume);
    if (rc) return rc;
    r->scratch = mem_alloc(&r->env, PIECE);
    if (!r->scratch) return RSP_ENOMEM;
    rc = rsp_snapshot_source(s, r->o.stream, 0, r->o.threads, &r->inner);
    if (rc) return rc;
    if (r->o.damaged)
        log_line(&r->env, RSP_LOG_WARN, "%s: the snapshot was damaged when it was stored: restored as it is", r->path);
    if (r->o.no_check || r->o.damaged || r->stream->kind != RSP_STREAM_RDB) rc = copy_rest(r);
    else rc = copy_checked(r);
    if (rc) return rc;
    if (r->bytes != r->stream->plain)
        return fail(&r->env, RSP_EINTEGRITY, r->path, "%" PRIu64 " bytes were restored, the manifest says %" PRIu64,
                    r->bytes, r->stream->plain);
    if (r->o.cancel && *r->o.cancel) return fail(&r->env, RSP_ECANCELED, NULL, "cancelled");
    return target_commit(&r->target, r->bytes);
}

int restore_file_at(const struct rsp_env *env, struct rsp_snapshot *snapshot, int dir, const char *path,
                    const struct rsp_restore_options *options, struct rsp_restore_report *report)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(snapshot);
    struct rsp_restore_report out = {.size = report->size};
    struct restore r;
    int rc;
    memset(&r, 0, sizeof r);
    env_init(&r.env, env);
    r.target.fd = r.target.dir = -1;
    if (options) memcpy(&r.o, options, options->size < sizeof r.o ? options->size : sizeof r.o);
    r.path = path;
    r.dir = dir;
    if (r.o.stream >= m->streams_n) return fail(&r.env, RSP_ENOTFOUND, path, "the snapshot has no such stream");
    r.stream = &m->streams[r.o.stream];
    rc = restore(&r, snapshot);
    rsp_source_free(r.inner);
    mem_free(&r.env, r.scratch, PIECE);
    if (r.target.path) target_close(&r.target);
    out.bytes = r.bytes;
    out.resumed = r.resumed;
    out.keys = r.keys;
    memcpy(report, &out, report->size < sizeof out ? report->size : sizeof out);
    return rc;
}

int rsp_restore_file(const struct rsp_env *env, struct rsp_snapshot *snapshot, const char *path,
                     const struct rsp_restore_options *options, struct rsp_restore_report *report)
{
    return restore_file_at(env, snapshot, -1, path, options, report);
}
