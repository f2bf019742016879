/* What this is: keys that two dumps have: looked for in those slots only that are in two dumps.
 * Rests on: reshard_impl.h, sys/dups.h.
 * Does not: compare values: which of two is the newer one no dump tells. */
#include <stdlib.h>

#include "base/mem.h"
#include "flow/reshard_impl.h"

#define BUDGET (16u << 20)
#define KEYS_MOST (256u << 10)

int reshard_same_begin(struct reshard *r)
{
    return rsp_dups_new(&r->env, r->o.tmpdir, BUDGET, &r->dups);
}

/* ---- first: hashes that are there more than once ---- */

/* A record that goes into a file, at its first part: its verdict is that of its end. */
static int goes(struct reshard *r, const struct rsp_rdb_task *task, size_t k)
{
    const struct rsp_rdb_item *i = &task->batch->items[k];
    int verdict = task->verdicts ? task->verdicts[k] : RSP_FILTER_ACCEPT, loss;
    unsigned strip;
    if (i->kind != RSP_RDB_KEY || !(i->flags & RSP_ITEM_FIRST)) return 0;
    if (verdict == RSP_FILTER_UNSURE && !(i->flags & RSP_ITEM_LAST))
        verdict = r->unsure_at < r->unsure.n && r->unsure.p[r->unsure_at++] ? RSP_FILTER_ACCEPT : RSP_FILTER_REFUSE;
    return verdict == RSP_FILTER_ACCEPT && reshard_fate(r, task->batch, i, &strip, &loss);
}

int reshard_same(struct reshard *r, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    const struct reshard_result *x = task->result;
    (void)env;
    for (size_t k = 0; k < x->n; k++) {
        int rc, mine = goes(r, task, k);
        if (!mine || !x->items[k].hashed) continue;
        rc = rsp_dups_add(r->dups, &x->items[k].hash.lo, 1);
        if (rc) return rc;
    }
    return RSP_OK;
}

static int found(void *ctx, uint64_t hash, uint64_t times)
{
    struct reshard *r = ctx;
    if (times > KEYS_MOST - r->candidate_keys)
        return fail(&r->env, RSP_ELIMIT, NULL, "more than %u keys are in more than one of the dumps", KEYS_MOST);
    r->candidate_keys += times;
    return buf_add(&r->candidates, &hash, sizeof hash);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

int reshard_same_found(struct reshard *r)
{
    int rc = rsp_dups_find(r->dups, found, r);
    rsp_dups_free(r->dups);
    r->dups = NULL;
    if (rc) return rc;
    if (!r->candidates.n) return RSP_END;
    qsort(r->candidates.p, r->candidates.n / 8, 8, by_value);
    for (r->twice_n = 16; r->twice_n < 2 * r->candidate_keys;) r->twice_n *= 2;
    r->twice = mem_zero(&r->env, r->twice_n * sizeof *r->twice);
    return r->twice ? RSP_OK : RSP_ENOMEM;
}

/* ---- then: keys whose whole hashes are equal ---- */

static struct reshard_twice *place_of(struct reshard *r, const struct sip128 *hash)
{
    size_t i = hash->hi & (r->twice_n - 1);
    while (r->twice[i].used && memcmp(&r->twice[i].hash, hash, sizeof *hash) != 0) i = (i + 1) & (r->twice_n - 1);
    return &r->twice[i];
}

static int is_candidate(const struct reshard *r, const struct sip128 *hash)
{
    return r->twice && bsearch(&hash->lo, r->candidates.p, r->candidates.n / 8, 8, by_value) != NULL;
}

static void met_again(struct reshard *r, const struct rsp_rdb_task *task, size_t k, const struct reshard_item *x)
{
    const struct rsp_rdb_item *i = &task->batch->items[k];
    size_t sink = reshard_sink_of(r, x->slot);
    uint64_t expires = (i->flags & RSP_ITEM_EXPIRE) != 0;
    struct reshard_db *d = r->o.all ? reshard_db(r, i->db, 0) : NULL;
    rsp_losses_add(&r->losses, RSP_LOSS_COLLISION, i->db, reshard_name(r, task->batch, i));
    r->keys--;
    r->files[sink].keys--;
    r->files[sink].expires -= expires;
    if (!d) return;
    d->keys--;
    d->expires -= expires;
}

int reshard_meet(struct reshard *r, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    const struct reshard_result *x = task->result;
    for (size_t k = 0; k < x->n; k++) {
        struct reshard_twice *t;
        int mine = goes(r, task, k);
        if (!mine || !x->items[k].hashed || !is_candidate(r, &x->items[k].hash)) continue;
        if (!r->candidate_keys--)
            return fail(env, RSP_EINTEGRITY, NULL, "a dump gave other data when it was read again");
        t = place_of(r, &x->items[k].hash);
        if (t->used) met_again(r, task, k, &x->items[k]);
        t->used = 1;
        t->hash = x->items[k].hash;
    }
    return RSP_OK;
}

int reshard_written(struct reshard *r, const struct sip128 *hash)
{
    struct reshard_twice *t;
    int before;
    if (!is_candidate(r, hash)) return 0;
    t = place_of(r, hash);
    before = t->written;
    t->written = t->used;
    return before;
}
