/* What this is: counting the records of a file.
 * Rests on: stats.h.
 * Does not: know opcodes (stats_meta.c). */
#include "rdbtool/stats.h"

#include <stdlib.h>
#include <string.h>

#include "rdbtool/stats_impl.h"

int stats_init(struct stats *s, const struct rsp_env *env, int64_t now_ms, unsigned top)
{
    memset(s, 0, sizeof *s);
    s->env = *env;
    s->now_ms = now_ms;
    s->next_expiry = INT64_MAX;
    s->bigs_cap = top;
    s->bigs_floor = top ? 0 : UINT64_MAX;
    s->db_index = calloc(STATS_DB_MAX, sizeof *s->db_index);
    s->bigs = calloc(top ? top : 1, sizeof *s->bigs);
    return s->db_index && s->bigs ? RSP_OK : RSP_ENOMEM;
}

void stats_free(struct stats *s)
{
    free(s->db_index);
    free(s->bigs);
    free(s->dbs);
    for (size_t i = 0; i < s->aux.n; i++) free(s->aux.pairs[i].p);
    for (size_t i = 0; i < s->functions.n; i++) free(s->functions.pairs[i].p);
    free(s->aux.pairs);
    free(s->functions.pairs);
    rsp_scratch_free(&s->env, &s->scratch);
    rsp_scratch_free(&s->env, &s->scratch2);
}

/* ---- databases ---- */

static struct stats_db *db_of(struct stats *s, uint32_t number)
{
    uint32_t at = number < STATS_DB_MAX ? number : STATS_DB_MAX - 1;
    struct stats_db *dbs;
    if (s->db_index[at]) return &s->dbs[s->db_index[at] - 1];
    if (s->dbs_n == s->dbs_cap) {
        size_t cap = s->dbs_cap ? s->dbs_cap * 2 : 16;
        dbs = realloc(s->dbs, cap * sizeof *dbs);
        if (!dbs) return NULL;
        s->dbs = dbs;
        s->dbs_cap = cap;
    }
    if (s->dbs_n == UINT16_MAX) return &s->dbs[s->dbs_n - 1]; /* the index can name no more */
    memset(&s->dbs[s->dbs_n], 0, sizeof *s->dbs);
    s->dbs[s->dbs_n].db = at;
    s->db_index[at] = (uint16_t)++s->dbs_n;
    return &s->dbs[s->dbs_n - 1];
}

/* ---- the largest keys ---- */

static int worse(const struct stats_big *a, const struct stats_big *b)
{
    if (a->bytes != b->bytes) return a->bytes < b->bytes;
    return a->offset > b->offset; /* of equals the first one stays */
}

static void sink_down(struct stats *s, size_t i)
{
    for (;;) {
        size_t least = i, l = 2 * i + 1;
        struct stats_big t;
        if (l < s->bigs_n && worse(&s->bigs[l], &s->bigs[least])) least = l;
        if (l + 1 < s->bigs_n && worse(&s->bigs[l + 1], &s->bigs[least])) least = l + 1;
        if (least == i) return;
        t = s->bigs[i];
        s->bigs[i] = s->bigs[least];
        s->bigs[least] = t;
        i = least;
    }
}

static void keep_big(struct stats *s, const struct stats_big *big)
{
    if (s->bigs_n < s->bigs_cap) {
        s->bigs[s->bigs_n++] = *big;
        if (s->bigs_n < s->bigs_cap) return;
        for (size_t i = s->bigs_n; i-- > 0;) sink_down(s, i);
    } else {
        s->bigs[0] = *big;
        sink_down(s, 0);
    }
    s->bigs_floor = s->bigs[0].bytes + 1;
}

static void note_big(struct stats_big *big, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int kind,
                     struct rsp_span key)
{
    big->bytes = i->end - i->start;
    big->offset = b->offset + i->start;
    big->db = i->db;
    big->kind = (uint8_t)kind;
    big->key_length = key.n;
    big->key_n = (uint16_t)(key.n < STATS_KEY_MAX ? key.n : STATS_KEY_MAX);
    if (big->key_n) memcpy(big->key, key.p, big->key_n);
}

/* ---- records ---- */

/* Row of a record whose value begins at item's value. */
static inline int kind_of(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    uint8_t first;
    if (i->type) return i->type < 34 ? i->type : 33;
    first = b->p[i->value];
    if (first < 0xc0) return KIND_STRING_RAW;
    return first == 0xc3 ? KIND_STRING_LZF : KIND_STRING_INT;
}

static int set_db(struct stats *s, uint32_t number)
{
    if (s->db && s->db->db == number) return RSP_OK;
    s->db = db_of(s, number);
    return s->db ? RSP_OK : RSP_ENOMEM;
}

static void count_expiry(struct stats *s, int64_t expire_ms)
{
    s->db->expires++;
    if (expire_ms < s->now_ms) s->db->expired++;
    else if (expire_ms < s->next_expiry) s->next_expiry = expire_ms;
}

static int note_key(struct stats *s, struct stats_big *big, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct rsp_span key;
    int rc = rsp_rdb_batch_key(&s->env, b, i, &s->scratch, &key);
    if (!rc) note_big(big, b, i, kind_of(b, i), key);
    return rc;
}

/* A record that comes in parts: what is known with the first waits for the last. */
static int part_record(struct stats *s, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int accept)
{
    int rc;
    if (i->flags & RSP_ITEM_FIRST) return note_key(s, &s->open, b, i);
    s->open.bytes += i->end - i->start;
    if (!(i->flags & RSP_ITEM_LAST) || !accept) return RSP_OK;
    rc = set_db(s, i->db);
    if (rc) return rc;
    s->kinds[s->open.kind].keys++;
    s->kinds[s->open.kind].bytes += s->open.bytes;
    s->db->keys++;
    s->db->bytes += s->open.bytes;
    if (i->flags & RSP_ITEM_EXPIRE) count_expiry(s, i->expire_ms);
    if (s->open.bytes >= s->bigs_floor) keep_big(s, &s->open);
    return RSP_OK;
}

/* Whole records from i on, as many as there are of one database: the hot path. */
static int whole_records(struct stats *s, const struct rsp_rdb_batch *b, const uint8_t *verdicts, size_t *at)
{
    const uint8_t whole = RSP_ITEM_FIRST | RSP_ITEM_LAST;
    const struct rsp_rdb_item *i = &b->items[*at], *end = b->items + b->count;
    uint64_t all = 0, keys = 0;
    uint32_t db = i->db;
    int rc = set_db(s, db);
    for (; i < end && !rc && i->kind == RSP_RDB_KEY && i->db == db && (i->flags & whole) == whole; i++) {
        uint64_t bytes = i->end - i->start;
        struct stats_count *c;
        if (verdicts && verdicts[i - b->items] != RSP_FILTER_ACCEPT) continue;
        c = &s->kinds[kind_of(b, i)];
        c->keys++;
        c->bytes += bytes;
        keys++;
        all += bytes;
        if (i->flags & RSP_ITEM_EXPIRE) count_expiry(s, i->expire_ms);
        if (bytes >= s->bigs_floor) {
            struct stats_big big;
            rc = note_key(s, &big, b, i);
            if (!rc) keep_big(s, &big);
        }
    }
    *at = (size_t)(i - b->items);
    if (!rc) s->db->keys += keys, s->db->bytes += all;
    return rc;
}

int stats_batch(struct stats *s, const struct rsp_rdb_batch *b, const uint8_t *verdicts)
{
    const uint8_t whole = RSP_ITEM_FIRST | RSP_ITEM_LAST;
    int rc = RSP_OK;
    s->dialect = b->dialect;
    for (size_t k = 0; k < b->count && !rc;) {
        const struct rsp_rdb_item *i = &b->items[k];
        if (i->kind == RSP_RDB_KEY && (i->flags & whole) == whole) {
            rc = whole_records(s, b, verdicts, &k);
            continue;
        }
        if (i->kind == RSP_RDB_KEY) rc = part_record(s, b, i, !verdicts || verdicts[k] == RSP_FILTER_ACCEPT);
        else rc = stats_opcode(s, b, i);
        k++;
    }
    return rc;
}

/* ---- the end ---- */

static int by_db(const void *a, const void *b)
{
    const struct stats_db *x = a, *y = b;
    return x->db < y->db ? -1 : x->db > y->db;
}

static int by_bytes(const void *a, const void *b)
{
    return worse(a, b) ? 1 : -1;
}

void stats_finish(struct stats *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->dbs_n; i++)
        if (s->dbs[i].keys) s->dbs[n++] = s->dbs[i];
    s->dbs_n = n;
    if (s->dbs_n) qsort(s->dbs, s->dbs_n, sizeof *s->dbs, by_db);
    if (s->bigs_n) qsort(s->bigs, s->bigs_n, sizeof *s->bigs, by_bytes);
    for (size_t i = 0; i < s->dbs_n; i++) {
        s->keys += s->dbs[i].keys;
        s->expires += s->dbs[i].expires;
        s->expired += s->dbs[i].expired;
        s->bytes += s->dbs[i].bytes;
    }
}

const char *stats_kind_type(const struct stats *s, int kind)
{
    return rsp_rdb_value_type_name(kind >= KIND_STRING_INT ? RSP_RDB_STRING : rsp_rdb_value_type(s->dialect, kind));
}

const char *stats_kind_encoding(const struct stats *s, int kind)
{
    if (kind == KIND_STRING_RAW) return "raw";
    if (kind == KIND_STRING_INT) return "int";
    return kind == KIND_STRING_LZF ? "lzf" : rsp_rdb_encoding_name(s->dialect, kind);
}
