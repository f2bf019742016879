/* What this is: reading and writing of tagged items.
 * Rests on: items.h, base/bytes.h.
 * Does not: know what a tag means. */
#include "seal/items.h"

#include "base/bytes.h"

int items_next(struct items *r, struct item *item)
{
    const uint8_t *p;
    size_t left = r->n - r->pos;
    uint16_t tag;
    uint32_t n;
    if (!left) return RSP_END;
    if (left < 6) return RSP_EFORMAT;
    p = r->p + r->pos;
    tag = load_le16(p);
    n = load_le32(p + 2);
    if (n > left - 6 || (int32_t)ITEM_NUMBER(tag) < r->last) return RSP_EFORMAT;
    r->last = (int32_t)ITEM_NUMBER(tag);
    r->pos += 6 + (size_t)n;
    item->tag = tag;
    item->v = (struct rsp_span){p + 6, n};
    return RSP_OK;
}

static int head(struct buf *b, uint16_t tag, uint32_t n)
{
    uint8_t h[6] = {(uint8_t)tag, (uint8_t)(tag >> 8)};
    store_le32(h + 2, n);
    return buf_add(b, h, sizeof h);
}

static int too_long(struct buf *b, size_t n)
{
    return fail(b->env, RSP_ELIMIT, NULL, "%zu bytes are too many for one item", n);
}

int item_add(struct buf *b, uint16_t tag, const void *p, size_t n)
{
    int rc;
    if (n > UINT32_MAX) return too_long(b, n);
    rc = head(b, tag, (uint32_t)n);
    return rc ? rc : buf_add(b, p, n);
}

int item_u8(struct buf *b, uint16_t tag, uint8_t v)
{
    return item_add(b, tag, &v, 1);
}

int item_u32(struct buf *b, uint16_t tag, uint32_t v)
{
    uint8_t p[4];
    store_le32(p, v);
    return item_add(b, tag, p, sizeof p);
}

int item_u64(struct buf *b, uint16_t tag, uint64_t v)
{
    uint8_t p[8];
    store_le64(p, v);
    return item_add(b, tag, p, sizeof p);
}

int item_pair(struct buf *b, uint16_t tag, const void *name, size_t name_n, const void *value, size_t value_n)
{
    uint8_t h[2] = {(uint8_t)name_n, (uint8_t)(name_n >> 8)};
    size_t at;
    int rc;
    if (name_n > UINT16_MAX) return fail(b->env, RSP_ELIMIT, NULL, "a name of %zu bytes is longer than 65535", name_n);
    if ((rc = item_begin(b, tag, &at))) return rc;
    if ((rc = buf_add(b, h, sizeof h))) return rc;
    if ((rc = buf_add(b, name, name_n))) return rc;
    if ((rc = buf_add(b, value, value_n))) return rc;
    return item_end(b, at);
}

int item_begin(struct buf *b, uint16_t tag, size_t *at)
{
    int rc = head(b, tag, 0);
    *at = b->n;
    return rc;
}

int item_end(struct buf *b, size_t at)
{
    size_t n = b->n - at;
    if (n > UINT32_MAX) return too_long(b, n);
    store_le32(b->p + at - 4, (uint32_t)n);
    return RSP_OK;
}

int item_get_u8(struct rsp_span v, uint8_t *out)
{
    if (v.n != 1) return 0;
    *out = v.p[0];
    return 1;
}

int item_get_u32(struct rsp_span v, uint32_t *out)
{
    if (v.n != 4) return 0;
    *out = load_le32(v.p);
    return 1;
}

int item_get_u64(struct rsp_span v, uint64_t *out)
{
    if (v.n != 8) return 0;
    *out = load_le64(v.p);
    return 1;
}

int item_get_pair(struct rsp_span v, struct rsp_span *name, struct rsp_span *value)
{
    size_t n;
    if (v.n < 2) return 0;
    n = load_le16(v.p);
    if (n > v.n - 2) return 0;
    *name = (struct rsp_span){v.p + 2, n};
    *value = (struct rsp_span){v.p + 2 + n, v.n - 2 - n};
    return 1;
}

int buf_u32(struct buf *b, uint32_t v)
{
    uint8_t p[4];
    store_le32(p, v);
    return buf_add(b, p, sizeof p);
}

int buf_u64(struct buf *b, uint64_t v)
{
    uint8_t p[8];
    store_le64(p, v);
    return buf_add(b, p, sizeof p);
}
