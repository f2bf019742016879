/* What this is: the rules between records: parents, roles that never go back, removed signers, what is explained.
 * Rests on: log_impl.h.
 * Does not: fetch; judge a record by itself (log_fetch.c). respite-format(5), "The rules of a record". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo/log_impl.h"

#define WAY_PARENT "put it back from a mirror, or give it up for ever: backupd expire --acknowledge HASH"

static void wrong(struct judged *j, struct rsp_record *r, const char *format, ...) RSP_PRINTF(3, 4);
static void wrong(struct judged *j, struct rsp_record *r, const char *format, ...)
{
    va_list ap;
    r->state &= ~(uint32_t)RSP_RECORD_LOADED;
    r->state |= RSP_RECORD_BROKEN;
    if (j->status) return;
    j->status = RSP_EINTEGRITY;
    j->kind = "record";
    j->way_out = "remove what does not belong there, or give it up for ever: backupd expire --acknowledge NAME";
    va_start(ap, format);
    vsnprintf(j->words, sizeof j->words, format, ap);
    va_end(ap);
}

/* ---- whose repository ---- */

/* Several repository objects lie there and this host knows none: what valid records name decides. */
static void settle_id(struct log *log)
{
    struct rsp_repo *repo = log->pub.repo;
    size_t best = 0;
    if (repo->id_sure || !log->judged) return;
    for (size_t i = 0; i < log->pub.records_n; i++) {
        size_t votes = 0;
        if (!(log->pub.records[i]->state & RSP_RECORD_LOADED)) continue;
        if (best && !memcmp(repo->id, log->judged[i].repository, ID_BYTES)) continue;
        for (size_t k = i; k < log->pub.records_n; k++)
            votes += (log->pub.records[k]->state & RSP_RECORD_LOADED) &&
                     !memcmp(log->judged[k].repository, log->judged[i].repository, ID_BYTES);
        if (votes <= best) continue;
        best = votes;
        memcpy(repo->id, log->judged[i].repository, ID_BYTES);
    }
    if (best) repo->id_sure = 1;
}

static void check_ids(struct log *log)
{
    for (size_t i = 0; log->judged && i < log->pub.records_n; i++) {
        struct rsp_record *r = log->pub.records[i];
        if ((r->state & RSP_RECORD_LOADED) && memcmp(log->judged[i].repository, log->pub.repo->id, ID_BYTES))
            wrong(&log->judged[i], r, "belongs to another repository: it was copied here");
    }
}

/* ---- what is explained ---- */

static int link_order(const void *a, const void *b)
{
    return memcmp(a, b, 64);
}

static int add_links(struct log *log, const struct rsp_record *r)
{
    const struct rsp_env *env = &log->pub.env;
    if (!r->links_n) return RSP_OK;
    if (r->links_n > log->links_cap - log->links_n) {
        size_t cap = (log->links_n + r->links_n) * 2;
        void *p = mem_resize(env, log->links, log->links_cap * sizeof *log->links, cap * sizeof *log->links);
        if (!p) return RSP_ENOMEM;
        log->links = p;
        log->links_cap = cap;
    }
    memcpy(log->links + log->links_n, r->links, r->links_n * sizeof *log->links);
    log->links_n += r->links_n;
    return RSP_OK;
}

int log_collect(struct log *log)
{
    int rc = RSP_OK;
    log->explained.n = log->links_n = 0;
    for (size_t i = 0; i < log->pub.records_n && !rc; i++) {
        const struct rsp_record *r = log->pub.records[i];
        int gone = r->kind == RSP_REC_GONE;
        if (!(r->state & RSP_RECORD_LOADED)) continue;
        if (!gone && r->kind != RSP_REC_ABSENT && r->kind != RSP_REC_LOST) continue;
        for (size_t k = 0; k < r->hashes_n && !rc; k++) rc = hash_set_add(&log->pub.env, &log->explained, r->hashes[k]);
        if (!rc && gone) rc = add_links(log, r);
    }
    hash_set_sort(&log->explained);
    if (log->links_n) qsort(log->links, log->links_n, sizeof *log->links, link_order);
    return rc;
}

/* ---- signers that lost their right ---- */

static int same_removal(const struct log *log, size_t a, size_t b)
{
    const struct rsp_record *x = log->pub.records[a], *y = log->pub.records[b];
    return log->judged[a].removed_n == log->judged[b].removed_n && !memcmp(x->signer, y->signer, 32) &&
           !memcmp(x->source, y->source, ID_BYTES);
}

static int reach_left(const struct log *log, const struct rsp_record *r, uint8_t *mark)
{
    const struct rsp_repo *repo = log->pub.repo;
    int rc = RSP_OK;
    for (size_t i = 0; i < repo->roles_n && !rc; i++)
        for (size_t k = 0; k < repo->roles[i]->left_n && !rc; k++) {
            const struct rsp_left_head *left = &repo->roles[i]->left[k];
            struct rsp_record from; /* it may be gone: only its hash is asked */
            if (memcmp(left->signer, r->signer, 32) || memcmp(left->source, r->source, ID_BYTES)) continue;
            memset(&from, 0, sizeof from);
            memcpy(from.hash, left->hash, HASH_BYTES);
            rc = log_reach(log, &from, mark);
        }
    return rc;
}

/* Valid from the heads that root left, or from any record whose signer knew of the removal. */
static int vouch(struct log *log, size_t first, uint8_t *mark)
{
    struct rsp_record *r = log->pub.records[first];
    int rc;
    memset(mark, 0, log->pub.records_n);
    rc = reach_left(log, r, mark);
    for (size_t i = 0; i < log->pub.records_n && !rc; i++) {
        const struct rsp_record *by = log->pub.records[i];
        if (mark[i] || !(by->state & RSP_RECORD_LOADED) || log->judged[i].removed_n) continue;
        if (by->kind == RSP_REC_NOTE || by->kind == RSP_REC_RECEIPT) continue; /* who may note may not make writers */
        if (by->roles_n >= log->judged[first].removed_n && !memcmp(by->source, r->source, ID_BYTES))
            rc = log_reach(log, by, mark);
    }
    for (size_t i = first; i < log->pub.records_n && !rc; i++) {
        if (!same_removal(log, first, i)) continue;
        log->judged[i].seen = 1;
        log->judged[i].vouched = mark[i];
        if (!mark[i] && (log->pub.records[i]->state & RSP_RECORD_LOADED))
            wrong(&log->judged[i], log->pub.records[i],
                  "signed by a key that roles record %" PRIu64 " removed, and not among what that record leaves valid",
                  log->judged[i].removed_n);
    }
    return rc;
}

static int check_removed(struct log *log)
{
    uint8_t *mark = NULL;
    int rc = RSP_OK;
    for (size_t i = 0; i < log->pub.records_n && !rc; i++) {
        if (!log->judged[i].removed_n || log->judged[i].seen) continue;
        if (!mark) mark = mem_alloc(&log->pub.env, log->pub.records_n);
        if (!mark) return RSP_ENOMEM;
        rc = vouch(log, i, mark);
    }
    if (mark) mem_free(&log->pub.env, mark, log->pub.records_n);
    return rc;
}

/* ---- what was copied here ---- */

/* A copied receipt counts for the commit that was copied here from the one that it was about. */
int log_receipt_fits(const struct rsp_log *log, const struct rsp_record *r)
{
    const struct rsp_record *about = r->hashes_n ? rsp_log_by_hash(log, r->hashes[0]) : NULL;
    if (!r->copied || r->kind != RSP_REC_RECEIPT || !about || !(about->state & RSP_RECORD_LOADED)) return 1;
    return about->copied && !memcmp(about->origin_hash, r->origin_about, HASH_BYTES);
}

static void check_receipts(struct log *log)
{
    for (size_t i = 0; i < log->pub.records_n; i++) {
        struct rsp_record *r = log->pub.records[i];
        if ((r->state & RSP_RECORD_LOADED) && !log_receipt_fits(&log->pub, r))
            wrong(&log->judged[i], r, "it carries a receipt about another snapshot than the one that it names");
    }
}

/* ---- parents ---- */

static int check_parent(struct log *log, size_t at, const struct rsp_parent *p)
{
    struct rsp_record *r = log->pub.records[at], *parent = rsp_log_by_hash(&log->pub, p->hash);
    char hex[2 * HASH_BYTES + 1];
    hex_text(hex, p->hash, HASH_BYTES);
    if (p->seq > SEQ_BELIEVED && !(parent && (parent->state & RSP_RECORD_LOADED)) && !log_went(log, p->hash)) {
        wrong(&log->judged[at], r, "its parent %.16s... is none, and claims a number that no record has", hex);
        return RSP_OK;
    }
    if (!parent) {
        if (hash_set_has(&log->explained, p->hash)) return RSP_OK;
        return rsp_log_trouble(&log->pub, RSP_EINTEGRITY, "missing", hex, WAY_PARENT,
                               "record %s names it as its parent, with number %" PRIu64
                               ", and the store does not show it: it was deleted or is held back",
                               r->name, p->seq);
    }
    if (!parent->bytes) return RSP_OK; /* damaged or misnamed, as is told of it: a name proves nothing */
    if (memcmp(parent->source, r->source, ID_BYTES))
        wrong(&log->judged[at], r, "its parent %.16s... is of another source", hex);
    else if (parent->seq != p->seq) wrong(&log->judged[at], r, "gives its parent %.16s... another number", hex);
    else if ((parent->state & RSP_RECORD_LOADED) && r->roles_n && r->roles_n < parent->roles_n)
        wrong(&log->judged[at], r, "goes back behind the roles of its parent %.16s...", hex);
    return RSP_OK;
}

static int check_parents(struct log *log)
{
    for (size_t i = 0; i < log->pub.records_n; i++) {
        struct rsp_record *r = log->pub.records[i];
        uint64_t top = 0;
        if (!(r->state & RSP_RECORD_LOADED)) continue;
        for (size_t k = 0; k < r->parents_n; k++)
            if (r->parents[k].seq > top) top = r->parents[k].seq;
        if (r->seq - 1 != top) {
            wrong(&log->judged[i], r, "its number is not one above its parents'");
            continue;
        }
        for (size_t k = 0; k < r->parents_n && log->pub.full; k++) {
            int rc = check_parent(log, i, &r->parents[k]);
            if (rc) return rc;
        }
    }
    return RSP_OK;
}

static int tell(struct log *log)
{
    for (size_t i = 0; i < log->pub.records_n; i++) {
        const struct rsp_record *r = log->pub.records[i];
        const struct rsp_record *by = rsp_log_by_hash(&log->pub, r->hash);
        const struct judged *j = &log->judged[i];
        char path[NAME_MAX_BYTES];
        int rc;
        if (!j->status || hash_set_has(&log->explained, r->hash)) continue; /* given up, or on its way out */
        name_record_path(path, r);
        if (!r->bytes && by->bytes) { /* the record itself is there, under its own name */
            rc = rsp_log_trouble(&log->pub, RSP_OK, "foreign", path, "remove it",
                                 "it is not the record it is named after");
            if (rc) return rc;
            continue;
        }
        rc = rsp_log_trouble(&log->pub, j->status, j->kind, path, j->way_out, "%s", j->words);
        if (rc) return rc;
    }
    return RSP_OK;
}

int log_graph(struct log *log)
{
    int rc;
    settle_id(log);
    check_ids(log);
    check_receipts(log);
    rc = log_collect(log);
    if (!rc && log->pub.full) {
        rc = check_removed(log);
        if (!rc) rc = log_collect(log); /* without what they named */
    }
    if (!rc) rc = check_parents(log);
    if (!rc) rc = log_collect(log);
    if (!rc) rc = tell(log);
    if (!rc) rc = log_states(log);
    if (!rc && log->pub.full) rc = log_forks(log);
    return rc;
}
