/* What this is: a worker's side of the command export: whole records as units, parts as pieces for join.
 * Rests on: resp_impl.h, respite/sys/rdb_batch.h.
 * Does not: put parts together (resp_join.c). */
#include "export/resp_impl.h"

#define WHOLE (RSP_ITEM_FIRST | RSP_ITEM_LAST)

int resp_worker_init(struct resp_worker *w, const struct rsp_env *env, const struct resp_rules *rules)
{
    memset(w, 0, sizeof *w);
    w->env = *env;
    w->env.error = &w->words;
    w->rules = rules;
    resp_native_init(&w->native, rules, &w->env);
    return rsp_rdb_value_new(&w->env, &w->value);
}

void resp_worker_free(struct resp_worker *w)
{
    rsp_rdb_value_free(w->value);
    rsp_scratch_free(&w->env, &w->key);
    rsp_scratch_free(&w->env, &w->string);
    resp_native_free(&w->native);
}

int resp_report_words(const struct rsp_env *env, const struct rsp_error *words, int rc)
{
    if (env->error && !env->error->code && words && words->code) *env->error = *words;
    return rc;
}

/* ---- whole records ---- */

static int value_commands(struct resp_worker *w, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    struct rsp_rdb_element el = {.size = sizeof el};
    int rc;
    rsp_rdb_value_open(w->value, batch, item);
    while (!(rc = rsp_rdb_value_next(w->value, &el))) {
        rc = resp_native_element(&w->native, &el);
        if (rc) return rc;
    }
    if (rc == RSP_AGAIN) rc = fail(&w->env, RSP_ESTATE, NULL, "a whole record ends inside an element");
    return rc == RSP_END ? RSP_OK : rc;
}

static int put_native(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_batch *batch,
                      const struct rsp_rdb_item *item, const struct resp_plan *plan, struct rsp_span key,
                      struct resp_piece *piece)
{
    struct resp_native *n = &w->native;
    struct buf *out = &chunk->out;
    int rc = resp_room(out, RESP_SLACK);
    if (rc) return rc;
    piece->at = out->n;
    n->stream.can_ghost = 1;
    n->stream.ghosts.n = 0;
    do {
        out->n = piece->at;
        RESP_PUT(out, RESP_MULTI);
        resp_native_begin(n, out, key);
        n->seek = resp_array_seek(batch, item);
        rc = w->rules->o.existing == RSP_EXISTING_REPLACE ? resp_native_delete(n) : RSP_OK;
        if (!rc) rc = value_commands(w, batch, item);
        if (!rc) rc = resp_native_flush(n);
        if (!rc) rc = resp_stream_end(n);
    } while (rc == RSP_AGAIN);
    if (!rc) rc = resp_native_seek(n);
    if (!rc && plan->has_expire && n->elements) rc = resp_native_expire(n, plan->expire_ms);
    if (!rc) rc = resp_room(out, RESP_SLACK);
    if (rc) return rc;
    piece->losses |= n->losses;
    piece->key_at = n->key_at;
    piece->replies = n->replies;
    if (!n->elements || resp_refused(w->rules, piece->losses)) { /* or every field of it has expired */
        out->n = piece->at;
        piece->kind = RESP_PIECE_GONE;
        piece->expired = !piece->losses;
    } else if (n->replies > 1) {
        RESP_PUT(out, RESP_EXEC);
        piece->replies += 2;
        piece->flags |= RESP_UNIT_SEVERAL;
    } else {
        piece->at += sizeof RESP_MULTI - 1;
        piece->flags |= RESP_UNIT_SEVERAL; /* SADD or the like, alone */
    }
    return RSP_OK;
}

/* What stands around the payload, whose bytes are nobody's concern while they are counted. */
static int count_restore(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_item *item,
                         const struct resp_plan *plan, struct rsp_span key, size_t n, struct resp_piece *piece)
{
    int rc = resp_restore_begin(w->rules, &chunk->out, key, plan, item, (uint64_t)n + 10, &piece->key_at,
                                &piece->replies);
    resp_leave_out(chunk, piece, n);
    return rc ? rc : resp_restore_end(w->rules, &chunk->out, plan, item, 0);
}

static int put_restore(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_batch *batch,
                       const struct rsp_rdb_item *item, const struct resp_plan *plan, struct rsp_span key,
                       struct resp_piece *piece)
{
    struct rsp_span meta = {NULL, 0}, value = {batch->p + item->value, item->end - item->value};
    piece->at = chunk->out.n;
    if (item->flags & RSP_ITEM_META && !(plan->losses & RESP_LOSS(KEY_META))) {
        meta.p = batch->p + item->meta;
        meta.n = item->key - 1 - item->meta;
    }
    if (w->rules->counting) return count_restore(w, chunk, item, plan, key, meta.n + 1 + value.n, piece);
    return resp_put_restore(w->rules, &chunk->out, key, plan, item, meta, item->type, value, &piece->key_at,
                            &piece->replies);
}

/* The key's bytes, for a piece that has no command with it. */
static int keep_key(struct resp_chunk *chunk, struct rsp_span key, struct resp_piece *piece)
{
    piece->key_at = chunk->out.n;
    piece->key_n = key.n;
    return buf_add(&chunk->out, key.p, key.n);
}

static int put_record(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_batch *batch,
                      const struct rsp_rdb_item *item)
{
    struct resp_piece piece = {.kind = RESP_PIECE_UNIT, .flags = RESP_UNIT_FIRST | RESP_UNIT_LAST, .records = 1};
    struct resp_plan plan = resp_plan_of(w->rules, batch, item, 1);
    struct rsp_span key;
    int rc = resp_read_key(w, batch, item, &plan, &key);
    if (rc) return rc;
    piece.db = resp_db(w->rules, item->db);
    piece.item = (size_t)(item - batch->items);
    piece.key_n = key.n;
    piece.losses = plan.losses;
    piece.keys = 1;
    if (plan.way != RESP_WAY_SET || plan.has_expire || plan.losses) rc = resp_close_run(w, chunk);
    if (rc) return rc;
    switch (plan.way) {
    case RESP_WAY_SET: rc = resp_put_string(w, chunk, batch, item, &plan, key, &piece); break;
    case RESP_WAY_RESTORE: rc = put_restore(w, chunk, batch, item, &plan, key, &piece); break;
    case RESP_WAY_NATIVE: rc = put_native(w, chunk, batch, item, &plan, key, &piece); break;
    default: piece.kind = RESP_PIECE_GONE; piece.expired = plan.way == RESP_WAY_EXPIRED;
    }
    if (rc || !piece.records) return rc;
    piece.end = chunk->out.n;
    piece.expires = plan.has_expire && piece.kind == RESP_PIECE_UNIT;
    if (piece.kind == RESP_PIECE_GONE) {
        rc = resp_close_run(w, chunk);
        if (!rc && w->rules->counting) rc = rsp_rdb_batch_key(&w->env, batch, item, &w->key, &key);
        if (!rc) rc = keep_key(chunk, key, &piece);
    }
    return rc ? rc : resp_add_piece(chunk, &piece);
}

/* ---- parts, functions ---- */

/* Commands of a part that stands on its own; those behind a stream's entries are join's. */
static int put_part(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_batch *batch,
                    const struct rsp_rdb_item *item, struct rsp_span key, struct resp_piece *piece)
{
    struct rsp_rdb_element el = {.size = sizeof el};
    struct resp_native *n = &w->native;
    int stream = rsp_rdb_value_type(batch->dialect, item->type) == RSP_RDB_STREAM, rc = RSP_OK;
    resp_native_begin(n, &chunk->out, key);
    n->stream.can_ghost = 0;
    n->stream.ghosts.n = 0;
    if (item->flags & RSP_ITEM_FIRST && w->rules->o.existing == RSP_EXISTING_REPLACE) rc = resp_native_delete(n);
    if (rc) return rc;
    rsp_rdb_value_open(w->value, batch, item);
    while (!(rc = rsp_rdb_value_next(w->value, &el))) {
        if (stream && el.kind != RSP_ELEM_ENTRY) {
            piece->tail = 1;
            rc = RSP_END;
            break;
        }
        rc = resp_native_element(n, &el);
        if (rc) break;
    }
    if (rc != RSP_END && rc != RSP_AGAIN) return rc;
    rc = resp_native_flush(n);
    if (!rc) rc = buf_add(&chunk->ids, n->stream.ids.bytes.p, n->stream.ids.bytes.n);
    piece->replies = n->replies;
    piece->keys = n->elements != 0;
    piece->losses |= n->losses;
    return rc;
}

static int add_part(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_batch *batch, size_t i,
                    int refused)
{
    const struct rsp_rdb_item *item = &batch->items[i];
    struct resp_piece piece = {.kind = RESP_PIECE_PART, .item = i, .ids_at = chunk->ids.n};
    unsigned losses = 0;
    struct rsp_span key;
    enum resp_way way = resp_way_of_parts(w->rules, batch->dialect, item->type, &losses);
    int rc = resp_close_run(w, chunk);
    piece.at = chunk->out.n;
    piece.refused = refused != 0;
    piece.sequential = way != RESP_WAY_NATIVE || item->flags & RSP_ITEM_BIG;
    piece.db = resp_db(w->rules, item->db);
    if (!rc && !refused && !piece.sequential) {
        rc = rsp_rdb_batch_key(&w->env, batch, item, &w->key, &key);
        if (!rc) rc = put_part(w, chunk, batch, item, key, &piece);
    }
    piece.end = chunk->out.n;
    piece.ids_end = chunk->ids.n;
    return rc ? rc : resp_add_piece(chunk, &piece);
}

static int put_function(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_batch *batch,
                        const struct rsp_rdb_item *item)
{
    struct resp_piece piece = {.kind = RESP_PIECE_UNIT, .flags = RESP_UNIT_FUNCTION, .replies = 1};
    int replace = w->rules->o.existing == RSP_EXISTING_REPLACE, rc;
    struct rsp_span source = {(const uint8_t *)"", 0};
    if (w->rules->o.no_functions) return RSP_OK;
    rc = resp_close_run(w, chunk);
    if (!rc && batch->p[item->start] == 0xf5)
        rc = rsp_rdb_batch_string(&w->env, batch, item->value, &w->string, &source);
    if (!rc) rc = resp_room(&chunk->out, source.n + RESP_SLACK * 2);
    if (rc) return rc;
    if (!w->rules->functions || !source.n || source.n > w->rules->bulk_max) {
        const uint8_t *line = source.n ? memchr(source.p, '\n', source.n) : NULL;
        piece.kind = RESP_PIECE_LOSS;
        piece.losses = RESP_LOSS(FUNCTION);
        if (line) source.n = (size_t)(line - source.p); /* where its name stands */
        rc = keep_key(chunk, source, &piece);
    } else {
        piece.at = chunk->out.n;
        if (replace) RESP_PUT(&chunk->out, "*4\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n$7\r\nREPLACE\r\n");
        else RESP_PUT(&chunk->out, "*3\r\n$8\r\nFUNCTION\r\n$4\r\nLOAD\r\n");
        resp_put_bulk(&chunk->out, source.p, source.n);
        piece.end = chunk->out.n;
    }
    return rc ? rc : resp_add_piece(chunk, &piece);
}

/* What belongs to no key, and what only a file carries. */
static int put_other(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_batch *batch,
                     const struct rsp_rdb_item *item)
{
    struct resp_piece piece = {.kind = RESP_PIECE_LOSS};
    struct rsp_span name = {(const uint8_t *)"a command of a forkless sync", 28};
    char module[10];
    uint64_t id = 0;
    int rc;
    if (item->kind == RSP_RDB_FUNCTION) return put_function(w, chunk, batch, item);
    if (item->kind != RSP_RDB_MODULE_AUX && item->kind != RSP_RDB_UPDATE) return RSP_OK;
    if (item->kind == RSP_RDB_MODULE_AUX && w->rules->o.no_functions) return RSP_OK;
    piece.losses = item->kind == RSP_RDB_MODULE_AUX ? RESP_LOSS(AUX) : RESP_LOSS(OTHER);
    if (item->kind == RSP_RDB_MODULE_AUX) {
        memcpy(&id, &item->expire_ms, sizeof id);
        rsp_rdb_module_name(id, module);
        name = (struct rsp_span){(const uint8_t *)module, 9};
    }
    rc = resp_close_run(w, chunk);
    if (!rc) rc = keep_key(chunk, name, &piece);
    return rc ? rc : resp_add_piece(chunk, &piece);
}

static int format_item(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_task *task, size_t i)
{
    const struct rsp_rdb_item *item = &task->batch->items[i];
    int refused;
    if (item->kind != RSP_RDB_KEY) return put_other(w, chunk, task->batch, item);
    refused = task->verdicts && task->verdicts[i] == RSP_FILTER_REFUSE;
    /* The last part is where an unsure verdict becomes known: join has to hear of it. */
    if (refused && (item->flags & RSP_ITEM_FIRST || !(item->flags & RSP_ITEM_LAST))) return RSP_OK;
    if ((item->flags & WHOLE) == WHOLE) return put_record(w, chunk, task->batch, item);
    return add_part(w, chunk, task->batch, i, refused);
}

static int blame(struct resp_worker *w, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item, int rc)
{
    struct rsp_span key;
    char name[64];
    if (item->kind != RSP_RDB_KEY || rsp_rdb_batch_key(&w->env, batch, item, &w->key, &key)) return rc;
    printable(name, sizeof name, key.p, key.n);
    return trail(&w->env, rc, "in key \"%s\" of db %u", name, (unsigned)item->db);
}

void resp_format(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_task *task)
{
    const struct rsp_rdb_batch *batch = task->batch;
    int rc = RSP_OK;
    chunk->fault = RSP_OK;
    w->run_n = 0;
    while (!rc && chunk->done < batch->count && chunk->out.n + chunk->uncopied < RESP_CHUNK_BYTES) {
        rc = format_item(w, chunk, task, chunk->done);
        if (rc) rc = blame(w, batch, &batch->items[chunk->done], rc);
        else chunk->done++;
    }
    if (w->run_n) {
        int last = resp_close_run(w, chunk); /* what stands before a fault is still sent */
        if (!rc) rc = last;
    }
    if (!rc) return;
    chunk->fault = rc;
    chunk->words = w->words;
}
