/* What this is: the verb `export`: the data as JSON or commands, to stdout or to a file that appears whole.
 * Rests on: reading.h, respite/sys/json.h, respite/sink.h.
 * Does not: format (lib does). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <respite/sys/json.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/reading.h"
#include "cli/signal.h"

static struct rsp_json_options options_of(struct job *job)
{
    struct rsp_json_options o = {.size = sizeof o};
    o.bytes = (int)job_value(job, R_BYTES)->number; /* the words stand in the order of enum rsp_json_bytes */
    o.array = job_value(job, R_FORMAT)->count ? job_value(job, R_FORMAT)->number == READING_JSON
                                              : !strcmp(job->o->word, "json");
    o.with_meta = job_value(job, R_WITH_META)->count != 0;
    o.tmpdir = job_value(job, R_TMPDIR)->text;
    o.run = job->run;
    return o;
}

/* What is wrong with a file that was read to its end. */
static int judge_end(struct job *job, const struct reading *in, const struct rsp_rdb_run_result *r, int *keep)
{
    if (r->feed.complete && r->feed.crc_state == RSP_RDB_CRC_WRONG) {
        *keep = job_value(job, R_ACCEPT_BAD_CHECKSUM)->count != 0;
        print_err("%s: wrong checksum: the file says %016" PRIx64 ", its bytes have CRC64 %016" PRIx64, in->name,
                  r->feed.crc_stored, r->feed.crc_computed);
        return EXIT_INTEGRITY;
    }
    if (r->trailing && !r->limited) {
        print_warn("%s: bytes follow behind the end of the dump (offset %" PRIu64 "); they are not exported", in->name,
                   r->feed.offset);
        return EXIT_FINDINGS;
    }
    return EXIT_OK;
}

static int run(struct job *job, const struct reading *in, struct rsp_sink *sink)
{
    struct rsp_json_options o = options_of(job);
    struct rsp_rdb_run_result r = {.size = sizeof r};
    int to_file = job_output_is_file(job), keep = 1, left_out = EXIT_OK, rc, code;
    job_begin(job, in->name, in->size, !to_file);
    rc = reading_is_resp(job) ? reading_resp(job, in, sink, &r, &left_out)
                              : rsp_json_export(&job->env, in->source, &o, sink, &r);
    job_end(job);
    if (!rc && in->late && (rc = in->late(job))) r.file_fault = 1;
    if (rc == RSP_EUSER && left_out) return left_out; /* it has said why */
    if (rc && job->error.sys_errno == EPIPE && !r.file_fault) return EXIT_PIPE;
    if (rc) {
        code = job_fault(job, rc, in->name, r.file_fault ? in->io : EXIT_TARGET);
        if (left_out)
            print_err("--on-loss says what becomes of it: drop leaves the key out, convert keeps the rest of it");
        if (to_file && !signal_caught()) print_err("%s: not written", job_value(job, R_OUTPUT)->text);
        return code;
    }
    code = judge_end(job, in, &r, &keep);
    if (code == EXIT_OK) code = left_out;
    if (!keep && to_file) {
        print_err("%s: not written; --accept-bad-checksum keeps it", job_value(job, R_OUTPUT)->text);
        return code;
    }
    /* What went to stdout is there; making it durable is up to whoever opened it. */
    rc = to_file ? rsp_sink_commit(sink) : RSP_OK;
    return rc ? job_fault(job, rc, job_value(job, R_OUTPUT)->text, EXIT_TARGET) : code;
}

int reading_export_usage(struct job *job)
{
    if (job_value(job, R_FORCE)->count && !job_value(job, R_OUTPUT)->text && !job_value(job, R_LOSSES_TO)->text)
        return options_usage(job->o, "--force needs --output");
    return reading_resp_usage(job);
}

int reading_export(struct job *job, const struct reading *in)
{
    struct rsp_sink *sink = NULL;
    int code = job_output(job, &sink);
    if (code < 0) code = run(job, in, sink);
    rsp_sink_free(sink);
    return code;
}
