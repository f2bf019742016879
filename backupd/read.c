/* What this is: a snapshot's data as what cli/reading.h reads.
 * Rests on: read.h, cli/exit.h, respite/sys/reshard.h.
 * Does not: filter or format. */
#include "backupd/read.h"

#include <stdlib.h>
#include <string.h>

#include <respite/sys/reshard.h>

#include "cli/exit.h"

int dump_job(struct context *c, struct dump_read *d)
{
    static const int ids[READING_COUNT] = READING_ALL_IDS;
    memset(d, 0, sizeof *d);
    return job_open(&d->job, c->o, ids);
}

/* 1: the dump says that it has the slot, or does not say which ones it has. */
static int may_have(struct context *c, const struct rsp_stream_info *s, unsigned slot)
{
    struct rsp_slot_range *ranges;
    size_t n = 0;
    int yes = 0;
    if (!s->slots.n) return 1;
    ranges = calloc(RSP_SLOTS, sizeof *ranges);
    if (!ranges) return 1;
    if (rsp_slots_parse(&c->env, s->slots, ranges, RSP_SLOTS, &n)) {
        rsp_error_clear(&c->error);
        yes = 1;
    }
    for (size_t i = 0; i < n && !yes; i++) yes = ranges[i].from <= slot && slot <= ranges[i].to;
    free(ranges);
    return yes;
}

/* Keeps only the dumps that may have it. */
static int narrow(struct context *c, struct dump_read *d, struct rsp_span key)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(d->chosen.snapshot);
    unsigned slot = rsp_key_slot(key);
    size_t left = 0;
    uint64_t plain = 0;
    for (size_t i = 0; i < d->dumps.n; i++) {
        if (!may_have(c, &m->streams[d->dumps.at[i]], slot)) continue;
        plain += m->streams[d->dumps.at[i]].plain;
        d->dumps.at[left++] = d->dumps.at[i];
    }
    d->dumps.n = left;
    d->dumps.plain = plain;
    if (left) return -1;
    print_err("%s: no such key: no shard of the snapshot has its slot, %u", d->chosen.name, slot);
    return EXIT_NOT_FOUND;
}

/* As one dump: functions once, each key once. */
static int all_of_them(struct context *c, struct dump_read *d)
{
    const struct opt_value *losses = &c->o->value[O_ON_LOSS];
    struct rsp_reshard_options o = {.size = sizeof o, .all = 1};
    int meta = job_value(&d->job, R_WITH_META)->count != 0, rc = RSP_OK;
    o.run.size = sizeof o.run;
    o.run.threads = d->job.run.threads;
    o.run.cancel = d->job.run.cancel;
    o.no_functions = !meta && (!reading_is_resp(&d->job) || d->job.restricted);
    o.tmpdir = job_value(&d->job, R_TMPDIR)->text;
    rsp_loss_policy_default(&o.losses);
    if (losses->count && losses->text) rc = rsp_loss_policy_parse(&c->env, losses->text, &o.losses);
    if (!rc)
        rc = rsp_reshard_source(&c->env, dumps_open, &d->dumps, d->dumps.n, &o, d->chosen.name, &d->reading.source);
    return rc ? context_fault(c, rc, d->chosen.name, EXIT_STORAGE) : -1;
}

int dump_open(struct context *c, struct dump_read *d, const struct rsp_span *key)
{
    int rc, code = chosen_open(c, c->o->operand[0], &d->chosen);
    if (code < 0) code = dumps_of(c, &d->chosen, &d->dumps);
    if (code < 0 && key && d->dumps.n > 1) code = narrow(c, d, *key);
    if (code >= 0) return code;
    if (d->dumps.n > 1) {
        code = all_of_them(c, d);
        if (code >= 0) return code;
    } else {
        rc = dumps_open(&d->dumps, 0, &d->reading.source);
        if (rc) return context_fault(c, rc, d->chosen.name, EXIT_STORAGE);
    }
    d->job.behind = &c->error;
    d->reading.name = d->chosen.name;
    d->reading.size = d->dumps.plain;
    d->reading.io = EXIT_STORAGE;
    return -1;
}

void dump_close(struct dump_read *d)
{
    job_close(&d->job);
    rsp_source_free(d->reading.source);
    dumps_free(&d->dumps);
    chosen_close(&d->chosen);
}
