/* What this is: `rdbtool export`: the data as JSON, to stdout or to a file that appears whole.
 * Rests on: respite/sys/json.h, respite/sink.h, input.h, cli/.
 * Does not: format (lib does). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <respite/sys/json.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/signal.h"
#include "rdbtool/input.h"

static int open_sink(struct job *job, struct rsp_sink **sink)
{
    const struct opt_value *v = job->o->value;
    const char *path = v[O_OUTPUT].text;
    unsigned flags = v[O_FORCE].count ? RSP_SINK_REPLACE : 0;
    int rc;
    if (!path || !strcmp(path, "-")) rc = rsp_sink_fd(&job->env, STDOUT_FILENO, "standard output", sink);
    else rc = rsp_sink_file(&job->env, path, flags, sink);
    if (!rc) return -1;
    if (rc == RSP_EEXIST) {
        print_err("%s: exists already; --force replaces it", path);
        return EXIT_TARGET;
    }
    return job_fault(job, rc, path, EXIT_TARGET);
}

static struct rsp_json_options options_of(struct job *job)
{
    const struct opt_value *v = job->o->value;
    struct rsp_json_options o = {.size = sizeof o};
    o.bytes = (int)v[O_BYTES].number; /* the words stand in the order of enum rsp_json_bytes */
    o.array = v[O_FORMAT].count ? v[O_FORMAT].number == FORMAT_JSON : !strcmp(job->o->word, "json");
    o.with_meta = v[O_WITH_META].count != 0;
    o.tmpdir = v[O_TMPDIR].text;
    o.run = job->run;
    return o;
}

/* What is wrong with a file that was read to its end. */
static int judge_end(struct job *job, const struct input *in, const struct rsp_rdb_run_result *r, int *keep)
{
    if (r->feed.complete && r->feed.crc_state == RSP_RDB_CRC_WRONG) {
        *keep = job->o->value[O_ACCEPT_BAD_CHECKSUM].count != 0;
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

static int run(struct job *job, struct input *in, struct rsp_sink *sink)
{
    struct rsp_json_options o = options_of(job);
    struct rsp_rdb_run_result r = {.size = sizeof r};
    int to_file = job->o->value[O_OUTPUT].text && strcmp(job->o->value[O_OUTPUT].text, "-"), keep = 1, rc, code;
    job_begin(job, in, !to_file);
    rc = rsp_json_export(&job->env, in->source, &o, sink, &r);
    job_end(job);
    if (rc && job->error.sys_errno == EPIPE && !r.file_fault) return EXIT_PIPE;
    if (rc) {
        code = job_fault(job, rc, in->name, r.file_fault ? EXIT_SOURCE : EXIT_TARGET);
        if (to_file && !signal_caught()) print_err("%s: not written", job->o->value[O_OUTPUT].text);
        return code;
    }
    code = judge_end(job, in, &r, &keep);
    if (!keep && to_file) {
        print_err("%s: not written; --accept-bad-checksum keeps it", job->o->value[O_OUTPUT].text);
        return code;
    }
    /* What went to stdout is there; making it durable is up to whoever opened it. */
    rc = to_file ? rsp_sink_commit(sink) : RSP_OK;
    return rc ? job_fault(job, rc, job->o->value[O_OUTPUT].text, EXIT_TARGET) : code;
}

int verb_export(struct job *job)
{
    const struct opt_value *v = job->o->value;
    struct rsp_sink *sink = NULL;
    struct input in;
    int rc, code;
    if (v[O_FORCE].count && !v[O_OUTPUT].text) return options_usage(job->o, "--force needs --output");
    rc = input_open(&in, job, job->o->operand[0]);
    if (rc) code = job_fault(job, rc, in.name, EXIT_SOURCE);
    else code = open_sink(job, &sink);
    if (code < 0) code = run(job, &in, sink);
    rsp_sink_free(sink);
    input_close(&in);
    return code;
}
