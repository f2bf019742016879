/* What this is: a snapshot opened, decompressed and parsed again, and judged.
 * Rests on: read_impl.h, dump.h, respite/sys/check.h.
 * Does not: stop at damage (read_after.c goes on behind it). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "job/dump.h"
#include "job/read_impl.h"

#define PIECE (1u << 18)

int reader_is_damage(int status)
{
    switch (status) {
    case RSP_EINTEGRITY:
    case RSP_EFORMAT:
    case RSP_ETRUNCATED:
    case RSP_ECHECKSUM:
    case RSP_EIO:
    case RSP_EPERM:
    case RSP_ENOTFOUND: return 1;
    default: return 0;
    }
}

int reader_tell(struct reader *r, const struct rsp_read_finding *finding)
{
    struct rsp_read_finding f = *finding;
    f.stream = r->at;
    r->report.findings++;
    return r->o.found ? r->o.found(r->o.opaque, &f) : RSP_OK;
}

int reader_tell_parser(struct reader *r, uint64_t offset, const char *reason)
{
    struct rsp_read_finding f = {.size = sizeof f, .offset = offset, .records = -1, .reason = reason};
    return reader_tell(r, &f);
}

int reader_cancelled(struct reader *r)
{
    return r->o.cancel && *r->o.cancel ? fail(&r->env, RSP_ECANCELED, NULL, "cancelled") : RSP_OK;
}

/* ---- the stream as a whole ---- */

struct pass {
    struct reader *r;
    struct rsp_source *inner;
    uint64_t bytes;
    int status; /* inner's fault */
};

/* A fault of the repository is EIO to the check, which would take some statuses for the dump's own. */
static int read_pass(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct pass *p = opaque;
    struct reader *r = p->r;
    int rc = rsp_source_read(p->inner, out, cap, got);
    if (rc < 0) {
        p->status = rc;
        return RSP_EIO;
    }
    if (rc) return rc;
    if (r->header_n < HEADER_BYTES) {
        size_t n = HEADER_BYTES - r->header_n < *got ? HEADER_BYTES - r->header_n : *got;
        memcpy(r->header + r->header_n, out, n);
        r->header_n += n;
    }
    p->bytes += *got;
    if (r->o.progress) r->o.progress(r->o.opaque, r->done + p->bytes);
    return RSP_OK;
}

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    return reader_tell_parser(opaque, f->offset, f->reason);
}

/* What the manifest says of a stream that was parsed to its end. */
static int compare(struct reader *r, struct rsp_dd1_table *dd1, uint64_t keys)
{
    char words[160], ours[RSP_DD1_TEXT];
    uint8_t sum[16];
    int rc = RSP_OK;
    if (r->stream->records && keys != r->stream->records) {
        snprintf(words, sizeof words, "%" PRIu64 " keys, the manifest says %" PRIu64, keys, r->stream->records);
        rc = reader_tell_parser(r, 0, words);
    }
    if (rc || !dd1 || rsp_dd1_table_broken(dd1, NULL)) return rc;
    dd1_bytes(&rsp_dd1_table_total(dd1)->with_expiry, sum);
    if (!memcmp(sum, r->stream->dd1, sizeof sum)) {
        r->dd1_checked = 1;
        return RSP_OK;
    }
    rsp_dd1_text(&rsp_dd1_table_total(dd1)->with_expiry, ours);
    snprintf(words, sizeof words, "the digest of the dataset is %s, not the manifest's", ours);
    return reader_tell_parser(r, 0, words);
}

static int parse(struct reader *r, struct rsp_source *source)
{
    struct rsp_check_options co = {.size = sizeof co, .found = on_finding, .opaque = r};
    struct rsp_check_report report = {.size = sizeof report};
    struct rsp_dd1_table *dd1 = NULL;
    int rc = r->stream->has_dd1 ? rsp_dd1_table_new(&r->env, &dd1) : RSP_OK;
    co.digest = dd1 != NULL;
    co.dd1 = dd1;
    co.dups_bytes = DUPS_BYTES;
    co.run.size = sizeof co.run;
    co.run.threads = r->o.threads;
    co.run.cancel = r->o.cancel;
    if (!rc) rc = rsp_check_file(&r->env, source, &co, &report);
    r->report.keys += report.run.feed.keys;
    if (!rc && report.not_rdb) rc = reader_tell_parser(r, 0, "not an RDB file");
    else if (!rc && report.run.feed.complete) rc = compare(r, dd1, report.run.feed.keys);
    if (!rc) r->parsed = 1;
    rsp_dd1_table_free(dd1);
    return rc;
}

static int drain(struct reader *r, struct rsp_source *source)
{
    uint8_t *buf = mem_alloc(&r->env, PIECE);
    int rc = buf ? RSP_OK : RSP_ENOMEM;
    while (!rc) {
        size_t got;
        rc = reader_cancelled(r);
        if (!rc) rc = rsp_source_read(source, buf, PIECE, &got);
        if (rc == RSP_AGAIN) rc = RSP_OK;
    }
    mem_free(&r->env, buf, PIECE);
    return rc == RSP_END ? RSP_OK : rc;
}

/* RSP_OK when all of it could be read; the repository's fault is in p->status. */
static int read_whole(struct reader *r, struct pass *p)
{
    static const struct rsp_source_ops ops = {sizeof ops, read_pass, NULL};
    struct rsp_source *source = NULL;
    int rc = rsp_snapshot_source(r->s, r->at, 0, r->o.threads, &p->inner);
    if (rc) {
        p->status = rc;
        return rc;
    }
    rc = rsp_source_custom(&r->env, &ops, p, "the snapshot", &source);
    if (!rc && !r->o.damaged && r->stream->kind == RSP_STREAM_RDB) rc = parse(r, source);
    if (!rc && !p->status) rc = drain(r, source);
    rsp_source_free(source);
    rsp_source_free(p->inner);
    return rc;
}

static int count_good(struct reader *r, uint64_t bytes)
{
    struct rsp_chunk_info info;
    int rc;
    r->report.bytes += bytes;
    for (uint64_t i = 0; (rc = rsp_snapshot_chunk_info(r->s, r->at, i, &info)) == RSP_OK; i++) r->report.chunks++;
    if (rc != RSP_END) return rc;
    if (bytes == r->stream->plain) return RSP_OK;
    return reader_tell_parser(r, bytes, "the stream has not the size that the manifest says");
}

static int read_stream(struct reader *r)
{
    struct pass p = {.r = r};
    struct rsp_error first = {0};
    struct rsp_read_finding f = {.size = sizeof f, .records = -1};
    uint64_t before;
    int rc;
    if (r->o.percent && r->o.percent < 100) return walk_some(r, r->o.percent);
    r->header_n = 0;
    r->done = r->report.bytes;
    rc = read_whole(r, &p);
    if (!p.status) return rc ? rc : count_good(r, p.bytes);
    if (!reader_is_damage(p.status)) return p.status;
    if (r->env.error) first = *r->env.error;
    rsp_error_clear(r->env.error);
    r->parsed = 0;
    r->report.bytes += p.bytes;
    before = r->report.findings;
    rc = read_after(r, p.bytes);
    if (rc || r->report.findings != before) return rc;
    /* Each chunk opens by itself: the object as a whole is not what was signed, or the store answers now so, now so. */
    f.object = first.subject[0] ? first.subject : NULL;
    f.reason = first.message[0] ? first.message : rsp_status_text(p.status);
    return reader_tell(r, &f);
}

int rsp_read_data(const struct rsp_env *env, struct rsp_snapshot *snapshot, const struct rsp_read_options *options,
                  struct rsp_read_report *report)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(snapshot);
    struct reader r;
    int rc = RSP_OK;
    memset(&r, 0, sizeof r);
    env_init(&r.env, env);
    if (options) memcpy(&r.o, options, options->size < sizeof r.o ? options->size : sizeof r.o);
    r.report.size = report->size;
    r.s = snapshot;
    if (r.o.percent > 100) return fail(&r.env, RSP_EINVAL, NULL, "more than 100 percent cannot be read");
    for (r.at = 0; !rc && r.at < m->streams_n; r.at++) {
        r.stream = &m->streams[r.at];
        r.parsed = r.dd1_checked = 0;
        rc = read_stream(&r);
        if (r.stream->kind != RSP_STREAM_RDB) continue;
        r.report.streams++;
        r.report.streams_parsed += (uint64_t)r.parsed;
        r.report.streams_dd1 += (uint64_t)r.dd1_checked;
    }
    r.report.parsed = r.report.streams && r.report.streams_parsed == r.report.streams;
    r.report.dd1_checked = r.report.streams && r.report.streams_dd1 == r.report.streams;
    memcpy(report, &r.report, report->size < sizeof r.report ? report->size : sizeof r.report);
    return rc;
}
