/* What this is: the first pass of a restore: the whole dump is checked, what would be sent is made and counted, and what
 *   the target is to hold afterwards becomes rows.
 * Rests on: load_impl.h, rows.h, respite/sys/check.h.
 * Does not: write.
 *
 * All on one reading of the source, which may cost decryption and decompression: the check's workers make the commands
 * of each batch they have looked at, which are counted and thrown away, and its rows. A dump that was checked before
 * (rsp_load_options.checked) is read whole, so that the source proves every byte, and scanned: its commands are counted
 * without being made, and its rows are left to the pass that writes, which would wait for the server meanwhile. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <respite/sys/check.h>

#include "job/load_impl.h"
#include "job/rows.h"

#define DUPS_MEMORY (16u << 20) /* of the search for duplicate keys: there are rows and commands beside it */

/* A batch on its way. */
struct beside {
    struct beside *next;
    const struct rsp_rdb_batch *batch; /* NULL: none */
    struct buf verdicts;
    struct rsp_rdb_task commands, rows;
    int fault;
    struct rsp_error words;
};

struct counting {
    struct load *x;
    struct rsp_env env, quiet; /* env: of who joins; quiet: of all threads */
    struct rsp_error err;
    struct rsp_filter *filter; /* NULL: all records are accepted */
    struct resp_maker *maker;
    struct rows_maker *rows; /* NULL: nothing will be compared */
    size_t stream;
    uint64_t records;               /* accepted, of all streams so far */
    int hashes, slots;              /* names are looked at for these */
    int64_t from_db;                /* of the record before */
    uint8_t earlier[RSP_SLOTS / 8]; /* slots of the streams before */
    pthread_mutex_t lock;           /* of batches */
    struct beside *batches;
    uint8_t open_verdict; /* of the record in parts */
    uint64_t open_bytes;
    int stopped; /* the fault that ended the counting: the check goes on to say what is wrong */
    struct rsp_scratch key;
    struct sip names;
    uint64_t findings;
    int code;
    char first[160];
};

/* ---- counting ---- */

static void add_name(struct counting *c, const struct rsp_rdb_item *i, struct rsp_span key)
{
    uint8_t head[12];
    for (unsigned n = 0; n < 4; n++) head[n] = (uint8_t)(i->db >> (8 * n));
    for (unsigned n = 0; n < 8; n++) head[4 + n] = (uint8_t)((uint64_t)key.n >> (8 * n));
    sip_add(&c->names, head, sizeof head);
    sip_add(&c->names, key.p, key.n);
}

/* Two streams that have no slot in common have no key in common. */
static void add_slot(struct counting *c, struct rsp_span key)
{
    struct load *x = c->x;
    unsigned slot = rsp_key_slot(key);
    uint8_t bit = (uint8_t)(1u << slot % 8);
    x->slots[slot / 8] |= bit;
    x->overlap |= (c->earlier[slot / 8] & bit) != 0;
}

static int name_of(struct counting *c, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct rsp_span key;
    int rc = rsp_rdb_batch_key(&c->quiet, b, i, &c->key, &key);
    if (rc == RSP_EFORMAT) return RSP_OK; /* the check will say so */
    if (rc) return rc;
    if (c->hashes) add_name(c, i, key);
    if (c->slots) add_slot(c, key);
    return RSP_OK;
}

/* Two databases that become one may have a key in common. */
static int from_db(struct counting *c, uint32_t db)
{
    struct load *x = c->x;
    const uint32_t *d = (const uint32_t *)(const void *)x->from_dbs.p;
    int rc = RSP_OK;
    c->from_db = db;
    for (size_t k = 0; k < x->from_dbs.n / sizeof *d; k++) {
        if (d[k] == db) return RSP_OK;
        x->overlap |= load_map(x, d[k]) == load_map(x, db);
    }
    if (x->from_dbs.n / sizeof *d < LOAD_DBS_MAX) rc = buf_add(&x->from_dbs, &db, sizeof db);
    else x->overlap = 1;
    return rc;
}

static int accepted(struct counting *c, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    int rc = RSP_OK;
    c->records++;
    if (c->from_db != (int64_t)i->db) rc = from_db(c, i->db);
    return !rc && (c->hashes || c->slots) ? name_of(c, b, i) : rc;
}

/* As the run judges for its workers (rdb/run.c). */
static int judge(struct counting *c, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, uint8_t *verdict)
{
    struct rsp_filter *filter = c->filter;
    int first = i->flags & RSP_ITEM_FIRST, unsure = !first && c->open_verdict == RSP_FILTER_UNSURE, rc;
    struct rsp_key_facts f = {0};
    c->open_bytes = first ? i->end - i->start : c->open_bytes + (i->end - i->start);
    *verdict = c->open_verdict;
    if (!first && !unsure) return RSP_OK;
    *verdict = c->open_verdict = RSP_FILTER_ACCEPT;
    if (filter) {
        rc = rsp_rdb_batch_key(&c->quiet, b, i, &c->key, &f.key);
        if (rc && rc != RSP_EFORMAT) return rc;
        f.db = i->db;
        f.value_type = rsp_rdb_value_type(b->dialect, i->type);
        f.has_expire = (i->flags & RSP_ITEM_EXPIRE) != 0;
        f.expire_ms = i->expire_ms;
        f.size_bytes = c->open_bytes;
        f.size_known = (i->flags & RSP_ITEM_LAST) != 0;
        if (!rc) *verdict = c->open_verdict = (uint8_t)rsp_filter_match(filter, &f);
    }
    return *verdict == RSP_FILTER_ACCEPT ? accepted(c, b, i) : RSP_OK;
}

static int count_unit(void *ctx, const struct resp_unit *u)
{
    struct counting *c = ctx;
    struct load *x = c->x;
    struct load_db d = {u->db, 0};
    x->r.plan.bytes += u->n + u->uncopied;
    if (u->flags & RESP_UNIT_FUNCTION) return load_library_add(x, &c->env, c->stream, u);
    if (load_db(x, u->db)) return RSP_OK;
    if (x->dbs.n / sizeof d >= LOAD_DBS_MAX)
        return fail(&c->env, RSP_ELIMIT, NULL, "more than %u databases would be written", LOAD_DBS_MAX);
    return buf_add(&x->dbs, &d, sizeof d);
}

static int is_damage(int rc)
{
    return rc == RSP_EFORMAT || rc == RSP_ETRUNCATED || rc == RSP_ECHECKSUM || rc == RSP_EVERSION;
}

static int stopped(const struct counting *c)
{
    return __atomic_load_n(&c->stopped, __ATOMIC_RELAXED);
}

/* batch NULL: a free one, or a new one. */
static struct beside *beside_of(struct counting *c, const struct rsp_rdb_batch *batch)
{
    struct beside *b;
    pthread_mutex_lock(&c->lock);
    for (b = c->batches; b && b->batch != batch; b = b->next) continue;
    if (!b && !batch) {
        b = mem_zero(&c->quiet, sizeof *b);
        if (b) {
            buf_init(&b->verdicts, &c->quiet);
            b->next = c->batches;
            c->batches = b;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return b;
}

static void beside_done(struct counting *c, struct beside *b)
{
    resp_maker_drop(c->maker, &b->commands);
    if (c->rows) rows_maker_drop(c->rows, &b->rows);
    pthread_mutex_lock(&c->lock);
    b->batch = NULL;
    pthread_mutex_unlock(&c->lock);
}

/* The feeding thread judges: a record's verdict may need the parts before. */
static int on_scanned(void *opaque, const struct rsp_rdb_batch *batch)
{
    struct counting *c = opaque;
    struct beside *b;
    int rc = RSP_OK;
    if (stopped(c)) return RSP_OK;
    b = beside_of(c, NULL);
    if (!b) return RSP_ENOMEM;
    if (batch->count > b->verdicts.cap) rc = buf_reserve(&b->verdicts, batch->count);
    for (size_t i = 0; i < batch->count && !rc; i++) {
        b->verdicts.p[i] = RSP_FILTER_ACCEPT;
        if (batch->items[i].kind == RSP_RDB_KEY) rc = judge(c, batch, &batch->items[i], &b->verdicts.p[i]);
    }
    if (rc) return rc;
    b->fault = RSP_OK;
    pthread_mutex_lock(&c->lock);
    b->batch = batch;
    pthread_mutex_unlock(&c->lock);
    return RSP_OK;
}

static int beside_work(void *opaque, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct counting *c = opaque;
    struct rsp_rdb_task each = {.batch = task->batch};
    struct rsp_env inner = *env;
    struct beside *b = stopped(c) ? NULL : beside_of(c, task->batch);
    if (!b) return RSP_OK;
    task->result = b;
    each.verdicts = c->filter ? b->verdicts.p : NULL;
    b->commands = b->rows = each;
    rsp_error_clear(&b->words);
    inner.error = &b->words;
    b->fault = resp_maker_work(c->maker, worker, &inner, &b->commands);
    if (!b->fault && c->rows) b->fault = rows_maker_work(c->rows, worker, &inner, &b->rows);
    return RSP_OK; /* it is told in its turn */
}

static int beside_join(void *opaque, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct counting *c = opaque;
    struct beside *b = task->result;
    int rc = RSP_OK;
    task->result = NULL;
    if (!b) return RSP_OK;
    if (!stopped(c)) {
        if (b->commands.result) rc = resp_maker_join(c->maker, &c->env, &b->commands, count_unit, c);
        if (!rc && b->fault) {
            rc = b->fault;
            c->err = b->words;
        }
        if (!rc && c->rows) rc = rows_maker_join(c->rows, &c->env, &b->rows);
    }
    beside_done(c, b);
    if (rc >= 0) return RSP_OK;
    __atomic_store_n(&c->stopped, rc, __ATOMIC_RELAXED);
    if (is_damage(rc) || rc == RSP_EUNSUPPORTED) return RSP_OK; /* all_streams has it */
    if (env->error && !env->error->code) *env->error = c->err;
    return rc;
}

static void beside_drop(void *opaque, struct rsp_rdb_task *task)
{
    if (task->result) beside_done(opaque, task->result);
    task->result = NULL;
}

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct counting *c = opaque;
    if (c->findings++) return RSP_OK;
    c->code = !strcmp(f->kind, "checksum")    ? RSP_ECHECKSUM
              : !strcmp(f->kind, "truncated") ? RSP_ETRUNCATED
              : !strcmp(f->kind, "version")   ? RSP_EVERSION
                                              : RSP_EFORMAT;
    snprintf(c->first, sizeof c->first, "offset %" PRIu64 ": %s", f->offset, f->reason);
    return RSP_OK;
}

static int commands_maker(struct counting *c)
{
    struct load *x = c->x;
    struct rsp_resp_options o = x->o.resp;
    int rc;
    for (int i = 0; i < RSP_LOSSES; i++) /* all of them are counted, then judged */
        if (o.losses.action[i] == RSP_LOSS_FAIL) o.losses.action[i] = RSP_LOSS_DROP;
    o.run.threads = x->o.threads;
    o.tmpdir = x->o.tmpdir;
    rc = resp_maker_new(&c->env, &o, &c->maker);
    if (!rc && x->o.checked) resp_maker_count(c->maker);
    return rc;
}

static int made_rows(struct counting *c)
{
    struct load *x = c->x;
    if (x->o.no_compare || x->o.dry_run) return RSP_OK;
    /* A run that goes on writes less than the dump: then all of it is read only here. */
    x->rows_later = x->o.checked && !x->resumed;
    return x->rows_later ? RSP_OK : load_rows_maker(x, &c->env, 1, &c->rows);
}

int load_rows_maker(struct load *x, const struct rsp_env *env, int gentle, struct rows_maker **ret)
{
    struct rsp_compare_side side = load_side(x);
    int rc = rows_maker_new(env, &side, x->o.threads, x->o.tmpdir, ROWS_RUN, gentle, ret);
    if (!rc) rows_maker_first(*ret); /* as load_twice.c has it */
    return rc;
}

static int damaged(const struct load *x, int code, const char *first, uint64_t findings)
{
    return fail(&x->env, code, NULL,
                "what is to be restored is damaged, and nothing was written: %s (%" PRIu64 " findings)", first,
                findings);
}

static const struct rsp_rdb_run_ops beside_ops = {sizeof beside_ops, beside_work, beside_join, beside_drop};

/* To the end of the source, which has then proven all of it. */
static int run_count(struct counting *c)
{
    struct load *x = c->x;
    struct rsp_rdb_run_options run;
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_source *source;
    int rc;
    load_run_options(x, &run);
    run.scanned = on_scanned;
    run.scanned_opaque = c;
    rc = load_source(x, c->stream, &source);
    if (rc) return rc;
    rc = rsp_rdb_run(&x->env, source, &run, &beside_ops, c, &result);
    rsp_source_free(source);
    if (rc < 0 && result.file_fault && is_damage(rc))
        return trail(&x->env, rc, "what is to be restored is damaged, and nothing was written");
    if (rc < 0) return rc;
    if (result.feed.crc_state == RSP_RDB_CRC_WRONG) return damaged(x, RSP_ECHECKSUM, "wrong checksum", 1);
    if (result.trailing) return damaged(x, RSP_EFORMAT, "bytes behind the end of the file", 1);
    return c->stopped;
}

static int run_check(struct counting *c)
{
    struct load *x = c->x;
    struct rsp_check_options co = {.size = sizeof co, .tmpdir = x->o.tmpdir, .found = on_finding, .opaque = c};
    struct rsp_check_report report = {.size = sizeof report};
    struct rsp_source *source;
    int rc;
    load_run_options(x, &co.run);
    co.dups_bytes = DUPS_MEMORY;
    co.run.scanned = on_scanned;
    co.run.scanned_opaque = c;
    co.beside = &beside_ops;
    co.beside_ctx = c;
    rc = load_source(x, c->stream, &source);
    if (rc) return rc;
    rc = rsp_check_file(&x->env, source, &co, &report);
    rsp_source_free(source);
    if (rc < 0) return rc;
    if (report.not_rdb) return fail(&x->env, RSP_EFORMAT, NULL, "what is to be restored is no RDB file");
    return c->findings ? damaged(x, c->code, c->first, c->findings) : c->stopped;
}

static void counting_free(struct counting *c)
{
    struct rsp_env env = c->x->env;
    while (c->batches) {
        struct beside *b = c->batches;
        c->batches = b->next;
        buf_free(&b->verdicts);
        mem_free(&env, b, sizeof *b);
    }
    resp_maker_free(c->maker);
    rows_maker_free(c->rows);
    rsp_scratch_free(&env, &c->key);
    pthread_mutex_destroy(&c->lock);
    mem_free(&env, c, sizeof *c);
}

static int one_stream(struct counting *c)
{
    struct load *x = c->x;
    struct rsp_resp_report made = {.size = sizeof made};
    int rc = buf_add(&x->bases, &c->records, sizeof c->records);
    if (!rc) rc = commands_maker(c);
    if (!rc && c->rows) rc = rows_maker_next(c->rows);
    if (!rc) rc = x->o.checked ? run_count(c) : run_check(c);
    if (!rc) {
        resp_maker_report(c->maker, &made);
        x->r.plan.keys += made.keys;
        x->r.plan.expires += made.expires;
        x->r.plan.dropped += made.dropped;
        x->plan_commands += made.commands;
        load_losses_add(&x->r.plan.losses, &made.losses);
    }
    resp_maker_free(c->maker);
    c->maker = NULL;
    memcpy(c->earlier, x->slots, sizeof c->earlier);
    return rc;
}

static void borrow(struct load *x, const struct rsp_env *env)
{
    x->dbs.env = x->from_dbs.env = x->libraries.env = x->library_bytes.env = x->bases.env = env;
}

static int all_streams(struct counting *c)
{
    struct load *x = c->x;
    int rc = made_rows(c);
    for (c->stream = 0; c->stream < x->o.streams && !rc; c->stream++) {
        rc = one_stream(c);
        if (rc < 0 && x->o.streams > 1) rc = trail(&x->env, rc, "in stream %zu of the snapshot", c->stream);
    }
    if (!rc) rc = buf_add(&x->bases, &c->records, sizeof c->records);
    if (!rc && c->rows) rc = rows_maker_end(c->rows, &c->env, &x->expected);
    return rc;
}

int load_check(struct load *x)
{
    static const uint8_t key[16] = "respite load sel";
    struct counting *c = mem_zero(&x->env, sizeof *c);
    int rc;
    if (!c) return RSP_ENOMEM;
    if (pthread_mutex_init(&c->lock, NULL)) {
        mem_free(&x->env, c, sizeof *c);
        return fail(&x->env, RSP_ENOMEM, NULL, "cannot make a lock");
    }
    load_pass(x, "checking");
    c->x = x;
    c->env = c->quiet = x->env;
    c->from_db = -1;
    c->hashes = x->o.checkpoint != NULL;
    c->slots = x->routes->cluster || x->o.streams > 1;
    if (x->o.resp.run.filter && !rsp_filter_empty(x->o.resp.run.filter)) c->filter = x->o.resp.run.filter;
    c->env.error = &c->err;
    c->quiet.error = NULL;
    borrow(x, &c->env);
    sip_init(&c->names, key, 0);
    rc = all_streams(c);
    borrow(x, &x->env);
    if (rc < 0 && x->env.error && !x->env.error->code && c->err.code) *x->env.error = c->err;
    x->selection = sip_end64(&c->names);
    counting_free(c);
    return rc;
}
