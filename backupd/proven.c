/* What this is: the newest proof of each source, with few fetches.
 * Rests on: proven.h.
 * Does not: trust a receipt that does not verify: the log has judged each. */
#include "backupd/proven.h"

#include <string.h>

#include "cli/exit.h"

#define EACH_MOST 4 /* receipts that are fetched of one source, so that the others have their turn */

enum proof_kind proof_kind(const struct rsp_record *r)
{
    if (r->kind != RSP_REC_RECEIPT || !(r->state & RSP_RECORD_LOADED) || (r->state & RSP_RECORD_BROKEN))
        return PROOF_NONE;
    if (r->detail == 2 && r->text && !strncmp(r->text, "proof=server ", 13)) return PROOF_SERVER;
    return r->text && !strncmp(r->text, "proof=decoded", 13) ? PROOF_DECODED : PROOF_READ;
}

const char *proof_text(enum proof_kind kind)
{
    static const char *const names[] = {"none", "read", "decoded", "server"};
    return names[kind];
}

const char *proof_engine(const struct rsp_record *r, char out[ENGINE_TEXT])
{
    const char *at = r->text ? strstr(r->text, " engine=") : NULL;
    size_t n;
    out[0] = 0;
    if (!at) return out;
    at += strlen(" engine=");
    n = strcspn(at, " ");
    snprintf(out, ENGINE_TEXT, "%.*s", n < ENGINE_TEXT - 1 ? (int)n : ENGINE_TEXT - 1, at);
    if (strchr(out, '-')) *strchr(out, '-') = ' ';
    return out;
}

/* The commit that a receipt is about. */
static const struct rsp_record *about(const struct rsp_log *log, const struct rsp_record *receipt)
{
    for (size_t i = 0; i < receipt->hashes_n; i++) {
        const struct rsp_record *r = rsp_log_by_hash(log, receipt->hashes[i]);
        if (r && r->kind == RSP_REC_COMMIT) return r;
    }
    return NULL;
}

/* The newest receipt of a source before that of greatest number that was looked at; records[from..to) is the source. */
static struct rsp_record *next_receipt(const struct rsp_log *log, size_t from, size_t *to)
{
    while (*to > from) {
        struct rsp_record *r = log->records[--*to];
        if (r->kind == RSP_REC_RECEIPT) return r;
    }
    return NULL;
}

/* Looks from the newest on until one is by a server. */
static int find_one(struct context *c, size_t from, size_t to, size_t *left, struct proven *row)
{
    struct rsp_log *log = c->log;
    struct rsp_record *r;
    size_t fetched = 0;
    while (!row->receipt && (r = next_receipt(log, from, &to))) {
        int known = (r->state & (RSP_RECORD_LOADED | RSP_RECORD_BROKEN)) != 0, rc;
        if (!known && (!*left || fetched == EACH_MOST)) {
            row->unread++;
            continue;
        }
        if (!known) {
            --*left;
            fetched++;
            rc = rsp_log_fetch(log, r);
            if (rc) return context_fault(c, rc, r->name, EXIT_STORAGE);
        }
        if (proof_kind(r) != PROOF_SERVER) continue;
        row->receipt = r;
        row->of = about(log, r);
    }
    return -1;
}

int proven_find(struct context *c, size_t most, struct proven *rows, size_t *n)
{
    const struct rsp_log *log = c->log;
    int code = -1;
    *n = 0;
    for (size_t from = 0, to; code < 0 && from < log->records_n; from = to) {
        struct proven row = {.receipt = NULL};
        size_t receipts = 0;
        for (to = from; to < log->records_n && !memcmp(log->records[to]->source, log->records[from]->source, 16); to++)
            receipts += log->records[to]->kind == RSP_REC_RECEIPT;
        if (!receipts) continue;
        memcpy(row.source, log->records[from]->source, 16);
        code = find_one(c, from, to, &most, &row);
        rows[(*n)++] = row;
    }
    return code;
}

const struct proven *proven_of(const struct proven *rows, size_t n, const uint8_t source[16])
{
    for (size_t i = 0; i < n; i++)
        if (!memcmp(rows[i].source, source, 16)) return &rows[i];
    return NULL;
}
