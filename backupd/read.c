/* What this is: a snapshot's dump as what cli/reading.h reads.
 * Rests on: read.h, cli/exit.h.
 * Does not: filter or format. */
#include "backupd/read.h"

#include <string.h>

#include "cli/exit.h"

int dump_job(struct context *c, struct dump_read *d)
{
    static const int ids[READING_COUNT] = READING_ALL_IDS;
    memset(d, 0, sizeof *d);
    return job_open(&d->job, c->o, ids);
}

int dump_open(struct context *c, struct dump_read *d)
{
    const struct rsp_manifest *m;
    size_t i = 0;
    int rc, code = chosen_open(c, c->o->operand[0], &d->chosen);
    if (code >= 0) return code;
    m = rsp_snapshot_manifest(d->chosen.snapshot);
    while (i < m->streams_n && m->streams[i].kind != RSP_STREAM_RDB) i++;
    if (i == m->streams_n) {
        print_err("%s: the snapshot holds no dump", d->chosen.name);
        return EXIT_NOT_FOUND;
    }
    rc = rsp_snapshot_source(d->chosen.snapshot, i, 0, d->job.run.threads, &d->reading.source);
    if (rc) return context_fault(c, rc, d->chosen.name, EXIT_STORAGE);
    d->job.behind = &c->error;
    d->reading.name = d->chosen.name;
    d->reading.size = m->streams[i].plain;
    d->reading.io = EXIT_STORAGE;
    return -1;
}

void dump_close(struct dump_read *d)
{
    job_close(&d->job);
    rsp_source_free(d->reading.source);
    chosen_close(&d->chosen);
}
