/* What this is: the check of compact encodings: every entry walked, then what their owner adds: pairs, order,
 *   scores, expiries, no member twice.
 * Rests on: check_impl.h, enc/, score.h, templates.h; rdb.md sections 11, 19.
 * Does not: take streams' listpacks apart (check_stream.c). */
#include <math.h>
#include <string.h>

#include "enc/intset.h"
#include "enc/listpack.h"
#include "enc/ziplist.h"
#include "enc/zipmap.h"
#include "base/mix.h"
#include "rdb/check_impl.h"
#include "rdb/score.h"
#include "rdb/templates.h"

/* A walk over a listpack or ziplist. at: file offset of the entry handed out last (of the string's token when
 * the blob was compressed). */
struct cursor {
    struct looker *l;
    const struct stored *s;
    const char *kind;
    int zl;
    struct listpack lp;
    struct ziplist z;
    uint64_t at;
};

static uint64_t offset_in(const struct stored *s, size_t in_blob)
{
    return s->body == NO_OFFSET ? s->offset : s->body + in_blob;
}

static int fault_note(struct looker *l, const struct stored *s, const char *kind, const struct blob_fault *f)
{
    l->st.faulty = 1;
    return check_note(l, offset_in(s, f->offset), kind, "%s", f->reason);
}

/* RSP_OK, RSP_END (noted) or a fault. */
static int cursor_open(struct cursor *c, struct looker *l, const struct stored *s, int zl)
{
    struct blob_fault f = {0, ""};
    int rc;
    c->l = l;
    c->s = s;
    c->zl = zl;
    c->kind = zl ? "ziplist" : "listpack";
    c->at = s->offset;
    rc = zl ? ziplist_open(&c->z, s->text, &f) : listpack_open(&c->lp, s->text, &f);
    if (!rc) return RSP_OK;
    rc = fault_note(l, s, c->kind, &f);
    return rc ? rc : RSP_END;
}

/* RSP_OK, RSP_END at the end or after a fault that was noted (l->st.faulty is set then), or a fault. */
static inline int cursor_next(struct cursor *c, struct entry *e)
{
    struct blob_fault f = {0, ""};
    size_t at;
    int rc;
    if (c->zl) {
        rc = ziplist_next(&c->z, e, &f);
        at = c->z.last;
    } else {
        at = c->lp.at;
        rc = listpack_next(&c->lp, e, &f);
    }
    if (rc == RSP_OK) c->at = offset_in(c->s, at);
    if (rc >= 0) return rc;
    rc = fault_note(c->l, c->s, c->kind, &f);
    return rc ? rc : RSP_END;
}

static uint64_t cursor_count(const struct cursor *c)
{
    return c->zl ? c->z.count : c->lp.count;
}

/* A member of a blob, all of whose members are here. */
static inline int blob_member(struct looker *l, struct rsp_span text, uint64_t offset, const char *what)
{
    return value_member(l, mix128(l->c->whole_key, text.p, text.n), offset, what);
}

/* ---- lists ---- */

static int elements_of_list(struct cursor *c)
{
    struct looker *l = c->l;
    struct entry e;
    int rc = RSP_OK;
    while (!rc && !(rc = cursor_next(c, &e))) {
        char digits[I64_TEXT];
        l->st.elements++;
        if (l->feed == FEED_ON) rc = feed_item(l, entry_text(&e, digits));
    }
    return rc;
}

int blob_list(struct looker *l, const struct stored *s, int ziplist)
{
    struct cursor c;
    int rc = cursor_open(&c, l, s, ziplist);
    if (!rc) rc = elements_of_list(&c);
    return rc == RSP_END ? RSP_OK : rc;
}

/* ---- sets, sorted sets, hashes ---- */

static int blob_set(struct cursor *c)
{
    struct entry e;
    int rc = members_clear(&c->l->set, cursor_count(c));
    while (!rc && !(rc = cursor_next(c, &e))) {
        char digits[I64_TEXT];
        struct rsp_span text = entry_text(&e, digits);
        c->l->st.elements++;
        rc = blob_member(c->l, text, c->at, "member");
        if (!rc) rc = feed_member(c->l, text);
    }
    return rc;
}

/* Servers trust the order of sorted sets: by score, then by the member's bytes. */
struct order {
    char digits[2][I64_TEXT];
    struct rsp_span member[2];
    double score;
    int which, any, told;
};

static int out_of_order(struct order *o, double score)
{
    const struct rsp_span *a = &o->member[!o->which], *b = &o->member[o->which];
    int bad = 0;
    if (o->any) {
        size_t n = a->n < b->n ? a->n : b->n;
        int d = n ? memcmp(a->p, b->p, n) : 0;
        if (!d) d = (a->n > b->n) - (a->n < b->n);
        bad = o->score > score || (o->score == score && d > 0);
    }
    o->score = score;
    o->any = 1;
    o->which = !o->which;
    return bad;
}

static int score_of(struct cursor *c, const struct entry *e, double *d)
{
    struct rsp_span text = {e->p, e->n};
    if (e->is_int) {
        *d = (double)e->i;
        return RSP_OK;
    }
    if (score_parse(text, d)) {
        int rc = check_note(c->l, c->at, "score", "the score is not a number");
        return rc ? rc : RSP_END;
    }
    if (isnan(*d)) {
        int rc = check_note(c->l, c->at, "score", "the score is not a number (NaN)");
        return rc ? rc : RSP_END;
    }
    return RSP_OK;
}

static int blob_zset(struct cursor *c)
{
    struct looker *l = c->l;
    struct order o;
    struct entry e;
    int rc = members_clear(&l->set, cursor_count(c) / 2);
    memset(&o, 0, sizeof o);
    while (!rc && !(rc = cursor_next(c, &e))) {
        uint64_t at = c->at;
        struct rsp_span member;
        double d;
        l->st.elements++;
        o.member[o.which] = member = entry_text(&e, o.digits[o.which]);
        rc = blob_member(l, member, at, "member");
        if (rc) break;
        rc = cursor_next(c, &e);
        if (rc == RSP_END && !l->st.faulty)
            return check_note(l, at, c->kind, "an odd number of entries: the last member has no score");
        if (rc) break;
        rc = score_of(c, &e, &d);
        if (rc < 0) break;
        if (!rc && (rc = feed_scored(l, member, d)) != 0) break;
        if (!rc && out_of_order(&o, d) && !o.told) {
            o.told = 1;
            rc = check_note(l, at, "order",
                            "the sorted set is out of order: this member belongs before the one in front of it");
        }
        if (rc == RSP_END) rc = RSP_OK;
    }
    return rc;
}

static int blob_hash(struct cursor *c)
{
    struct looker *l = c->l;
    struct entry e;
    int rc = members_clear(&l->set, cursor_count(c) / 2);
    while (!rc && !(rc = cursor_next(c, &e))) {
        char digits[2][I64_TEXT];
        struct rsp_span field = entry_text(&e, digits[0]);
        uint64_t at = c->at;
        l->st.elements++;
        rc = blob_member(l, field, at, "field");
        if (rc) break;
        rc = cursor_next(c, &e);
        if (rc == RSP_END && !l->st.faulty)
            return check_note(l, at, c->kind, "an odd number of entries: the last field has no value");
        if (!rc && l->feed == FEED_ON) rc = feed_field(l, field, entry_text(&e, digits[1]));
    }
    return rc;
}

/* The expiry of a triple: an integer from 0 (none) to 2^48-1, ascending, those without one last. */
static int ex_ttl(struct cursor *c, const struct entry *e, int64_t *before, int *told)
{
    if (!e->is_int) return check_note(c->l, c->at, "ttl", "the field's expiry is not an integer");
    if (e->i < 0) return check_note(c->l, c->at, "ttl", "the field's expiry is negative");
    if ((uint64_t)e->i > TTL_MAX)
        return check_note(c->l, c->at, "ttl", "the field's expiry is out of range (past 2^48-1)");
    if (!*told && *before >= 0 && (*before == 0 ? e->i != 0 : e->i && e->i < *before)) {
        *told = 1;
        return check_note(c->l, c->at, "order",
                          "the fields are not in the order of their expiries (ascending, those without one last)");
    }
    *before = e->i;
    return RSP_OK;
}

static int blob_hash_ex(struct cursor *c)
{
    struct looker *l = c->l;
    int64_t before = -1;
    int told = 0;
    struct entry e;
    int rc = members_clear(&l->set, cursor_count(c) / 3);
    while (!rc && !(rc = cursor_next(c, &e))) {
        char digits[I64_TEXT];
        uint64_t at = c->at;
        l->st.elements++;
        rc = blob_member(l, entry_text(&e, digits), at, "field");
        if (rc) break;
        rc = cursor_next(c, &e);
        if (!rc) rc = cursor_next(c, &e);
        if (rc == RSP_END && !l->st.faulty)
            return check_note(l, at, c->kind, "the number of entries is no multiple of three (field, value, expiry)");
        if (!rc) rc = ex_ttl(c, &e, &before, &told);
    }
    return rc;
}

/* ---- hash templates ---- */

/* Names of a template: shorter first, then by bytes, none twice. fields holds the name before. */
int template_field(struct looker *l, struct rsp_span name, uint64_t offset)
{
    const struct buf *b = &l->fields;
    int rc = RSP_OK;
    if (l->st.fields_seen++) {
        int d = (b->n > name.n) - (b->n < name.n);
        if (!d && name.n) d = memcmp(b->p, name.p, name.n);
        if (!d) rc = check_note(l, offset, "template", "the template has this field name twice");
        if (d > 0)
            rc = check_note(l, offset, "template",
                            "the template's field names are out of order (shorter first, then by bytes)");
    }
    l->fields.n = 0;
    return rc ? rc : buf_add(&l->fields, name.p, name.n);
}

int blob_fields(struct looker *l, const struct stored *s)
{
    struct cursor c;
    struct entry e;
    int rc = cursor_open(&c, l, s, 0);
    l->st.fields_seen = 0;
    while (!rc && !(rc = cursor_next(&c, &e))) {
        char digits[I64_TEXT];
        rc = template_field(l, entry_text(&e, digits), c.at);
    }
    l->st.fields = l->st.fields_seen;
    if (rc == RSP_END && !l->st.fields && !l->st.faulty)
        return check_note(l, s->offset, "template", "a template without fields");
    return rc == RSP_END ? RSP_OK : rc;
}

/* An id, then a value for each field of the template. */
static int blob_template(struct cursor *c, int by_reference)
{
    struct looker *l = c->l;
    uint64_t want = l->st.fields, have = 0;
    struct entry e;
    int rc = cursor_next(c, &e);
    if (rc == RSP_END && !l->st.faulty)
        return check_note(l, c->s->offset, "template", "an empty listpack instead of a template id and values");
    if (rc) return rc;
    if (!e.is_int) return check_note(l, c->at, "template", "the template id is not an integer");
    if (by_reference) {
        const struct rdb_template *t = e.i < 0 ? NULL : templates_find(l->batch->templates, (uint64_t)e.i);
        if (!t) return check_note(l, c->at, "template", "an unknown template: the file does not define this id");
        want = t->count;
    }
    while (!(rc = cursor_next(c, &e))) {
        if (have++ != want) continue;
        rc = check_note(l, c->at, "template", "more values than the template has fields");
        if (rc) return rc;
    }
    if (rc < 0) return rc;
    l->st.elements = have;
    if (have < want && !l->st.faulty)
        return check_note(l, c->s->offset, "template", "fewer values than the template has fields");
    return RSP_OK;
}

/* ---- intset, zipmap ---- */

static int blob_intset(struct looker *l, const struct stored *s)
{
    struct blob_fault f = {0, ""};
    struct intset is;
    struct entry e;
    int rc = intset_open(&is, s->text, &f), status = RSP_OK;
    while (!rc && !(rc = intset_next(&is, &e, &f))) {
        char digits[I64_TEXT];
        l->st.elements++;
        if (l->feed == FEED_ON) status = feed_member(l, entry_text(&e, digits));
        if (status) return status;
    }
    return rc < 0 ? fault_note(l, s, "intset", &f) : RSP_OK;
}

static int blob_zipmap(struct looker *l, const struct stored *s)
{
    struct blob_fault f = {0, ""};
    struct zipmap zm;
    struct entry field, value;
    int rc = zipmap_open(&zm, s->text, &f), status = RSP_OK;
    if (rc) return fault_note(l, s, "zipmap", &f);
    status = members_clear(&l->set, zm.count);
    while (!status) {
        char digits[I64_TEXT];
        size_t at = zm.at;
        rc = zipmap_next(&zm, &field, &value, &f);
        if (rc) break;
        l->st.elements++;
        status = blob_member(l, entry_text(&field, digits), offset_in(s, at), "field");
    }
    if (status) return status;
    return rc < 0 ? fault_note(l, s, "zipmap", &f) : RSP_OK;
}

/* Types 23 and 25 of Redis: triples. */
static int is_triples(const struct looker *l)
{
    return l->dialect == RSP_RDB_REDIS && (l->type == 23 || l->type == 25);
}

int blob_whole(struct looker *l, int role, const struct stored *s)
{
    int value_type = rsp_rdb_value_type(l->dialect, l->type), rc;
    int whole = l->whole;
    struct cursor c;
    l->whole = 1; /* whatever its size, the blob is here at once */
    if (role == RSP_ROLE_INTSET || role == RSP_ROLE_ZIPMAP) {
        rc = role == RSP_ROLE_INTSET ? blob_intset(l, s) : blob_zipmap(l, s);
    } else if (!(rc = cursor_open(&c, l, s, role == RSP_ROLE_ZIPLIST))) {
        if (l->dialect == RSP_RDB_REDIS && (l->type == 29 || l->type == 30)) {
            rc = blob_template(&c, l->type == 30);
            l->st.faulty = 1; /* what there is to say was said */
        } else if (is_triples(l)) {
            rc = blob_hash_ex(&c);
        } else if (value_type == RSP_RDB_HASH) {
            rc = blob_hash(&c);
        } else if (value_type == RSP_RDB_ZSET) {
            rc = blob_zset(&c);
        } else if (value_type == RSP_RDB_SET) {
            rc = blob_set(&c);
        } else {
            rc = elements_of_list(&c);
        }
    }
    l->whole = whole;
    if (rc < 0) return rc;
    if (!l->st.elements && !l->st.faulty && !l->st.empty_told) {
        l->st.empty_told = 1;
        return check_note(l, s->offset, "empty", "an empty value: servers refuse or drop the key");
    }
    return RSP_OK;
}
