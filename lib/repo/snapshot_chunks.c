/* What this is: a stream chunk by chunk, for a reader that goes on behind damage.
 * Rests on: snapshot_impl.h.
 * Does not: read ahead; snapshot_source.c does. */
#include "repo/snapshot_impl.h"

/* ---- the tables ---- */

/* Notes outlive the table, which makes room for others. */
static int keep_notes(struct rsp_snapshot *s, struct counted_object *o, const struct object_reader *r)
{
    uint8_t stride = 0;
    for (uint32_t i = 0; i < r->chunks_n; i++)
        if (r->chunks[i].note_n > stride) stride = r->chunks[i].note_n;
    if (o->notes || !stride) return RSP_OK;
    o->notes_n = (size_t)r->chunks_n * stride;
    o->notes = mem_zero(&s->env, o->notes_n);
    if (!o->notes) return RSP_ENOMEM;
    o->stride = stride;
    for (uint32_t i = 0; i < r->chunks_n; i++)
        memcpy(o->notes + (size_t)i * stride, r->chunks[i].note, r->chunks[i].note_n);
    return RSP_OK;
}

/* The open table of an object; it lives until two others have been asked for. */
static int table(struct rsp_snapshot *s, size_t stream, size_t object, struct open_table **ret)
{
    struct object_run run;
    struct open_table *t = &s->tables[0];
    int rc;
    for (int i = 0; i < 2; i++) {
        struct open_table *k = &s->tables[i];
        if (k->used && k->stream == stream && k->object == object) {
            k->used = ++s->clock;
            *ret = k;
            return RSP_OK;
        }
        if (k->used < t->used) t = k;
    }
    object_reader_close(&t->r);
    memset(t, 0, sizeof *t);
    snapshot_run(s, stream, &run);
    rc = run_object_open(&s->env, &run, object, 0, &t->r);
    if (!rc) rc = keep_notes(s, &s->maps[stream].objects[object], &t->r);
    if (rc) {
        object_reader_close(&t->r);
        memset(t, 0, sizeof *t);
        return rc;
    }
    t->stream = stream;
    t->object = object;
    t->used = ++s->clock;
    *ret = t;
    return RSP_OK;
}

static int need_map(struct rsp_snapshot *s, size_t stream)
{
    size_t streams = s->manifest->pub.streams_n;
    struct chunk_map *m;
    if (stream >= streams)
        return fail(&s->env, RSP_EINVAL, NULL, "the snapshot has %zu streams, and none of number %zu", streams, stream);
    if (!s->maps && !(s->maps = mem_zero(&s->env, streams * sizeof *s->maps))) return RSP_ENOMEM;
    m = &s->maps[stream];
    if (m->objects) return RSP_OK;
    manifest_refs(s->manifest, stream, &m->n);
    m->objects = mem_zero(&s->env, (m->n + 1) * sizeof *m->objects);
    return m->objects ? RSP_OK : RSP_ENOMEM;
}

/* Opens the first object whose chunks have not been counted. */
static int count_next(struct rsp_snapshot *s, size_t stream)
{
    struct chunk_map *m = &s->maps[stream];
    struct counted_object *o = &m->objects[m->known];
    struct open_table *t = NULL;
    int rc = table(s, stream, m->known, &t);
    if (rc == RSP_ENOMEM) return rc;
    o->bad = rc != RSP_OK;
    o[1].first = o->first + (rc ? 1 : t->r.chunks_n);
    m->known++;
    return RSP_OK;
}

/* The object that holds chunk i, and the chunk's number in it. RSP_END behind the last. */
static int locate(struct rsp_snapshot *s, size_t stream, uint64_t i, size_t *object, uint32_t *chunk)
{
    const struct chunk_map *m;
    size_t low = 0, high;
    int rc = need_map(s, stream);
    if (rc) return rc;
    m = &s->maps[stream];
    while (m->known < m->n && i >= m->objects[m->known].first)
        if ((rc = count_next(s, stream))) return rc;
    if (i >= m->objects[m->known].first) return RSP_END;
    high = m->known;
    while (high - low > 1) { /* first of low <= i < first of high */
        size_t middle = low + (high - low) / 2;
        if (m->objects[middle].first <= i) low = middle;
        else high = middle;
    }
    *object = low;
    *chunk = (uint32_t)(i - m->objects[low].first);
    return RSP_OK;
}

/* As table, but an object that did not open when it was counted never does. */
static int good_table(struct rsp_snapshot *s, size_t stream, size_t object, struct open_table **ret)
{
    int rc;
    rsp_error_clear(s->env.error);
    rc = table(s, stream, object, ret);
    if (rc || !s->maps[stream].objects[object].bad) return rc;
    return fail(&s->env, RSP_EINTEGRITY, (*ret)->r.subject,
                "this object's table did not open before and does now; open the snapshot anew");
}

/* ---- chunks ---- */

int rsp_snapshot_chunk_info(struct rsp_snapshot *s, size_t stream, uint64_t i, struct rsp_chunk_info *info)
{
    const struct counted_object *o;
    const struct object_chunk *k;
    const struct full_ref *ref;
    struct open_table *t = NULL;
    char name[NAME_MAX_BYTES];
    size_t object = 0, n;
    uint32_t chunk = 0;
    int rc;
    memset(info, 0, sizeof *info);
    rsp_error_clear(s->env.error);
    if ((rc = locate(s, stream, i, &object, &chunk))) return rc;
    ref = manifest_refs(s->manifest, stream, &n) + object;
    name_object(name, ref->kind, ref->epoch, ref->object);
    memcpy(info->object, name, strnlen(name, sizeof info->object - 1));
    info->offset = ref->offset;
    info->plain = ref->plain;
    if ((rc = good_table(s, stream, object, &t))) return rc;
    k = &t->r.chunks[chunk];
    o = &s->maps[stream].objects[object];
    info->number = chunk;
    info->offset += k->plain_offset;
    info->plain = k->plain;
    if (k->note_n) info->note = (struct rsp_span){o->notes + (size_t)chunk * o->stride, k->note_n};
    return RSP_OK;
}

int rsp_snapshot_chunk_read(struct rsp_snapshot *s, size_t stream, uint64_t i, uint8_t *p)
{
    const struct object_chunk *k;
    struct open_table *t = NULL;
    size_t object = 0;
    uint32_t chunk = 0;
    int rc;
    rsp_error_clear(s->env.error);
    if ((rc = locate(s, stream, i, &object, &chunk))) return rc;
    if ((rc = good_table(s, stream, object, &t))) return rc;
    if (!s->scratch && (rc = object_scratch_new(&s->env, &s->scratch))) return rc;
    k = &t->r.chunks[chunk];
    s->stored.n = 0;
    if ((rc = buf_reserve(&s->stored, k->stored))) return rc;
    rc = object_part_read(&s->env, s->repo->store, t->r.subject, k->stored_offset, s->stored.p, k->stored);
    if (rc) return rc;
    return object_chunk_open(&s->env, &t->r, chunk, s->stored.p, s->scratch, p);
}

void snapshot_chunks_free(struct rsp_snapshot *s)
{
    size_t streams = s->manifest ? s->manifest->pub.streams_n : 0;
    for (size_t i = 0; s->maps && i < streams; i++) {
        struct chunk_map *m = &s->maps[i];
        if (!m->objects) continue;
        for (size_t k = 0; k < m->n; k++) mem_free(&s->env, m->objects[k].notes, m->objects[k].notes_n);
        mem_free(&s->env, m->objects, (m->n + 1) * sizeof *m->objects);
    }
    mem_free(&s->env, s->maps, streams * sizeof *s->maps);
    for (int i = 0; i < 2; i++) object_reader_close(&s->tables[i].r);
    object_scratch_free(s->scratch);
}
