/* What this is: backupd list: one line for each snapshot, the newest last.
 * Rests on: context.h.
 * Does not: open anything sealed: only what the signed commits say in the clear. */
#include <stdlib.h>
#include <string.h>

#include "backupd/context.h"
#include "cli/exit.h"

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
    flags_text(flags, r);
    json_array(j, "flags");
    for (char *at = strtok(flags, ","); at && strcmp(at, "-") != 0; at = strtok(NULL, ",")) json_text(j, NULL, at);
    json_close(j, ']');
    json_close(j, '}');
}

static void row_text(struct context *c, const struct rsp_record *r)
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
    printf("%-10s  %s  %-14s  %10s  %10s  %10s  %s\n", id, time, context_source_text(c, r->source, source), size,
           stored, keys, flags);
}

static void print_json(struct context *c, struct rsp_record *const *rows, size_t n, size_t older)
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
    context_json_troubles(c, &j);
    json_close(&j, '}');
}

int verb_list(struct context *c)
{
    size_t limit = c->o->value[O_ALL].count ? 0 : (size_t)c->o->value[O_LIMIT].number, n = 0, older = 0, from = 0;
    struct rsp_record **rows;
    uint8_t source[16];
    int code = context_repo(c, NEED_NOTHING);
    if (code < 0) code = context_log(c, context_source(c, source), limit, 0);
    if (code >= 0) return code;
    rows = calloc(c->log->records_n + 1, sizeof(struct rsp_record *));
    if (!rows) return context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    for (size_t i = 0; i < c->log->records_n; i++) {
        struct rsp_record *r = c->log->records[i];
        if (shown(r)) rows[n++] = r;
        else older += limit && only_name(r);
    }
    qsort(rows, n, sizeof(struct rsp_record *), by_time);
    if (limit && n > limit) from = n - limit;
    older += from;
    if (c->o->value[O_JSON].count) {
        print_json(c, rows + from, n - from, older);
    } else {
        if (n)
            printf("%-10s  %-20s  %-14s  %10s  %10s  %10s  %s\n", "ID", "TIME", "SOURCE", "SIZE", "STORED", "KEYS",
                   "FLAGS");
        for (size_t i = from; i < n; i++) row_text(c, rows[i]);
        if (older) printf("and %zu older ones; --all shows them\n", older);
        if (!n) print_err("%s: no snapshots yet", c->url);
    }
    free(rows);
    return EXIT_OK;
}
