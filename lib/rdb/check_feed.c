/* What this is: the elements that the check meets on its walk, handed to dd1, so that values are read once.
 * Rests on: check_impl.h, digest_impl.h.
 * Does not: judge: a record with a finding, or of a rarer type, is read by dd1 for itself. */
#include "rdb/check_impl.h"

/* Those that nearly all data is in: no expiries of fields, no templates. */
int feed_can(const struct looker *l)
{
    unsigned whole = RSP_ITEM_FIRST | RSP_ITEM_LAST;
    if (l->item->flags & RSP_ITEM_BIG) return 0;
    if (rsp_rdb_value_type(l->dialect, l->type) == RSP_RDB_STREAM) return (l->item->flags & whole) == whole;
    switch (l->type) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 10:
    case 11:
    case 12:
    case 13:
    case 14:
    case 16:
    case 17:
    case 18:
    case 20: return 1;
    default: return 0;
    }
}

/* The next token may be inflated where this text stands. */
static int hold_copy(struct looker *l, const struct stored *s)
{
    int rc;
    l->held = s->text;
    if (s->body != NO_OFFSET) return RSP_OK; /* in the batch */
    l->held_own.n = 0;
    rc = buf_add(&l->held_own, s->text.p, s->text.n);
    l->held.p = l->held_own.p;
    return rc;
}

int feed_string(struct looker *l, int role, const struct stored *s)
{
    if (l->feed != FEED_ON) return RSP_OK;
    if (!s->text.p && s->n) { /* it was too large to be kept */
        l->feed = FEED_SPOILT;
        return RSP_OK;
    }
    switch (role) {
    case RSP_ROLE_STRING: return dd1_text(l->dd1, 's', s->text);
    case RSP_ROLE_ITEM: return dd1_text(l->dd1, 'l', s->text);
    case RSP_ROLE_MEMBER: l->held = s->text; return l->type == 2 ? dd1_text(l->dd1, 'm', s->text) : RSP_OK;
    case RSP_ROLE_FIELD: return hold_copy(l, s);
    case RSP_ROLE_VALUE: return dd1_field(l->dd1, l->held, s->text, RSP_RDB_NO_EXPIRE);
    default: return RSP_OK; /* a blob: its elements follow */
    }
}

int feed_score(struct looker *l, double score)
{
    return feed_scored(l, l->held, score);
}

int feed_entry(struct looker *l, struct stream_id id, uint64_t strings)
{
    struct rsp_rdb_id at = {id.ms, id.seq};
    struct rsp_span text[FEED_STRINGS];
    if (l->feed != FEED_ON) return RSP_OK;
    if (strings > FEED_STRINGS) {
        l->feed = FEED_SPOILT;
        return RSP_OK;
    }
    for (size_t i = 0; i < strings; i++) text[i] = l->string[i].text;
    return dd1_entry(l->dd1, at, text, (size_t)strings);
}
