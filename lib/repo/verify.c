/* What this is: verify: everything that a snapshot refers to is there, of the right size, and (when asked) has the bytes
 *   that its signed record says.
 * Rests on: verify_impl.h.
 * Does not: judge the log (rsp_log_load has); open an object. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo/verify_impl.h"

/* ---- what is needed ---- */

static int add_need(struct verify *v, struct need_list *list, const struct rsp_ref *ref, size_t commit)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 64;
        void *p = mem_resize(&v->log->env, list->p, list->cap * sizeof *list->p, cap * sizeof *list->p);
        if (!p) return RSP_ENOMEM;
        list->p = p;
        list->cap = cap;
    }
    list->p[list->n].ref = ref;
    list->p[list->n++].commit = (uint32_t)commit;
    return RSP_OK;
}

static int by_commit(const struct need *x, const struct need *y)
{
    return x->commit < y->commit ? -1 : x->commit > y->commit;
}

/* Two commits may claim different things of one object: each claim is checked. */
static int same_ref(const struct rsp_ref *x, const struct rsp_ref *y)
{
    int order = x->kind - y->kind;
    if (!order) order = memcmp(x->epoch, y->epoch, ID_BYTES);
    if (!order) order = memcmp(x->object, y->object, ID_BYTES);
    if (!order) order = memcmp(x->sha256, y->sha256, 32);
    return order ? order : x->stored < y->stored ? -1 : x->stored > y->stored;
}

static int need_order(const void *a, const void *b)
{
    const struct need *x = a, *y = b;
    int order = same_ref(x->ref, y->ref);
    return order ? order : by_commit(x, y);
}

static int epoch_order(const void *a, const void *b)
{
    const struct need *x = a, *y = b;
    int order = memcmp(x->ref->epoch, y->ref->epoch, ID_BYTES);
    return order ? order : by_commit(x, y);
}

static int add_epoch(struct verify *v, const struct rsp_ref *ref, size_t commit)
{
    const struct rsp_record *r = v->commits[commit];
    int own = !memcmp(ref->epoch, r->epoch, ID_BYTES);
    return own && (r->flags & RSP_COMMIT_UNSEALED) ? RSP_OK : add_need(v, &v->epochs, ref, commit);
}

static int refs_damaged(struct verify *v, size_t commit, int status)
{
    const struct need need = {&v->commits[commit]->manifest, (uint32_t)commit};
    char name[NAME_MAX_BYTES];
    if (v->log->env.error) rsp_error_clear(v->log->env.error);
    name_hashed(name, "refs", v->commits[commit]->refs_hash);
    return verify_fault(v, &need, 1, status == RSP_ENOTFOUND ? RSP_EINTEGRITY : status, "object", name,
                        "the list of the objects that it needs is %s",
                        status == RSP_ENOTFOUND    ? "missing"
                        : status == RSP_EINTEGRITY ? "damaged"
                                                   : "unreadable");
}

static int add_commit_needs(struct verify *v, size_t commit)
{
    struct rsp_record *r = v->commits[commit];
    int rc = keep_refs(v->log, r);
    if (rc == RSP_ENOTFOUND || rc == RSP_EINTEGRITY || rc == RSP_EIO || rc == RSP_EPERM || rc == RSP_ELIMIT)
        rc = refs_damaged(v, commit, rc);
    if (!rc) rc = add_need(v, &v->needs, &r->manifest, commit);
    if (!rc) rc = add_epoch(v, &r->manifest, commit);
    for (size_t i = 0; r->refs && i < r->refs_n && !rc; i++) {
        rc = add_need(v, &v->needs, &r->refs[i], commit);
        if (!rc && (!i || memcmp(r->refs[i].epoch, r->refs[i - 1].epoch, ID_BYTES)))
            rc = add_epoch(v, &r->refs[i], commit);
    }
    return rc;
}

int verify_choose(struct verify *v)
{
    struct rsp_log *log = v->log;
    size_t room = log->records_n;
    if (!room) return RSP_OK;
    v->commits = mem_alloc(&log->env, room * sizeof *v->commits);
    v->damaged = mem_zero(&log->env, room);
    if (!v->commits || !v->damaged) return RSP_ENOMEM;
    for (size_t i = 0; i < room; i++) {
        struct rsp_record *r = log->records[i];
        int rc = RSP_OK;
        if (r->kind != RSP_REC_COMMIT || (v->o.only && r != v->o.only)) continue;
        if (!log->full) rc = rsp_log_fetch(log, r);
        if (rc) return rc;
        if (v->o.only ? (r->state & RSP_RECORD_LOADED) != 0 : rsp_record_living(r)) v->commits[v->commits_n++] = r;
    }
    if (v->o.only && !v->commits_n)
        return fail(&log->env, RSP_ENOTFOUND, v->o.only->name, "there is no such snapshot to verify");
    return RSP_OK;
}

int verify_collect(struct verify *v)
{
    int rc = RSP_OK;
    v->report.snapshots = v->commits_n;
    for (size_t i = 0; i < v->commits_n && !rc; i++) rc = add_commit_needs(v, i);
    if (v->needs.n) qsort(v->needs.p, v->needs.n, sizeof *v->needs.p, need_order);
    if (v->epochs.n) qsort(v->epochs.p, v->epochs.n, sizeof *v->epochs.p, epoch_order);
    return rc;
}

/* ---- what is wrong ---- */

int verify_fault(struct verify *v, const struct need *needs, size_t n, int status, const char *kind, const char *name,
                 const char *format, ...)
{
    char hex[2 * ID_BYTES + 1], words[200], more[40] = "", way[200];
    size_t commits = 0;
    va_list ap;
    for (size_t i = 0; i < n; i++) {
        commits += !i || needs[i].commit != needs[i - 1].commit;
        v->damaged[needs[i].commit] = 1;
    }
    hex_text(hex, v->commits[needs->commit]->snapshot, ID_BYTES);
    va_start(ap, format);
    vsnprintf(words, sizeof words, format, ap);
    va_end(ap);
    if (commits > 1) snprintf(more, sizeof more, " and %zu more", commits - 1);
    snprintf(way, sizeof way,
             "put it back from a mirror (backupd verify --repair-from URL), or give the snapshot up: backupd expire "
             "--acknowledge %s",
             hex);
    return rsp_log_trouble(v->log, status, kind, name, way, "snapshot %s%s: %s", hex, more, words);
}

/* ---- objects ---- */

static int check_bytes(struct verify *v, const struct need *needs, size_t n, const char *name)
{
    const struct rsp_env *env = &v->log->env;
    int rc = verify_stored(v, name, needs->ref);
    if (rc == RSP_EINTEGRITY)
        return verify_fault(v, needs, n, rc, "object", name, "the stored bytes are not those that were signed");
    if (rc != RSP_EIO && rc != RSP_EPERM) return rc;
    if (env->error) rsp_error_clear(env->error);
    return verify_fault(v, needs, n, rc, "object", name, "it cannot be read: %s", rsp_status_text(rc));
}

static int check_object(struct verify *v, const struct need *needs, size_t n)
{
    const struct rsp_ref *ref = needs->ref;
    const struct held *h = inventory_ref(&v->held, ref);
    char name[NAME_MAX_BYTES];
    name_object(name, ref->kind, ref->epoch, ref->object);
    if (!h || h->bytes != ref->stored) v->of -= v->o.read_stored ? ref->stored : 0;
    if (!h) return verify_fault(v, needs, n, RSP_EINTEGRITY, "object", name, "it is missing");
    if (h->bytes != ref->stored)
        return verify_fault(v, needs, n, RSP_EINTEGRITY, "object", name,
                            "it has %" PRIu64 " bytes, and %" PRIu64 " were stored", h->bytes, ref->stored);
    v->report.objects++;
    v->report.bytes += ref->stored;
    return v->o.read_stored ? check_bytes(v, needs, n, name) : RSP_OK;
}

static size_t group_end(const struct verify *v, size_t from)
{
    size_t end = from;
    while (end < v->needs.n && !same_ref(v->needs.p[end].ref, v->needs.p[from].ref)) end++;
    return end;
}

static int check_objects(struct verify *v)
{
    int rc = RSP_OK;
    if (v->o.read_stored) {
        v->buffer = mem_alloc(&v->log->env, VERIFY_READ);
        if (!v->buffer) return RSP_ENOMEM;
        for (size_t i = 0; i < v->needs.n; i = group_end(v, i)) v->of += v->needs.p[i].ref->stored;
    }
    for (size_t i = 0; i < v->needs.n && !rc;) {
        size_t end = group_end(v, i);
        rc = verify_cancelled(v);
        if (!rc) rc = check_object(v, v->needs.p + i, end - i);
        i = end;
    }
    if (!rc && v->o.progress) v->o.progress(v->o.opaque, v->done, v->of);
    return rc;
}

void verify_free(struct verify *v, size_t room)
{
    const struct rsp_env *env = &v->log->env;
    mem_free(env, v->commits, room * sizeof *v->commits);
    mem_free(env, v->damaged, room);
    mem_free(env, v->needs.p, v->needs.cap * sizeof *v->needs.p);
    mem_free(env, v->epochs.p, v->epochs.cap * sizeof *v->epochs.p);
    mem_free(env, v->buffer, VERIFY_READ);
    inventory_free(&v->held);
}

int rsp_verify(struct rsp_log *log, const struct rsp_verify_options *options, struct rsp_verify_report *report)
{
    size_t room = log->records_n;
    struct verify v;
    int rc;
    memset(&v, 0, sizeof v);
    v.log = log;
    if (options) memcpy(&v.o, options, options->size < sizeof v.o ? options->size : sizeof v.o);
    v.report.size = report->size;
    rc = verify_choose(&v);
    if (!rc) rc = verify_collect(&v);
    if (!rc) rc = inventory_load(log, &v.held);
    if (!rc) rc = check_objects(&v);
    if (!rc) rc = verify_envelopes(&v);
    for (size_t i = 0; i < v.commits_n; i++) v.report.damaged += v.damaged[i];
    memcpy(report, &v.report, report->size < sizeof v.report ? report->size : sizeof v.report);
    verify_free(&v, room);
    return rc ? trail(&log->env, rc, "verifying the repository") : RSP_OK;
}
