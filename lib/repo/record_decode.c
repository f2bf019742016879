/* What this is: a record read: every item checked against the table of its kind, then name and signature.
 * Rests on: record_impl.h, seal/items.h.
 * Does not: judge a record by the log, its parents or the roles. respite-format(5), "Records". */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "repo/record_impl.h"
#include "seal/items.h"

#define C(number) (ITEM_CRITICAL | (number))
#define BIT(kind) (1u << RSP_REC_##kind)
#define EVERY 0x7feu
#define ONE_HASH (BIT(PIN) | BIT(RECEIPT) | BIT(NOTE))
#define CARRIES (BIT(COMMIT) | BIT(RECEIPT))
#define HASHES (BIT(RETIRE) | BIT(UNPIN) | BIT(ACCEPT) | BIT(ABSENT) | BIT(GONE))

/* What an item may be. Sizes are multiples of unit from least to most. */
struct rule {
    uint16_t tag;
    uint16_t kinds;
    uint8_t needed, repeated;
    uint32_t least, most, unit;
};
static const struct rule rules[] = {
    {C(1), EVERY, 1, 0, ID_BYTES, ID_BYTES, 1},
    {C(2), EVERY, 1, 0, ID_BYTES, ID_BYTES, 1},
    {C(3), EVERY, 1, 0, 1, 1, 1},
    {C(4), EVERY, 1, 0, 8, 8, 1},
    {C(5), EVERY, 1, 0, 8, 8, 1},
    {C(6), EVERY, 1, 0, 32, 32, 1},
    {C(7), EVERY, 1, 0, HASH_BYTES, HASH_BYTES, 1},
    {C(8), EVERY, 1, 0, 0, PARENTS_MAX *PARENT_BYTES, PARENT_BYTES},
    {C(16), BIT(COMMIT), 1, 0, ID_BYTES, ID_BYTES, 1},
    {C(17), BIT(COMMIT), 1, 0, ID_BYTES, ID_BYTES, 1},
    {C(18), BIT(COMMIT), 1, 0, HASH_BYTES, HASH_BYTES, 1},
    {C(19), BIT(COMMIT), 1, 0, 4, 4, 1},
    {20, BIT(COMMIT), 0, 0, 32, 32, 1},
    {C(22), BIT(COMMIT), 1, 0, REF_BYTES, REF_BYTES, 1},
    {C(23), BIT(COMMIT), 0, 0, 0, RECORD_MAX, REF_BYTES}, /* one of these two is needed */
    {C(24), BIT(COMMIT), 0, 0, 36, 36, 1},
    {25, CARRIES, 0, 0, 8, 8, 1},
    {C(26), CARRIES, 0, 0, RECORD_ORIGIN_LEAST, RECORD_OPEN_MAX, 1},
    {C(32), ONE_HASH, 1, 0, HASH_BYTES, HASH_BYTES, 1},
    {C(32), HASHES, 1, 0, HASH_BYTES, RECORD_MAX, HASH_BYTES},
    {C(32), BIT(LOST), 1, 0, 0, RECORD_MAX, HASH_BYTES},
    {33, BIT(RETIRE), 0, 0, 1, 1, 1},
    {34, BIT(PIN) | BIT(NOTE), 0, 0, 0, RECORD_MAX, 1},
    {C(35), BIT(RECEIPT), 1, 0, 1, 1, 1},
    {36, BIT(RECEIPT), 0, 0, 0, RECORD_MAX, 1},
    {37, BIT(NOTE), 0, 1, 3, RECORD_MAX, 1},
    {38, BIT(LOST), 0, 1, 1, RECORD_MAX, 1},
    {C(39), BIT(GONE), 1, 0, 0, RECORD_MAX, 64},
    {40, BIT(GONE), 0, 0, 0, RECORD_MAX, ID_BYTES},
};
#define RULES (sizeof rules / sizeof *rules)

struct decoding {
    const struct rsp_env *env;
    struct rsp_record *r;
    uint8_t *repository;
    uint8_t source[ID_BYTES], kind;
    uint64_t seq, time_ms, seen; /* seen: a bit for each number of an item that is known */
    uint64_t odd;                /* of one whose number is known, but not with that critical bit */
    int newer;                   /* an unknown critical item stands there */
    int carried;                 /* it lies in another record */
    char words[128];
};

static int wrong(struct decoding *d, const char *words)
{
    snprintf(d->words, sizeof d->words, "%s", words);
    return RSP_EINTEGRITY;
}

/* *known: some kind of record has such an item. */
static const struct rule *rule_of(uint16_t tag, int kind, int *known)
{
    *known = 0;
    for (size_t i = 0; i < RULES; i++) {
        if (rules[i].tag != tag) continue;
        *known = 1;
        if (rules[i].kinds & 1u << kind) return &rules[i];
    }
    return NULL;
}

/* ---- items that are lists or texts ---- */

static int get_parents(struct decoding *d, struct rsp_span v)
{
    size_t n = v.n / PARENT_BYTES;
    struct rsp_parent *p = n ? mem_alloc(d->env, n * sizeof *p) : NULL;
    if (!n) return RSP_OK;
    if (!p) return RSP_ENOMEM;
    d->r->parents = p;
    d->r->parents_n = n;
    for (size_t i = 0; i < n; i++) {
        p[i].seq = load_le64(v.p + i * PARENT_BYTES);
        memcpy(p[i].hash, v.p + i * PARENT_BYTES + 8, HASH_BYTES);
        if (i && memcmp(p[i - 1].hash, p[i].hash, HASH_BYTES) >= 0)
            return wrong(d, "its parents do not ascend by hash");
    }
    return RSP_OK;
}

static int get_refs(struct decoding *d, struct rsp_span v)
{
    const char *why;
    int rc = refs_load(d->env, v, &d->r->refs, &d->r->refs_n, &why);
    return rc == RSP_EINTEGRITY ? wrong(d, why) : rc;
}

/* n elements of unit bytes at v into *list, with the number in *list_n. */
static int get_list(struct decoding *d, struct rsp_span v, size_t unit, void **list, size_t *list_n)
{
    if (!v.n) return RSP_OK;
    *list = mem_alloc(d->env, v.n);
    if (!*list) return RSP_ENOMEM;
    memcpy(*list, v.p, v.n);
    *list_n = v.n / unit;
    return RSP_OK;
}

static int get_text(struct decoding *d, struct rsp_span v)
{
    char *text;
    if (v.n && memchr(v.p, 0, v.n)) return wrong(d, "its text has a byte of zero in it");
    text = mem_alloc(d->env, v.n + 1);
    if (!text) return RSP_ENOMEM;
    if (v.n) memcpy(text, v.p, v.n);
    text[v.n] = 0;
    d->r->text = text;
    return RSP_OK;
}

static int get_manifest(struct decoding *d, struct rsp_span v)
{
    ref_load(&d->r->manifest, v.p);
    return d->r->manifest.kind == REF_MANIFEST ? RSP_OK : wrong(d, "its manifest is not an object of that kind");
}

static void get_counts(struct rsp_record *r, const uint8_t *p)
{
    r->keys = load_le64(p);
    r->plain = load_le64(p + 8);
    r->stored = load_le64(p + 16);
    r->objects = load_le64(p + 24);
}

/* An unknown value in a critical item is as an unknown critical item. */
static int get_proof(struct decoding *d, uint8_t v)
{
    d->r->detail = v;
    if (!v) return wrong(d, "its proof is of no kind");
    if (v > 2) d->newer = 1;
    return RSP_OK;
}

static int get_hashes(struct decoding *d, struct rsp_span v)
{
    void *list = NULL;
    int rc = get_list(d, v, HASH_BYTES, &list, &d->r->hashes_n);
    d->r->hashes = list;
    return rc;
}

static int get_links(struct decoding *d, struct rsp_span v)
{
    void *list = NULL;
    int rc = get_list(d, v, 64, &list, &d->r->links_n);
    d->r->links = list;
    return rc;
}

static int get_went(struct decoding *d, struct rsp_span v)
{
    void *list = NULL;
    int rc = get_list(d, v, ID_BYTES, &list, &d->r->went_n);
    d->r->went = list;
    return rc;
}

static int get_origin(struct decoding *d, struct rsp_span v)
{
    int rc;
    if (d->carried) return wrong(d, "it carries a record that carries another");
    d->r->origin = v; /* in the bytes, which the record keeps */
    rc = record_origin_load(d->env, d->r, v, d->words);
    if (rc != RSP_EVERSION) return rc;
    d->newer = 1;
    return RSP_OK;
}

static int get_tag(struct decoding *d, struct rsp_span v)
{
    struct rsp_span name, value;
    return item_get_pair(v, &name, &value) && name.n ? RSP_OK : wrong(d, "a tag is malformed");
}

/* ---- one item ---- */

static int get_common(struct decoding *d, unsigned number, struct rsp_span v)
{
    switch (number) {
    case 1: memcpy(d->repository, v.p, ID_BYTES); return RSP_OK;
    case 2: memcpy(d->source, v.p, ID_BYTES); return RSP_OK;
    case 3: d->kind = v.p[0]; return RSP_OK;
    case 4: d->seq = load_le64(v.p); return RSP_OK;
    case 5: d->time_ms = load_le64(v.p); return RSP_OK;
    case 6: memcpy(d->r->signer, v.p, sizeof d->r->signer); return RSP_OK;
    case 7: memcpy(d->r->roles, v.p, sizeof d->r->roles); return RSP_OK;
    default: return get_parents(d, v);
    }
}

static int get_item(struct decoding *d, unsigned number, struct rsp_span v)
{
    struct rsp_record *r = d->r;
    if (number <= 8) return get_common(d, number, v);
    switch (number) {
    case 16: memcpy(r->snapshot, v.p, ID_BYTES); return RSP_OK;
    case 17: memcpy(r->epoch, v.p, ID_BYTES); return RSP_OK;
    case 18: memcpy(r->commitment, v.p, HASH_BYTES); return RSP_OK;
    case 19: r->flags = load_le32(v.p); return RSP_OK;
    case 20: get_counts(r, v.p); return RSP_OK;
    case 22: return get_manifest(d, v);
    case 23: return get_refs(d, v);
    case 24:
        memcpy(r->refs_hash, v.p, HASH_BYTES);
        r->refs_n = load_le32(v.p + HASH_BYTES);
        r->refs_apart = 1;
        return RSP_OK;
    case 25: r->origin_ms = load_le64(v.p); return RSP_OK;
    case 26: return get_origin(d, v);
    case 32: return get_hashes(d, v);
    case 33: r->detail = v.p[0]; return RSP_OK;
    case 34:
    case 36: return get_text(d, v);
    case 35: return get_proof(d, v.p[0]);
    case 37: return get_tag(d, v);
    case 39: return get_links(d, v);
    case 40: return get_went(d, v);
    default: return RSP_OK; /* names of lost objects: for people, in the bytes as they stand */
    }
}

static int take_item(struct decoding *d, const struct item *item)
{
    unsigned number = ITEM_NUMBER(item->tag);
    int known;
    const struct rule *rule = rule_of(item->tag, d->r->kind, &known);
    if (number < 64 && ((d->seen >> number & 1 && !(rule && rule->repeated)) || (rule && d->odd >> number & 1)))
        return wrong(d, "an item that may stand once stands twice");
    if (!rule && known) {
        snprintf(d->words, sizeof d->words, "item %u does not belong into a %s record", number,
                 rsp_record_kind_text(d->r->kind));
        return RSP_EINTEGRITY;
    }
    if (!rule) {
        if (item->tag & ITEM_CRITICAL) d->newer = 1;
        if (number < 64) d->odd |= 1ull << number;
        return RSP_OK;
    }
    if (item->v.n < rule->least || item->v.n > rule->most || item->v.n % rule->unit) {
        snprintf(d->words, sizeof d->words, "item %u has %zu bytes", number, item->v.n);
        return RSP_EINTEGRITY;
    }
    if (number == 24 && d->seen >> 23 & 1) return wrong(d, "it has its references twice");
    d->seen |= 1ull << number;
    return get_item(d, number, item->v);
}

#define SEEN(d, number) ((d)->seen >> (number)&1)

/* All that it says stands in the record that it carries. */
static int only_carries(struct decoding *d)
{
    const uint64_t own = 0x1fe | 1ull << 25 | 1ull << 26 | (d->r->kind == RSP_REC_RECEIPT ? 1ull << 32 : 0);
    if (d->seen & ~own) return wrong(d, "it carries a record of another repository and says things of its own");
    if (!SEEN(d, 25) || !d->r->origin_ms)
        return wrong(d, "it does not say when the origin's store had what it carries");
    if (d->r->kind == RSP_REC_RECEIPT && !SEEN(d, 32)) return wrong(d, "item 32 is not there");
    return RSP_OK;
}

/* Of a record with unknown critical items only what every record has can be asked for. */
static int all_there(struct decoding *d)
{
    int carries = SEEN(d, 26);
    for (size_t i = 0; i < RULES; i++) {
        unsigned number = ITEM_NUMBER(rules[i].tag);
        if (!rules[i].needed || !(rules[i].kinds & 1u << d->r->kind) || d->seen >> number & 1) continue;
        if (number > 8 && (d->newer || carries)) continue;
        snprintf(d->words, sizeof d->words, "item %u is not there", number);
        return RSP_EINTEGRITY;
    }
    if (carries) return only_carries(d);
    if (d->r->kind == RSP_REC_COMMIT && !d->newer && !(d->seen >> 23 & 3)) return wrong(d, "it has no references");
    return RSP_OK;
}

static int agree(struct decoding *d)
{
    const struct rsp_record *r = d->r;
    if (d->kind != r->kind) return wrong(d, "it is of another kind than its name says");
    if (d->seq != r->seq) return wrong(d, "it has another seq than its name says");
    if (d->time_ms > NAME_TIME_MAX_MS || d->time_ms / 1000 != r->time_ms / 1000)
        return wrong(d, "it has another time than its name says");
    if (memcmp(d->source, r->source, ID_BYTES)) return wrong(d, "it lies in the folder of another source");
    return RSP_OK;
}

static int read_items(struct decoding *d, const uint8_t *p, size_t n)
{
    struct items list;
    struct item item;
    int rc;
    items_begin(&list, p, n);
    while ((rc = items_next(&list, &item)) == RSP_OK) {
        rc = take_item(d, &item);
        if (rc) return rc;
    }
    if (rc != RSP_END) return wrong(d, "its items are malformed or out of order");
    rc = all_there(d);
    return rc ? rc : agree(d);
}

size_t record_max(int kind)
{
    if (kind == RSP_REC_COMMIT || kind == RSP_REC_RECEIPT) return RECORD_OPEN_MAX + RECORD_CARRIER_MAX;
    return kind == RSP_REC_NOTE ? RECORD_OPEN_MAX : RECORD_MAX;
}

static int decode(struct decoding *d, const uint8_t *p, size_t n)
{
    uint8_t hash[HASH_BYTES];
    size_t body;
    int rc;
    if (n < RECORD_MAGIC_BYTES + RECORD_SIGNATURE_BYTES) return wrong(d, "it is too short for a record");
    if (n > record_max(d->r->kind)) return wrong(d, "it is larger than a record may be");
    hash256(hash, p, n);
    if (memcmp(hash, d->r->hash, HASH_BYTES)) return wrong(d, "its bytes are not those that its name stands for");
    if (memcmp(p, RECORD_MAGIC, RECORD_MAGIC_BYTES)) return wrong(d, "it does not begin as a record");
    body = n - RECORD_SIGNATURE_BYTES;
    rc = read_items(d, p + RECORD_MAGIC_BYTES, body - RECORD_MAGIC_BYTES);
    if (rc) return rc;
    if (!d->r->copied && n > RECORD_OPEN_MAX && record_max(d->r->kind) < RECORD_MAX)
        return wrong(d, "it is larger than a record may be");
    if (!sign_check(d->r->signer, p, body, p + body)) return wrong(d, "its signature is wrong");
    return RSP_OK;
}

static int decode_into(const struct rsp_env *env, struct rsp_record *r, uint8_t *bytes, size_t n,
                       uint8_t repository[ID_BYTES], int carried)
{
    struct rsp_record *fresh = record_new(env), old = *r;
    struct decoding d = {.env = env, .r = fresh, .repository = repository, .carried = carried};
    char name[NAME_MAX_BYTES];
    int rc = fresh ? RSP_OK : RSP_ENOMEM;
    memset(repository, 0, ID_BYTES);
    if (!rc) {
        memcpy(fresh->name, r->name, sizeof fresh->name);
        memcpy(fresh->hash, r->hash, sizeof fresh->hash);
        memcpy(fresh->source, r->source, sizeof fresh->source);
        fresh->kind = r->kind;
        fresh->seq = r->seq;
        fresh->time_ms = r->time_ms;
        rc = rsp_record_kind_text(r->kind) ? decode(&d, bytes, n) : wrong(&d, "its name has no kind of record");
    }
    if (rc) {
        mem_free(env, bytes, n);
        record_free(env, fresh);
        name_record_path(name, r);
        return rc == RSP_EINTEGRITY ? fail(env, rc, name, "%s", d.words) : rc;
    }
    fresh->bytes = bytes;
    fresh->bytes_n = n;
    fresh->time_ms = d.time_ms;
    fresh->stored_ms = old.stored_ms; /* what the log knows of it beside its bytes stays */
    fresh->stored_bytes = old.stored_bytes;
    fresh->state = old.state;
    fresh->retired_ms = old.retired_ms;
    fresh->roles_n = old.roles_n;
    fresh->effective_ms = old.effective_ms;
    fresh->floor_ms = old.floor_ms;
    *r = *fresh;
    mem_free(env, fresh, sizeof *fresh);
    record_unload(env, &old);
    if (!d.newer) return RSP_OK;
    name_record_path(name, r);
    return fail(env, RSP_EVERSION, name, "it has an item that this release does not know and may not pass over");
}

int record_decode(const struct rsp_env *env, struct rsp_record *r, uint8_t *bytes, size_t n,
                  uint8_t repository[ID_BYTES])
{
    return decode_into(env, r, bytes, n, repository, 0);
}

int record_decode_carried(const struct rsp_env *env, struct rsp_record *r, uint8_t *bytes, size_t n,
                          uint8_t repository[ID_BYTES])
{
    return decode_into(env, r, bytes, n, repository, 1);
}
