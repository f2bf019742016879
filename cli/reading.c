/* What this is: the filter and the run that the shared options make, and the faults of a verb.
 * Rests on: reading.h, cli/exit.h, cli/print.h, cli/signal.h.
 * Does not: know what a verb does. */
#include "cli/reading.h"

#include <string.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/signal.h"

const char *const reading_format_words[] = {"jsonl", "json", "resp", "protocol", NULL};
const char *const reading_bytes_words[] = {"utf8", "latin1", "base64", NULL};
const char *const reading_type_words[] = {"string", "list", "set", "zset", "hash", "stream", "array", "module", NULL};
const char *const reading_ttl_words[] = {"none", "any", "expired", NULL};

static const struct {
    enum reading_id id;
    const char *name;
} conditions[] = {{R_KEY, "key"},         {R_KEY_REGEX, "key-regex"},
                  {R_NOT_KEY, "not-key"}, {R_NOT_KEY_REGEX, "not-key-regex"},
                  {R_TYPE, "type"},       {R_DB, "db"},
                  {R_SIZE, "size"},       {R_TTL, "ttl"},
                  {R_SLOT, "slot"},       {R_NOW, "now"}};

static int add_conditions(struct job *job)
{
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        const struct opt_value *v = job_value(job, conditions[i].id);
        size_t n = v->n ? v->n : v->text != NULL;
        for (size_t k = 0; k < n; k++) {
            char words[512];
            int rc = rsp_filter_add(job->filter, conditions[i].name, v->n ? v->list[k] : v->text);
            if (!rc) continue;
            if (rc != RSP_EINVAL) return job_fault(job, rc, NULL, EXIT_INTERNAL);
            rsp_error_format(&job->error, words, sizeof words);
            return options_usage(job->o, "--%s", words); /* the record's subject is the option's name */
        }
    }
    return -1;
}

static void on_progress(void *opaque, uint64_t bytes)
{
    (void)job_tick(opaque, bytes);
}

const struct opt_value *job_value(const struct job *job, enum reading_id id)
{
    static const struct opt_value none;
    return job->ids[id] < 0 ? &none : &job->o->value[job->ids[id]];
}

int job_open(struct job *job, const struct options *o, const int *ids)
{
    int rc;
    memset(job, 0, sizeof *job);
    job->o = o;
    job->ids = ids;
    job->env.size = sizeof job->env;
    job->env.error = &job->error;
    rc = rsp_filter_new(&job->env, &job->filter);
    if (rc) return job_fault(job, rc, NULL, EXIT_INTERNAL);
    rc = add_conditions(job);
    if (rc >= 0) return rc;
    job->run.size = sizeof job->run;
    job->run.threads = (unsigned)job_value(job, R_THREADS)->number;
    job->run.limit = (uint64_t)job_value(job, R_LIMIT)->number;
    job->run.filter = job->filter;
    job->run.cancel = signal_flag();
    job->run.progress = on_progress;
    job->run.progress_opaque = job;
    job->restricted = job->run.limit || !rsp_filter_empty(job->filter);
    return -1;
}

void job_close(struct job *job)
{
    progress_end(job->progress);
    rsp_filter_free(job->filter);
}

void job_begin(struct job *job, const char *name, uint64_t size, int shares_terminal)
{
    int off = job_value(job, R_NO_PROGRESS)->count || (shares_terminal && isatty(STDOUT_FILENO));
    job->progress = progress_start(name, size, off);
}

void job_end(struct job *job)
{
    progress_end(job->progress);
    job->progress = NULL;
}

int job_output_is_file(const struct job *job)
{
    const char *path = job_value(job, R_OUTPUT)->text;
    return path && strcmp(path, "-") != 0;
}

int job_output(struct job *job, struct rsp_sink **sink)
{
    const char *path = job_value(job, R_OUTPUT)->text;
    unsigned flags = job_value(job, R_FORCE)->count ? RSP_SINK_REPLACE : 0;
    int rc;
    if (!job_output_is_file(job)) rc = rsp_sink_fd(&job->env, STDOUT_FILENO, "standard output", sink);
    else rc = rsp_sink_file(&job->env, path, flags, sink);
    if (!rc) return -1;
    if (rc == RSP_EEXIST) {
        print_err("%s: exists already; --force replaces it", path);
        return EXIT_TARGET;
    }
    return job_fault(job, rc, path, EXIT_TARGET);
}

int job_tick(struct job *job, uint64_t bytes)
{
    progress_update(job->progress, bytes);
    return signal_caught();
}

int job_fault(struct job *job, int status, const char *subject, int io)
{
    job_end(job);
    if (signal_caught()) return signal_exit_status();
    if (!job->error.code && job->behind && job->behind->code) job->error = *job->behind;
    print_fault(&job->error, status, subject);
    return exit_of_fault(status, io);
}
