/* What this is: prune: gone records first, then objects, commit records, the other records, debris: a run that dies at any
 *   point is finished by the next.
 * Rests on: prune_impl.h.
 * Does not: run over a log with faults. */
#include <stdlib.h>
#include <string.h>

#include "repo/prune_impl.h"

/* ---- lists and sets ---- */

static void *grown(const struct rsp_env *env, void *p, size_t n, size_t *cap, size_t each)
{
    size_t more = *cap ? *cap * 2 : 32;
    void *q;
    if (n < *cap) return p;
    q = mem_resize(env, p, *cap * each, more * each);
    if (q) *cap = more;
    return q;
}

int record_list_add(struct prune *p, struct record_list *list, struct rsp_record *r)
{
    void *q = grown(&p->log->env, list->p, list->n, &list->cap, sizeof *list->p);
    if (!q) return RSP_ENOMEM;
    list->p = q;
    list->p[list->n++] = r;
    return RSP_OK;
}

int id_set_add(struct prune *p, struct id_set *set, const uint8_t *id)
{
    void *q = grown(&p->log->env, set->p, set->n, &set->cap, set->bytes);
    if (!q) return RSP_ENOMEM;
    set->p = q;
    memcpy(set->p + set->n++ * set->bytes, id, set->bytes);
    return RSP_OK;
}

static int order_epoch(const void *a, const void *b)
{
    return memcmp(a, b, ID_BYTES);
}

static int order_hash(const void *a, const void *b)
{
    return memcmp(a, b, HASH_BYTES);
}

static int order_object(const void *a, const void *b)
{
    return memcmp(a, b, PRUNE_ID_BYTES);
}

typedef int (*order_fn)(const void *, const void *);
static order_fn order_of(const struct id_set *set)
{
    if (set->bytes == ID_BYTES) return order_epoch;
    return set->bytes == HASH_BYTES ? order_hash : order_object;
}

void id_set_sort(struct id_set *set)
{
    if (set->n) qsort(set->p, set->n, set->bytes, order_of(set));
}

int id_set_has(const struct id_set *set, const uint8_t *id)
{
    return set->n && bsearch(id, set->p, set->n, set->bytes, order_of(set)) != NULL;
}

void prune_ref_id(const struct rsp_ref *ref, uint8_t out[PRUNE_ID_BYTES])
{
    out[0] = ref->kind == REF_MANIFEST ? HELD_MANIFESTS : HELD_DATA;
    memcpy(out + 1, ref->epoch, ID_BYTES);
    memcpy(out + 1 + ID_BYTES, ref->object, ID_BYTES);
}

/* ---- what all steps ask ---- */

int prune_older(const struct prune *p, int64_t ms, int64_t than_ms)
{
    if (ms > p->now_ms) return 0;
    return (uint64_t)p->now_ms - (uint64_t)ms >= (uint64_t)(than_ms > 0 ? than_ms : 0);
}

int prune_remove(struct prune *p, const char *name, uint64_t bytes, const char *why)
{
    int rc;
    if (p->o.removing) p->o.removing(p->o.opaque, name, bytes, why);
    if (p->o.dry_run) return RSP_OK;
    rc = rsp_store_delete(p->log->repo->store, name);
    return rc ? trail(&p->log->env, rc, "pruning; the next run goes on") : RSP_OK;
}

static void prune_free(struct prune *p)
{
    const struct rsp_env *env = &p->log->env;
    struct record_list *lists[] = {&p->commits, &p->staying, &p->others};
    struct id_set *sets[] = {&p->needed, &p->epochs, &p->named, &p->unsure, &p->lists};
    for (size_t i = 0; i < 3; i++) mem_free(env, lists[i]->p, lists[i]->cap * sizeof *lists[i]->p);
    for (size_t i = 0; i < 5; i++) mem_free(env, sets[i]->p, sets[i]->cap * sets[i]->bytes);
    hash_set_free(env, &p->going);
    inventory_free(&p->held);
}

int rsp_prune(struct rsp_log *log, const struct rsp_prune_options *options, struct rsp_prune_report *report)
{
    struct prune p;
    int rc;
    memset(&p, 0, sizeof p);
    p.log = log;
    memcpy(&p.o, options, options->size < sizeof p.o ? options->size : sizeof p.o);
    p.needed.bytes = PRUNE_ID_BYTES;
    p.epochs.bytes = p.named.bytes = p.unsure.bytes = ID_BYTES;
    p.lists.bytes = HASH_BYTES;
    p.report.size = report->size;
    rc = keep_sound(log, "prune");
    if (!rc && !p.o.dry_run) rc = keep_right(log, "prune");
    if (!rc) rc = keep_now(log, p.o.dry_run ? p.o.as_of_ms : 0, &p.now_ms);
    if (!rc) rc = prune_plan(&p);
    if (!rc) rc = prune_needed(&p);
    if (!rc) rc = inventory_load(log, &p.held);
    if (!rc && p.held.new_pins && !p.o.dry_run)
        rc = fail(&log->env, RSP_EBUSY, rsp_store_url(log->repo->store),
                  "a pin was published while the run began, so nothing was removed; run it again");
    if (!rc) rc = prune_publish(&p);
    if (!rc) rc = prune_objects(&p);
    if (!rc) rc = prune_records(&p);
    if (!rc) rc = prune_debris(&p);
    memcpy(report, &p.report, report->size < sizeof p.report ? report->size : sizeof p.report);
    prune_free(&p);
    return rc;
}
