/* What this is: the first pass of a reshard, in order: how many keys go where, and what stands in the way.
 * Rests on: reshard_impl.h.
 * Does not: write, or judge what it met (reshard_judge.c). */
#include <stdio.h>

#include "base/mem.h"
#include "flow/reshard_impl.h"

#define DBS_MAX 65536u

size_t reshard_sink_of(const struct reshard *r, unsigned slot)
{
    if (r->o.all) return 0;
    return r->o.owner[slot] < r->sinks ? r->o.owner[slot] : r->sinks;
}

struct rsp_span reshard_name(struct reshard *r, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct rsp_span key = {NULL, 0};
    struct rsp_env quiet = r->env;
    quiet.error = NULL;
    if (rsp_rdb_batch_key(&quiet, b, i, &r->scratch, &key)) key.n = 0;
    return key;
}

/* ---- databases ---- */

static struct reshard_db *rows(const struct reshard *r, size_t *n)
{
    *n = r->dbs.n / sizeof(struct reshard_db);
    return (struct reshard_db *)(void *)r->dbs.p;
}

struct reshard_db *reshard_db(struct reshard *r, uint32_t db, int make)
{
    size_t n, low = 0, high;
    struct reshard_db fresh = {.db = db}, *d = rows(r, &n);
    if (r->db_at < n && d[r->db_at].db == db) return &d[r->db_at];
    for (high = n; low < high;) {
        size_t mid = low + (high - low) / 2;
        if (d[mid].db < db) low = mid + 1;
        else high = mid;
    }
    r->db_at = low;
    if (low < n && d[low].db == db) return &d[low];
    if (!make || n >= DBS_MAX || buf_add(&r->dbs, &fresh, sizeof fresh)) return NULL;
    d = rows(r, &n);
    memmove(&d[low + 1], &d[low], (n - 1 - low) * sizeof *d);
    d[low] = fresh;
    return &d[low];
}

/* ---- records ---- */

static void need(struct reshard *r, struct reshard_need *x, unsigned since, const struct rsp_rdb_batch *b,
                 const struct rsp_rdb_item *i)
{
    struct rsp_span name;
    if (x->n++) return;
    name = reshard_name(r, b, i);
    x->since = (uint16_t)since;
    x->db = i->db;
    printable(x->name, sizeof x->name, name.p, name.n);
}

static int account_file(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_batch *b,
                        const struct rsp_rdb_item *i, const struct reshard_item *x)
{
    size_t sink = reshard_sink_of(r, x->slot);
    int expires = (i->flags & RSP_ITEM_EXPIRE) != 0;
    if (sink == r->sinks) {
        char name[4 * NAME_KEPT];
        struct rsp_span key = reshard_name(r, b, i);
        printable(name, sizeof name, key.p, key.n);
        return fail(env, RSP_EINVAL, name, "slot %u, which the key belongs to, has no owner in the map", x->slot);
    }
    r->keys++;
    r->files[sink].keys++;
    r->files[sink].expires += (uint64_t)expires;
    if (r->o.all) {
        struct reshard_db *d = reshard_db(r, i->db, 1);
        if (!d)
            return r->dbs.n / sizeof *d >= DBS_MAX ? fail(env, RSP_ELIMIT, NULL, "more than %u databases", DBS_MAX)
                                                   : RSP_ENOMEM;
        d->keys++;
        d->expires += (uint64_t)expires;
    }
    return RSP_OK;
}

/* Only its first part says whose value it is. */
static void look_module(struct reshard *r, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    enum target_module taken = TARGET_MODULE_TAKEN;
    uint64_t id;
    if (r->has_target && (r->o.all || !i->db)) taken = target_takes_item(&r->target, b, i, &id);
    r->open_module = taken != TARGET_MODULE_TAKEN;
    if (!r->open_module || r->losses.n[RSP_LOSS_MODULE]) return;
    if (id) rsp_rdb_module_name(id, r->losses.module);
    r->losses.module_from = taken == TARGET_MODULE_OLDER ? b->server_n : 0;
}

/* A record whose end was seen, and whose verdict is known. */
static int account(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_batch *b,
                   const struct rsp_rdb_item *i, const struct reshard_item *x)
{
    const struct rdb_type *t = rdb_type(b->dialect, i->type);
    unsigned strip;
    int loss, stays = reshard_fate(r, b, i, &strip, &loss);
    if (r->open_module) loss = RSP_LOSS_MODULE, stays = 0;
    if (loss >= 0) rsp_losses_add(&r->losses, loss, i->db, reshard_name(r, b, i));
    if (strip & STRIP_META && strip & STRIP_RANKS)
        rsp_losses_add(&r->losses, RSP_LOSS_EVICTION, i->db, reshard_name(r, b, i));
    if (!stays) return RSP_OK;
    if (t && !reshard_is_template(b, i)) need(r, &r->types[b->dialect][i->type], t->since, b, i);
    if (i->flags & RSP_ITEM_META && !(strip & STRIP_META)) need(r, &r->meta, 13, b, i);
    if (i->flags & (RSP_ITEM_IDLE | RSP_ITEM_FREQ) && !(strip & STRIP_RANKS)) need(r, &r->ranks, 9, b, i);
    if (r->dumps > 1) {
        uint32_t *of = &r->slot_dump[x->slot];
        if (*of && *of != r->dump + 1) r->shared[x->slot] = 1, r->any_shared = 1;
        *of = (uint32_t)r->dump + 1;
    }
    return account_file(r, env, b, i, x);
}

static int record(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_task *task, size_t k)
{
    const struct rsp_rdb_item *i = &task->batch->items[k];
    const struct reshard_result *x = task->result;
    int verdict = task->verdicts ? task->verdicts[k] : RSP_FILTER_ACCEPT;
    r->saw_key = 1;
    if (i->flags & RSP_ITEM_FIRST) {
        r->open_keep = verdict; /* as it was at the beginning */
        look_module(r, task->batch, i);
    }
    if (!(i->flags & RSP_ITEM_LAST)) return RSP_OK;
    if (r->open_keep == RSP_FILTER_UNSURE) {
        int rc = buf_byte(&r->unsure, verdict == RSP_FILTER_ACCEPT);
        if (rc) return rc;
    }
    return verdict == RSP_FILTER_ACCEPT ? account(r, env, task->batch, i, &x->items[k]) : RSP_OK;
}

int reshard_look(struct reshard *r, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    const struct rsp_rdb_batch *b = task->batch;
    int rc = RSP_OK;
    for (size_t k = 0; k < b->count && !rc; k++)
        rc = b->items[k].kind == RSP_RDB_KEY ? record(r, env, task, k) : reshard_opcode(r, env, b, &b->items[k]);
    return rc;
}

int reshard_looked(struct reshard *r)
{
    int rc = reshard_aux_end(r);
    r->saw_key = 0;
    return rc;
}
