/* What this is: the messages of dd1, laid out side by side and hashed as soon as there are enough of one length.
 * Rests on: digest_impl.h, base/bytes.h.
 * Does not: know what becomes of the hashes: digest_batch.c does. */
#include "rdb/digest_impl.h"

#include <string.h>

#include "base/bytes.h"

/* Where a message goes: to its place in a bin, or, when it is too long for one, into a hash at once. */
struct writer {
    uint8_t *p;
    struct sip *sip;
};

static inline void copy8(uint8_t *to, const uint8_t *from)
{
    uint64_t w;
    memcpy(&w, from, 8);
    memcpy(to, &w, 8);
}

/* memcpy for short texts: the last two pieces overlap. */
static inline void copy_short(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n >= 8) {
        for (size_t i = 0; i + 8 < n; i += 8) copy8(to + i, from + i);
        copy8(to + n - 8, from + n - 8);
    } else if (n >= 4) {
        uint32_t a, b;
        memcpy(&a, from, 4);
        memcpy(&b, from + n - 4, 4);
        memcpy(to, &a, 4);
        memcpy(to + n - 4, &b, 4);
    } else if (n) {
        to[0] = from[0];
        to[n / 2] = from[n / 2];
        to[n - 1] = from[n - 1];
    }
}

static inline void add(struct writer *w, const uint8_t *p, size_t n)
{
    if (w->p) {
        copy_short(w->p, p, n);
        w->p += n;
    } else if (n) {
        sip_add(w->sip, p, n);
    }
}

static inline void add_u64(struct writer *w, uint64_t v)
{
    uint8_t b[8];
    if (w->p) {
        store_le64(w->p, v);
        w->p += 8;
        return;
    }
    store_le64(b, v);
    sip_add(w->sip, b, 8);
}

static inline void add_str(struct writer *w, struct rsp_span s)
{
    add_u64(w, s.n);
    add(w, s.p, s.n);
}

static inline void add_letter(struct writer *w, char letter)
{
    uint8_t b = (uint8_t)letter;
    add(w, &b, 1);
}

static void bin_flush(struct queue *q, unsigned words)
{
    struct queue_bin *b = &q->bins[words - 1];
    struct sip128 h[SIP_LANES];
    if (!b->n) return;
    sip128_lanes(dd1_key, b->text[0], sizeof b->text[0], words, h); /* a place without a message has an older one */
    for (unsigned i = 0; i < b->n; i++) q->hash[b->no[i]] = h[i];
    b->n = 0;
}

/* Room for a message of n bytes. The full bin is hashed here and not behind the eighth message, whose bytes are
 * still on their way to the cache then. */
static inline struct writer begin(struct queue *q, size_t n, struct sip *sip)
{
    struct writer w = {NULL, sip};
    size_t words = n / 8 + 1;
    struct queue_bin *b;
    if (n / 8 >= QUEUE_WORDS) {
        sip_init(sip, dd1_key, 1);
        return w;
    }
    b = &q->bins[words - 1];
    if (b->n == SIP_LANES) bin_flush(q, (unsigned)words);
    w.p = b->text[b->n];
    store_le64(w.p + 8 * (words - 1), (uint64_t)n << 56);
    b->no[b->n++] = (uint32_t)q->n;
    return w;
}

static inline void end(struct queue *q, struct writer *w)
{
    if (!w->p) q->hash[q->n] = sip_end128(w->sip);
    q->n++;
}

void queue_text(struct queue *q, char letter, struct rsp_span text)
{
    struct sip sip;
    struct writer w = begin(q, 1 + 8 + text.n, &sip);
    add_letter(&w, letter);
    add_str(&w, text);
    end(q, &w);
}

void queue_scored(struct queue *q, struct rsp_span member, double score)
{
    struct sip sip;
    struct writer w = begin(q, 1 + 8 + member.n + 8, &sip);
    add_letter(&w, 'z');
    add_str(&w, member);
    add_u64(&w, dd1_score_bits(score));
    end(q, &w);
}

void queue_field(struct queue *q, struct rsp_span field, struct rsp_span value, int64_t expire_ms)
{
    struct sip sip;
    struct writer w = begin(q, 1 + 8 + field.n + 8 + value.n + 8, &sip);
    add_letter(&w, 'h');
    add_str(&w, field);
    add_str(&w, value);
    add_u64(&w, expire_ms == RSP_RDB_NO_EXPIRE ? 0 : (uint64_t)expire_ms);
    end(q, &w);
}

void queue_entry(struct queue *q, struct rsp_rdb_id id, const struct rsp_span *strings, size_t count)
{
    struct sip sip;
    struct writer w;
    size_t n = 1 + 8 + 8;
    for (size_t i = 0; i < count; i++) n += 8 + strings[i].n;
    w = begin(q, n, &sip);
    add_letter(&w, 'e');
    add_u64(&w, id.ms);
    add_u64(&w, id.seq);
    for (size_t i = 0; i < count; i++) add_str(&w, strings[i]);
    end(q, &w);
}

void queue_record(struct queue *q, const struct rsp_dd1_value *v, int value_type, struct rsp_span key,
                  int64_t expire_ms)
{
    struct rsp_dd1_sum both = v->fold;
    struct sip sip;
    struct writer w = begin(q, 8 + 8 + key.n + 8 + 8 + 8 + 8, &sip);
    rsp_dd1_add(&both, &v->sum);
    add_u64(&w, (uint64_t)value_type);
    add_str(&w, key);
    add_u64(&w, v->count);
    add_u64(&w, both.lo);
    add_u64(&w, both.hi);
    add_u64(&w, expire_ms == RSP_RDB_NO_EXPIRE ? 1ULL << 63 : (uint64_t)expire_ms);
    end(q, &w);
}

void queue_flush(struct queue *q)
{
    for (unsigned words = 1; words <= QUEUE_WORDS; words++) bin_flush(q, words);
}
