/* What this is: the check of one value's tokens: plain types here, blobs and streams handed on.
 * Rests on: check_impl.h, enc/lzf.h; rdb.md sections 10, 19.
 * Does not: know of parts (check_parts.c) or report (check.c). */
#include <math.h>
#include <string.h>

#include "base/mix.h"
#include "rdb/check_impl.h"
#include "rdb/templates.h"

#define KEEP_TEXT (4u << 20) /* inflated strings above this are checked piecewise, unless they are blobs */

static int is_stream(const struct looker *l)
{
    return rsp_rdb_value_type(l->dialect, l->type) == RSP_RDB_STREAM;
}

int value_begin(struct looker *l)
{
    memset(&l->st, 0, sizeof l->st);
    l->st.len_at = NO_OFFSET;
    stream_tail_reset(&l->tail);
    l->fields.n = 0;
    l->piece.on = 0;
    return RSP_OK;
}

static int is_blob(int role)
{
    switch (role) {
    case RSP_ROLE_ZIPMAP:
    case RSP_ROLE_ZIPLIST:
    case RSP_ROLE_LISTPACK:
    case RSP_ROLE_INTSET:
    case RSP_ROLE_FIELDS_LISTPACK:
    case RSP_ROLE_STREAM_NODE: return 1;
    default: return 0;
    }
}

/* ---- strings ---- */

static int lzf_note(struct looker *l, uint64_t offset, const char *why)
{
    int rc;
    l->st.faulty = 1;
    rc = check_note(l, offset, "lzf", "the compressed (LZF) string does not inflate: %s", why);
    return rc ? rc : RSP_END;
}

/* Inflates in a small window only to see that it can be done; hashes on the way. */
static int inflate_through(struct looker *l, const struct rsp_rdb_token *t, struct stored *s)
{
    struct blob_fault f = {0, ""};
    struct lzf_stream *z = &l->piece.lzf;
    struct sip sip;
    size_t in = 0, room = 1u << 16;
    int rc = buf_reserve(&l->text, room);
    if (rc) return rc;
    lzf_stream_init(z, t->n);
    sip_init(&sip, l->member_key, 1);
    for (;;) {
        size_t out = 0, was = in;
        if (lzf_stream_step(z, t->body.p, t->body.n, &in, l->text.p, room, &out, &f))
            return lzf_note(l, t->offset, f.reason);
        sip_add(&sip, l->text.p, out);
        if (in == t->body.n && out < room) break;
        if (!out && in == was) break;
    }
    if (lzf_stream_end(z, &f)) return lzf_note(l, t->offset, f.reason);
    s->h = sip_end128(&sip);
    s->hashed = 1;
    s->text.p = NULL;
    return RSP_OK;
}

int check_text(struct looker *l, const struct rsp_rdb_token *t, int role, struct stored *s)
{
    struct blob_fault f = {0, ""};
    int keep = t->n <= KEEP_TEXT || is_blob(role) || role == RSP_ROLE_NODE;
    int rc;
    memset(s, 0, sizeof *s);
    s->offset = t->offset;
    s->body = NO_OFFSET;
    s->n = t->n;
    if (t->enc == RSP_STR_RAW) {
        s->text = t->body;
        s->body = l->batch->offset + (uint64_t)(t->body.p - l->batch->p);
        return RSP_OK;
    }
    l->text.n = 0;
    if (t->enc == RSP_STR_INT) {
        rc = buf_reserve(&l->text, I64_TEXT);
        if (rc) return rc;
        s->n = i64_text((char *)l->text.p, t->i);
    } else {
        if (!lzf_plausible(t->body.n, t->n)) return lzf_note(l, t->offset, "it claims more bytes than can come out");
        if (t->n > l->env.limits.alloc_bytes) keep = 0;
        if (!keep) return inflate_through(l, t, s);
        rc = buf_reserve(&l->text, t->n ? (size_t)t->n : 1);
        if (rc) return rc;
        if (lzf_inflate(t->body, l->text.p, (size_t)t->n, &f)) return lzf_note(l, t->offset, f.reason);
    }
    s->text.p = l->text.p;
    s->text.n = (size_t)s->n;
    return RSP_OK;
}

int value_member(struct looker *l, struct sip128 h, uint64_t offset, const char *what)
{
    int rc;
    if (l->whole) {
        rc = members_add(&l->set, h);
        return rc == RSP_END ? check_note(l, offset, "duplicate-member", "this %s is there twice", what) : rc;
    }
    if (l->c->dups_on && (!l->c->confirm || dups_candidate(l->c, h.lo))) {
        struct big_member m = {l->record, offset, h};
        return buf_add(&l->out->members, &m, sizeof m);
    }
    return RSP_OK;
}

/* Texts that may come in pieces or are too large to be kept have SipHash as it can be fed, whatever they are stored
 * as: equal ones must have equal hashes. LZF at worst doubles a text, so none in pieces is shorter than this. */
#define MIX_TEXT (RSP_RDB_BIG_BYTES / 4)

static struct sip128 hash_of(const struct looker *l, const struct stored *s)
{
    if (s->hashed) return s->h;
    if (s->n > MIX_TEXT) return sip128_of(l->member_key, s->text.p, s->text.n);
    return mix128(l->mix_key, s->text.p, s->text.n);
}

/* A blob of an int or LZF string that is over the limit, or too big to be put together. */
static int too_big(struct looker *l, const struct stored *s)
{
    l->st.faulty = 1;
    return check_note(l, s->offset, "string",
                      "an encoded value of %llu bytes is larger than the limit: not looked into",
                      (unsigned long long)s->n);
}

static int list_node(struct looker *l, const struct stored *s)
{
    if (l->type == 18 && l->st.container != 2) {
        if (!s->n) return check_note(l, s->offset, "empty", "an empty plain node of a list");
        l->st.elements++;
        return feed_item(l, s->text);
    }
    if (!s->text.p && s->n) return too_big(l, s);
    return blob_list(l, s, l->type == 14);
}

int value_string(struct looker *l, int role, const struct stored *s)
{
    struct sip128 h;
    switch (role) {
    case RSP_ROLE_MEMBER: return value_member(l, hash_of(l, s), s->offset, "member");
    case RSP_ROLE_FIELD:
        h = hash_of(l, s);
        h.lo += l->st.path.lo, h.hi ^= l->st.path.hi;
        return value_member(l, h, l->st.ttl ? l->st.ttl : s->offset, "field");
    case RSP_ROLE_PATH:
        h = hash_of(l, s);
        l->st.path = h;
        return value_member(l, h, s->offset, "path");
    case RSP_ROLE_NODE: return list_node(l, s);
    case RSP_ROLE_ITEM: l->st.elements++; return RSP_OK;
    case RSP_ROLE_ELEMENT:
        if (l->st.tag == 3 && s->n > 7) return check_note(l, s->offset, "array", "a small string of more than 7 bytes");
        return RSP_OK;
    case RSP_ROLE_ZIPMAP:
    case RSP_ROLE_ZIPLIST:
    case RSP_ROLE_LISTPACK:
    case RSP_ROLE_INTSET: return !s->text.p && s->n ? too_big(l, s) : blob_whole(l, role, s);
    case RSP_ROLE_FIELDS_LISTPACK: return !s->text.p && s->n ? too_big(l, s) : blob_fields(l, s);
    case RSP_ROLE_TEMPLATE_FIELD: return !s->text.p && s->n ? RSP_OK : template_field(l, s->text, s->offset);
    case RSP_ROLE_STREAM_NODE:
        if (!s->text.p && s->n) return too_big(l, s);
        return check_stream_string(l, role, s);
    case RSP_ROLE_NODE_ID:
    case RSP_ROLE_GROUP_NAME:
    case RSP_ROLE_CONSUMER_NAME:
    case RSP_ROLE_PRODUCER:
    case RSP_ROLE_IID: return check_stream_string(l, role, s);
    default: return RSP_OK;
    }
}

/* Strings of which nothing but the form can be wrong. */
static int is_opaque(int role)
{
    return role == RSP_ROLE_STRING || role == RSP_ROLE_VALUE || role == RSP_ROLE_MODULE_STRING;
}

static int string_token(struct looker *l, const struct rsp_rdb_token *t)
{
    struct stored s;
    int rc;
    if (t->enc != RSP_STR_LZF && l->feed != FEED_ON) {
        if (is_opaque(t->role)) return RSP_OK;
        if (t->role == RSP_ROLE_ITEM) {
            l->st.elements++;
            return RSP_OK;
        }
    }
    rc = check_text(l, t, t->role, &s);
    if (!rc) rc = feed_string(l, t->role, &s);
    if (rc) return rc == RSP_END ? RSP_OK : rc;
    return value_string(l, t->role, &s);
}

/* ---- numbers ---- */

static int loop_token(struct looker *l, const struct rsp_rdb_token *t)
{
    int redis = l->dialect == RSP_RDB_REDIS;
    if (redis && (l->type == 29 || l->type == 31 || l->type == 32)) {
        l->st.fields = t->n;
        return t->n ? RSP_OK : check_note(l, t->offset, "template", "a template without fields");
    }
    if (l->st.len_at == NO_OFFSET) {
        uint64_t room = l->batch->offset + l->item->end - t->offset;
        l->st.len_at = t->offset;
        if (l->whole) {
            int rc = members_clear(&l->set, t->n < room ? t->n : room);
            if (rc) return rc;
        }
    }
    if (t->n || l->st.empty_told) return RSP_OK;
    l->st.empty_told = 1;
    return check_note(l, t->offset, "empty", "an empty value: servers refuse or drop the key");
}

static int score_token(struct looker *l, const struct rsp_rdb_token *t)
{
    double d = t->kind == RSP_TOK_SCORE ? t->d : load_double(t->body.p);
    if (t->kind == RSP_TOK_SCORE && t->tag) return check_note(l, t->offset, "score", "the score is not a number");
    if (isnan(d)) return check_note(l, t->offset, "score", "the score is not a number (NaN)");
    return feed_score(l, d);
}

static int ttl_note(struct looker *l, uint64_t offset)
{
    return check_note(l, offset, "ttl", "the field's expiry is out of range (past 2^48-1)");
}

/* ttl + minimum - 1 is the expiry; st.ttl remembers where the entry began. */
static int ttl_token(struct looker *l, const struct rsp_rdb_token *t)
{
    l->st.ttl = t->offset;
    if (t->role == RSP_ROLE_TTL_ABS) return t->n > TTL_MAX ? ttl_note(l, t->offset) : RSP_OK;
    if (!t->n) return RSP_OK;
    if (l->st.has_min) {
        if (l->st.min_expire > TTL_MAX + 1) return RSP_OK; /* told already */
        return t->n > TTL_MAX + 1 || t->n + l->st.min_expire > TTL_MAX + 1 ? ttl_note(l, t->offset) : RSP_OK;
    }
    if (t->n > l->st.ttl_most) l->st.ttl_most = t->n, l->st.ttl_most_at = t->offset;
    return RSP_OK;
}

static int min_token(struct looker *l, const struct rsp_rdb_token *t)
{
    l->st.min_expire = load_le64(t->body.p);
    l->st.has_min = 1;
    if (l->st.min_expire > TTL_MAX + 1 && l->type == 24)
        return check_note(l, t->offset, "ttl", "the fields' earliest expiry is out of range (negative or past 2^48)");
    return RSP_OK;
}

/* Servers write indices in ascending order, but load any. */
static int index_token(struct looker *l, const struct rsp_rdb_token *t)
{
    uint8_t b[8];
    if (t->n == UINT64_MAX) return check_note(l, t->offset, "array", "an index out of range (2^64-1)");
    store_le64(b, t->n);
    return value_member(l, sip128_of(l->member_key, b, sizeof b), t->offset, "index");
}

static int other_token(struct looker *l, const struct rsp_rdb_token *t)
{
    switch (t->role) {
    case RSP_ROLE_SCORE: return score_token(l, t);
    case RSP_ROLE_TTL_REL:
    case RSP_ROLE_TTL_ABS: return ttl_token(l, t);
    case RSP_ROLE_TTL_FIX:
        if (as_i64(load_le64(t->body.p)) < -1)
            return check_note(l, t->offset, "ttl", "the field's expiry is negative (and not -1)");
        return RSP_OK;
    case RSP_ROLE_MIN_EXPIRE: return min_token(l, t);
    case RSP_ROLE_CONTAINER:
        l->st.container = (uint8_t)(t->n < 255 ? t->n : 255);
        if (t->n == 1 || t->n == 2) return RSP_OK;
        l->st.container = 1;
        return check_note(l, t->offset, "listpack", "unknown container kind %llu of a list node",
                          (unsigned long long)t->n);
    case RSP_ROLE_ARRAY_COUNT:
        if (t->n) return l->whole ? members_clear(&l->set, t->n < 1u << 16 ? t->n : 1u << 16) : RSP_OK;
        l->st.empty_told = 1;
        return check_note(l, t->offset, "empty", "an empty array: its count is zero");
    case RSP_ROLE_INDEX: return index_token(l, t);
    case RSP_ROLE_TAG: l->st.tag = (uint8_t)t->n; return RSP_OK;
    default: return RSP_OK;
    }
}

/* ---- the walk ---- */

static int token(struct looker *l, const struct rsp_rdb_walk *walk, const struct rsp_rdb_token *t, int stream)
{
    if (t->kind == RSP_TOK_STR) return string_token(l, t);
    if (t->kind == RSP_TOK_PART) return value_piece(l, walk, t);
    if (stream) return check_stream_token(l, t);
    if (t->kind == RSP_TOK_LOOP) return loop_token(l, t);
    return other_token(l, t);
}

/* What the walk itself found wrong: nothing more can be read of this value. */
static int walk_fault(struct looker *l, int status)
{
    int rc;
    if (status != RSP_EFORMAT && status != RSP_EUNSUPPORTED) return status;
    l->st.faulty = 1;
    rc = check_note(l, l->err.has_offset ? l->err.offset : l->record, "framing", "%s", l->err.message);
    rsp_error_clear(&l->err);
    return rc;
}

int value_walk(struct looker *l, struct rsp_rdb_walk *walk, uint32_t *at, uint8_t *tail)
{
    struct rsp_rdb_token t;
    int stream = is_stream(l);
    memset(&t, 0, sizeof t);
    t.size = sizeof t;
    for (;;) {
        struct rsp_rdb_walk before;
        uint32_t was = *at;
        int rc;
        if (tail) before = *walk;
        rc = rsp_rdb_walk_next(&l->env, walk, l->batch, at, l->item->end, &t);
        if (rc == RSP_END || rc == RSP_AGAIN) return RSP_OK;
        if (rc) return walk_fault(l, rc);
        if (tail && stream && t.kind != RSP_TOK_STR && !(t.kind == RSP_TOK_LOOP && t.role == RSP_ROLE_LENGTH)) {
            *tail = 1;
        } else if (tail && stream && t.role != RSP_ROLE_NODE_ID && t.role != RSP_ROLE_STREAM_NODE &&
                   t.kind == RSP_TOK_STR) {
            *tail = 1;
        }
        if (tail && *tail) {
            *walk = before;
            *at = was;
            return RSP_OK;
        }
        rc = token(l, walk, &t, stream);
        if (rc) return rc;
    }
}

int value_end(struct looker *l)
{
    struct value_state *st = &l->st;
    int value_type = rsp_rdb_value_type(l->dialect, l->type);
    if (value_type == RSP_RDB_STREAM) return check_stream_end(l);
    if (st->has_min && st->ttl_most && st->min_expire <= TTL_MAX + 1 &&
        (st->ttl_most > TTL_MAX + 1 || st->ttl_most + st->min_expire > TTL_MAX + 1)) {
        int rc = ttl_note(l, st->ttl_most_at);
        if (rc) return rc;
    }
    if (value_type == RSP_RDB_LIST && !st->elements && !st->faulty && !st->empty_told && st->len_at != NO_OFFSET)
        return check_note(l, st->len_at, "empty", "an empty list: none of its nodes holds an element");
    return RSP_OK;
}
