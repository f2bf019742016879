/* What this is: verify --repair-from: what is damaged or missing, fetched from a mirror.
 * Rests on: repair.h, config.h.
 * Does not: judge the repository afterwards: verify does. */
#include "backupd/repair.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backupd/config.h"
#include "cli/exit.h"
#include "cli/signal.h"

static void on_damaged(void *opaque, const char *name, int status, const char *why)
{
    struct repair *r = opaque;
    struct repair_row *row;
    progress_hide();
    if (!r->c->o->value[O_JSON].count) {
        if (status) printf("%s: NOT repaired: %s\n", name, why ? why : rsp_status_text(status));
        else printf("%s: repaired\n", name);
    }
    progress_show();
    if (r->rows_n == r->rows_cap) {
        size_t cap = r->rows_cap ? r->rows_cap * 2 : 16;
        void *p = realloc(r->rows, cap * sizeof *r->rows);
        if (!p) return; /* the counts are right all the same */
        r->rows = p;
        r->rows_cap = cap;
    }
    row = &r->rows[r->rows_n++];
    snprintf(row->name, sizeof row->name, "%s", name);
    snprintf(row->why, sizeof row->why, "%s", why ? why : "");
    row->status = status;
}

static void on_bytes(void *opaque, uint64_t done, uint64_t of)
{
    struct repair *r = opaque;
    if (!r->total_told && of) {
        r->total_told = 1;
        context_end(r->c);
        context_begin(r->c, "repairing", of, 0);
    }
    context_progress(r->c, done);
}

static int repair(struct context *c, struct repair *r, struct rsp_store *mirror)
{
    struct rsp_repair_options o = {.size = sizeof o};
    struct rsp_record *only = NULL;
    int rc, code = -1;
    if (c->o->operands) code = context_find(c, c->o->operand[0], &only);
    if (code >= 0) return code;
    o.only = only;
    o.threads = (unsigned)c->o->value[O_THREADS].number;
    o.cancel = signal_flag();
    o.progress = on_bytes;
    o.told = on_damaged;
    o.opaque = r;
    r->report.size = sizeof r->report;
    context_begin(c, "repairing", 0, 0);
    rc = rsp_repair(c->log, mirror, &o, &r->report);
    context_end(c);
    return rc ? context_fault(c, rc, c->url, EXIT_STORAGE) : -1;
}

/* What was put back may be roles or records: all that was learnt is learnt again. */
static int again(struct context *c)
{
    enum need need = c->o->value[O_READ_DATA].count ? NEED_READ : NEED_SIGN;
    rsp_log_free(c->log);
    c->log = NULL;
    rsp_repo_free(c->repo);
    c->repo = NULL;
    for (size_t i = 0; i < c->identities; i++) rsp_identity_free(c->identity[i]);
    c->identities = 0;
    rsp_store_free(c->store);
    c->store = NULL;
    int code = context_repo(c, need);
    return code < 0 ? context_log(c, NULL, 0, 1) : code;
}

int repair_from(struct context *c, struct repair *r)
{
    struct rsp_store_options options = {.size = sizeof options, .read_only = 1};
    struct rsp_store *mirror = NULL;
    const char *name = NULL, *own = c->repo_name, *url;
    int code = -1;
    r->c = c;
    url = config_url(c->o, c->o->value[O_REPAIR_FROM].text, &name, &code);
    if (!url) return code;
    c->repo_name = name; /* the mirror is reached by its own section's values: it gets no other's password */
    code = context_store(c, url, &options, &mirror);
    c->repo_name = own;
    if (code < 0) code = repair(c, r, mirror);
    rsp_store_free(mirror);
    r->url = url;
    r->ran = 1;
    if (code >= 0) return code;
    if (!c->o->value[O_JSON].count)
        printf("%" PRIu64 " objects read, %" PRIu64 " damaged or missing, %" PRIu64 " repaired from %s\n",
               r->report.objects, r->report.damaged, r->report.repaired, url);
    return r->report.repaired ? again(c) : -1;
}

void repair_json(const struct repair *r, struct json *j)
{
    json_object(j, "repair");
    json_text(j, "from", r->url);
    json_u64(j, "objects", r->report.objects);
    json_u64(j, "bytes", r->report.bytes);
    json_u64(j, "damaged", r->report.damaged);
    json_u64(j, "repaired", r->report.repaired);
    json_u64(j, "repaired_bytes", r->report.repaired_bytes);
    json_array(j, "objects_damaged");
    for (size_t i = 0; i < r->rows_n; i++) {
        json_object(j, NULL);
        json_text(j, "name", r->rows[i].name);
        json_bool(j, "repaired", !r->rows[i].status);
        if (r->rows[i].why[0]) json_text(j, "why", r->rows[i].why);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

void repair_free(struct repair *r)
{
    free(r->rows);
    r->rows = NULL;
    r->rows_n = r->rows_cap = 0;
}
