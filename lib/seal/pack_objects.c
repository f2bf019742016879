/* What this is: the objects of a pack file read one after the other, and their order proven.
 * Rests on: pack_read_impl.h.
 * Does not: open chunks. */
#include <stdio.h>

#include "base/bytes.h"
#include "seal/pack_read_impl.h"

#define STEP ((size_t)1 << 20) /* room made before bytes arrive; a length alone is believed no further */

int unpack_refuse(struct unpack *u, const char *what)
{
    return fail_at(&u->env, RSP_EINTEGRITY, u->name, u->at, "%s", what);
}

static int refuse_object(struct unpack *u, const char *what)
{
    return fail_at(&u->env, RSP_EINTEGRITY, u->name, u->object_at, "object %lu %s", (unsigned long)u->number, what);
}

void packed_idle(struct unpack *u, struct packed *o)
{
    object_reader_close(&o->r);
    o->bytes.n = 0;
    pthread_mutex_lock(&u->lock);
    o->next = u->idle;
    u->idle = o;
    pthread_mutex_unlock(&u->lock);
}

void packed_free(struct unpack *u, struct packed *o)
{
    if (!o) return;
    object_reader_close(&o->r);
    buf_free(&o->bytes);
    mem_free(&u->env, o, sizeof *o);
}

static struct packed *packed_new(struct unpack *u)
{
    struct packed *o;
    pthread_mutex_lock(&u->lock);
    o = u->idle;
    if (o) u->idle = o->next;
    pthread_mutex_unlock(&u->lock);
    if (o) return o;
    o = mem_zero(&u->env, sizeof *o);
    if (o) buf_init(&o->bytes, &u->env);
    return o;
}

/* The length before an object. */
static int take_length(struct unpack *u)
{
    if (!u->length_n) u->object_at = u->at;
    while (u->length_n < sizeof u->length) {
        size_t got = 0;
        int rc = rsp_source_read(u->inner, u->length + u->length_n, sizeof u->length - u->length_n, &got);
        if (rc == RSP_END) return refuse_object(u, "is missing: the pack file ends before its last object, it was cut");
        if (rc) return rc;
        u->length_n += got;
        u->at += got;
    }
    if (load_le64(u->length) > PACK_OBJECT_STORED_MAX) return refuse_object(u, "has an impossible length");
    u->reading = packed_new(u);
    return u->reading ? RSP_OK : RSP_ENOMEM;
}

static int take_bytes(struct unpack *u)
{
    struct buf *b = &u->reading->bytes;
    size_t n = (size_t)load_le64(u->length);
    while (b->n < n) {
        size_t got = 0, room = n - b->n < STEP ? n - b->n : STEP;
        int rc = b->cap - b->n < room ? buf_reserve(b, room) : RSP_OK;
        if (rc) return rc;
        room = b->cap - b->n < n - b->n ? b->cap - b->n : n - b->n;
        rc = rsp_source_read(u->inner, b->p + b->n, room, &got);
        if (rc == RSP_END) return refuse_object(u, "is cut: the pack file ends within it");
        if (rc) return rc;
        b->n += got;
        u->at += got;
    }
    return RSP_OK;
}

static int fetch(void *ctx, uint64_t offset, void *p, size_t n)
{
    const struct buf *b = ctx;
    if (offset > b->n || n > b->n - offset) return RSP_EIO; /* never: expect->stored is b->n */
    memcpy(p, b->p + offset, n);
    return RSP_OK;
}

static int check_object(struct unpack *u)
{
    static const uint8_t no_lineage[ID_BYTES];
    struct packed *o = u->reading;
    struct object_expect x = {.kind = OBJECT_PACK,
                              .lineage = no_lineage,
                              .epoch = u->epoch,
                              .stored = o->bytes.n,
                              .plain = UINT64_MAX,
                              .number = u->number,
                              .base = u->object_at + sizeof u->length};
    char subject[128];
    snprintf(subject, sizeof subject, "%.100s, object %lu", u->name, (unsigned long)u->number);
    return object_reader_open(&u->env, &x, subject, u->key, fetch, &o->bytes, &o->r);
}

/* Behind the last object nothing may follow. */
static int take_end(struct unpack *u)
{
    uint8_t more[1];
    size_t got = 0;
    int rc = rsp_source_read(u->inner, more, 1, &got);
    if (rc == RSP_OK) return unpack_refuse(u, "bytes follow the last object");
    return rc == RSP_END ? RSP_OK : rc;
}

int unpack_object(struct unpack *u)
{
    int rc = RSP_OK;
    if (u->ended) return RSP_END;
    if (!u->reading) rc = take_length(u);
    if (!rc && !u->probing) {
        rc = take_bytes(u);
        if (!rc) rc = check_object(u);
        if (!rc) u->probing = (u->reading->r.head.flags & OBJECT_LAST) != 0;
    }
    if (!rc && u->probing) {
        rc = take_end(u);
        if (!rc) u->ended = 1;
    }
    if (rc) return rc;
    if (!u->ended && u->number == UINT32_MAX) return refuse_object(u, "cannot be followed by another");
    u->opening = u->reading;
    u->opening->parts = 1;
    u->next_chunk = 0;
    u->reading = NULL;
    u->probing = 0;
    u->length_n = 0;
    u->number++;
    return RSP_OK;
}
