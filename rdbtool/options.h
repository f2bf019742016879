/* What this is: rdbtool's verbs and options, and what every verb makes of the common ones.
 * Rests on: cli/options.h, cli/progress.h, respite/sys/rdb_run.h.
 * Does not: read files (input.h). */
#ifndef RDBTOOL_OPTIONS_H
#define RDBTOOL_OPTIONS_H

#include <respite/sys/rdb_run.h>

#include "cli/options.h"
#include "cli/progress.h"

enum option_id {
    O_KEY,
    O_KEY_REGEX,
    O_NOT_KEY,
    O_NOT_KEY_REGEX,
    O_TYPE,
    O_DB,
    O_SIZE,
    O_TTL,
    O_SLOT,
    O_NOW,
    O_LIMIT,
    O_THREADS,
    O_NO_PROGRESS,
    O_JSON,
    O_DIGEST,
    O_TOP,
    O_QUICK,
    O_REQUIRE_CHECKSUM,
    O_NO_DUPLICATES,
    O_TMPDIR,
    O_MAX_FINDINGS,
    O_FORMAT,
    O_BYTES,
    O_WITH_META,
    O_OUTPUT,
    O_FORCE,
    O_ACCEPT_BAD_CHECKSUM,
    O_KEY_BASE64,
    O_COUNT
};

enum verb_bit { V_INFO = 1 << 0, V_CHECK = 1 << 1, V_EXPORT = 1 << 2, V_GET = 1 << 3 };

/* Indices of the words of --format. */
enum format_word { FORMAT_JSONL = 0, FORMAT_JSON = 1 };

extern const struct program rdbtool_program;

/* What a verb works with. May not be moved once it is open: env and run point into it. */
struct job {
    const struct options *o;
    struct rsp_error error;
    struct rsp_env env;
    struct rsp_filter *filter;
    struct rsp_rdb_run_options run;
    struct progress *progress;
    int restricted; /* a filter or a limit is set */
};

/* Returns -1 to go on, else the exit status after a message. job_close is due either way. */
int job_open(struct job *job, const struct options *o);
void job_close(struct job *job);

/* Around the reading of one input: the progress line. shares_terminal: data goes to stdout meanwhile, so that there
 * is no line when that is a terminal. */
struct input;
void job_begin(struct job *job, const struct input *in, int shares_terminal);
void job_end(struct job *job);

/* What a loop of its own calls now and then: moves the line on; 1 when a signal asks to stop. */
int job_tick(struct job *job, uint64_t bytes);

/* Says what is wrong (the record's words, else the status's) and returns the exit status: that of a caught signal,
 * quietly; io for a fault of input or output. subject may be NULL. */
int job_fault(struct job *job, int status, const char *subject, int io);

/* The verbs. */
int verb_info(struct job *job);
int verb_check(struct job *job);
int verb_export(struct job *job);
int verb_get(struct job *job);

#endif
