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
#include "cli/losses.h"
#include "cli/print.h"
#include "cli/reading.h"

#define NEWEST "redis:99"

int reading_is_resp(struct job *job)
{
    const struct opt_value *format = job_value(job, R_FORMAT);
    if (format->count) return format->number == READING_RESP || format->number == READING_PROTOCOL;
    return !strcmp(job->o->word, "resp") || !strcmp(job->o->word, "protocol");
}

static int target_of(struct job *job, struct rsp_target *target)
{
    const char *text = job_value(job, R_TARGET)->text;
    target->size = sizeof *target;
    return rsp_target_parse(&job->env, text ? text : NEWEST, target);
}

const char *const reading_loss_words[] = {"fail", "drop", "convert", NULL};

static int policy_of(struct job *job, struct rsp_loss_policy *policy)
{
    const char *text = job_value(job, R_ON_LOSS)->text;
    rsp_loss_policy_default(policy);
    if (!text && job_value(job, R_DROP_LOSSES)->count) text = "drop";
    return text ? rsp_loss_policy_parse(&job->env, text, policy) : RSP_OK;
}

static int wrong(struct job *job, const char *option)
{
    char words[512];
    rsp_error_format(&job->error, words, sizeof words);
    return options_usage(job->o, "%s: %s", option, words);
}

int reading_resp_usage(struct job *job)
{
    static const struct {
        enum reading_id id;
        const char *name;
    } own[] = {{R_TARGET, "--to-target"},
               {R_RESTORE, "--restore"},
               {R_DROP_LOSSES, "--drop-losses"},
               {R_ON_LOSS, "--on-loss"},
               {R_LOSSES_TO, "--losses-to"}};
    struct rsp_loss_policy policy;
    struct rsp_target target = {0};
    if (!reading_is_resp(job)) {
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            if (job_value(job, own[i].id)->count)
                return options_usage(job->o, "%s needs --format resp%s", own[i].name,
                                     i ? "" : "; 'check' has it, too: what would be lost there");
        return -1;
    }
    if (job_value(job, R_WITH_META)->count) return options_usage(job->o, "--with-meta is for JSON");
    if (job_value(job, R_DROP_LOSSES)->count && job_value(job, R_ON_LOSS)->count)
        return options_usage(job->o, "--drop-losses is --on-loss drop: give one of them");
    if (target_of(job, &target)) return wrong(job, "--to-target");
    return policy_of(job, &policy) ? wrong(job, "--on-loss") : -1;
}

static int64_t now_ms(struct job *job)
{
    const struct opt_value *given = job_value(job, R_NOW);
    struct timespec now;
    if (given->text) return strtoll(given->text, NULL, 10); /* the filter has looked at it */
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The faults of the policy, which another one would avoid. */
static int is_loss(int rc, const struct rsp_losses *losses, const struct rsp_loss_policy *policy)
{
    return rc == RSP_EUNSUPPORTED && rsp_losses_judge(losses, policy) >= 0;
}

int reading_resp(struct job *job, const struct reading *in, struct rsp_sink *sink, struct rsp_rdb_run_result *result,
                 int *code)
{
    struct rsp_resp_options o = {.size = sizeof o, .existing = RSP_EXISTING_REPLACE, .lost = losses_line};
    struct rsp_resp_report r = {.size = sizeof r};
    struct losses_file file;
    int rc = target_of(job, &o.target), closed;
    if (!rc) rc = policy_of(job, &o.losses);
    if (rc) return rc;
    *code = losses_open(&file, job_value(job, R_LOSSES_TO)->text, job_value(job, R_FORCE)->count != 0, &o.losses);
    if (*code) return RSP_EUSER;
    o.opaque = &file;
    o.run = job->run;
    o.payloads = job_value(job, R_RESTORE)->count != 0;
    o.no_functions = job->restricted; /* whoever chooses keys wants these */
    o.tmpdir = job_value(job, R_TMPDIR)->text;
    o.now_ms = now_ms(job);
    rc = rsp_resp_export(&job->env, in->source, &o, sink, &r);
    *result = r.run;
    closed = losses_close(&file);
    if (is_loss(rc, &r.losses, &o.losses)) *code = EXIT_FINDINGS;
    if (rc) return rc;
    job_end(job);
    if (losses_tell(in->name, &r.losses, &o.losses)) *code = EXIT_FINDINGS;
    if (closed) *code = closed;
    return RSP_OK;
}
