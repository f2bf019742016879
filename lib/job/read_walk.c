/* What this is: the chunks of a stream one by one, whatever is wrong with them.
 * Rests on: read_impl.h.
 * Does not: parse. */
#include "job/read_impl.h"

#define CHUNK_MOST (16u << 20) /* respite-format(5) */

void walk_init(struct walk *w, struct reader *r, uint64_t proven)
{
    memset(w, 0, sizeof *w);
    w->r = r;
    w->proven = proven;
    buf_init(&w->chunk, &r->env);
}

void walk_free(struct walk *w)
{
    buf_free(&w->chunk);
}

/* The words that the repository left, or the status's. */
static int tell_damage(struct walk *w, int status)
{
    const struct rsp_error *e = w->r->env.error;
    struct rsp_read_finding f = {.size = sizeof f, .records = -1};
    f.object = w->info.object;
    f.chunk = w->info.number;
    f.offset = w->info.offset;
    f.bytes = w->info.plain;
    if (w->has_note) f.records = (int64_t)w->note.records;
    f.reason = e && e->code && e->message[0] ? e->message : rsp_status_text(status);
    status = reader_tell(w->r, &f);
    rsp_error_clear(w->r->env.error);
    return status ? status : WALK_GAP;
}

static int read_chunk(struct walk *w)
{
    struct rsp_read_report *report = &w->r->report;
    int rc;
    if (w->info.plain > CHUNK_MOST)
        return fail(&w->r->env, RSP_ELIMIT, w->info.object, "a chunk is larger than the format allows");
    w->chunk.n = 0;
    rc = buf_reserve(&w->chunk, (size_t)w->info.plain + 1);
    if (!rc) rc = rsp_snapshot_chunk_read(w->r->s, w->r->at, w->i - 1, w->chunk.p);
    if (rc) return reader_is_damage(rc) ? tell_damage(w, rc) : rc;
    w->chunk.n = (size_t)w->info.plain;
    report->bytes += w->info.plain;
    if (w->r->o.progress) w->r->o.progress(w->r->o.opaque, report->bytes);
    return RSP_OK;
}

int walk_step(struct walk *w)
{
    int rc = reader_cancelled(w->r);
    if (rc) return rc;
    w->chunk.n = 0;
    w->has_note = 0;
    rc = rsp_snapshot_chunk_info(w->r->s, w->r->at, w->i, &w->info);
    if (rc == RSP_END) return rc;
    w->i++;
    w->r->report.chunks++;
    if (rc) return reader_is_damage(rc) ? tell_damage(w, rc) : rc;
    w->has_note = note_load(&w->note, w->info.note, w->info.plain);
    if (w->info.offset + w->info.plain <= w->proven) return RSP_OK;
    return read_chunk(w);
}

static int random_u64(struct reader *r, uint64_t *v)
{
    int rc = r->env.random(r->env.random_opaque, v, sizeof *v);
    return rc ? fail(&r->env, RSP_EIO, NULL, "no random numbers") : RSP_OK;
}

static int count_chunks(struct reader *r, uint64_t *n)
{
    for (*n = 0;; ++*n) {
        struct rsp_chunk_info info;
        int rc = rsp_snapshot_chunk_info(r->s, r->at, *n, &info);
        if (rc == RSP_END) break;
        if (rc && !reader_is_damage(rc)) return rc;
    }
    rsp_error_clear(r->env.error); /* an object that does not open is told by the walk */
    return RSP_OK;
}

/* Each chunk is taken with the chance that as many as are still wanted lie among those that are left. */
int walk_some(struct reader *r, unsigned percent)
{
    struct walk w;
    uint64_t left = 0, want, v = 0;
    int rc = count_chunks(r, &left);
    walk_init(&w, r, 0);
    want = left / 100 * percent + (left % 100 * percent + 99) / 100;
    for (; !rc && left; left--) {
        rc = random_u64(r, &v);
        if (rc) break;
        w.proven = v % left < want ? 0 : UINT64_MAX;
        if (!w.proven) want--;
        rc = walk_step(&w);
        if (rc == WALK_GAP) rc = RSP_OK;
        if (!rc && w.proven) r->report.chunks--; /* looked up only */
    }
    walk_free(&w);
    return rc == RSP_END ? RSP_OK : rc;
}
