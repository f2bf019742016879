/* What this is: findings on their way: kept by workers, told by the join in the order of the file.
 * Rests on: check_impl.h.
 * Does not: find anything. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rdb/check_impl.h"

#define RESULT_KEEP (1u << 20) /* buffers above this are not kept for the next batch */

/* ---- notes ---- */

static struct note *notes_of(struct check_result *r, size_t *n)
{
    *n = r->notes.n / sizeof(struct note);
    return (struct note *)(void *)r->notes.p;
}

/* The key of the record under way into the result's text, once. */
static int note_key(struct looker *l)
{
    struct rsp_span key = {NULL, 0};
    int rc;
    if (l->key_noted) return RSP_OK;
    rc = rsp_rdb_batch_key(&l->env, l->batch, l->item, &l->key, &key);
    if (rc == RSP_EFORMAT) {
        rsp_error_clear(&l->err);
        key.n = 0;
    } else if (rc) {
        return rc;
    }
    l->key_at = l->out->text.n;
    l->key_n = key.n;
    l->key_noted = 1;
    return buf_add(&l->out->text, key.p, key.n);
}

int check_note(struct looker *l, uint64_t offset, const char *kind, const char *format, ...)
{
    struct check_result *r = l->out;
    struct note x;
    char reason[256];
    va_list args;
    size_t n;
    int rc;
    if (l->feed == FEED_ON) l->feed = FEED_SPOILT;
    if (l->mute) return RSP_OK;
    notes_of(r, &n);
    if (n >= NOTES_MAX) {
        r->dropped++;
        return RSP_OK;
    }
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    memset(&x, 0, sizeof x);
    x.offset = offset;
    x.kind = kind;
    x.seq = (uint32_t)n;
    x.item = NO_ITEM;
    if (l->item && l->item->kind == RSP_RDB_KEY) {
        rc = note_key(l);
        if (rc) return rc;
        x.item = l->item_no;
        x.db = l->item->db;
        x.key_at = l->key_at;
        x.key_n = l->key_n;
    }
    x.reason_at = r->text.n;
    rc = buf_add(&r->text, reason, strlen(reason) + 1);
    return rc ? rc : buf_add(&r->notes, &x, sizeof x);
}

int check_tell(struct check *c, const struct rsp_finding *f)
{
    int rc;
    c->report->findings++;
    if (!c->o->found) return RSP_OK;
    rc = c->o->found(c->o->opaque, f);
    return rc < 0 ? rc : RSP_OK;
}

static int tell_note(struct check *c, const struct note *x, const struct buf *text)
{
    struct rsp_finding f = {sizeof f, x->offset, x->db, {NULL, 0}, x->kind, (const char *)text->p + x->reason_at};
    if (x->item != NO_ITEM) f.key.p = text->p + x->key_at, f.key.n = x->key_n;
    return check_tell(c, &f);
}

static int by_offset(const void *a, const void *b)
{
    const struct note *x = a, *y = b;
    if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Of a record that only its end can accept. */
static int hold(struct check *c, const struct note *x, const struct buf *text)
{
    const char *reason = (const char *)text->p + x->reason_at;
    struct note y = *x;
    int rc;
    if (c->held.n / sizeof y >= NOTES_MAX) return RSP_OK;
    y.key_at = c->held_text.n;
    rc = buf_add(&c->held_text, text->p + x->key_at, x->key_n);
    y.reason_at = c->held_text.n;
    if (!rc) rc = buf_add(&c->held_text, reason, strlen(reason) + 1);
    return rc ? rc : buf_add(&c->held, &y, sizeof y);
}

static int settle_held(struct check *c, const struct rsp_rdb_task *task)
{
    const struct note *x = (const struct note *)(const void *)c->held.p;
    const struct rsp_rdb_batch *b = task->batch;
    int verdict = RSP_FILTER_ACCEPT, rc = RSP_OK;
    if (!c->held.n) return RSP_OK;
    /* the record's last item in this batch knows most */
    for (size_t i = 0; task->verdicts && i < b->count && !(b->items[i].flags & RSP_ITEM_FIRST); i++)
        verdict = task->verdicts[i];
    if (verdict == RSP_FILTER_UNSURE) return RSP_OK;
    if (verdict == RSP_FILTER_ACCEPT)
        for (size_t i = 0; i < c->held.n / sizeof *x && !rc; i++) rc = tell_note(c, &x[i], &c->held_text);
    c->held.n = c->held_text.n = 0;
    return rc;
}

/* Of the record that a note is about, as far as this batch tells. */
static int note_verdict(const struct rsp_rdb_task *task, uint32_t item)
{
    const struct rsp_rdb_batch *b = task->batch;
    if (item == NO_ITEM || !task->verdicts) return RSP_FILTER_ACCEPT;
    while (item + 1 < b->count && !(b->items[item + 1].flags & RSP_ITEM_FIRST)) item++;
    return task->verdicts[item];
}

int notes_tell(struct check *c, struct check_result *r, const struct rsp_rdb_task *task)
{
    size_t n;
    struct note *x = notes_of(r, &n);
    int rc = settle_held(c, task);
    if (n > 1) qsort(x, n, sizeof *x, by_offset);
    for (size_t i = 0; i < n && !rc; i++) {
        int verdict = note_verdict(task, x[i].item);
        if (verdict == RSP_FILTER_REFUSE) continue;
        rc = verdict == RSP_FILTER_UNSURE ? hold(c, &x[i], &r->text) : tell_note(c, &x[i], &r->text);
    }
    c->report->findings += r->dropped;
    return rc;
}

/* ---- results ---- */

struct check_result *result_get(struct check *c, const struct rsp_env *env)
{
    struct check_result *r;
    pthread_mutex_lock(&c->lock);
    r = c->free;
    if (r) c->free = r->next;
    pthread_mutex_unlock(&c->lock);
    if (r) return r;
    r = mem_zero(env, sizeof *r);
    if (!r) return NULL;
    r->env = c->env;
    r->env.error = NULL;
    buf_init(&r->notes, &r->env);
    buf_init(&r->text, &r->env);
    buf_init(&r->hashes, &r->env);
    buf_init(&r->log, &r->env);
    buf_init(&r->members, &r->env);
    buf_init(&r->parts, &r->env);
    buf_init(&r->hits, &r->env);
    return r;
}

static void buf_empty(struct buf *b)
{
    b->n = 0;
    if (b->cap > RESULT_KEEP) buf_free(b);
}

void result_put(struct check *c, struct check_result *r)
{
    if (!r) return;
    rsp_dd1_drop(r->dd1);
    r->dd1 = NULL;
    r->dropped = 0;
    buf_empty(&r->notes);
    buf_empty(&r->text);
    buf_empty(&r->hashes);
    buf_empty(&r->log);
    buf_empty(&r->members);
    buf_empty(&r->parts);
    buf_empty(&r->hits);
    pthread_mutex_lock(&c->lock);
    r->next = c->free;
    c->free = r;
    pthread_mutex_unlock(&c->lock);
}

void results_free(struct check *c)
{
    while (c->free) {
        struct check_result *r = c->free;
        c->free = r->next;
        buf_free(&r->notes);
        buf_free(&r->text);
        buf_free(&r->hashes);
        buf_free(&r->log);
        buf_free(&r->members);
        buf_free(&r->parts);
        buf_free(&r->hits);
        mem_free(&c->env, r, sizeof *r);
    }
}
