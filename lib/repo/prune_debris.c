/* What this is: debris: epochs and lists that no record names, objects of a named epoch that no commit refers to (of a
 *   stream that broke off and was begun again), and uploads that died, once they are old by the store's clock.
 * Rests on: prune_impl.h.
 * Does not: judge log/, roles/, repository/ or segments/. */
#include <stdio.h>
#include <string.h>

#include "repo/prune_impl.h"

static int drop(struct prune *p, struct held *h)
{
    char name[NAME_MAX_BYTES];
    int rc;
    held_name(h, name);
    rc = prune_remove(p, name, h->bytes, "debris");
    if (rc) return rc;
    h->fate = 1;
    p->report.debris_objects++;
    p->report.debris_bytes += h->bytes;
    return RSP_OK;
}

/* 1 when every object of the epoch, in whatever folder, is old. */
static int epoch_old(const struct prune *p, const uint8_t epoch[ID_BYTES])
{
    static const int kinds[] = {HELD_DATA, HELD_KEYS, HELD_MANIFESTS};
    for (size_t i = 0; i < 3; i++) {
        size_t n = 0;
        const struct held *h = inventory_epoch(&p->held, kinds[i], epoch, &n);
        for (size_t k = 0; k < n; k++)
            if (!prune_older(p, h[k].mtime_ms, p->o.debris_age_ms)) return 0;
    }
    return 1;
}

static int young(void *opaque, const struct rsp_store_item *item)
{
    const struct prune *p = opaque;
    return prune_older(p, item->mtime_ms, p->o.debris_age_ms) ? 0 : 1;
}

/* 1 when something has been added to the epoch since the run began: a writer that slept for long has woken, and looks
 * at what it needs before it commits. */
static int stirred(struct prune *p, const uint8_t epoch[ID_BYTES], int *rc)
{
    static const char *const folders[] = {"manifests", "keys", "data"};
    char hex[2 * ID_BYTES + 1], prefix[NAME_MAX_BYTES];
    hex_text(hex, epoch, ID_BYTES);
    for (size_t i = 0; !*rc && i < 3; i++) {
        snprintf(prefix, sizeof prefix, "%s/%s/", folders[i], hex);
        *rc = rsp_store_list(p->log->repo->store, prefix, young, p);
    }
    if (*rc <= 0) return 0;
    *rc = RSP_OK;
    return 1;
}

/* 1: an object of an epoch that a record names, and none refers to it. Its commit was told what it needs before it was
 * published, and no other can want it. */
static int nobodys(const struct prune *p, const struct held *h)
{
    uint8_t id[PRUNE_ID_BYTES];
    if (h->kind != HELD_DATA && h->kind != HELD_MANIFESTS) return 0;
    id[0] = h->kind;
    memcpy(id + 1, h->epoch, ID_BYTES);
    memcpy(id + 1 + ID_BYTES, h->id, ID_BYTES);
    return !id_set_has(&p->needed, id);
}

static void judge_epoch(struct prune *p, const struct held *h, size_t n, uint8_t *old)
{
    int named = id_set_has(&p->named, h->epoch);
    if ((named && id_set_has(&p->unsure, h->epoch)) || !epoch_old(p, h->epoch)) return;
    for (size_t i = 0; i < n; i++) old[i] = (uint8_t)(!named || nobodys(p, &h[i]));
}

static void judge(struct prune *p, uint8_t *old)
{
    for (size_t i = 0; i < p->held.n;) {
        const struct held *h = &p->held.items[i];
        size_t n = 1;
        if (h->kind == HELD_REFS) {
            old[i] = !id_set_has(&p->lists, h->id) && prune_older(p, h->mtime_ms, p->o.debris_age_ms);
        } else {
            inventory_epoch(&p->held, h->kind, h->epoch, &n);
            judge_epoch(p, h, n, old + i);
        }
        i += n;
    }
}

static int leftover(void *opaque, const struct rsp_store_item *item)
{
    struct prune *p = opaque;
    if (!prune_older(p, item->mtime_ms, p->o.debris_age_ms)) return 0;
    if (p->o.removing) p->o.removing(p->o.opaque, item->name, item->bytes, "left by an upload that died");
    p->report.debris_objects++;
    p->report.debris_bytes += item->bytes;
    return !p->o.dry_run;
}

int prune_debris(struct prune *p)
{
    const struct rsp_env *env = &p->log->env;
    const struct held *asked = NULL;
    uint8_t *old = NULL;
    int rc = RSP_OK, skip = 0;
    if (p->held.new_commits) /* they came after the log was read, so what they name is not known: the next run's */
        return rsp_store_leftovers(p->log->repo->store, leftover, p);
    if (p->held.n) {
        old = mem_zero(env, p->held.n);
        if (!old) return RSP_ENOMEM;
        judge(p, old); /* all are judged before the first goes */
    }
    for (size_t i = 0; i < p->held.n && !rc; i++) {
        struct held *h = &p->held.items[i];
        if (!old[i] || h->fate) continue;
        if (h->kind != HELD_REFS && (!asked || memcmp(asked->epoch, h->epoch, ID_BYTES))) {
            asked = h;
            skip = !p->o.dry_run && stirred(p, h->epoch, &rc);
        }
        if (!rc && (h->kind == HELD_REFS || !skip)) rc = drop(p, h);
    }
    mem_free(env, old, p->held.n);
    return rc ? rc : rsp_store_leftovers(p->log->repo->store, leftover, p);
}
