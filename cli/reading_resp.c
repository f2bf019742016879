/* What this is: the verb `export` with --format resp: the commands that build the data again.
 * Rests on: reading.h, respite/sys/resp.h.
 * Does not: make commands (lib does) nor speak to a server. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <respite/sys/resp.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/reading.h"

#define NEWEST "redis:99"

int reading_is_resp(struct job *job)
{
    const struct opt_value *format = job_value(job, R_FORMAT);
    if (format->count) return format->number == READING_RESP || format->number == READING_PROTOCOL;
    return !strcmp(job->o->word, "resp") || !strcmp(job->o->word, "protocol");
}

static int target_of(struct job *job, struct rsp_resp_target *target)
{
    const char *text = job_value(job, R_TARGET)->text;
    target->size = sizeof *target;
    return rsp_resp_target_parse(&job->env, text ? text : NEWEST, target);
}

int reading_resp_usage(struct job *job)
{
    struct rsp_resp_target target = {0};
    char words[512];
    int rc;
    if (!reading_is_resp(job)) {
        if (job_value(job, R_TARGET)->text) return options_usage(job->o, "--target needs --format resp");
        if (job_value(job, R_RESTORE)->count) return options_usage(job->o, "--restore needs --format resp");
        if (job_value(job, R_DROP_LOSSES)->count) return options_usage(job->o, "--drop-losses needs --format resp");
        return -1;
    }
    if (job_value(job, R_WITH_META)->count) return options_usage(job->o, "--with-meta is for JSON");
    rc = target_of(job, &target);
    if (!rc) return -1;
    rsp_error_format(&job->error, words, sizeof words);
    return options_usage(job->o, "--target: %s", words);
}

static int64_t now_ms(struct job *job)
{
    const struct opt_value *given = job_value(job, R_NOW);
    struct timespec now;
    if (given->text) return strtoll(given->text, NULL, 10); /* the filter has looked at it */
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* As printable text. */
static void show(char *out, size_t size, const uint8_t *p, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n && at + 5 < size; i++) {
        if (p[i] >= 0x20 && p[i] < 0x7f) out[at++] = (char)p[i];
        else at += (size_t)snprintf(out + at, size - at, "\\x%02x", p[i]);
    }
    out[at] = 0;
}

/* What was left out, a line a kind. */
static int tell_losses(const struct reading *in, const struct rsp_resp_losses *l)
{
    int code = EXIT_OK;
    for (int k = 0; k < RSP_LOSSES; k++) {
        char first[160];
        if (!l->n[k]) continue;
        show(first, sizeof first, l->first[k], l->first_n[k]);
        print_warn("%s: left out: %s (%" PRIu64 ", the first: %s)", in->name, rsp_resp_loss_text(k), l->n[k], first);
        code = EXIT_FINDINGS;
    }
    return code;
}

int reading_resp(struct job *job, const struct reading *in, struct rsp_sink *sink, struct rsp_rdb_run_result *result,
                 int *code)
{
    struct rsp_resp_options o = {.size = sizeof o, .existing = RSP_EXISTING_REPLACE};
    struct rsp_resp_report r = {.size = sizeof r};
    int rc = target_of(job, &o.target);
    if (rc) return rc;
    o.run = job->run;
    o.payloads = job_value(job, R_RESTORE)->count != 0;
    o.drop_losses = job_value(job, R_DROP_LOSSES)->count != 0;
    o.no_functions = job->restricted; /* whoever chooses keys wants these */
    o.tmpdir = job_value(job, R_TMPDIR)->text;
    o.now_ms = now_ms(job);
    rc = rsp_resp_export(&job->env, in->source, &o, sink, &r);
    *result = r.run;
    if (rc == RSP_EUNSUPPORTED && !o.drop_losses)
        for (int k = 0; k < RSP_LOSSES; k++)
            if (r.losses.n[k]) *code = EXIT_FINDINGS;
    if (rc) return rc;
    job_end(job);
    *code = tell_losses(in, &r.losses);
    return RSP_OK;
}
