/* What this is: gone records: every record that goes is named, with its parents, before the first byte of it goes.
 * Rests on: prune_impl.h.
 * Does not: drop what an older gone record explained: it is named again by the one that replaces it. */
#include <stdlib.h>
#include <string.h>

#include "repo/prune_impl.h"

#define MERGE_MAX 16384 /* hashes: a gone record with more stays as it is */
#define PIECE_HASHES 32768
#define PIECE_LINKS 32768 /* 2 MiB */
#define PIECE_WENT 32768  /* 512 KiB: all three fit a record */
#define LINK_BYTES (2 * HASH_BYTES)

/* Of one source. */
struct naming {
    struct prune *p;
    const uint8_t *source;
    struct hash_set hashes;       /* named by gone records that stay */
    uint8_t (*links)[LINK_BYTES]; /* kept by them */
    size_t links_n;
    struct rsp_record draft; /* hashes and links to name */
    size_t hashes_cap, links_cap, went_cap;
    struct record_list gone; /* the gone records that go */
};

static int link_order(const void *a, const void *b)
{
    return memcmp(a, b, LINK_BYTES);
}

static int add_hash(struct naming *n, const uint8_t hash[HASH_BYTES])
{
    const struct rsp_env *env = &n->p->log->env;
    struct rsp_record *d = &n->draft;
    if (d->hashes_n == n->hashes_cap) {
        size_t cap = n->hashes_cap ? n->hashes_cap * 2 : 64;
        void *p = mem_resize(env, d->hashes, n->hashes_cap * HASH_BYTES, cap * HASH_BYTES);
        if (!p) return RSP_ENOMEM;
        d->hashes = p;
        n->hashes_cap = cap;
    }
    memcpy(d->hashes[d->hashes_n++], hash, HASH_BYTES);
    return RSP_OK;
}

static int add_link(struct naming *n, const uint8_t from[HASH_BYTES], const uint8_t to[HASH_BYTES])
{
    const struct rsp_env *env = &n->p->log->env;
    struct rsp_record *d = &n->draft;
    if (d->links_n == n->links_cap) {
        size_t cap = n->links_cap ? n->links_cap * 2 : 64;
        void *p = mem_resize(env, d->links, n->links_cap * LINK_BYTES, cap * LINK_BYTES);
        if (!p) return RSP_ENOMEM;
        d->links = p;
        n->links_cap = cap;
    }
    memcpy(d->links[d->links_n], from, HASH_BYTES);
    memcpy(d->links[d->links_n++] + HASH_BYTES, to, HASH_BYTES);
    return RSP_OK;
}

/* Each time anew: publish_pieces leaves one of each. */
static int add_went(struct naming *n, const uint8_t snapshot[ID_BYTES])
{
    const struct rsp_env *env = &n->p->log->env;
    struct rsp_record *d = &n->draft;
    if (d->went_n == n->went_cap) {
        size_t cap = n->went_cap ? n->went_cap * 2 : 64;
        void *p = mem_resize(env, d->went, n->went_cap * ID_BYTES, cap * ID_BYTES);
        if (!p) return RSP_ENOMEM;
        d->went = p;
        n->went_cap = cap;
    }
    memcpy(d->went[d->went_n++], snapshot, ID_BYTES);
    return RSP_OK;
}

/* ---- what the gone records that stay say ---- */

static int is_gone_record(const struct naming *n, const struct rsp_record *r)
{
    return r->kind == RSP_REC_GONE && (r->state & RSP_RECORD_LOADED) && !memcmp(r->source, n->source, ID_BYTES);
}

static int listed(const struct record_list *list, const struct rsp_record *r)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->p[i] == r) return 1;
    return 0;
}

static int read_staying(struct naming *n)
{
    const struct rsp_log *log = n->p->log;
    size_t links = 0, at = 0;
    n->hashes.n = 0;
    for (size_t i = 0; i < log->records_n; i++) {
        const struct rsp_record *r = log->records[i];
        if (!is_gone_record(n, r) || listed(&n->gone, r)) continue;
        links += r->links_n;
        for (size_t k = 0; k < r->hashes_n; k++)
            if (hash_set_add(&log->env, &n->hashes, r->hashes[k])) return RSP_ENOMEM;
    }
    hash_set_sort(&n->hashes);
    mem_free(&log->env, n->links, n->links_n * LINK_BYTES);
    n->links = NULL;
    n->links_n = 0;
    if (!links) return RSP_OK;
    n->links = mem_alloc(&log->env, links * LINK_BYTES);
    if (!n->links) return RSP_ENOMEM;
    n->links_n = links;
    for (size_t i = 0; i < log->records_n; i++) {
        const struct rsp_record *r = log->records[i];
        if (!is_gone_record(n, r) || listed(&n->gone, r) || !r->links_n) continue;
        memcpy(n->links + at, r->links, r->links_n * LINK_BYTES);
        at += r->links_n;
    }
    qsort(n->links, links, LINK_BYTES, link_order);
    return RSP_OK;
}

/* ---- what has to be named ---- */

static int name_hash(struct naming *n, const uint8_t hash[HASH_BYTES])
{
    return hash_set_has(&n->hashes, hash) ? RSP_OK : add_hash(n, hash);
}

static int name_link(struct naming *n, const uint8_t from[HASH_BYTES], const uint8_t to[HASH_BYTES])
{
    uint8_t link[LINK_BYTES];
    memcpy(link, from, HASH_BYTES);
    memcpy(link + HASH_BYTES, to, HASH_BYTES);
    if (n->links_n && bsearch(link, n->links, n->links_n, LINK_BYTES, link_order)) return RSP_OK;
    return add_link(n, from, to);
}

/* 1: a gone record that stays names it already. */
static int went_stays(const struct naming *n, const uint8_t hash[HASH_BYTES])
{
    return hash_set_has(&n->hashes, hash);
}

/* The snapshots that go for ever: of a commit its own, of a gone record those that it named. */
static int name_went(struct naming *n, const struct rsp_record *r)
{
    int rc = RSP_OK;
    if (!(r->state & RSP_RECORD_LOADED)) return RSP_OK;
    if (r->kind == RSP_REC_COMMIT && !went_stays(n, r->hash)) return add_went(n, r->snapshot);
    for (size_t i = 0; r->kind == RSP_REC_GONE && i < r->went_n && !rc; i++) rc = add_went(n, r->went[i]);
    return rc;
}

static int name_record_going(struct naming *n, const struct rsp_record *r)
{
    int rc = name_hash(n, r->hash);
    if (!rc) rc = name_went(n, r);
    for (size_t i = 0; i < r->parents_n && !rc; i++) rc = name_link(n, r->hash, r->parents[i].hash);
    if (r->kind != RSP_REC_GONE || !(r->state & RSP_RECORD_LOADED)) return rc;
    for (size_t i = 0; i < r->hashes_n && !rc; i++) rc = name_hash(n, r->hashes[i]);
    for (size_t i = 0; i < r->links_n && !rc; i++) rc = name_link(n, r->links[i], r->links[i] + HASH_BYTES);
    return rc;
}

static int name_list(struct naming *n, const struct record_list *list)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < list->n && !rc; i++)
        if (!memcmp(list->p[i]->source, n->source, ID_BYTES)) rc = name_record_going(n, list->p[i]);
    return rc;
}

static int name_all(struct naming *n)
{
    int rc;
    n->draft.hashes_n = n->draft.links_n = n->draft.went_n = 0;
    rc = read_staying(n);
    if (!rc) rc = name_list(n, &n->p->commits);
    if (!rc) rc = name_list(n, &n->p->others);
    /* some of them stand among the others already: a run that died named them */
    for (size_t i = 0; i < n->gone.n && !rc; i++)
        if (!listed(&n->p->others, n->gone.p[i])) rc = name_record_going(n, n->gone.p[i]);
    return rc;
}

/* ---- publishing ---- */

static int id_order(const void *a, const void *b)
{
    return memcmp(a, b, ID_BYTES);
}

static int hash_order(const void *a, const void *b)
{
    return memcmp(a, b, HASH_BYTES);
}

/* Sorted, each once: the number that is left. */
static size_t once(void *list, size_t n, size_t bytes, int (*order)(const void *, const void *))
{
    uint8_t *p = list;
    size_t kept = n ? 1 : 0;
    if (n) qsort(p, n, bytes, order);
    for (size_t i = 1; i < n; i++)
        if (memcmp(p + i * bytes, p + (kept - 1) * bytes, bytes)) memmove(p + kept++ * bytes, p + i * bytes, bytes);
    return kept;
}

/* Even pieces, so that each fits a record. */
static int publish_pieces(struct naming *n)
{
    struct rsp_record *draft = &n->draft;
    draft->hashes_n = once(draft->hashes, draft->hashes_n, HASH_BYTES, hash_order);
    draft->links_n = once(draft->links, draft->links_n, LINK_BYTES, link_order);
    draft->went_n = once(draft->went, draft->went_n, ID_BYTES, id_order);
    const struct rsp_record all = *draft;
    size_t pieces = all.hashes_n / PIECE_HASHES + 1, by_links = all.links_n / PIECE_LINKS + 1;
    int rc = RSP_OK;
    if (by_links > pieces) pieces = by_links;
    if (all.went_n / PIECE_WENT + 1 > pieces) pieces = all.went_n / PIECE_WENT + 1;
    for (size_t i = 0; i < pieces && !rc; i++) {
        struct rsp_record d;
        size_t h = all.hashes_n / pieces * i, l = all.links_n / pieces * i, w = all.went_n / pieces * i;
        int last = i + 1 == pieces;
        memset(&d, 0, sizeof d);
        d.kind = RSP_REC_GONE;
        memcpy(d.source, n->source, ID_BYTES);
        d.hashes = all.hashes + h;
        d.hashes_n = last ? all.hashes_n - h : all.hashes_n / pieces;
        d.links = all.links_n ? all.links + l : NULL;
        d.links_n = last ? all.links_n - l : all.links_n / pieces;
        d.went = all.went_n ? all.went + w : NULL;
        d.went_n = last ? all.went_n - w : all.went_n / pieces;
        rc = rsp_record_publish(n->p->log, &d, NULL, 0, NULL);
    }
    return rc;
}

/* Whatever is published, smaller gone records are taken into it. */
static int publish_source(struct naming *n)
{
    struct prune *p = n->p;
    int rc = RSP_OK;
    for (size_t i = 0; i < p->others.n && !rc; i++)
        if (is_gone_record(n, p->others.p[i])) rc = record_list_add(p, &n->gone, p->others.p[i]);
    if (!rc) rc = name_all(n);
    if (rc || (!n->draft.hashes_n && !n->draft.links_n)) return rc;
    for (size_t i = 0; i < p->log->records_n && !rc; i++) {
        struct rsp_record *r = p->log->records[i];
        if (is_gone_record(n, r) && r->hashes_n < MERGE_MAX && !listed(&n->gone, r))
            rc = record_list_add(p, &n->gone, r);
    }
    if (!rc) rc = name_all(n);
    if (!rc && !n->draft.hashes_n) rc = add_hash(n, n->draft.links[0]); /* a record cannot name links alone */
    if (!rc && !p->o.dry_run) rc = publish_pieces(n);
    for (size_t i = 0; i < n->gone.n && !rc; i++)
        if (!listed(&p->others, n->gone.p[i])) rc = record_list_add(p, &p->others, n->gone.p[i]);
    return rc;
}

int prune_publish(struct prune *p)
{
    const struct record_list *lists[] = {&p->commits, &p->others};
    struct id_set sources = {.bytes = ID_BYTES};
    int rc = RSP_OK;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < lists[i]->n && !rc; k++) rc = id_set_add(p, &sources, lists[i]->p[k]->source);
    id_set_sort(&sources);
    for (size_t i = 0; i < sources.n && !rc; i++) {
        const uint8_t *source = sources.p + i * ID_BYTES;
        struct naming n;
        if (i && !memcmp(source, source - ID_BYTES, ID_BYTES)) continue;
        memset(&n, 0, sizeof n);
        n.p = p;
        n.source = source;
        rc = publish_source(&n);
        hash_set_free(&p->log->env, &n.hashes);
        mem_free(&p->log->env, n.links, n.links_n * LINK_BYTES);
        mem_free(&p->log->env, n.draft.hashes, n.hashes_cap * HASH_BYTES);
        mem_free(&p->log->env, n.draft.links, n.links_cap * LINK_BYTES);
        mem_free(&p->log->env, n.draft.went, n.went_cap * ID_BYTES);
        mem_free(&p->log->env, n.gone.p, n.gone.cap * sizeof *n.gone.p);
    }
    mem_free(&p->log->env, sources.p, sources.cap * ID_BYTES);
    return rc ? trail(&p->log->env, rc, "naming what goes; nothing was removed") : RSP_OK;
}
