/* What this is: the check of what stands between the keys: AUX, functions, hash templates, module data.
 * Rests on: check_impl.h, str.h, templates.h.
 * Does not: check their framing: the scan did. */
#include "rdb/check_impl.h"
#include "rdb/templates.h"

static int string_at(struct looker *l, uint32_t at)
{
    struct rsp_span text;
    int rc;
    if (l->batch->p[at] != 0xc3) return RSP_OK; /* only what is compressed can be wrong inside */
    rc = rsp_rdb_batch_string(&l->env, l->batch, at, &l->key, &text);
    if (rc != RSP_EFORMAT) return rc;
    rc = check_note(l, l->batch->offset + at, "lzf", "%s",
                    l->err.message[0] ? l->err.message : "the string does not inflate");
    rsp_error_clear(&l->err);
    return rc;
}

static uint32_t string_end(const struct looker *l, uint32_t at)
{
    struct rdb_str s;
    if (at >= l->item->end || str_head(l->batch->p + at, l->item->end - at, &s) != 1 ||
        s.body > l->item->end - at - s.head)
        return l->item->end;
    return at + s.head + (uint32_t)s.body;
}

static int template_names(struct looker *l)
{
    const struct rdb_template *t = templates_find(l->batch->templates, (uint64_t)l->item->expire_ms);
    uint32_t at = l->item->value;
    int rc = RSP_OK;
    if (!t) return RSP_OK;
    l->st.fields_seen = 0;
    l->fields.n = 0;
    for (size_t i = 0; i < t->count && !rc; i++) {
        rc = template_field(l, t->fields[i], l->batch->offset + at);
        at = string_end(l, at);
    }
    return rc;
}

/* Strings among module items from *at on, up to the item that ends them. */
static int module_items(struct looker *l, uint32_t *at)
{
    const uint8_t *p = l->batch->p;
    uint32_t end = l->item->end;
    for (;;) {
        uint64_t op, v;
        int w = *at < end ? len_read(p + *at, end - *at, &op) : 0, rc;
        if (w <= 0) return RSP_OK;
        *at += (uint32_t)w;
        switch (op) {
        case 1:
        case 2:
            w = *at < end ? len_read(p + *at, end - *at, &v) : 0;
            if (w <= 0) return RSP_OK;
            *at += (uint32_t)w;
            break;
        case 3: *at += 4; break;
        case 4: *at += 8; break;
        case 5:
            if (*at >= end) return RSP_OK;
            rc = string_at(l, *at);
            if (rc) return rc;
            *at = string_end(l, *at);
            break;
        default: return RSP_OK;
        }
    }
}

int look_opcode(struct looker *l)
{
    const struct rsp_rdb_item *item = l->item;
    uint32_t at = item->value;
    int rc;
    switch (item->kind) {
    case RSP_RDB_AUX: rc = string_at(l, item->key); return rc ? rc : string_at(l, item->value);
    case RSP_RDB_FUNCTION:
        rc = item->type == 0xf6 ? string_at(l, item->key) : RSP_OK;
        return rc ? rc : string_at(l, item->value);
    case RSP_RDB_HASH_TEMPLATE: return template_names(l);
    case RSP_RDB_MODULE_AUX: return module_items(l, &at);
    default: return RSP_OK;
    }
}
