/* What this is: a worker's side of the JSON export: whole records as text, parts as pieces of text.
 * Rests on: json_impl.h, respite/sys/rdb_batch.h.
 * Does not: put parts together (json_join.c). */
#include "export/json_impl.h"

int json_worker_init(struct json_worker *w, const struct rsp_env *env, const struct json_style *style)
{
    memset(w, 0, sizeof *w);
    w->env = *env;
    w->env.error = &w->words;
    w->style = style;
    buf_init(&w->side, &w->env), buf_init(&w->entries, &w->env), buf_init(&w->path, &w->env);
    json_stream_init(&w->stream, &w->env, style);
    return rsp_rdb_value_new(&w->env, &w->value);
}

void json_worker_free(struct json_worker *w)
{
    rsp_rdb_value_free(w->value);
    rsp_scratch_free(&w->env, &w->key);
    rsp_scratch_free(&w->env, &w->string);
    buf_free(&w->side), buf_free(&w->entries), buf_free(&w->path);
    json_stream_free(&w->stream);
}

int json_report(const struct rsp_env *env, const struct rsp_error *words, int rc)
{
    if (env->error && !env->error->code && words && words->code) *env->error = *words;
    return rc;
}

/* How the string at batch offset at is stored, by its first byte. */
static int stored_as(const struct rsp_rdb_batch *batch, uint32_t at)
{
    uint8_t c = batch->p[at];
    return c < 0xc0 ? RSP_STR_RAW : c == 0xc3 ? RSP_STR_LZF : RSP_STR_INT;
}

static void put_literal(struct buf *b, const char *s)
{
    json_put(b, s, strlen(s));
}

/* The members that follow from the type byte, made once per worker. */
static const struct json_head *head_of(struct json_worker *w, const struct rsp_rdb_batch *batch,
                                       const struct rsp_rdb_item *item)
{
    static const char *const strings[] = {"raw", "int", "lzf"};
    int vt = rsp_rdb_value_type(batch->dialect, item->type), enc = 0;
    struct json_head *h;
    struct buf b;
    if (vt == RSP_RDB_STRING) enc = stored_as(batch, item->value);
    h = &w->heads[(vt == RSP_RDB_STRING ? 60u + (unsigned)enc : item->type) % 64];
    if (h->n) return h;
    b.p = h->text, b.n = 0, b.cap = sizeof h->text, b.env = &w->env;
    JSON_PUT(&b, ",\"type\":\"");
    put_literal(&b, rsp_rdb_value_type_name(vt));
    JSON_PUT(&b, "\",\"encoding\":\"");
    put_literal(&b, vt == RSP_RDB_STRING ? strings[enc] : rsp_rdb_encoding_name(batch->dialect, item->type));
    JSON_PUT(&b, "\",\"rdb_type\":");
    json_put_u64(&b, item->type);
    h->n = b.n;
    return h;
}

static int put_attributes(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                          const struct rsp_rdb_item *item)
{
    if (item->flags & RSP_ITEM_EXPIRE) {
        JSON_PUT(out, ",\"expire_at_ms\":");
        json_put_i64(out, item->expire_ms);
    }
    if (item->flags & RSP_ITEM_IDLE) {
        JSON_PUT(out, ",\"idle_s\":");
        json_put_u64(out, item->idle_s);
    }
    if (item->flags & RSP_ITEM_FREQ) {
        JSON_PUT(out, ",\"freq\":");
        json_put_u64(out, item->freq);
    }
    if (item->flags & RSP_ITEM_META && item->meta + 1 < item->key) { /* the type byte stands before the key */
        struct rsp_span meta = {batch->p + item->meta, item->key - 1 - item->meta};
        JSON_PUT(out, ",\"key_meta\":");
        return json_put_base64(w->style, out, meta);
    }
    return RSP_OK;
}

int json_put_head(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                  const struct rsp_rdb_item *item)
{
    const struct json_head *h;
    struct rsp_span key;
    int rc;
    if (w->style->values_only) return RSP_OK;
    rc = rsp_rdb_batch_key(&w->env, batch, item, &w->key, &key);
    if (!rc) rc = json_room(out, 64);
    if (rc) return rc;
    if (w->style->array) JSON_PUT(out, ",\n");
    JSON_PUT(out, "{\"db\":");
    json_put_u64(out, item->db);
    JSON_PUT(out, ",\"key\":");
    rc = json_put_data(w->style, out, key);
    if (!rc) rc = json_room(out, sizeof h->text + 128);
    if (rc) return rc;
    h = head_of(w, batch, item);
    memcpy(out->p + out->n, h->text, sizeof h->text);
    out->n += h->n;
    rc = put_attributes(w, out, batch, item);
    if (!rc) rc = json_room(out, 64);
    if (rc) return rc;
    JSON_PUT(out, ",\"value\":");
    return RSP_OK;
}

static int put_string_value(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                            const struct rsp_rdb_item *item)
{
    struct rsp_span s;
    int rc = rsp_rdb_batch_string(&w->env, batch, item->value, &w->string, &s);
    if (rc) return rc;
    return w->style->values_only ? buf_add(out, s.p, s.n) : json_put_data(w->style, out, s);
}

/* Closes what was opened at `at`, where the first element's comma stands. */
static int put_brackets(struct buf *out, size_t at, char open, char close)
{
    int rc = json_room(out, 64);
    if (rc) return rc;
    if (out->n == at) out->n++;
    out->p[at] = (uint8_t)open;
    out->p[out->n++] = (uint8_t)close;
    return RSP_OK;
}

/* Every element of a record that stands whole in the batch, a comma before each. */
static int put_elements(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                        const struct rsp_rdb_item *item, int form)
{
    struct rsp_rdb_element el = {.size = sizeof el};
    int rc;
    rsp_rdb_value_open(w->value, batch, item);
    while (!(rc = rsp_rdb_value_next(w->value, &el))) {
        rc = json_put_element(w, out, &w->side, form, &el);
        if (rc) return rc;
    }
    if (rc == RSP_AGAIN) rc = fail(&w->env, RSP_ESTATE, NULL, "a whole record ends inside an element");
    return rc == RSP_END ? RSP_OK : rc;
}

static int put_hash(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                    const struct rsp_rdb_item *item)
{
    size_t at = out->n;
    int form = JSON_OBJECT, rc;
    for (;; form = JSON_PAIRS) {
        w->side.n = 0;
        w->path_open = 0;
        rc = put_elements(w, out, batch, item, form);
        if (rc != JSON_NOT_TEXT) break;
        out->n = at;
    }
    if (!rc) rc = json_end_path(w, out, form);
    if (!rc) rc = put_brackets(out, at, form ? '[' : '{', form ? ']' : '}');
    if (rc || !w->side.n || w->style->values_only) return rc;
    rc = put_brackets(&w->side, 0, form ? '[' : '{', form ? ']' : '}');
    JSON_PUT(out, ",\"field_expire_at_ms\":");
    return rc ? rc : buf_add(out, w->side.p, w->side.n);
}

/* Entries come first in the file and last in the text: they wait in w->entries. */
static int put_stream(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                      const struct rsp_rdb_item *item)
{
    struct rsp_rdb_element el = {.size = sizeof el};
    int rc;
    w->entries.n = 0;
    json_stream_begin(&w->stream);
    rsp_rdb_value_open(w->value, batch, item);
    while (!(rc = rsp_rdb_value_next(w->value, &el))) {
        if (el.kind == RSP_ELEM_ENTRY) {
            rc = json_put_element(w, &w->entries, NULL, JSON_PAIRS, &el);
        } else if (el.kind == RSP_ELEM_STREAM) {
            rc = json_stream_head(out, &el);
            if (!rc) rc = put_brackets(&w->entries, 0, '[', ']');
            if (!rc) rc = buf_add(out, w->entries.p, w->entries.n);
            if (!rc) rc = json_stream_groups(out);
        } else {
            rc = json_stream_element(&w->stream, out, &el, NULL, NULL);
        }
        if (rc) return rc;
    }
    if (rc == RSP_AGAIN) rc = fail(&w->env, RSP_ESTATE, NULL, "a whole stream ends inside an element");
    return rc == RSP_END ? json_stream_end(&w->stream, out) : rc;
}

static int put_record(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                      const struct rsp_rdb_item *item)
{
    int vt = rsp_rdb_value_type(batch->dialect, item->type), rc = json_put_head(w, out, batch, item);
    size_t at = out->n;
    if (rc) return rc;
    switch (vt) {
    case RSP_RDB_STRING: rc = put_string_value(w, out, batch, item); break;
    case RSP_RDB_HASH: rc = put_hash(w, out, batch, item); break;
    case RSP_RDB_STREAM: rc = put_stream(w, out, batch, item); break;
    case RSP_RDB_MODULE: rc = put_elements(w, out, batch, item, JSON_PAIRS); break;
    default:
        rc = put_elements(w, out, batch, item, JSON_PAIRS);
        if (!rc) rc = put_brackets(out, at, '[', ']');
    }
    if (!rc) rc = json_room(out, 64);
    if (rc) return rc;
    if (!w->style->values_only) out->p[out->n++] = '}';
    if (w->style->values_only ? vt != RSP_RDB_STRING : !w->style->array) out->p[out->n++] = '\n';
    return RSP_OK;
}

/* Elements of a part that stands on its own; those behind a stream's entries are join's. */
static int put_part(struct json_worker *w, struct json_chunk *chunk, const struct rsp_rdb_batch *batch,
                    const struct rsp_rdb_item *item, struct json_piece *piece)
{
    struct rsp_rdb_element el = {.size = sizeof el};
    int vt = rsp_rdb_value_type(batch->dialect, item->type), rc;
    int form = vt == RSP_RDB_HASH ? w->style->bytes == RSP_JSON_UTF8 ? JSON_MARKED : JSON_OBJECT : JSON_PAIRS;
    w->not_text = 0;
    rsp_rdb_value_open(w->value, batch, item);
    while (!(rc = rsp_rdb_value_next(w->value, &el))) {
        if (vt == RSP_RDB_STREAM && el.kind != RSP_ELEM_ENTRY) {
            piece->tail = 1;
            rc = RSP_END;
            break;
        }
        rc = json_put_element(w, &chunk->out, &chunk->side, form, &el);
        if (rc) break;
    }
    piece->not_text = (uint8_t)w->not_text;
    return rc == RSP_END || rc == RSP_AGAIN ? RSP_OK : rc;
}

static int add_part(struct json_worker *w, struct json_chunk *chunk, const struct rsp_rdb_batch *batch, size_t i,
                    int refused)
{
    const struct rsp_rdb_item *item = &batch->items[i];
    struct json_piece piece = {.item = i, .at = chunk->out.n, .side_at = chunk->side.n};
    int rc = RSP_OK, vt = rsp_rdb_value_type(batch->dialect, item->type);
    piece.refused = refused != 0;
    piece.sequential = item->flags & RSP_ITEM_BIG || vt == RSP_RDB_MODULE || json_is_paths(batch, item);
    if (!refused && !piece.sequential) rc = put_part(w, chunk, batch, item, &piece);
    piece.end = chunk->out.n;
    piece.side_end = chunk->side.n;
    return rc ? rc : buf_add(&chunk->pieces, &piece, sizeof piece);
}

static int format_item(struct json_worker *w, struct json_chunk *chunk, const struct rsp_rdb_task *task, size_t i)
{
    const unsigned whole = RSP_ITEM_FIRST | RSP_ITEM_LAST;
    const struct rsp_rdb_batch *batch = task->batch;
    const struct rsp_rdb_item *item = &batch->items[i];
    int refused;
    if (item->kind != RSP_RDB_KEY) return json_put_meta(w, &chunk->out, batch, item);
    refused = task->verdicts && task->verdicts[i] == RSP_FILTER_REFUSE;
    /* The last part is where an unsure verdict becomes known: join has to hear of it. */
    if (refused && (item->flags & RSP_ITEM_FIRST || !(item->flags & RSP_ITEM_LAST))) return RSP_OK;
    if ((item->flags & whole) == whole) return put_record(w, &chunk->out, batch, item);
    return add_part(w, chunk, batch, i, refused);
}

static int blame(struct json_worker *w, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item, int rc)
{
    struct rsp_span key;
    char name[64];
    if (item->kind != RSP_RDB_KEY || rsp_rdb_batch_key(&w->env, batch, item, &w->key, &key)) return rc;
    printable(name, sizeof name, key.p, key.n);
    return trail(&w->env, rc, "in key \"%s\" of db %u", name, (unsigned)item->db);
}

void json_format(struct json_worker *w, struct json_chunk *chunk, const struct rsp_rdb_task *task)
{
    const struct rsp_rdb_batch *batch = task->batch;
    chunk->fault = RSP_OK;
    while (chunk->done < batch->count && chunk->out.n < JSON_CHUNK_BYTES) {
        size_t at = chunk->out.n;
        int rc = format_item(w, chunk, task, chunk->done);
        if (rc) {
            chunk->out.n = at; /* what stands before the fault is still written */
            chunk->fault = blame(w, batch, &batch->items[chunk->done], rc);
            chunk->words = w->words;
            return;
        }
        chunk->done++;
    }
}
