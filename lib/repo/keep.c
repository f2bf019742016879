/* What this is: the inventory of a store by one LIST, and the checks before anything is given up.
 * Rests on: keep.h.
 * Does not: delete. */
#include "repo/keep.h"

#include <stdlib.h>
#include <string.h>

#include "repo/log_impl.h"

static const char *const folders[] = {"data/", "keys/", "manifests/", "refs/"};
#define FOLDERS 4
#define EPOCH_CHARS (2 * ID_BYTES)

static int held_order(const void *a, const void *b)
{
    const struct held *x = a, *y = b;
    int order = x->kind - y->kind;
    if (!order) order = memcmp(x->epoch, y->epoch, ID_BYTES);
    return order ? order : memcmp(x->id, y->id, HASH_BYTES);
}

/* 1 when name is that of an object of a repository. */
static int held_parse(const char *name, struct held *h)
{
    memset(h, 0, sizeof *h);
    for (uint8_t i = 0; i < FOLDERS; i++) {
        size_t n = strlen(folders[i]), id_n = i == HELD_KEYS || i == HELD_REFS ? HASH_BYTES : ID_BYTES;
        const char *p = name + n;
        if (strncmp(name, folders[i], n)) continue;
        h->kind = i;
        if (i == HELD_REFS) return hex_parse(p, strlen(p), h->id, id_n);
        if (strlen(p) != EPOCH_CHARS + 1 + 2 * id_n || p[EPOCH_CHARS] != '/') return 0;
        return hex_parse(p, EPOCH_CHARS, h->epoch, ID_BYTES) && hex_parse(p + EPOCH_CHARS + 1, 2 * id_n, h->id, id_n);
    }
    return 0;
}

void held_name(const struct held *h, char out[NAME_MAX_BYTES])
{
    switch (h->kind) {
    case HELD_DATA: name_object(out, REF_DATA, h->epoch, h->id); break;
    case HELD_MANIFESTS: name_object(out, REF_MANIFEST, h->epoch, h->id); break;
    case HELD_KEYS: name_envelope(out, h->epoch, h->id); break;
    default: name_hashed(out, "refs", h->id); break;
    }
}

static int listed(void *opaque, const struct rsp_store_item *item)
{
    struct inventory *inv = opaque;
    struct rsp_record r;
    struct held h;
    if (!strncmp(item->name, "log/", 4)) {
        memset(&r, 0, sizeof r);
        if (!name_record_parse(item->name, &r) || rsp_log_by_hash(inv->log, r.hash)) return RSP_OK;
        inv->new_pins += r.kind == RSP_REC_PIN || r.kind == RSP_REC_UNPIN;
        inv->new_commits += r.kind == RSP_REC_COMMIT;
        return RSP_OK;
    }
    if (!held_parse(item->name, &h)) return RSP_OK;
    h.bytes = item->bytes;
    h.mtime_ms = item->mtime_ms;
    if (inv->n == inv->cap) {
        size_t cap = inv->cap ? inv->cap * 2 : 64;
        void *p = mem_resize(inv->env, inv->items, inv->cap * sizeof h, cap * sizeof h);
        if (!p) return RSP_ENOMEM;
        inv->items = p;
        inv->cap = cap;
    }
    inv->items[inv->n++] = h;
    return RSP_OK;
}

int inventory_load(struct rsp_log *log, struct inventory *inv)
{
    int rc;
    memset(inv, 0, sizeof *inv);
    inv->env = &log->env;
    inv->log = log;
    rc = rsp_store_list(log->repo->store, "", listed, inv);
    if (rc) return trail(&log->env, rc, "listing what the repository holds");
    if (inv->n) qsort(inv->items, inv->n, sizeof *inv->items, held_order);
    return RSP_OK;
}

void inventory_free(struct inventory *inv)
{
    if (inv->env) mem_free(inv->env, inv->items, inv->cap * sizeof *inv->items);
    memset(inv, 0, sizeof *inv);
}

/* The first that is not below key. */
static size_t lower(const struct inventory *inv, const struct held *key)
{
    size_t lo = 0, hi = inv->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (held_order(&inv->items[mid], key) < 0) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

struct held *inventory_find(const struct inventory *inv, int kind, const uint8_t epoch[ID_BYTES], const uint8_t *id,
                            size_t id_n)
{
    struct held key;
    size_t at;
    memset(&key, 0, sizeof key);
    key.kind = (uint8_t)kind;
    if (epoch) memcpy(key.epoch, epoch, ID_BYTES);
    memcpy(key.id, id, id_n);
    at = lower(inv, &key);
    return at < inv->n && !held_order(&inv->items[at], &key) ? &inv->items[at] : NULL;
}

struct held *inventory_ref(const struct inventory *inv, const struct rsp_ref *ref)
{
    int kind = ref->kind == REF_MANIFEST ? HELD_MANIFESTS : HELD_DATA;
    return inventory_find(inv, kind, ref->epoch, ref->object, ID_BYTES);
}

struct held *inventory_epoch(const struct inventory *inv, int kind, const uint8_t epoch[ID_BYTES], size_t *n)
{
    struct held key;
    size_t at, end;
    memset(&key, 0, sizeof key);
    key.kind = (uint8_t)kind;
    memcpy(key.epoch, epoch, ID_BYTES);
    at = end = lower(inv, &key);
    while (end < inv->n && inv->items[end].kind == kind && !memcmp(inv->items[end].epoch, epoch, ID_BYTES)) end++;
    *n = end - at;
    return inv->items ? inv->items + at : NULL;
}

/* ---- checks ---- */

int keep_refs(struct rsp_log *log, struct rsp_record *r)
{
    struct rsp_repo *repo = log->repo;
    char name[NAME_MAX_BYTES];
    uint8_t *p = NULL;
    size_t n = 0;
    int rc;
    if (!r->refs_apart || r->refs) return RSP_OK;
    name_hashed(name, "refs", r->refs_hash);
    rc = repo_get_hashed(repo, name, r->refs_hash, REFS_FILE_MAX, &p, &n);
    if (rc) return rc;
    rc = refs_decode(&repo->env, r, (struct rsp_span){p, n});
    rsp_store_release(repo->store, p, n);
    return rc;
}

int keep_now(struct rsp_log *log, int64_t as_of_ms, int64_t *ms)
{
    if (as_of_ms) {
        *ms = as_of_ms;
        return RSP_OK;
    }
    int rc = rsp_store_now(log->repo->store, ms);
    if (rc != RSP_EPERM) return rc;
    if (log->env.error) rsp_error_clear(log->env.error);
    *ms = log->env.now_ms(log->env.clock_opaque);
    return RSP_OK;
}

int keep_sound(struct rsp_log *log, const char *what)
{
    const char *url = rsp_store_url(log->repo->store);
    if (!log->full || log_of(log)->one_source)
        return fail(&log->env, RSP_ESTATE, url, "%s needs the whole record log", what);
    if (!log->faults) return RSP_OK;
    for (size_t i = 0; i < log->troubles_n; i++) {
        const struct rsp_trouble *t = &log->troubles[i];
        if (!t->status) continue;
        return fail(&log->env, RSP_EINTEGRITY, t->name,
                    "the record log has %d fault%s, so %s changes nothing; the first: %s", log->faults,
                    log->faults == 1 ? "" : "s", what, t->text);
    }
    return fail(&log->env, RSP_EINTEGRITY, url, "the record log has faults, so %s changes nothing", what);
}

int keep_right(struct rsp_log *log, const char *what)
{
    if (rsp_repo_signer(log->repo, RSP_ROLE_KEEP, NULL)) return RSP_OK;
    return fail(&log->env, RSP_ERIGHT, rsp_store_url(log->repo->store),
                "%s needs an identity with the right to \"keep\"; give one with --identity", what);
}
