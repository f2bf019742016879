/* What this is: strings of a worker's side of the command export: one by one, or runs of them as one command; and what a
 *   maker that only counts leaves out.
 * Rests on: resp_impl.h, rdb/str.h.
 * Does not: strings in parts (resp_parts.c). */
#include "export/resp_impl.h"
#include "rdb/str.h"

#define RUN_HEAD 24 /* room for "*129\r\n$6\r\nMSETNX\r\n" before a run of strings */

int resp_add_piece(struct resp_chunk *chunk, const struct resp_piece *piece)
{
    int rc = resp_room(&chunk->pieces, sizeof *piece);
    if (rc) return rc;
    memcpy(chunk->pieces.p + chunk->pieces.n, piece, sizeof *piece);
    chunk->pieces.n += sizeof *piece;
    return RSP_OK;
}

/* ---- counting ---- */

/* Bytes that belong to the piece and are not written. */
void resp_leave_out(struct resp_chunk *chunk, struct resp_piece *piece, uint64_t n)
{
    chunk->uncopied += n;
    piece->uncopied += n;
}

/* The string at that offset of the item, of which only the length is looked at: text->p says nothing. 0: it is not to be
 * had without reading it. */
static int length_of(const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item, uint32_t at,
                     struct rsp_span *text)
{
    const uint8_t *p = batch->p + at;
    struct rdb_str s;
    if (str_head(p, item->end - at, &s) <= 0 || s.n > SIZE_MAX) return 0;
    if (s.enc == RSP_STR_INT) {
        char digits[I64_TEXT];
        if (s.body > item->end - at - s.head) return 0;
        s.n = i64_text(digits, s.body == 1   ? (int8_t)p[1]
                               : s.body == 2 ? (int16_t)load_le16(p + 1)
                                             : (int32_t)load_le32(p + 1));
    }
    *text = (struct rsp_span){(const uint8_t *)"", (size_t)s.n};
    return 1;
}

static int read_value(struct resp_worker *w, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item,
                      struct rsp_span *value)
{
    if (w->rules->counting && length_of(batch, item, item->value, value)) return RSP_OK;
    return rsp_rdb_batch_string(&w->env, batch, item->value, &w->string, value);
}

/* Nobody asks for the name of a plain string that is counted, unless it is too large to be sent (put_record). */
int resp_read_key(struct resp_worker *w, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item,
                  const struct resp_plan *plan, struct rsp_span *key)
{
    int plain = plan->way == RESP_WAY_SET && !plan->has_expire && !plan->losses;
    if (w->rules->counting && plain && length_of(batch, item, item->key, key)) return RSP_OK;
    return rsp_rdb_batch_key(&w->env, batch, item, &w->key, key);
}

/* ---- runs of plain strings ---- */

/* Writes the head of the run's command in front of its arguments. */
int resp_close_run(struct resp_worker *w, struct resp_chunk *chunk)
{
    struct resp_piece piece = {.kind = RESP_PIECE_UNIT, .flags = RESP_UNIT_FIRST | RESP_UNIT_LAST};
    uint8_t text[RUN_HEAD];
    struct buf head = {text, 0, sizeof text, &w->env};
    int replace = w->rules->o.existing == RSP_EXISTING_REPLACE;
    if (!w->run_n) return RSP_OK;
    if (w->run_n == 1) {
        if (replace) RESP_PUT(&head, "*3\r\n$3\r\nSET\r\n");
        else if (w->rules->set_options) RESP_PUT(&head, "*4\r\n$3\r\nSET\r\n");
        else RESP_PUT(&head, "*3\r\n$5\r\nSETNX\r\n");
        if (!replace && w->rules->set_options && w->rules->counting) {
            resp_leave_out(chunk, &piece, 8);
        } else if (!replace && w->rules->set_options) {
            int rc = resp_room(&chunk->out, RESP_SLACK);
            if (rc) return rc;
            RESP_PUT(&chunk->out, "$2\r\nNX\r\n");
        }
    } else {
        resp_put_number(&head, '*', 2 * w->run_n + 1);
        if (replace) RESP_PUT(&head, "$4\r\nMSET\r\n");
        else RESP_PUT(&head, "$6\r\nMSETNX\r\n");
        piece.flags |= RESP_UNIT_MSET;
    }
    if (w->rules->counting) {
        piece.uncopied += w->run_bytes + head.n;
        piece.at = chunk->out.n;
    } else {
        piece.at = w->run_at - head.n;
        memcpy(chunk->out.p + piece.at, text, head.n);
    }
    piece.end = chunk->out.n;
    piece.key_at = w->run_key_at;
    piece.key_n = w->run_key_n;
    piece.db = w->run_db;
    piece.replies = 1;
    piece.keys = piece.records = w->run_n;
    w->run_n = 0;
    return resp_add_piece(chunk, &piece);
}

/* The same as add_to_run where nothing is written. */
static void count_in_run(struct resp_worker *w, struct resp_chunk *chunk, struct rsp_span key, struct rsp_span value)
{
    uint64_t n = resp_bulk_size(key.n) + resp_bulk_size(value.n);
    chunk->uncopied += n + (w->run_n ? 0 : RUN_HEAD);
    w->run_bytes += n;
    w->run_n++;
}

/* from: its database in the file: of two that become one a key may be in both, which no command of several keys notices. */
static int add_to_run(struct resp_worker *w, struct resp_chunk *chunk, uint32_t from, uint32_t db, struct rsp_span key,
                      struct rsp_span value)
{
    struct buf *out = &chunk->out;
    uint32_t most = w->rules->o.existing == RSP_EXISTING_SKIP || w->rules->single_keys ? 1 : RESP_MSET_KEYS;
    int rc = RSP_OK;
    if (w->run_n && (w->run_n >= most || w->run_from != from || w->run_bytes + value.n + key.n > RESP_MSET_BYTES))
        rc = resp_close_run(w, chunk);
    if (!rc && !w->rules->counting) rc = resp_room(out, key.n + value.n + RESP_SLACK * 2);
    if (rc) return rc;
    if (!w->run_n) {
        if (!w->rules->counting) out->n += RUN_HEAD;
        w->run_at = out->n;
        w->run_bytes = 0;
        w->run_from = from;
        w->run_db = db;
        w->run_key_at = out->n;
        w->run_key_n = w->rules->counting ? 0 : key.n;
    }
    if (w->rules->counting) {
        count_in_run(w, chunk, key, value);
        return RSP_OK;
    }
    resp_put_bulk(out, key.p, key.n);
    if (!w->run_n) w->run_key_at = out->n - 2 - key.n;
    resp_put_bulk(out, value.p, value.n);
    w->run_bytes = out->n - w->run_at;
    w->run_n++;
    return RSP_OK;
}

/* ---- a string ---- */

/* SET with an expiry, or without one where a run cannot have it. */
static int put_set(struct resp_worker *w, struct resp_chunk *chunk, const struct resp_plan *plan, struct rsp_span key,
                   struct rsp_span value, struct resp_piece *piece)
{
    const struct resp_rules *r = w->rules;
    struct buf *out = &chunk->out;
    int several = plan->has_expire && !r->set_pxat;
    int nx = r->o.existing != RSP_EXISTING_REPLACE && !several, setnx = nx && !r->set_options;
    int rc = resp_room(out, 2 * key.n + (r->counting ? 0 : value.n) + 6 * RESP_SLACK);
    if (rc) return rc;
    piece->at = out->n;
    if (several) RESP_PUT(out, RESP_MULTI);
    if (setnx) nx = 0;
    resp_put_number(out, '*', 3u + 2u * (plan->has_expire && !several) + (nx ? 1u : 0));
    if (setnx) RESP_PUT(out, "$5\r\nSETNX\r\n");
    else RESP_PUT(out, "$3\r\nSET\r\n");
    resp_put_bulk(out, key.p, key.n);
    piece->key_at = out->n - 2 - key.n;
    if (r->counting) resp_leave_out(chunk, piece, resp_bulk_size(value.n));
    else resp_put_bulk(out, value.p, value.n);
    if (plan->has_expire && !several) {
        RESP_PUT(out, "$4\r\nPXAT\r\n");
        resp_put_i64(out, plan->expire_ms);
    }
    if (nx) RESP_PUT(out, "$2\r\nNX\r\n");
    piece->replies = 1;
    if (several) {
        RESP_PUT(out, "*3\r\n$9\r\nPEXPIREAT\r\n");
        resp_put_bulk(out, key.p, key.n);
        resp_put_i64(out, plan->expire_ms);
        RESP_PUT(out, RESP_EXEC);
        piece->replies = 4;
        piece->flags |= RESP_UNIT_SEVERAL;
    }
    return RSP_OK;
}

int resp_put_string(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_batch *batch,
                    const struct rsp_rdb_item *item, const struct resp_plan *plan, struct rsp_span key,
                    struct resp_piece *piece)
{
    struct rsp_span value;
    int rc = read_value(w, batch, item, &value);
    if (rc) return rc;
    if (value.n > w->rules->bulk_max) {
        piece->kind = RESP_PIECE_GONE;
        piece->losses |= RESP_LOSS(OTHER);
        return RSP_OK;
    }
    if (plan->has_expire || plan->losses) return put_set(w, chunk, plan, key, value, piece);
    piece->records = 0; /* the run has them */
    return add_to_run(w, chunk, item->db, piece->db, key, value);
}
