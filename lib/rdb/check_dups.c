/* What this is: keys and members of large records that are there twice: hashes of all of them are compared, and
 *   those that are equal are looked at a second time.
 * Rests on: check_impl.h, sys/dups.h, sys/spool.h.
 * Does not: report on hashes: a key is compared byte by byte, a member by 128 bits under a random key. */
#include <string.h>

#include "base/mix.h"
#include "rdb/check_second.h"

#define DEFAULT_BUDGET (48u << 20)
#define SPOOL_MEMORY (1u << 20)
#define BIG_KEYS_MAX (16u << 20) /* bytes of keys of large records that are remembered */

int dups_open(struct check *c)
{
    const struct rsp_check_options *o = c->o;
    int rc;
    if (c->env.random(c->env.random_opaque, c->key, sizeof c->key) ||
        c->env.random(c->env.random_opaque, c->member_key, sizeof c->member_key) ||
        c->env.random(c->env.random_opaque, c->whole_key, sizeof c->whole_key))
        return fail(&c->env, RSP_EIO, NULL, "no random bytes for a hash key");
    c->dups_on = !o->no_duplicates;
    if (!c->dups_on) return RSP_OK;
    rc = rsp_dups_new(&c->env, o->tmpdir, o->dups_bytes ? o->dups_bytes : DEFAULT_BUDGET, &c->dups);
    if (rc) return rc;
    if (rsp_source_seek(c->source, 0) == RSP_OK) return RSP_OK;
    c->spooling = 1; /* what cannot be read again must be written down */
    rc = rsp_spool_new(&c->env, o->tmpdir, SPOOL_MEMORY, &c->keys_spool);
    return rc ? rc : rsp_spool_new(&c->env, o->tmpdir, SPOOL_MEMORY, &c->members_spool);
}

void dups_key_ready(struct looker *l, uint32_t db)
{
    uint8_t b[8];
    struct sip128 h;
    store_le64(b, db);
    h = sip128_of(l->c->key, b, sizeof b);
    store_le64(l->db_key, h.lo);
    store_le64(l->db_key + 8, h.hi);
    l->db = db;
}

static int log_key(struct looker *l, struct rsp_span key)
{
    uint8_t head[KEY_LOG_HEAD];
    int rc;
    store_le64(head, l->record);
    store_le32(head + 8, l->item->db);
    store_le32(head + 12, (uint32_t)key.n);
    rc = buf_add(&l->out->log, head, sizeof head);
    return rc ? rc : buf_add(&l->out->log, key.p, key.n);
}

int dups_key(struct looker *l, struct rsp_span key)
{
    struct buf *b = &l->out->hashes;
    uint64_t h;
    int rc;
    if (l->db != l->item->db) dups_key_ready(l, l->item->db);
    h = mix64(l->db_key, key.p, key.n);
    if (l->c->confirm) {
        struct key_hit hit = {h, l->item_no};
        return dups_candidate(l->c, h) ? buf_add(&l->out->hits, &hit, sizeof hit) : RSP_OK;
    }
    if (b->cap - b->n < sizeof h) {
        rc = buf_reserve(b, sizeof h);
        if (rc) return rc;
    }
    memcpy(b->p + b->n, &h, sizeof h);
    b->n += sizeof h;
    return l->c->spooling ? log_key(l, key) : RSP_OK;
}

static int join_first(struct check *c, struct check_result *r)
{
    const struct big_member *m = (const struct big_member *)(const void *)r->members.p;
    size_t n = r->members.n / sizeof *m;
    int rc = rsp_dups_add(c->dups, (const uint64_t *)(const void *)r->hashes.p, r->hashes.n / sizeof(uint64_t));
    if (rc) return rc;
    if (c->spooling && r->log.n) rc = rsp_spool_write(c->keys_spool, r->log.p, r->log.n);
    if (!rc && c->spooling && r->members.n) rc = rsp_spool_write(c->members_spool, r->members.p, r->members.n);
    for (size_t i = 0; i < n && !rc;) {
        uint64_t part[512];
        size_t k = 0;
        while (k < 512 && i < n) part[k++] = m[i++].h.lo;
        rc = rsp_dups_add(c->dups, part, k);
    }
    return rc;
}

int dups_join(struct check *c, struct check_result *r)
{
    if (!c->dups_on) return RSP_OK;
    return c->confirm ? second_join(c, r) : join_first(c, r);
}

/* A large record is complete (and accepted): its members count. */
int dups_big_record(struct check *c, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    struct looker *l = c->join;
    struct big_record b = {l->record, c->big_keys.n, 0, item->db};
    struct rsp_span key = {NULL, 0};
    int rc;
    if (!c->dups_on || c->confirm) return RSP_OK;
    rc = rsp_rdb_batch_key(&l->env, batch, item, &l->key, &key);
    if (rc) {
        if (rc != RSP_EFORMAT) return rc;
        rsp_error_clear(&l->err);
        key.n = 0;
    }
    if (key.n <= BIG_KEYS_MAX - c->big_keys.n) {
        rc = buf_add(&c->big_keys, key.p, key.n);
        if (rc) return rc;
        b.key_n = key.n;
    }
    return buf_add(&c->big, &b, sizeof b);
}

const struct big_record *big_find(const struct check *c, uint64_t record)
{
    const struct big_record *b = (const struct big_record *)(const void *)c->big.p;
    size_t low = 0, n = c->big.n / sizeof *b, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (b[mid].offset < record) low = mid + 1;
        else high = mid;
    }
    return low < n && b[low].offset == record ? &b[low] : NULL;
}

int dups_is_big(const struct check *c, uint64_t record)
{
    return big_find(c, record) != NULL;
}

void dups_free(struct check *c)
{
    rsp_dups_free(c->dups);
    rsp_spool_free(c->keys_spool);
    rsp_spool_free(c->members_spool);
    buf_free(&c->big);
    buf_free(&c->big_keys);
    second_free(c);
}
