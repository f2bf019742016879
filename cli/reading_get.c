/* What this is: the verb `get`: one value. The first record of that key ends the reading.
 * Rests on: reading.h, replay.h, respite/sys/rdb_batch.h, sys/json.h.
 * Does not: verify the checksum, which lies behind the record. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <respite/sys/json.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/reading.h"
#include "cli/replay.h"

struct get {
    struct job *job;
    const struct reading *in;
    struct rsp_span key;
    struct replay replay; /* holds the feed, and the record once it is found */
    struct rsp_sink *sink;
    struct rsp_scratch scratch;
    int unsure; /* whether --size holds is only known at the record's end */
};

/* ---- the key ---- */

static int digit64(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Into key->mem, which has room. 0 when the text is no base64. */
static int decode64(struct reading_key *key, const char *text)
{
    size_t n = strlen(text), out = 0;
    uint32_t v = 0;
    while (n && text[n - 1] == '=' && strlen(text) - n < 2) n--;
    if (n % 4 == 1 || (n != strlen(text) && strlen(text) % 4)) return 0;
    for (size_t i = 0; i < n; i++) {
        int d = digit64(text[i]);
        if (d < 0) return 0;
        v = v << 6 | (uint32_t)d;
        if (i % 4) key->mem[out++] = (uint8_t)(v >> (6 - 2 * (i % 4)));
    }
    key->key.p = key->mem;
    key->key.n = out;
    return 1;
}

int reading_key_open(struct job *job, const char *operand, struct reading_key *key)
{
    const struct options *o = job->o;
    const char *b64 = job_value(job, R_KEY_BASE64)->text;
    memset(key, 0, sizeof *key);
    if ((operand != NULL) == (b64 != NULL))
        return options_usage(o, b64 ? "KEY and --key-base64 exclude each other" : "KEY is missing");
    if (!b64) {
        key->key.p = (const uint8_t *)operand;
        key->key.n = strlen(operand);
        return -1;
    }
    key->mem = malloc(strlen(b64) + 1);
    if (!key->mem) return job_fault(job, RSP_ENOMEM, NULL, EXIT_INTERNAL);
    return decode64(key, b64) ? -1 : options_usage(o, "--key-base64: '%s' is not base64", b64);
}

void reading_key_close(struct reading_key *key)
{
    free(key->mem);
}

/* ---- the record ---- */

static int is_it(struct get *g, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int *yes)
{
    struct rsp_key_facts f = {0};
    int rc, verdict;
    *yes = 0;
    rc = rsp_rdb_batch_key(&g->job->env, b, i, &g->scratch, &f.key);
    if (rc) return rc;
    if (f.key.n != g->key.n || (f.key.n && memcmp(f.key.p, g->key.p, f.key.n))) return RSP_OK;
    f.db = i->db;
    f.value_type = rsp_rdb_value_type(b->dialect, i->type);
    f.has_expire = (i->flags & RSP_ITEM_EXPIRE) != 0;
    f.expire_ms = i->expire_ms;
    f.size_bytes = i->end - i->start;
    f.size_known = (i->flags & RSP_ITEM_LAST) != 0;
    verdict = rsp_filter_match(g->job->filter, &f);
    *yes = verdict != RSP_FILTER_REFUSE;
    g->unsure = verdict == RSP_FILTER_UNSURE;
    return RSP_OK;
}

static int look(struct get *g, struct rsp_rdb_batch *b)
{
    for (size_t k = 0; k < b->count; k++) {
        const struct rsp_rdb_item *i = &b->items[k];
        int yes = 0, rc = RSP_OK;
        if (i->kind == RSP_RDB_HASH_TEMPLATE) rc = replay_prefix(&g->replay, b, i);
        if (i->kind == RSP_RDB_KEY && (i->flags & RSP_ITEM_FIRST)) rc = is_it(g, b, i, &yes);
        if (rc) return rc;
        if (!yes) continue;
        replay_record(&g->replay, b, i);
        return RSP_OK;
    }
    return RSP_END;
}

/* RSP_OK: found; RSP_END: it is not in the file. */
static int search(struct get *g)
{
    for (;;) {
        struct rsp_rdb_batch *b = NULL;
        uint64_t taken = rsp_source_taken(g->in->source);
        int rc = rsp_rdb_feed_next(g->replay.feed, &b);
        if (rc == RSP_AGAIN) continue;
        if (rc) return rc;
        rc = look(g, b);
        if (rc == RSP_OK) return rc; /* replay holds the batch */
        rsp_rdb_batch_release(b);
        if (rc < 0) return rc;
        if (job_tick(g->job, taken)) return RSP_ECANCELED;
    }
}

/* ---- output ---- */

/* *sink_fault: the fault is that of stdout. */
static int put_record(struct get *g, int *sink_fault)
{
    struct rsp_json_options o = {.size = sizeof o, .values_only = 1};
    struct rsp_rdb_run_result r = {.size = sizeof r};
    struct rsp_source *source = NULL;
    struct rsp_error *e = &g->job->error;
    int rc = replay_source(&g->replay, &g->job->env, &source);
    if (rc) return rc;
    o.bytes = (int)job_value(g->job, R_BYTES)->number;
    o.tmpdir = job_value(g->job, R_TMPDIR)->text;
    o.run = g->job->run;
    o.run.filter = g->unsure ? g->job->filter : NULL; /* the export withholds a record until its size is known */
    o.run.limit = 0;
    rc = rsp_json_export(&g->job->env, source, &o, g->sink, &r);
    if (rc && g->replay.status < 0) { /* what really went wrong lies in the file behind it */
        *e = g->replay.error;
        rc = g->replay.status;
    } else if (rc && e->has_offset) {
        e->offset = replay_offset(&g->replay, e->offset);
    }
    if (!rc && g->unsure && !r.accepted) rc = RSP_END;
    *sink_fault = rc < 0 && !r.file_fault && (e->sys_errno || rc == RSP_EIO);
    rsp_source_free(source);
    return rc;
}

static int not_found(struct get *g)
{
    struct rsp_rdb_feed_info info = {.size = sizeof info};
    rsp_rdb_feed_tell(g->replay.feed, &info);
    job_end(g->job);
    print_err("%s: no such key in db %s", g->in->name, job_value(g->job, R_DB)->text);
    if (info.crc_state != RSP_RDB_CRC_WRONG) return EXIT_NOT_FOUND;
    print_err("%s: wrong checksum: the file says %016" PRIx64 ", its bytes have CRC64 %016" PRIx64, g->in->name,
              info.crc_stored, info.crc_computed);
    return EXIT_INTEGRITY;
}

static int put_value(struct get *g)
{
    int sink_fault = 0, rc;
    job_end(g->job); /* the value may go to the same terminal. Signals are still looked for */
    rc = rsp_sink_fd(&g->job->env, STDOUT_FILENO, "standard output", &g->sink);
    if (!rc) rc = put_record(g, &sink_fault);
    if (!rc) return EXIT_OK;
    if (rc == RSP_END) return not_found(g);
    if (sink_fault && g->job->error.sys_errno == EPIPE) return EXIT_PIPE;
    return job_fault(g->job, rc, g->in->name, sink_fault ? EXIT_TARGET : g->in->io);
}

static int run(struct get *g)
{
    struct rsp_rdb_feed_options fo = {.size = sizeof fo, .readahead = g->job->run.threads != 1};
    int rc = rsp_rdb_feed_new(&g->job->env, g->in->source, &fo, &g->replay.feed);
    if (rc) return job_fault(g->job, rc, g->in->name, g->in->io);
    job_begin(g->job, g->in->name, g->in->size, 0);
    rc = search(g);
    if (rc < 0) return job_fault(g->job, rc, g->in->name, g->in->io);
    return rc == RSP_END ? not_found(g) : put_value(g);
}

int reading_get(struct job *job, const struct reading *in, struct rsp_span key)
{
    struct get g = {.job = job, .in = in, .key = key};
    int code = run(&g);
    rsp_sink_free(g.sink);
    replay_free(&g.replay);
    rsp_scratch_free(&job->env, &g.scratch);
    return code;
}
