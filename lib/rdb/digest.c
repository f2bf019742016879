/* What this is: dd1 of one value, element by element, and of its record.
 * Rests on: respite/sys/digest.h (the definition), base/sip.h, base/buf.h.
 * Does not: read a file: digest_run.c does. */
#include <respite/sys/digest.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/sip.h"
#include "rdb/digest_impl.h"

const uint8_t dd1_key[17] = "respite dd1 key.";
static const struct rsp_dd1_sum multiplier = {0x5851F42D4C957F2DULL, 0x2545F4914F6CDD1DULL};

__extension__ typedef unsigned __int128 u128;

static inline u128 wide(const struct rsp_dd1_sum *s)
{
    return (u128)s->hi << 64 | s->lo;
}

static inline void narrow(struct rsp_dd1_sum *s, u128 v)
{
    s->lo = (uint64_t)v;
    s->hi = (uint64_t)(v >> 64);
}

static inline void add_hash(struct rsp_dd1_sum *s, struct sip128 h)
{
    narrow(s, wide(s) + ((u128)h.hi << 64 | h.lo));
}

/* What is to be hashed: most elements are short, so they are laid out here and hashed at once; the
 * long ones go on in pieces. */
struct words {
    struct sip s;
    size_t n;
    int pieces;
    uint8_t p[256];
};

static void put(struct words *w, const void *p, size_t n)
{
    if (!w->pieces) {
        if (n <= sizeof w->p - w->n) {
            if (n) memcpy(w->p + w->n, p, n);
            w->n += n;
            return;
        }
        sip_init(&w->s, dd1_key, 1);
        sip_add(&w->s, w->p, w->n);
        w->pieces = 1;
    }
    sip_add(&w->s, p, n);
}

static void put_u64(struct words *w, uint64_t v)
{
    uint8_t b[8];
    store_le64(b, v);
    put(w, b, 8);
}

static void put_str(struct words *w, struct rsp_span s)
{
    put_u64(w, s.n);
    put(w, s.p, s.n);
}

static void start(struct words *w, char letter)
{
    w->pieces = 0;
    w->n = 1;
    w->p[0] = (uint8_t)letter;
}

static struct sip128 hashed(struct words *w)
{
    return w->pieces ? sip_end128(&w->s) : sip128_of(dd1_key, w->p, w->n);
}

struct rsp_dd1 {
    struct rsp_env env;
    struct rsp_dd1_value v;
    struct words group, consumer, producer, part;
    struct rsp_dd1_sum group_sum;
    uint8_t part_open; /* an element of which at least one string came in pieces */
    uint8_t slots;     /* which of them are hashed already: 1 a, 2 b */
    struct buf name;   /* a name in pieces: names are bounded by limits.key_bytes */
};

int rsp_dd1_new(const struct rsp_env *env, struct rsp_dd1 **ret)
{
    struct rsp_env e;
    struct rsp_dd1 *d;
    env_init(&e, env);
    d = mem_zero(&e, sizeof *d);
    if (!d) return RSP_ENOMEM;
    d->env = e;
    buf_init(&d->name, &d->env);
    rsp_dd1_begin(d);
    *ret = d;
    return RSP_OK;
}

static void value_zero(struct rsp_dd1_value *v)
{
    memset(v, 0, sizeof *v);
    v->power.lo = 1;
}

void rsp_dd1_begin(struct rsp_dd1 *d)
{
    value_zero(&d->v);
    memset(&d->group_sum, 0, sizeof d->group_sum);
    start(&d->group, 'g');
    start(&d->consumer, 'w');
    start(&d->producer, 'p');
    d->part_open = d->slots = 0;
    d->name.n = 0;
}

static void fold(struct rsp_dd1_value *v, struct sip128 h)
{
    u128 m = wide(&multiplier);
    narrow(&v->fold, wide(&v->fold) * m + ((u128)h.hi << 64 | h.lo));
    narrow(&v->power, wide(&v->power) * m);
}

void dd1_add_hashes(struct rsp_dd1_value *v, int in_order, const struct sip128 *h, size_t n)
{
    u128 acc = wide(in_order ? &v->fold : &v->sum), m = in_order ? wide(&multiplier) : 1;
    for (size_t i = 0; i < n; i++) acc = acc * m + ((u128)h[i].hi << 64 | h[i].lo);
    narrow(in_order ? &v->fold : &v->sum, acc);
    v->count += n;
    if (!in_order) return;
    for (acc = wide(&v->power); n; n >>= 1, m *= m) /* M^n */
        if (n & 1) acc *= m;
    narrow(&v->power, acc);
}

uint64_t dd1_score_bits(double d)
{
    uint64_t bits;
    if (d == 0) return 0; /* -0 as 0 */
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

static char letter_of(unsigned kind)
{
    switch (kind) {
    case RSP_ELEM_STRING: return 's';
    case RSP_ELEM_ITEM: return 'l';
    case RSP_ELEM_MEMBER: return 'm';
    case RSP_ELEM_SCORED: return 'z';
    case RSP_ELEM_FIELD: return 'h';
    case RSP_ELEM_INDEXED: return 'a';
    case RSP_ELEM_MODULE: return 'o';
    default: return 0;
    }
}

/* A piece of a string. Its length comes first in what is hashed: number[0] of the first piece
 * (a module's is not known before its end, and is not hashed). A field that was whole stands in b
 * of the first piece of its value. */
static int part(struct rsp_dd1 *d, const struct rsp_rdb_element *e)
{
    char letter = letter_of(e->part_of);
    unsigned bit = 1u << (e->part_slot & 1);
    if (!letter) {
        int rc;
        if (e->part_first) d->name.n = 0;
        if (e->a.n > d->env.limits.key_bytes - d->name.n)
            return fail(&d->env, RSP_ELIMIT, NULL, "a name of more than %llu bytes",
                        (unsigned long long)d->env.limits.key_bytes);
        rc = buf_add(&d->name, e->a.p, e->a.n);
        if (rc) return rc;
        d->part_open = 1;
        return RSP_OK;
    }
    if (!d->part_open) {
        start(&d->part, letter);
        d->part_open = 1;
        d->slots = 0;
        if (letter == 'a') put_u64(&d->part, e->index);
    }
    if (e->part_first) {
        if (letter == 'h' && bit == 2 && !(d->slots & 1)) put_str(&d->part, e->b);
        d->slots = (uint8_t)(d->slots | bit | (bit == 2 ? 1 : 0));
        if (letter != 'o') put_u64(&d->part, e->number[0]);
    }
    put(&d->part, e->a.p, e->a.n);
    return RSP_OK;
}

/* The words of an element of one or two strings, whether they came in pieces or not. */
static struct words *plain_words(struct rsp_dd1 *d, const struct rsp_rdb_element *e, struct words *fresh)
{
    struct words *w = d->part_open ? &d->part : fresh;
    if (!d->part_open) {
        start(fresh, letter_of(e->kind));
        if (e->kind == RSP_ELEM_INDEXED) put_u64(fresh, e->index);
        if (e->kind == RSP_ELEM_MODULE) put(fresh, e->a.p, e->a.n);
        else put_str(fresh, e->a);
        d->slots = 1;
    }
    if (e->kind == RSP_ELEM_FIELD) {
        if (!(d->slots & 2)) put_str(w, e->b);
        put_u64(w, e->expire_ms == RSP_RDB_NO_EXPIRE ? 0 : (uint64_t)e->expire_ms);
        if (e->count) put_str(w, e->fields[0]); /* a path hash's path */
    }
    if (e->kind == RSP_ELEM_SCORED) put_u64(w, dd1_score_bits(e->score));
    d->part_open = d->slots = 0;
    return w;
}

static struct rsp_span name_of(struct rsp_dd1 *d, const struct rsp_rdb_element *e)
{
    struct rsp_span s = e->a;
    if (d->part_open) s.p = d->name.p, s.n = d->name.n;
    d->part_open = 0;
    return s;
}

static void put_id(struct words *w, struct rsp_rdb_id id)
{
    put_u64(w, id.ms);
    put_u64(w, id.seq);
}

static void entry(struct rsp_dd1 *d, const struct rsp_rdb_element *e)
{
    struct words w;
    start(&w, 'e');
    put_id(&w, e->id);
    for (size_t i = 0; i < e->count; i++) put_str(&w, e->fields[i]);
    fold(&d->v, hashed(&w));
    d->v.count++;
}

static void stream_info(struct rsp_dd1 *d, const struct rsp_rdb_element *e)
{
    static const struct rsp_rdb_id zero = {0, 0};
    struct words w;
    start(&w, 'i');
    put_u64(&w, e->number[0]);
    put_id(&w, e->id);
    put_u64(&w, e->has_entries_added ? e->number[1] : e->number[0]);
    put_id(&w, e->has_max_deleted ? e->max_deleted : zero);
    add_hash(&d->v.sum, hashed(&w));
}

static void group_element(struct rsp_dd1 *d, const struct rsp_rdb_element *e)
{
    struct words w;
    switch (e->kind) {
    case RSP_ELEM_GROUP:
        start(&d->group, 'g');
        put_str(&d->group, name_of(d, e));
        put_id(&d->group, e->id);
        put_u64(&d->group, e->number[0]);
        memset(&d->group_sum, 0, sizeof d->group_sum);
        break;
    case RSP_ELEM_PENDING:
        start(&w, 'n');
        put_id(&w, e->id);
        put_u64(&w, (uint64_t)e->time_ms);
        put_u64(&w, e->number[0]);
        add_hash(&d->group_sum, hashed(&w));
        break;
    case RSP_ELEM_CONSUMER: {
        struct rsp_span name = name_of(d, e);
        start(&d->consumer, 'w');
        put_str(&d->consumer, name);
        start(&w, 'c');
        put_str(&w, name);
        put_u64(&w, (uint64_t)e->time_ms);
        put_u64(&w, (uint64_t)(e->has_active ? e->time2_ms : e->time_ms));
        add_hash(&d->group_sum, hashed(&w));
        break;
    }
    case RSP_ELEM_OWNED:
        w = d->consumer;
        put_id(&w, e->id);
        add_hash(&d->group_sum, hashed(&w));
        break;
    case RSP_ELEM_GROUP_END:
        put_u64(&d->group, d->group_sum.lo);
        put_u64(&d->group, d->group_sum.hi);
        add_hash(&d->v.sum, hashed(&d->group));
        break;
    default: break;
    }
}

int rsp_dd1_element(struct rsp_dd1 *d, const struct rsp_rdb_element *e)
{
    struct words w;
    switch (e->kind) {
    case RSP_ELEM_PART: return part(d, e);
    case RSP_ELEM_STRING:
    case RSP_ELEM_MODULE:
    case RSP_ELEM_MEMBER:
    case RSP_ELEM_SCORED:
    case RSP_ELEM_FIELD:
    case RSP_ELEM_INDEXED:
        add_hash(&d->v.sum, hashed(plain_words(d, e, &w)));
        d->v.count++;
        return RSP_OK;
    case RSP_ELEM_ITEM:
        fold(&d->v, hashed(plain_words(d, e, &w)));
        d->v.count++;
        return RSP_OK;
    case RSP_ELEM_ENTRY: entry(d, e); return RSP_OK;
    case RSP_ELEM_STREAM: stream_info(d, e); return RSP_OK;
    case RSP_ELEM_IDMP_PRODUCER:
        start(&d->producer, 'p');
        put_str(&d->producer, name_of(d, e));
        return RSP_OK;
    case RSP_ELEM_IDMP_ENTRY:
        w = d->producer;
        put_str(&w, name_of(d, e));
        put_id(&w, e->id);
        add_hash(&d->v.sum, hashed(&w));
        return RSP_OK;
    default: group_element(d, e); return RSP_OK;
    }
}

int rsp_dd1_take(struct rsp_dd1 *d, struct rsp_dd1_value *value)
{
    *value = d->v;
    value_zero(&d->v);
    return RSP_OK;
}

void rsp_dd1_join(struct rsp_dd1_value *value, const struct rsp_dd1_value *later)
{
    narrow(&value->fold, wide(&value->fold) * wide(&later->power) + wide(&later->fold));
    narrow(&value->power, wide(&value->power) * wide(&later->power));
    rsp_dd1_add(&value->sum, &later->sum);
    value->count += later->count;
}

void rsp_dd1_add(struct rsp_dd1_sum *sum, const struct rsp_dd1_sum *more)
{
    narrow(sum, wide(sum) + wide(more));
}

static void record_hash(struct words *w, uint64_t expire, struct rsp_dd1_sum *out)
{
    struct sip128 h;
    put_u64(w, expire);
    h = hashed(w);
    out->lo = h.lo;
    out->hi = h.hi;
}

void rsp_dd1_record(const struct rsp_dd1_value *value, int value_type, struct rsp_span key, int64_t expire_ms,
                    struct rsp_dd1_sum *with_expiry, struct rsp_dd1_sum *without)
{
    struct rsp_dd1_sum v = value->fold;
    struct words w, again;
    rsp_dd1_add(&v, &value->sum);
    w.pieces = 0;
    w.n = 0;
    put_u64(&w, (uint64_t)value_type);
    put_str(&w, key);
    put_u64(&w, value->count);
    put_u64(&w, v.lo);
    put_u64(&w, v.hi);
    if (expire_ms == RSP_RDB_NO_EXPIRE) {
        record_hash(&w, 1ULL << 63, without);
        *with_expiry = *without;
        return;
    }
    again = w;
    record_hash(&w, (uint64_t)expire_ms, with_expiry);
    record_hash(&again, 1ULL << 63, without);
}

void rsp_dd1_text(const struct rsp_dd1_sum *sum, char out[RSP_DD1_TEXT])
{
    snprintf(out, RSP_DD1_TEXT, "dd1:%016llx%016llx", (unsigned long long)sum->hi, (unsigned long long)sum->lo);
}

void rsp_dd1_free(struct rsp_dd1 *d)
{
    struct rsp_env e;
    if (!d) return;
    e = d->env;
    buf_free(&d->name);
    mem_free(&e, d, sizeof *d);
}
