/* What this is: the check of a file: the run over it, findings in order, what the file itself says.
 * Rests on: check_impl.h, sys/pool.h.
 * Does not: look into values (check_value.c and its neighbours). */
#include <stdio.h>
#include <string.h>

#include <respite/sys/pool.h>

#include "rdb/check_impl.h"

/* ---- lookers ---- */

static int looker_init(struct looker *l, struct check *c, int digest)
{
    l->c = c;
    l->env = c->env;
    l->env.error = &l->err;
    l->db = UINT64_MAX;
    buf_init(&l->text, &l->env);
    buf_init(&l->fields, &l->env);
    buf_init(&l->held_own, &l->env);
    buf_init(&l->piece.text, &l->env);
    members_init(&l->set, &l->env);
    stream_tail_init(&l->tail, &l->env);
    return digest ? rsp_dd1_worker_new(&c->env, &l->dd1) : RSP_OK;
}

static void looker_free(struct looker *l)
{
    buf_free(&l->text);
    buf_free(&l->fields);
    buf_free(&l->held_own);
    buf_free(&l->piece.text);
    members_free(&l->set);
    stream_tail_free(&l->tail);
    rsp_scratch_free(&l->env, &l->key);
    rsp_dd1_worker_free(l->dd1);
}

static int lookers_new(struct check *c)
{
    unsigned n = c->o->run.threads ? c->o->run.threads : rsp_pool_processors();
    int digest = c->o->digest && c->o->dd1;
    c->lookers = mem_zero(&c->env, (n + 1) * sizeof *c->lookers);
    if (!c->lookers) return RSP_ENOMEM;
    c->lookers_cap = n + 1;
    for (unsigned i = 0; i <= n; i++) {
        int rc = looker_init(&c->lookers[i], c, digest && i < n);
        c->lookers_n = i + 1;
        if (rc) return rc;
    }
    c->join = &c->lookers[n];
    return RSP_OK;
}

/* ---- the run ---- */

/* Words of a fault from the record of a looker into that of the run; results have none. */
static void hand_on(const struct rsp_env *env, int status, const struct rsp_error *from)
{
    if (!env->error || env->error->code) return;
    if (from->code) *env->error = *from;
    else fail(env, status, NULL, "%s", rsp_status_text(status));
    env->error->code = status;
}

/* ---- beside the check ---- */

enum beside { BESIDE_WORK, BESIDE_JOIN, BESIDE_DROP };

static int beside(struct check *c, enum beside what, unsigned worker, const struct rsp_env *env,
                  const struct rsp_rdb_task *task, struct check_result *r)
{
    const struct rsp_rdb_run_ops *ops = c->o->beside;
    struct rsp_rdb_task own = *task;
    int rc = RSP_OK;
    if (!ops || c->confirm || !r) return RSP_OK;
    own.result = r->beside;
    if (what == BESIDE_WORK) rc = ops->work(c->o->beside_ctx, worker, env, &own);
    else if (what == BESIDE_JOIN) rc = ops->join(c->o->beside_ctx, env, &own);
    else ops->drop(c->o->beside_ctx, &own);
    r->beside = own.result;
    return rc;
}

static int op_work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct check *c = ctx;
    struct looker *l = &c->lookers[worker];
    int rc;
    l->out = result_get(c, env);
    if (!l->out) return RSP_ENOMEM;
    task->result = l->out;
    l->mute = c->confirm;
    rc = work_batch(l, task);
    if (rc) hand_on(env, rc, &l->err);
    return rc ? rc : beside(c, BESIDE_WORK, worker, env, task, l->out);
}

static int op_join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct check *c = ctx;
    struct check_result *r = task->result;
    struct looker *l = c->join;
    int rc;
    l->out = r;
    l->batch = task->batch;
    l->mute = c->confirm;
    rc = join_parts(c, task, r);
    if (!rc) rc = dups_join(c, r);
    if (!rc) rc = notes_tell(c, r, task);
    if (!rc && r->dd1) {
        rc = rsp_dd1_fold(c->o->dd1, task, r->dd1);
        r->dd1 = NULL;
    }
    if (rc) hand_on(env, rc, l->err.code ? &l->err : &c->err);
    if (rc) (void)beside(c, BESIDE_DROP, 0, env, task, r);
    else rc = beside(c, BESIDE_JOIN, 0, env, task, r);
    result_put(c, r);
    return rc;
}

static void op_drop(void *ctx, struct rsp_rdb_task *task)
{
    (void)beside(ctx, BESIDE_DROP, 0, NULL, task, task->result);
    result_put(ctx, task->result);
}

static const struct rsp_rdb_run_ops check_ops = {sizeof check_ops, op_work, op_join, op_drop};

/* Faults that are the file's, whoever met them (its framing, or the stage that unpacks it). */
static int is_finding(int status, int file_fault)
{
    switch (status) {
    case RSP_EFORMAT:
    case RSP_ETRUNCATED:
    case RSP_ECHECKSUM:
    case RSP_EVERSION:
    case RSP_EUNSUPPORTED: return 1;
    default: return status == RSP_ELIMIT && file_fault;
    }
}

/* A second pass, for candidates only. The file's own fault was told the first time. */
int check_again(struct check *c)
{
    struct rsp_rdb_run_options o = c->o->run;
    struct rsp_rdb_run_result result;
    int rc = rsp_source_seek(c->source, 0);
    if (rc) return rc;
    memset(&result, 0, sizeof result);
    result.size = sizeof result;
    o.progress = NULL;
    o.scanned = NULL; /* who counts has seen all of it */
    c->confirm = 1;
    rsp_error_clear(&c->err);
    rc = rsp_rdb_run(&c->env, c->source, &o, &check_ops, c, &result);
    return rc && is_finding(rc, result.file_fault) ? RSP_OK : rc;
}

/* ---- the file as a whole ---- */

static int file_finding(struct check *c, uint64_t offset, const char *kind, const char *reason)
{
    struct rsp_finding f = {sizeof f, offset, 0, {NULL, 0}, kind, reason};
    return check_tell(c, &f);
}

static int fault_finding(struct check *c, int status, const struct rsp_error *e)
{
    const struct rsp_rdb_run_result *r = &c->report->run;
    struct rsp_finding f = {sizeof f, 0, r->feed.db, {NULL, 0}, "framing", e->message};
    f.offset = e->has_offset ? e->offset : r->feed.offset;
    if (r->feed.key.p || r->key_n) f.key.p = r->key, f.key.n = r->key_n;
    if (status == RSP_ETRUNCATED) f.kind = "truncated";
    if (status == RSP_ECHECKSUM) f.kind = "checksum";
    if (status == RSP_EVERSION) f.kind = "version";
    if (!e->message[0]) f.reason = rsp_status_text(status);
    return check_tell(c, &f);
}

static int crc_finding(struct check *c)
{
    const struct rsp_rdb_feed_info *i = &c->report->run.feed;
    char reason[160];
    if (i->crc_state == RSP_RDB_CRC_WRONG) {
        snprintf(reason, sizeof reason, "wrong checksum: the file says %016llx, its bytes have CRC64 %016llx",
                 (unsigned long long)i->crc_stored, (unsigned long long)i->crc_computed);
        return file_finding(c, i->crc_offset, "checksum", reason);
    }
    if (!c->o->require_checksum) return RSP_OK;
    if (i->crc_state == RSP_RDB_CRC_DISABLED)
        return file_finding(c, i->crc_offset, "unprotected",
                            "not protected: the checksum was switched off when the file was written");
    if (i->crc_state == RSP_RDB_CRC_NONE)
        return file_finding(c, i->offset, "unprotected", "not protected: this version of the format has no checksum");
    return RSP_OK;
}

static int trailing_finding(struct check *c)
{
    const struct rsp_rdb_run_result *r = &c->report->run;
    if (!r->trailing) return RSP_OK;
    if (r->trailing_n >= 6 && (!memcmp(r->trailing_bytes, "REDIS0", 6) || !memcmp(r->trailing_bytes, "VALKEY", 6)))
        return file_finding(c, r->feed.offset, "trailing", "another dump is glued behind this one");
    if (r->trailing_n >= 2 && r->trailing_bytes[0] == '*' && r->trailing_bytes[1] >= '1' && r->trailing_bytes[1] <= '9')
        return file_finding(c, r->feed.offset, "trailing",
                            "commands follow behind the end of the dump: this is an AOF that begins with a dump");
    return file_finding(c, r->feed.offset, "trailing", "bytes follow behind the end of the dump");
}

/* What the end of a run says. */
static int judge_end(struct check *c, int status)
{
    const struct rsp_error *e = &c->err;
    int rc;
    if (status) {
        if (!is_finding(status, c->report->run.file_fault)) return status;
        rc = fault_finding(c, status, e);
        rsp_error_clear(&c->err);
        return rc;
    }
    if (!c->report->run.feed.complete) return RSP_OK; /* a limit */
    rc = crc_finding(c);
    return rc ? rc : trailing_finding(c);
}

/* ---- quick ---- */

static int quick_loop(struct check *c, struct rsp_rdb_feed *feed)
{
    const struct rsp_rdb_run_options *o = &c->o->run;
    for (;;) {
        struct rsp_rdb_batch *b = NULL;
        int rc;
        if (o->cancel && __atomic_load_n(o->cancel, __ATOMIC_RELAXED))
            return fail(&c->env, RSP_ECANCELED, NULL, "cancelled");
        rc = rsp_rdb_feed_next(feed, &b);
        if (rc == RSP_AGAIN) continue;
        if (rc) {
            c->report->run.file_fault = rc < 0;
            return rc == RSP_END ? RSP_OK : rc;
        }
        if (o->progress) o->progress(o->progress_opaque, b->offset);
        rc = o->scanned ? o->scanned(o->scanned_opaque, b) : RSP_OK;
        rsp_rdb_batch_release(b);
        if (rc) return rc;
    }
}

static int quick(struct check *c)
{
    struct rsp_rdb_run_result *r = &c->report->run;
    struct rsp_rdb_feed_options fo;
    struct rsp_rdb_feed *feed = NULL;
    struct rsp_span rest = {NULL, 0};
    int rc;
    memset(&fo, 0, sizeof fo);
    fo.size = sizeof fo;
    fo.readahead = c->o->run.threads != 1;
    fo.skim = !c->o->run.scanned;
    fo.block_bytes = 1u << 20; /* fewer hand-overs between the two threads */
    rc = rsp_rdb_feed_new(&c->env, c->source, &fo, &feed);
    if (rc) return rc;
    rc = quick_loop(c, feed);
    r->feed.size = sizeof r->feed;
    rsp_rdb_feed_tell(feed, &r->feed);
    if (r->feed.key.p) {
        r->key_n = r->feed.key.n < sizeof r->key ? r->feed.key.n : sizeof r->key;
        memcpy(r->key, r->feed.key.p, r->key_n);
        r->feed.key.p = NULL;
    }
    if (r->feed.complete && !rc) {
        rc = rsp_rdb_feed_rest(feed, sizeof r->trailing_bytes, &rest);
        r->file_fault = rc < 0; /* behind the file: a wrong end of its compression */
    }
    if (rest.n) {
        r->trailing = 1;
        r->trailing_n = rest.n;
        memcpy(r->trailing_bytes, rest.p, rest.n);
    }
    rsp_rdb_feed_free(feed);
    return judge_end(c, rc);
}

static int deep(struct check *c)
{
    int rc = dups_open(c), status;
    if (!rc) rc = lookers_new(c);
    if (rc) return rc;
    rsp_error_clear(&c->err);
    rsp_error_clear(c->user); /* a source that cannot seek has said so */
    c->report->deep = 1;
    status = rsp_rdb_run(&c->env, c->source, &c->o->run, &check_ops, c, &c->report->run);
    rc = judge_end(c, status);
    if (rc) return rc;
    return dups_finish(c, !status && c->report->run.feed.complete);
}

/* A prefix of a magic is a cut file; anything else is no RDB file. */
static int not_rdb(struct rsp_span head)
{
    size_t redis = head.n < 5 ? head.n : 5, valkey = head.n < 6 ? head.n : 6;
    return head.n && memcmp(head.p, "REDIS", redis) && memcmp(head.p, "VALKEY", valkey);
}

static void check_close(struct check *c)
{
    for (unsigned i = 0; i < c->lookers_n; i++) looker_free(&c->lookers[i]);
    mem_free(&c->env, c->lookers, c->lookers_cap * sizeof *c->lookers);
    dups_free(c);
    results_free(c);
    buf_free(&c->held);
    buf_free(&c->held_text);
    pthread_mutex_destroy(&c->lock);
}

int rsp_check_file(const struct rsp_env *env, struct rsp_source *source, const struct rsp_check_options *options,
                   struct rsp_check_report *report)
{
    struct rsp_check_options o;
    struct rsp_check_report r;
    struct rsp_span head = {NULL, 0};
    struct check c;
    int rc;
    memset(&o, 0, sizeof o);
    memset(&r, 0, sizeof r);
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    r.size = report->size;
    r.run.size = sizeof r.run;
    memset(&c, 0, sizeof c);
    env_init(&c.env, env);
    c.user = c.env.error;
    c.env.error = &c.err;
    c.o = &o;
    c.report = &r;
    c.source = source;
    buf_init(&c.held, &c.env);
    buf_init(&c.held_text, &c.env);
    buf_init(&c.big, &c.env);
    buf_init(&c.big_keys, &c.env);
    pthread_mutex_init(&c.lock, NULL);
    rc = rsp_source_peek(source, 9, &head);
    if (rc == RSP_AGAIN) rc = RSP_OK; /* the run will wait */
    if (rc) {
        if (c.user && c.user->code) c.err = *c.user;
        rc = judge_end(&c, rc);
    } else if (not_rdb(head)) {
        r.not_rdb = 1;
    } else {
        rc = o.quick ? quick(&c) : deep(&c);
    }
    if (!rc) rsp_error_clear(c.user);
    if (rc && c.user && !c.user->code) *c.user = c.err;
    check_close(&c);
    memcpy(report, &r, report->size < sizeof r ? report->size : sizeof r);
    return rc;
}
