/* What this is: reading on behind damage: the chunks, and the records from the next one that a chunk's note tells.
 * Rests on: read_impl.h, respite/sys/check.h.
 * Does not: find a record's begin by itself.
 *
 * What lies between two damages is given to the check as a dump of its own: the header of the real one, the database that
 * the note names, then the bytes from the record on. Its checksum and the end that is missing mean nothing. */
#include <string.h>

#include <respite/sys/check.h>

#include "job/read_impl.h"

#define PREFIX_MOST (HEADER_BYTES + 6)
#define TEMPLATES_FROM 15 /* a version whose records rest on templates that may have been lost */

struct segment {
    struct walk *w;
    uint8_t prefix[PREFIX_MOST];
    size_t prefix_n, given; /* bytes of the prefix given */
    size_t at;              /* in the walk's chunk */
    uint64_t start;         /* in the stream */
    int ended;              /* RSP_END, WALK_GAP or a fault of the walk */
};

static int parsable(const struct reader *r)
{
    unsigned version = 0;
    if (r->o.damaged || r->stream->kind != RSP_STREAM_RDB || r->header_n < HEADER_BYTES) return 0;
    if (!memcmp(r->header, "VALKEY", 6)) return 1;
    for (size_t i = 5; i < HEADER_BYTES; i++) {
        if (r->header[i] < '0' || r->header[i] > '9') return 0;
        version = version * 10 + (unsigned)(r->header[i] - '0');
    }
    return version < TEMPLATES_FROM;
}

static int read_segment(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct segment *g = opaque;
    const uint8_t *p = g->prefix + g->given;
    size_t n = g->prefix_n - g->given;
    if (n) {
        n = n < cap ? n : cap;
        g->given += n;
    } else {
        while (!g->ended && g->at == g->w->chunk.n) {
            g->at = 0;
            g->ended = walk_step(g->w);
        }
        if (g->ended) return g->ended < 0 ? RSP_EIO : RSP_END;
        p = g->w->chunk.p + g->at;
        n = g->w->chunk.n - g->at < cap ? g->w->chunk.n - g->at : cap;
        g->at += n;
    }
    memcpy(out, p, n);
    *got = n;
    return RSP_OK;
}

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct segment *g = opaque;
    uint64_t offset = f->offset < g->prefix_n ? g->start : g->start + (f->offset - g->prefix_n);
    if (!strcmp(f->kind, "checksum") || !strcmp(f->kind, "template")) return RSP_OK;
    if (!strcmp(f->kind, "truncated") && g->ended == WALK_GAP) return RSP_OK;
    return reader_tell_parser(g->w->r, offset, f->reason);
}

static void make_prefix(struct segment *g)
{
    const struct reader *r = g->w->r;
    uint32_t db = g->w->note.db;
    uint8_t *p = g->prefix;
    memcpy(p, r->header, HEADER_BYTES);
    p += HEADER_BYTES;
    *p++ = 0xfe;
    if (db < 64) {
        *p++ = (uint8_t)db;
    } else {
        *p++ = 0x80;
        for (int shift = 24; shift >= 0; shift -= 8) *p++ = (uint8_t)(db >> shift);
    }
    g->prefix_n = (size_t)(p - g->prefix);
}

/* From the first record of the walk's chunk to the next damage or the end. */
static int parse_segment(struct walk *w, int *ended)
{
    static const struct rsp_source_ops ops = {sizeof ops, read_segment, NULL};
    struct segment g = {.w = w};
    struct rsp_check_options co = {.size = sizeof co, .no_duplicates = 1, .found = on_finding, .opaque = &g};
    struct rsp_check_report report = {.size = sizeof report};
    struct rsp_source *source = NULL;
    int rc;
    g.at = w->note.offset;
    g.start = w->info.offset + w->note.offset;
    make_prefix(&g);
    co.run.size = sizeof co.run;
    co.run.threads = 1; /* findings of chunks and of the parser are told by one thread */
    co.run.cancel = w->r->o.cancel;
    rc = rsp_source_custom(&w->r->env, &ops, &g, "the snapshot", &source);
    if (!rc) rc = rsp_check_file(&w->r->env, source, &co, &report);
    rsp_source_free(source);
    if (!rc) w->r->report.keys += report.run.feed.keys;
    *ended = g.ended;
    return g.ended < 0 ? g.ended : rc;
}

int read_after(struct reader *r, uint64_t proven)
{
    struct walk w;
    int rc, gap = 0, parse = parsable(r);
    walk_init(&w, r, proven);
    do {
        rc = walk_step(&w);
        if (rc == WALK_GAP) gap = 1;
        if (rc == RSP_OK && gap && parse && w.has_note && w.note.records) {
            int ended = RSP_OK;
            rc = parse_segment(&w, &ended);
            gap = ended == WALK_GAP;
            if (!rc && ended == RSP_END) rc = RSP_END;
        }
    } while (rc == RSP_OK || rc == WALK_GAP);
    walk_free(&w);
    return rc == RSP_END ? RSP_OK : rc;
}
