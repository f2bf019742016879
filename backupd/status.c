/* What this is: backupd status: how old the newest snapshot of each source is, and its last proof, for monitoring.
 * Rests on: proven.h.
 * Does not: verify data. */
#include <stdlib.h>
#include <string.h>

#include "backupd/proven.h"
#include "cli/exit.h"

struct row {
    uint8_t source[16];
    const struct rsp_record *newest, *head;
    const struct rsp_record *receipt; /* of the last proof in a server */
    size_t snapshots, heads;
};

static size_t collect(const struct rsp_log *log, struct row *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++) {
        const struct rsp_record *r = log->records[i];
        struct row *row;
        if (!n || memcmp(rows[n - 1].source, r->source, 16) != 0) memcpy(rows[n++].source, r->source, 16);
        row = &rows[n - 1];
        if (r->state & RSP_RECORD_HEAD) {
            row->heads++;
            if (!row->head || r->seq > row->head->seq) row->head = r;
        }
        if (r->kind != RSP_REC_COMMIT || !rsp_record_living(r)) continue;
        row->snapshots++;
        if (!row->newest || r->seq > row->newest->seq ||
            (r->seq == row->newest->seq && r->time_ms > row->newest->time_ms))
            row->newest = r;
    }
    return n;
}

/* 1: too old, or there is none. */
static int is_old(const struct context *c, const struct row *row)
{
    const struct opt_value *max = &c->o->value[O_MAX_AGE];
    if (!max->count) return 0;
    return !row->newest || context_now(c) - (int64_t)row->newest->time_ms > max->number;
}

static int64_t proven_age(const struct context *c, const struct row *row)
{
    return context_now(c) - (row->receipt->effective_ms ? row->receipt->effective_ms : (int64_t)row->receipt->time_ms);
}

static void print_row(struct context *c, struct json *j, const struct row *row)
{
    char proven[TEXT_MAX] = "never", source[SOURCE_TEXT], id[33] = "-", time[TEXT_MAX] = "-", age[TEXT_MAX] = "-",
         hash[HEX32] = "-";
    char flags[FLAGS_TEXT] = "-";
    context_source_text(c, row->source, source);
    if (row->newest) {
        text_hex(id, row->newest->snapshot, 16);
        text_utc(time, (int64_t)row->newest->time_ms);
        text_duration(age, context_now(c) - (int64_t)row->newest->time_ms);
        flags_text(flags, row->newest);
    }
    if (row->head) text_hex(hash, row->head->hash, j ? 32 : 8);
    if (row->receipt) text_duration(proven, proven_age(c, row));
    if (!j) {
        printf("%-14s  newest %.10s  %s  %s old  %s  head %s  seq %llu  proven %s%s%s\n", source, id, time, age, flags,
               hash, row->head ? (unsigned long long)row->head->seq : 0ULL, proven, row->receipt ? " ago" : "",
               is_old(c, row) ? "  TOO OLD" : "");
        return;
    }
    json_object(j, NULL);
    json_text(j, "source", source);
    json_u64(j, "snapshots", row->snapshots);
    if (row->newest) {
        json_text(j, "newest", id);
        json_text(j, "time", time);
        json_i64(j, "age_ms", context_now(c) - (int64_t)row->newest->time_ms);
        json_text(j, "flags", flags);
        json_u64(j, "size_bytes", row->newest->plain);
    }
    if (row->head) {
        json_text(j, "head", hash);
        json_u64(j, "seq", row->head->seq);
        json_u64(j, "heads", row->heads);
    }
    if (row->receipt) {
        json_i64(j, "proven_ms", context_now(c) - proven_age(c, row));
        json_i64(j, "proven_age_ms", proven_age(c, row));
        json_text(j, "proof", proof_text(PROOF_SERVER));
    }
    json_bool(j, "too_old", is_old(c, row));
    json_close(j, '}');
}

static int collect_proven(struct context *c, struct row *rows, size_t n)
{
    struct proven *proven = calloc(c->log->records_n + 1, sizeof *proven);
    size_t proven_n = 0;
    int code = proven ? proven_find(c, SIZE_MAX, proven, &proven_n) : context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    for (size_t i = 0; code < 0 && i < n; i++) {
        const struct proven *p = proven_of(proven, proven_n, rows[i].source);
        if (p) rows[i].receipt = p->receipt;
    }
    free(proven);
    return code;
}

int verb_status(struct context *c)
{
    struct json j = {0}, *out = c->o->value[O_JSON].count ? &j : NULL;
    struct row *rows;
    uint8_t source[16];
    size_t n, old = 0;
    int code = context_repo(c, NEED_NOTHING);
    if (code < 0) code = context_log(c, context_source(c, source), 0, 0);
    if (code >= 0) return code;
    rows = calloc(c->log->records_n + 1, sizeof *rows);
    if (!rows) return context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    n = collect(c->log, rows);
    code = collect_proven(c, rows, n);
    if (code >= 0) {
        free(rows);
        return code;
    }
    if (out) {
        json_init(out, stdout, 1);
        json_object(out, NULL);
        json_text(out, "url", c->url);
        json_array(out, "sources");
    }
    for (size_t i = 0; i < n; i++) {
        print_row(c, out, &rows[i]);
        old += (size_t)is_old(c, &rows[i]);
    }
    free(rows);
    if (out) {
        json_close(out, ']');
        context_json_troubles(c, out);
        json_close(out, '}');
    }
    if (!n) print_err("%s: no snapshots yet", c->url);
    return old || (!n && c->o->value[O_MAX_AGE].count) ? EXIT_FINDINGS : EXIT_OK;
}
