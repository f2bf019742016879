/* What this is: backupd list: one line for each snapshot, the newest last.
 * Rests on: proven.h.
 * Does not: open anything sealed: only what the signed commits and receipts say in the clear. */
#include <stdlib.h>
#include <string.h>

#include "backupd/proven.h"
#include "cli/exit.h"

#define GETS_MOST 48    /* of records, for all that is printed, unless many rows are asked for */
#define RECEIPTS_MOST 8 /* that are fetched however many rows there are */

static int64_t time_of(const struct rsp_record *r)
{
    return r->effective_ms ? r->effective_ms : (int64_t)r->time_ms;
}

static int by_time(const void *a, const void *b)
{
    const struct rsp_record *x = *(struct rsp_record *const *)a, *y = *(struct rsp_record *const *)b;
    if (time_of(x) != time_of(y)) return time_of(x) < time_of(y) ? -1 : 1;
    if (x->seq != y->seq) return x->seq < y->seq ? -1 : 1;
    return memcmp(x->hash, y->hash, 32);
}

/* Living ones, and those that were given up: they are never passed over in silence. */
static int shown(const struct rsp_record *r)
{
    if (r->kind != RSP_REC_COMMIT) return 0;
    return rsp_record_living(r) || ((r->state & RSP_RECORD_LOST) && !(r->state & RSP_RECORD_GONE));
}

/* Of a log that was not fetched wholly: a snapshot behind the rows that were asked for. */
static int only_name(const struct rsp_record *r)
{
    const uint32_t known = RSP_RECORD_LOADED | RSP_RECORD_BROKEN | RSP_RECORD_RETIRED | RSP_RECORD_GONE |
                           RSP_RECORD_LOST;
    return r->kind == RSP_REC_COMMIT && !(r->state & known);
}

static void row_json(struct context *c, struct json *j, const struct rsp_record *r)
{
    char hex[HEX32], time[TEXT_MAX], source[SOURCE_TEXT], flags[FLAGS_TEXT];
    int loaded = (r->state & RSP_RECORD_LOADED) != 0;
    json_object(j, NULL);
    if (loaded) {
        text_hex(hex, r->snapshot, 16);
        json_text(j, "id", hex);
    }
    json_text(j, "time", text_utc(time, time_of(r)));
    json_i64(j, "time_ms", time_of(r));
    json_text(j, "source", context_source_text(c, r->source, source));
    json_u64(j, "seq", r->seq);
    text_hex(hex, r->hash, 32);
    json_text(j, "record", hex);
    if (loaded) {
        json_u64(j, "size_bytes", r->plain);
        json_u64(j, "stored_bytes", r->stored);
        json_u64(j, "keys", r->keys);
        json_u64(j, "objects", r->objects);
    }
    if (loaded && r->copied) {
        text_hex(hex, r->origin_repository, 16);
        json_text(j, "copied_from", hex);
    }
    flags_text(flags, r);
    json_array(j, "flags");
    for (char *at = strtok(flags, ","); at && strcmp(at, "-") != 0; at = strtok(NULL, ",")) json_text(j, NULL, at);
    json_close(j, ']');
    json_close(j, '}');
}

static void row_text(struct context *c, const struct rsp_record *r, int width)
{
    char id[SNAPSHOT_TEXT] = "?", time[TEXT_MAX], source[SOURCE_TEXT], size[TEXT_MAX] = "-", stored[TEXT_MAX] = "-";
    char keys[24] = "-", flags[FLAGS_TEXT];
    if (r->state & RSP_RECORD_LOADED) {
        snapshot_text(id, r->snapshot);
        text_size(size, r->plain);
        text_size(stored, r->stored);
        snprintf(keys, sizeof keys, "%llu", (unsigned long long)r->keys);
    }
    text_utc(time, time_of(r));
    if (time[0] != '@') memcpy(time + 19, "Z", 2); /* whole seconds do */
    flags_text(flags, r);
    printf("%-10s  %s  %-*s  %10s  %10s  %10s  %s\n", id, time, width, context_source_text(c, r->source, source), size,
           stored, keys, flags);
}

/* ---- when each source was last proven ---- */

/* What fetching the rows has left of the number of records that one list may fetch. */
static size_t receipts_most(const struct rsp_log *log)
{
    size_t fetched = 0;
    for (size_t i = 0; i < log->records_n; i++)
        fetched += (log->records[i]->state & (RSP_RECORD_LOADED | RSP_RECORD_BROKEN)) != 0;
    return fetched + RECEIPTS_MOST < GETS_MOST ? GETS_MOST - fetched : RECEIPTS_MOST;
}

static void proven_json(struct context *c, struct json *j, const struct proven *p, size_t n)
{
    char source[SOURCE_TEXT], time[TEXT_MAX], engine[ENGINE_TEXT], hex[HEX32];
    json_array(j, "proven");
    for (size_t i = 0; i < n; i++, p++) {
        json_object(j, NULL);
        json_text(j, "source", context_source_text(c, p->source, source));
        if (p->receipt) {
            json_text(j, "proven", text_utc(time, time_of(p->receipt)));
            json_i64(j, "proven_ms", time_of(p->receipt));
            json_text(j, "proof", proof_text(PROOF_SERVER));
            json_text(j, "engine", proof_engine(p->receipt, engine));
            text_hex(hex, p->receipt->hash, 32);
            json_text(j, "receipt", hex);
        }
        if (p->of && (p->of->state & RSP_RECORD_LOADED)) {
            text_hex(hex, p->of->snapshot, 16);
            json_text(j, "snapshot", hex);
        }
        if (p->unread) json_u64(j, "receipts_not_read", p->unread);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void proven_text(struct context *c, const struct proven *p, size_t n)
{
    char source[SOURCE_TEXT], time[TEXT_MAX], age[TEXT_MAX], engine[ENGINE_TEXT], id[SNAPSHOT_TEXT];
    for (size_t i = 0; i < n; i++, p++) {
        if (!p->receipt) continue;
        text_utc(time, time_of(p->receipt));
        if (time[0] != '@') memcpy(time + 19, "Z", 2);
        printf("%s: last proven %s, %s ago", context_source_text(c, p->source, source), time,
               text_duration(age, context_now(c) - time_of(p->receipt)));
        if (p->of && (p->of->state & RSP_RECORD_LOADED)) {
            snapshot_text(id, p->of->snapshot);
            printf(", snapshot %s", id);
        }
        printf(", in %s\n", proof_engine(p->receipt, engine));
    }
}

/* ---- all of it ---- */

static void print_json(struct context *c, struct rsp_record *const *rows, size_t n, size_t older,
                       const struct proven *proven, size_t proven_n)
{
    struct json j;
    uint8_t id[16];
    char hex[HEX32];
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    rsp_repo_id(c->repo, id);
    text_hex(hex, id, 16);
    json_text(&j, "repository", hex);
    json_text(&j, "url", c->url);
    json_array(&j, "snapshots");
    for (size_t i = 0; i < n; i++) row_json(c, &j, rows[i]);
    json_close(&j, ']');
    json_u64(&j, "older", older);
    proven_json(c, &j, proven, proven_n);
    context_json_troubles(c, &j);
    json_close(&j, '}');
}

static void print_text(struct context *c, struct rsp_record *const *rows, size_t n, size_t older)
{
    char source[SOURCE_TEXT];
    int width = 14;
    for (size_t i = 0; i < n; i++) {
        int wide = (int)strlen(context_source_text(c, rows[i]->source, source));
        if (wide > width) width = wide;
    }
    if (n)
        printf("%-10s  %-20s  %-*s  %10s  %10s  %10s  %s\n", "ID", "TIME", width, "SOURCE", "SIZE", "STORED", "KEYS",
               "FLAGS");
    for (size_t i = 0; i < n; i++) row_text(c, rows[i], width);
    if (older) printf("and %zu older ones; --all shows them\n", older);
}

static int list(struct context *c, size_t limit, struct rsp_record **rows, struct proven *proven)
{
    size_t n = 0, older = 0, from = 0, proven_n = 0;
    int code = proven_find(c, limit ? receipts_most(c->log) : SIZE_MAX, proven, &proven_n);
    if (code >= 0) return code;
    for (size_t i = 0; i < c->log->records_n; i++) {
        struct rsp_record *r = c->log->records[i];
        if (shown(r)) rows[n++] = r;
        else older += limit && only_name(r);
    }
    qsort(rows, n, sizeof(struct rsp_record *), by_time);
    if (limit && n > limit) from = n - limit;
    older += from;
    if (c->o->value[O_JSON].count) {
        print_json(c, rows + from, n - from, older, proven, proven_n);
        return EXIT_OK;
    }
    print_text(c, rows + from, n - from, older);
    proven_text(c, proven, proven_n);
    if (!n) print_err("%s: no snapshots yet", c->url);
    return EXIT_OK;
}

int verb_list(struct context *c)
{
    size_t limit = c->o->value[O_ALL].count ? 0 : (size_t)c->o->value[O_LIMIT].number;
    struct rsp_record **rows;
    struct proven *proven;
    uint8_t source[16];
    int code = context_repo(c, NEED_NOTHING);
    if (code < 0) code = context_log(c, context_source(c, source), limit, 0);
    if (code >= 0) return code;
    rows = calloc(c->log->records_n + 1, sizeof(struct rsp_record *));
    proven = calloc(c->log->records_n + 1, sizeof *proven);
    code = rows && proven ? list(c, limit, rows, proven) : context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    free(rows);
    free(proven);
    return code;
}
