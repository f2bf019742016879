/* What this is: a drill: the snapshot decoded as a whole and held against its manifest; then the private server's turn.
 * Rests on: drill.h, dump.h, respite/sys/check.h.
 * Does not: start servers (drill_serve.c) nor know of other streams (drill_all.c). */
#include "job/drill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "job/dump.h"

int64_t drill_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int drill_failed(struct drill *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(d->r->what, sizeof d->r->what, format, ap);
    va_end(ap);
    d->r->proof = RSP_PROOF_FAILED;
    return RSP_OK;
}

int drill_read_fault(struct drill *d, int rc)
{
    char words[512];
    if (rc != RSP_EINTEGRITY && rc != RSP_ENOTFOUND && rc != RSP_ETRUNCATED && rc != RSP_ECHECKSUM && rc != RSP_EFORMAT)
        return rc;
    rsp_error_format(d->env.error, words, sizeof words);
    if (!d->env.error->code) snprintf(words, sizeof words, "%s", rsp_status_text(rc));
    rsp_error_clear(d->env.error);
    return drill_failed(d, "%.240s", words);
}

void drill_progress(void *opaque, uint64_t bytes)
{
    struct drill *d = opaque;
    if (bytes > d->bytes) d->bytes = bytes;
    if (d->o.progress) d->o.progress(d->o.opaque, d->before + d->base + bytes);
}

/* ---- by our own decoding ---- */

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct drill *d = opaque;
    if (!d->findings++) (void)drill_failed(d, "offset %" PRIu64 ": %.200s", f->offset, f->reason);
    return RSP_OK;
}

static int on_scanned(void *opaque, const struct rsp_rdb_batch *b)
{
    struct drill *d = opaque;
    for (size_t k = 0; k < b->count; k++) {
        const struct rsp_rdb_item *i = &b->items[k];
        if (i->db > d->db_most) d->db_most = i->db;
        if (i->kind == RSP_RDB_MODULE_AUX) d->modules++;
        if (i->kind != RSP_RDB_KEY || !(i->flags & RSP_ITEM_FIRST)) continue;
        d->modules += rsp_rdb_value_type(b->dialect, i->type) == RSP_RDB_MODULE || (i->flags & RSP_ITEM_META);
    }
    return RSP_OK;
}

static int compare(struct drill *d, struct rsp_dd1_table *table, const struct rsp_check_report *c)
{
    const struct rsp_dd1_row *total = rsp_dd1_table_total(table);
    int rc;
    d->r->keys = total->keys;
    dd1_bytes(&total->with_expiry, d->r->dd1);
    if (d->findings) return RSP_OK;
    if (c->not_rdb || !c->run.feed.complete) return drill_failed(d, "what the snapshot holds is not a whole RDB file");
    if (d->stream && d->stream->records && d->stream->records != total->keys)
        return drill_failed(d, "%" PRIu64 " keys, the manifest says %" PRIu64, total->keys, d->stream->records);
    rc = drill_dbs_add(d, table);
    if (rc || (!d->several && !drill_dbs_same(d))) return rc;
    if (d->stream && d->stream->has_dd1 && memcmp(d->stream->dd1, d->r->dd1, sizeof d->r->dd1))
        return drill_failed(d, "the dataset's digest is not the one in the manifest");
    d->r->proof = RSP_PROOF_DECODED;
    return RSP_OK;
}

static int decode(struct drill *d)
{
    struct rsp_check_options co = {.size = sizeof co, .digest = 1, .found = on_finding, .opaque = d};
    struct rsp_check_report c = {.size = sizeof c};
    struct rsp_source *source = NULL;
    int64_t begun = drill_clock_ms();
    int rc = rsp_dd1_table_new(&d->env, &co.dd1);
    if (rc) return rc;
    c.run.size = sizeof c.run;
    c.run.feed.size = sizeof c.run.feed;
    co.dups_bytes = DUPS_BYTES;
    co.tmpdir = d->o.tmpdir;
    co.run.size = sizeof co.run;
    co.run.threads = d->o.threads;
    co.run.cancel = d->o.cancel;
    co.run.progress = drill_progress;
    co.run.progress_opaque = d;
    co.run.scanned = on_scanned;
    co.run.scanned_opaque = d;
    rc = d->open(d->ctx, d->at, &source);
    if (!rc) rc = rsp_check_file(&d->env, source, &co, &c);
    rsp_source_free(source);
    if (rc) rc = drill_read_fault(d, rc);
    else rc = compare(d, co.dd1, &c);
    rsp_dd1_table_free(co.dd1);
    d->dialect = c.run.feed.dialect;
    d->version = c.run.feed.version;
    if (c.run.feed.offset > d->bytes) d->bytes = c.run.feed.offset;
    d->base = d->bytes;
    d->r->decode_ms = (uint64_t)(drill_clock_ms() - begun);
    return rc;
}

/* ---- the whole ---- */

int drill_stream(struct drill *d)
{
    int rc = decode(d);
    return rc || d->r->proof != RSP_PROOF_DECODED ? rc : drill_serve(d);
}

/* Neither digests nor names: a receipt is read by whoever sees the store. */
void rsp_drill_text(const struct rsp_drill_report *r, char *out, size_t size)
{
    size_t n;
    snprintf(out, size, "proof=%s keys=%" PRIu64 " decode_ms=%" PRIu64,
             r->proof == RSP_PROOF_SERVER    ? "server"
             : r->proof == RSP_PROOF_DECODED ? "decoded"
                                             : "failed",
             r->keys, r->decode_ms);
    n = strlen(out);
    if (r->streams > 1) snprintf(out + n, size - n, " streams=%" PRIu64, r->streams);
    if (r->proof != RSP_PROOF_SERVER) return;
    n = strlen(out);
    snprintf(out + n, size - n, " engine=%s-%s server_keys=%" PRIu64 " expired=%" PRIu64 " dd1=equal load_ms=%" PRIu64,
             r->engine.kind, r->engine.version, r->server_keys, r->expired, r->load_ms);
}
