/* What this is: a dump's bytes into the chunks of a snapshot while its check reads them.
 * Rests on: tee.h, base/mem.h.
 * Does not: wait for the scan (see tee.h). */
#include "job/tee.h"

#include <string.h>

#include "base/mem.h"

int tee_init(struct tee *t, const struct rsp_env *env, struct rsp_source *inner, struct rsp_stream_writer *s,
             unsigned hold)
{
    memset(t, 0, sizeof *t);
    env_init(&t->env, env);
    t->inner = inner;
    t->s = s;
    t->hold = hold;
    pthread_mutex_init(&t->lock, NULL);
    t->chunks = mem_zero(&t->env, hold * sizeof *t->chunks);
    if (!t->chunks) return RSP_ENOMEM;
    for (unsigned i = 0; i < hold; i++) {
        t->chunks[i].next = t->free;
        t->free = &t->chunks[i];
    }
    return RSP_OK;
}

/* ---- the chunks kept back; the lock is held ---- */

static int noted(const struct tee_chunk *k)
{
    return k->note.records > 0;
}

/* The note of a chunk in which nothing begins: what begins next. */
static void note_nothing(const struct tee *t, struct tee_chunk *k)
{
    const struct tee_chunk *next = k->next;
    while (next && !noted(next)) next = next->next;
    k->note.offset = (uint32_t)k->n;
    k->note.db = next ? next->note.db : t->db;
    k->note.number = next ? next->note.number : t->records;
}

/* Gives the oldest chunk to the writer. known: the scan has passed it. */
static int submit_oldest(struct tee *t, int known)
{
    struct tee_chunk *k = t->oldest;
    uint8_t note[NOTE_BYTES];
    size_t n = t->discard ? 0 : k->n;
    int rc;
    if (!noted(k)) note_nothing(t, k);
    note_store(note, &k->note);
    rc = rsp_stream_submit(t->s, k->p, n, known && n ? note : NULL, known && n ? NOTE_BYTES : 0);
    t->oldest = k->next;
    if (!t->oldest) t->newest = NULL;
    if (t->at == k) t->at = NULL;
    t->held--;
    k->next = t->free;
    t->free = k;
    if (rc && !t->status) t->status = rc;
    return rc;
}

static void record_begins(struct tee *t, uint64_t offset, uint32_t db)
{
    struct tee_chunk *k = t->at ? t->at : t->oldest;
    while (k && offset - k->start >= k->cap && offset >= k->start) k = k->next;
    if (k && offset >= k->start) { /* else it was given away before the scan came to it */
        if (!k->note.records++) {
            k->note.offset = (uint32_t)(offset - k->start);
            k->note.db = db;
            k->note.number = t->records;
        }
        t->at = k;
    }
    t->records++;
    t->db = db;
}

int tee_scanned(struct tee *t, const struct rsp_rdb_batch *b)
{
    uint64_t passed;
    int rc = RSP_OK;
    if (!b->count) return RSP_OK;
    passed = b->offset + b->items[b->count - 1].end;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < b->count; i++) {
        const struct rsp_rdb_item *item = &b->items[i];
        if (item->kind == RSP_RDB_KEY && (item->flags & RSP_ITEM_FIRST))
            record_begins(t, b->offset + item->start, item->db);
    }
    /* A chunk that the scan has passed is full: the reader gave its last byte to the scan. */
    while (!rc && t->oldest && passed >= t->oldest->start && passed - t->oldest->start >= t->oldest->cap)
        rc = submit_oldest(t, 1);
    pthread_mutex_unlock(&t->lock);
    return rc;
}

void tee_discard(struct tee *t)
{
    pthread_mutex_lock(&t->lock);
    t->discard = 1;
    pthread_mutex_unlock(&t->lock);
}

/* ---- the reader ---- */

/* A fresh buffer to fill. */
static int begin_chunk(struct tee *t)
{
    struct tee_chunk *k;
    uint8_t *p = NULL;
    size_t cap = 0;
    int rc = RSP_OK;
    pthread_mutex_lock(&t->lock);
    while (!rc && t->held >= t->hold) rc = submit_oldest(t, 0);
    pthread_mutex_unlock(&t->lock);
    if (!rc) rc = rsp_stream_chunk(t->s, &p, &cap);
    pthread_mutex_lock(&t->lock);
    if (rc) {
        if (!t->status) t->status = rc;
    } else {
        k = t->free;
        t->free = k->next;
        memset(k, 0, sizeof *k);
        k->p = p;
        k->cap = cap;
        k->start = t->bytes;
        if (t->newest) t->newest->next = k;
        else t->oldest = k;
        t->newest = t->filling = k;
        t->held++;
    }
    pthread_mutex_unlock(&t->lock);
    return rc;
}

static int discarding(struct tee *t)
{
    int yes;
    pthread_mutex_lock(&t->lock);
    yes = t->discard;
    pthread_mutex_unlock(&t->lock);
    return yes;
}

/* Draws from inner into out. With out NULL into the chunk alone. */
static int draw(struct tee *t, uint8_t *out, size_t cap, size_t *got)
{
    int rc;
    *got = 0;
    if (!t->filling && !(out && discarding(t))) {
        rc = begin_chunk(t);
        if (rc) return rc;
    }
    if (t->filling) {
        struct tee_chunk *k = t->filling;
        size_t room = k->cap - k->n;
        rc = rsp_source_read(t->inner, k->p + k->n, room < cap ? room : cap, got);
        if (out && *got) memcpy(out, k->p + k->n, *got);
        k->n += *got;
        if (k->n == k->cap) t->filling = NULL;
    } else {
        rc = rsp_source_read(t->inner, out, cap, got);
    }
    t->bytes += *got;
    if (rc && rc != RSP_AGAIN) t->ended = 1;
    if (rc < 0) t->source_status = rc;
    if (t->progress) t->progress(t->opaque, rsp_source_taken(t->inner));
    return rc;
}

static int tee_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct tee *t = opaque;
    return t->ended ? RSP_END : draw(t, out, cap, got);
}

int tee_source(struct tee *t, struct rsp_source **ret)
{
    static const struct rsp_source_ops ops = {sizeof ops, tee_read, NULL};
    return rsp_source_custom(&t->env, &ops, t, rsp_source_name(t->inner), ret);
}

/* ---- afterwards, on one thread ---- */

int tee_rest(struct tee *t, volatile const int *cancel)
{
    int rc = RSP_OK;
    while (!rc && !t->ended) {
        size_t got;
        if (cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED)) return fail(&t->env, RSP_ECANCELED, NULL, "cancelled");
        rc = draw(t, NULL, SIZE_MAX, &got);
        if (rc == RSP_AGAIN) rc = RSP_OK;
    }
    return rc == RSP_END ? RSP_OK : rc;
}

int tee_finish(struct tee *t, int complete)
{
    int rc = RSP_OK;
    pthread_mutex_lock(&t->lock);
    while (t->oldest) {
        int rc2 = submit_oldest(t, complete);
        if (!rc) rc = rc2;
    }
    t->filling = NULL;
    pthread_mutex_unlock(&t->lock);
    return t->status ? t->status : rc;
}

void tee_free(struct tee *t)
{
    if (!t->chunks) return;
    mem_free(&t->env, t->chunks, t->hold * sizeof *t->chunks);
    pthread_mutex_destroy(&t->lock);
}
