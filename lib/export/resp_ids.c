/* What this is: the ids of a stream's messages as a list of differences, so that millions fit.
 * Rests on: resp_impl.h.
 * Does not: look one up: the list is read from its begin. */
#include "export/resp_impl.h"

void resp_ids_init(struct resp_ids *ids, const struct rsp_env *env)
{
    buf_init(&ids->bytes, env);
    ids->last.ms = ids->last.seq = 0;
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

int resp_ids_add(struct resp_ids *ids, struct rsp_rdb_id id)
{
    uint64_t ms = id.ms - ids->last.ms, seq = ms ? id.seq : id.seq - ids->last.seq;
    int rc = resp_room(&ids->bytes, 20);
    if (rc) return rc;
    ids->bytes.n = (size_t)(put_varint(put_varint(ids->bytes.p + ids->bytes.n, ms), seq) - ids->bytes.p);
    ids->last = id;
    return RSP_OK;
}

static uint64_t take_varint(const struct buf *b, size_t *at)
{
    uint64_t v = 0;
    for (unsigned shift = 0; *at < b->n; shift += 7) {
        uint8_t c = b->p[(*at)++];
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) break;
    }
    return v;
}

int resp_ids_next(const struct buf *bytes, size_t *at, struct rsp_rdb_id *id)
{
    uint64_t ms, seq;
    if (*at >= bytes->n) return 0;
    ms = take_varint(bytes, at);
    seq = take_varint(bytes, at);
    id->seq = ms ? seq : id->seq + seq;
    id->ms += ms;
    return 1;
}
