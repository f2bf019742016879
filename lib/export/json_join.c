/* What this is: the text of the batches in the order of the file, and records in parts put together.
 * Rests on: json_join.h, respite/sink.h.
 * Does not: format whole records (json_record.c), unless a worker left them over. */
#include "export/json_join.h"

#define SPOOL_MEMORY ((size_t)4 << 20) /* each of at most five */

int json_spool_open(struct json_join *j, struct rsp_spool **spool)
{
    if (!*spool) return rsp_spool_new(&j->env, j->tmpdir, SPOOL_MEMORY, spool);
    rsp_spool_reset(*spool);
    return RSP_OK;
}

static int sink_text(struct json_join *j, const uint8_t *p, size_t n)
{
    int rc;
    if (!n) return RSP_OK;
    if (j->style->array && !j->style->values_only && !j->started) { /* every element begins with ",\n" */
        j->started = 1;
        rc = rsp_sink_write(j->sink, "[", 1);
        if (rc) return rc;
        p++, n--;
    }
    return rsp_sink_write(j->sink, p, n);
}

int json_record_text(struct json_join *j, const void *p, size_t n)
{
    if (!n) return RSP_OK;
    return j->open.unsure ? rsp_spool_write(j->held, p, n) : sink_text(j, p, n);
}

static char open_bracket(const struct json_open *o)
{
    return o->value_type == RSP_RDB_HASH && !o->not_text ? '{' : '[';
}

static char close_bracket(const struct json_open *o)
{
    return o->value_type == RSP_RDB_HASH && !o->not_text ? '}' : ']';
}

/* Elements, a comma before each: the first comma makes way for the bracket. */
static int value_text(struct json_join *j, const uint8_t *p, size_t n)
{
    struct json_open *o = &j->open;
    int rc = RSP_OK;
    if (!n) return RSP_OK;
    if (!o->wrote && o->value_type != RSP_RDB_STRING && o->value_type != RSP_RDB_MODULE) {
        char c = open_bracket(o);
        o->wrote = 1;
        if (!o->spooled) rc = json_record_text(j, &c, 1);
        p++, n--;
    }
    if (rc || !n) return rc;
    return o->spooled ? rsp_spool_write(j->body, p, n) : json_record_text(j, p, n);
}

static int side_text(struct json_join *j, const uint8_t *p, size_t n)
{
    int rc;
    if (!n) return RSP_OK;
    if (!j->open.side_wrote) {
        rc = json_spool_open(j, &j->side);
        if (rc) return rc;
        j->open.side_wrote = 1;
        p++, n--;
    }
    return rsp_spool_write(j->side, p, n);
}

int json_flush(struct json_join *j, enum json_target to)
{
    struct buf *b = to == TO_SIDE ? &j->seq.side : &j->stage;
    int rc = to == TO_SIDE ? side_text(j, b->p, b->n) : value_text(j, b->p, b->n);
    b->n = 0;
    return rc;
}

/* Decides the marks of JSON_MARKED: an object's or an array of pairs'. */
static size_t settle_marks(uint8_t *p, size_t n, int pairs)
{
    static const uint8_t as_object[8] = {0, 0, ':', 0, '{', '}', 0, 0};
    static const uint8_t as_pairs[8] = {0, '[', ',', ']', '[', ']', 0, 0};
    const uint8_t *with = pairs ? as_pairs : as_object;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i], d = c < 8 ? with[c] : c;
        p[at] = d;
        at += d != 0;
    }
    return at;
}

static int copy_spool(struct json_join *j, struct rsp_spool *spool, int marked)
{
    uint64_t at = 0;
    for (;;) {
        size_t got, n;
        int rc = rsp_spool_read(spool, at, j->io, JSON_STAGE_BYTES, &got);
        if (rc || !got) return rc;
        at += got;
        n = marked ? settle_marks(j->io, got, j->open.not_text) : got;
        rc = json_record_text(j, j->io, n);
        if (rc) return rc;
    }
}

/* "open, spooled text, close" */
static int copy_bracketed(struct json_join *j, struct rsp_spool *spool, int any)
{
    char open = open_bracket(&j->open), close = close_bracket(&j->open);
    int rc = json_record_text(j, &open, 1);
    if (!rc && any) rc = copy_spool(j, spool, j->open.form == JSON_MARKED);
    return rc ? rc : json_record_text(j, &close, 1);
}

static int begin_record(struct json_join *j, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item,
                        int unsure)
{
    struct json_open *o = &j->open;
    int utf8 = j->style->bytes == RSP_JSON_UTF8, rc = RSP_OK;
    memset(o, 0, sizeof *o);
    o->active = 1;
    o->unsure = unsure;
    o->value_type = rsp_rdb_value_type(batch->dialect, item->type);
    o->form = JSON_PAIRS;
    if (o->value_type == RSP_RDB_HASH) o->form = utf8 ? JSON_MARKED : JSON_OBJECT;
    o->spooled = o->form == JSON_MARKED || o->value_type == RSP_RDB_STREAM;
    j->big[0].state = j->big[1].state = BIG_NONE;
    j->seq.side.n = j->stage.n = 0;
    j->seq.path_open = j->seq.not_text = 0;
    json_stream_begin(&j->seq.stream);
    if (unsure) rc = json_spool_open(j, &j->held);
    if (!rc && o->spooled) rc = json_spool_open(j, &j->body);
    if (!rc) rc = json_put_head(&j->seq, &j->stage, batch, item);
    if (!rc) rc = json_record_text(j, j->stage.p, j->stage.n);
    j->stage.n = 0;
    return rc;
}

/* Where a stream's groups go: behind the value's entries, not into the spool. */
static int flush_tail(void *opaque, struct buf *out)
{
    struct json_join *j = opaque;
    int rc = json_record_text(j, out->p, out->n);
    out->n = 0;
    return rc;
}

static int stream_element(struct json_join *j, const struct rsp_rdb_element *el)
{
    struct json_open *o = &j->open;
    int rc;
    if (el->kind == RSP_ELEM_ENTRY)
        return o->skip_entries ? RSP_OK : json_put_element(&j->seq, &j->stage, NULL, JSON_PAIRS, el);
    if (el->kind != RSP_ELEM_STREAM) return json_stream_element(&j->seq.stream, &j->stage, el, flush_tail, j);
    rc = json_flush(j, TO_VALUE);
    if (!rc) rc = json_stream_head(&j->stage, el);
    if (!rc) rc = flush_tail(j, &j->stage);
    if (!rc) rc = copy_bracketed(j, j->body, o->wrote);
    o->tail = 1;
    return rc ? rc : json_stream_groups(&j->stage);
}

static int element(struct json_join *j, const struct rsp_rdb_element *el)
{
    int rc;
    if (el->kind == RSP_ELEM_PART) rc = json_big_part(j, el);
    else if (json_big_pending(j)) rc = json_big_element(j, el);
    else if (j->open.value_type == RSP_RDB_STREAM) rc = stream_element(j, el);
    else if (j->open.value_type == RSP_RDB_STRING && j->style->values_only) rc = json_record_text(j, el->a.p, el->a.n);
    else rc = json_put_element(&j->seq, &j->stage, &j->seq.side, j->open.form, el);
    if (!rc && j->stage.n >= JSON_STAGE_BYTES) rc = j->open.tail ? flush_tail(j, &j->stage) : json_flush(j, TO_VALUE);
    if (!rc && j->seq.side.n >= JSON_STAGE_BYTES) rc = json_flush(j, TO_SIDE);
    return rc;
}

/* A part that only a value carried on from part to part can read. */
static int decode_part(struct json_join *j, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    struct rsp_rdb_element el = {.size = sizeof el};
    int rc;
    if (j->open.live) rsp_rdb_value_continue(j->seq.value, batch, item);
    else rsp_rdb_value_open(j->seq.value, batch, item);
    j->open.live = 1;
    while (!(rc = rsp_rdb_value_next(j->seq.value, &el))) {
        rc = element(j, &el);
        if (rc) return rc;
    }
    if (rc < 0) return rc;
    if (j->seq.not_text) j->open.not_text = 1;
    rc = j->open.tail ? flush_tail(j, &j->stage) : json_flush(j, TO_VALUE);
    return rc ? rc : json_flush(j, TO_SIDE);
}

static int end_value(struct json_join *j)
{
    struct json_open *o = &j->open;
    char c = close_bracket(o);
    int rc = json_end_path(&j->seq, &j->stage, o->form);
    if (!rc) rc = json_flush(j, TO_VALUE);
    if (rc) return rc;
    switch (o->value_type) {
    case RSP_RDB_STRING:
    case RSP_RDB_MODULE: return RSP_OK;
    case RSP_RDB_STREAM: rc = json_stream_end(&j->seq.stream, &j->stage); return rc ? rc : flush_tail(j, &j->stage);
    default: break;
    }
    if (o->spooled || !o->wrote) return copy_bracketed(j, j->body, o->wrote);
    return json_record_text(j, &c, 1);
}

static int end_record(struct json_join *j)
{
    struct json_open *o = &j->open;
    const struct json_style *style = j->style;
    int rc = end_value(j), line = style->values_only ? o->value_type != RSP_RDB_STRING : !style->array;
    o->active = 0;
    if (!rc && o->side_wrote && !style->values_only) {
        rc = json_record_text(j, ",\"field_expire_at_ms\":", 22);
        if (!rc) rc = copy_bracketed(j, j->side, 1);
    }
    if (!rc && !style->values_only) rc = json_record_text(j, "}", 1);
    if (!rc && line) rc = json_record_text(j, "\n", 1);
    if (rc || !o->unsure) return rc;
    o->unsure = 0; /* accepted after all */
    return copy_spool(j, j->held, 0);
}

static int weave_piece(struct json_join *j, struct json_chunk *chunk, const struct json_piece *piece,
                       const struct rsp_rdb_task *task)
{
    const struct rsp_rdb_batch *batch = task->batch;
    const struct rsp_rdb_item *item = &batch->items[piece->item];
    struct json_open *o = &j->open;
    int rc = RSP_OK;
    if (item->flags & RSP_ITEM_FIRST)
        rc = begin_record(j, batch, item, task->verdicts && task->verdicts[piece->item] == RSP_FILTER_UNSURE);
    if (rc || !o->active) return rc;
    if (piece->refused) {
        o->active = 0;
        return RSP_OK;
    }
    if (!piece->sequential && !o->tail) {
        o->live = 0;
        o->not_text |= piece->not_text;
        rc = value_text(j, chunk->out.p + piece->at, piece->end - piece->at);
        if (!rc) rc = side_text(j, chunk->side.p + piece->side_at, piece->side_end - piece->side_at);
    }
    if (!rc && (piece->sequential || piece->tail || o->tail)) {
        o->skip_entries = !piece->sequential; /* the worker has written those of the part where the groups begin */
        rc = decode_part(j, batch, item);
    }
    if (!rc && item->flags & RSP_ITEM_LAST) rc = end_record(j);
    return rc;
}

static int weave(struct json_join *j, struct json_chunk *chunk, const struct rsp_rdb_task *task)
{
    const struct json_piece *piece = (const struct json_piece *)(const void *)chunk->pieces.p;
    size_t at = 0, n = chunk->pieces.n / sizeof *piece;
    int rc;
    for (size_t i = 0; i < n; i++, piece++) {
        rc = at < piece->at ? sink_text(j, chunk->out.p + at, piece->at - at) : RSP_OK;
        if (!rc) rc = weave_piece(j, chunk, piece, task);
        if (rc) return rc;
        at = piece->end;
    }
    return at < chunk->out.n ? sink_text(j, chunk->out.p + at, chunk->out.n - at) : RSP_OK;
}

int json_join_task(struct json_join *j, struct json_chunk *chunk, const struct rsp_rdb_task *task)
{
    int rc = weave(j, chunk, task);
    while (!rc && !chunk->fault && chunk->done < task->batch->count) {
        chunk->out.n = chunk->side.n = chunk->pieces.n = 0;
        json_format(&j->rest, chunk, task);
        rc = weave(j, chunk, task);
    }
    if (!rc && chunk->fault) {
        j->words = chunk->words;
        rc = chunk->fault;
    } else if (rc && !j->words.code && j->seq.words.code) {
        j->words = j->seq.words;
    }
    return rc;
}

int json_join_end(struct json_join *j)
{
    if (!j->style->array || j->style->values_only) return RSP_OK;
    return j->started ? rsp_sink_write(j->sink, "\n]\n", 3) : rsp_sink_write(j->sink, "[\n]\n", 4);
}

const struct rsp_env *json_join_env(const struct json_join *j)
{
    return &j->env;
}

const struct rsp_error *json_join_words(const struct json_join *j)
{
    return j->words.code ? &j->words : NULL;
}

int json_join_new(const struct rsp_env *env, const struct json_style *style, const char *tmpdir, struct rsp_sink *sink,
                  struct json_join **ret)
{
    struct json_join *j = mem_zero(env, sizeof *j);
    int rc;
    if (!j) return RSP_ENOMEM;
    j->env = *env;
    j->env.error = &j->words;
    j->style = style;
    j->tmpdir = tmpdir;
    j->sink = sink;
    buf_init(&j->stage, &j->env);
    rc = json_worker_init(&j->rest, env, style);
    if (!rc) rc = json_worker_init(&j->seq, env, style);
    if (!rc) {
        j->io = mem_alloc(env, JSON_STAGE_BYTES);
        if (!j->io) rc = RSP_ENOMEM;
    }
    if (rc) {
        json_report(env, &j->rest.words, rc);
        json_report(env, &j->seq.words, rc);
        json_join_free(j);
        j = NULL;
    }
    *ret = j;
    return rc;
}

void json_join_free(struct json_join *j)
{
    struct rsp_env env;
    if (!j) return;
    env = j->env;
    if (j->rest.style) json_worker_free(&j->rest);
    if (j->seq.style) json_worker_free(&j->seq);
    buf_free(&j->stage);
    mem_free(&env, j->io, JSON_STAGE_BYTES);
    rsp_spool_free(j->body), rsp_spool_free(j->side), rsp_spool_free(j->held);
    rsp_spool_free(j->big[0].raw), rsp_spool_free(j->big[1].raw);
    mem_free(&env, j, sizeof *j);
}
