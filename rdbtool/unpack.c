/* What this is: `rdbtool unpack`: the content of a sealed file, byte by byte as it was.
 * Rests on: pack.h, sealed.h.
 * Does not: decompress or check what comes out. */
#include <stdlib.h>

#include "cli/exit.h"
#include "rdbtool/pack.h"
#include "rdbtool/sealed.h"

#define COPY_BYTES (256u << 10)

static int copy(struct job *job, struct rsp_source *source, struct rsp_sink *sink, int *source_fault)
{
    uint8_t *p = malloc(COPY_BYTES);
    uint64_t done = 0;
    size_t got;
    int rc = p ? RSP_OK : RSP_ENOMEM;
    while (!rc) {
        rc = rsp_source_read(source, p, COPY_BYTES, &got);
        *source_fault = rc < 0;
        if (rc) break;
        done += got;
        rc = rsp_sink_write(sink, p, got);
        if (!rc && job_tick(job, done)) rc = RSP_ECANCELED;
    }
    free(p);
    return rc == RSP_END ? RSP_OK : rc;
}

int verb_unpack(struct job *job)
{
    struct rsp_sink *sink = NULL;
    struct input in;
    int rc, source_fault = 0, code = pack_output(job, &sink);
    if (code >= 0) goto out;
    rc = input_open_stored(&in, &job->env, job->o->operand[0]);
    if (!rc) rc = dump_unseal(job, &in);
    if (rc) {
        code = dump_fault(job, rc, &in);
    } else {
        job_begin(job, in.name, 0, 0);
        rc = copy(job, in.source, sink, &source_fault);
        code = pack_end(job, rc, source_fault, in.name, sink);
    }
    input_close(&in);
out:
    rsp_sink_free(sink);
    return code;
}
