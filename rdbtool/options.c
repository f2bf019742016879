/* What this is: the option table of rdbtool, and the filter and run that its common options make.
 * Rests on: options.h, input.h, cli/exit.h, cli/print.h, cli/signal.h.
 * Does not: know what a verb does. */
#include "rdbtool/options.h"

#include <string.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/signal.h"
#include "rdbtool/input.h"

#define V_MANY (V_INFO | V_CHECK | V_EXPORT) /* get names one key in one database */

static const char *const format_words[] = {"jsonl", "json", NULL};
static const char *const bytes_words[] = {"utf8", "latin1", "base64", NULL};
static const char *const type_words[] = {"string", "list", "set", "zset", "hash", "stream", "array", "module", NULL};
static const char *const ttl_words[] = {"none", "any", "expired", NULL};

static const struct verb verbs[] = {
    {.name = "info", .bit = V_INFO, .operands = "FILE", .min = 1, .max = 1, .help = "what is in FILE"},
    {.name = "check",
     .bit = V_CHECK,
     .operands = "FILE...",
     .min = 1,
     .max = OPERANDS_MANY,
     .help = "is every FILE sound?"},
    {.name = "export",
     .aliases = "json",
     .bit = V_EXPORT,
     .operands = "FILE",
     .min = 1,
     .max = 1,
     .help = "the data as JSON, an object a key (under the name json: one array)"},
    {.name = "get",
     .bit = V_GET,
     .operands = "FILE [KEY]",
     .min = 1,
     .max = 2,
     .help = "the value of one key: a string's bytes as they are, else JSON"},
    {0}};

static const struct opt opts[] = {
    {O_KEY, "key", 'k', OPT_STRING, .repeat = 1, .arg = "GLOB", .verbs = VERB_ALL,
     .help = "only keys that match, as of the command KEYS"},
    {O_KEY_REGEX, "key-regex", 0, OPT_STRING, .repeat = 1, .arg = "ERE", .verbs = VERB_ALL,
     .help = "only keys that match the extended regular expression"},
    {O_NOT_KEY, "not-key", 0, OPT_STRING, .repeat = 1, .arg = "GLOB", .verbs = VERB_ALL, .help = "no keys that match"},
    {O_NOT_KEY_REGEX, "not-key-regex", 0, OPT_STRING, .repeat = 1, .arg = "ERE", .verbs = VERB_ALL,
     .help = "no keys that match the extended regular expression"},
    {O_TYPE, "type", 't', OPT_STRING, .repeat = 1, .arg = "TYPE", .words = type_words, .verbs = VERB_ALL,
     .help = "only values of these types, with commas between them"},
    {O_DB, "db", 'n', OPT_STRING, .repeat = 1, .arg = "N", .verbs = V_MANY,
     .help = "only these databases: N, a~b, or several with commas"},
    {O_DB, "db", 'n', OPT_STRING, .repeat = 1, .arg = "N", .text = "0", .verbs = V_GET, .help = "database of KEY"},
    {O_SIZE, "size", 0, OPT_STRING, .repeat = 1, .arg = "A~B", .verbs = VERB_ALL,
     .help = "only records of so many serialised bytes, such as 1KB~1MB or 10MB~"},
    {O_TTL, "ttl", 0, OPT_STRING, .repeat = 1, .arg = "A~B|none|any|expired", .words = ttl_words, .verbs = VERB_ALL,
     .help = "only keys that live so long from now, such as 1h~1d; without or with any expiry; expired"},
    {O_SLOT, "slot", 0, OPT_STRING, .repeat = 1, .arg = "A-B", .verbs = VERB_ALL,
     .help = "only keys of these cluster slots: N, a-b, or several with commas"},
    {O_NOW, "now", 0, OPT_STRING, .arg = "MS", .verbs = VERB_ALL,
     .help = "milliseconds since the epoch that expiries are judged by, instead of the clock"},
    {O_LIMIT, "limit", 0, OPT_INT, .arg = "N", .min = 1, .max = INT64_MAX, .verbs = VERB_ALL,
     .help = "stop after so many keys; the rest of FILE is not read"},
    {O_JSON, "json", 'j', OPT_FLAG, .verbs = V_INFO | V_CHECK, .help = "the report as JSON"},
    {O_DIGEST, "digest", 0, OPT_FLAG, .verbs = V_INFO | V_CHECK,
     .help = "compute dd1, equal for equal data whatever the order and the encodings"},
    {O_TOP, "top", 0, OPT_INT, .arg = "N", .min = 0, .max = 10000, .text = "10", .verbs = V_INFO,
     .help = "how many of the largest keys are named"},
    {O_QUICK, "quick", 'q', OPT_FLAG, .verbs = V_CHECK,
     .help = "framing and checksum only; neither values nor duplicates are looked at, filters mean nothing"},
    {O_REQUIRE_CHECKSUM, "require-checksum", 0, OPT_FLAG, .verbs = V_CHECK,
     .help = "a file that no checksum protects is a finding"},
    {O_NO_DUPLICATES, "no-duplicates", 0, OPT_FLAG, .verbs = V_CHECK, .help = "do not look for duplicate keys"},
    {O_TMPDIR, "tmpdir", 0, OPT_PATH, .arg = "DIR", .verbs = V_CHECK | V_EXPORT | V_GET,
     .help = "where temporary files go (default: $TMPDIR, /var/tmp or /tmp)"},
    {O_MAX_FINDINGS, "max-findings", 0, OPT_INT, .arg = "N", .min = 0, .max = INT64_MAX, .text = "1000",
     .verbs = V_CHECK, .help = "how many findings of each FILE are printed; all are counted"},
    {O_FORMAT, "format", 'f', OPT_ENUM, .words = format_words, .verbs = V_EXPORT,
     .help = "a JSON object a line, or one JSON array (default: jsonl)"},
    {O_BYTES, "bytes", 0, OPT_ENUM, .words = bytes_words, .text = "utf8", .verbs = V_EXPORT | V_GET,
     .help = "how bytes become JSON strings"},
    {O_WITH_META, "with-meta", 0, OPT_FLAG, .verbs = V_EXPORT,
     .help = "also what belongs to no key: AUX, functions, module data"},
    {O_OUTPUT, "output", 'o', OPT_PATH, .arg = "OUT", .verbs = V_EXPORT,
     .help = "write to this file, which appears when all is well, or not at all"},
    {O_FORCE, "force", 0, OPT_FLAG, .verbs = V_EXPORT, .help = "OUT may replace an existing file"},
    {O_ACCEPT_BAD_CHECKSUM, "accept-bad-checksum", 0, OPT_FLAG, .verbs = V_EXPORT,
     .help = "keep OUT although the checksum of FILE is wrong; the exit status tells of it all the same"},
    {O_KEY_BASE64, "key-base64", 0, OPT_STRING, .arg = "B64", .verbs = V_GET, .help = "KEY in base64, for any bytes"},
    {O_THREADS, "threads", 0, OPT_INT, .arg = "N", .min = 1, .max = 256, .verbs = VERB_ALL,
     .help = "worker threads (default: processors)"},
    {O_NO_PROGRESS, "no-progress", 0, OPT_FLAG, .verbs = VERB_ALL, .help = "no progress line on the terminal"},
    {0}};

const struct program rdbtool_program = {
    .name = "rdbtool",
    .about = "reads RDB files of every Redis and Valkey",
    .version = RSP_VERSION_STRING,
    .verbs = verbs,
    .opts = opts,
    .count = O_COUNT,
    .notes = "FILE may be - for standard input, and may be compressed by zstd, gzip or lz4.\n"
             "Exit status: 0 well, 3 findings, 4 no such key, 21 FILE cannot be read,\n"
             "23 malformed, 24 wrong checksum; all in respite-exit-status(7).\n",
};

static const struct {
    int id;
    const char *name;
} conditions[] = {{O_KEY, "key"},         {O_KEY_REGEX, "key-regex"},
                  {O_NOT_KEY, "not-key"}, {O_NOT_KEY_REGEX, "not-key-regex"},
                  {O_TYPE, "type"},       {O_DB, "db"},
                  {O_SIZE, "size"},       {O_TTL, "ttl"},
                  {O_SLOT, "slot"},       {O_NOW, "now"}};

static int add_conditions(struct job *job)
{
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        const struct opt_value *v = &job->o->value[conditions[i].id];
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

int job_open(struct job *job, const struct options *o)
{
    int rc;
    memset(job, 0, sizeof *job);
    job->o = o;
    job->env.size = sizeof job->env;
    job->env.error = &job->error;
    rc = rsp_filter_new(&job->env, &job->filter);
    if (rc) return job_fault(job, rc, NULL, EXIT_INTERNAL);
    rc = add_conditions(job);
    if (rc >= 0) return rc;
    job->run.size = sizeof job->run;
    job->run.threads = (unsigned)o->value[O_THREADS].number;
    job->run.limit = (uint64_t)o->value[O_LIMIT].number;
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

void job_begin(struct job *job, const struct input *in, int shares_terminal)
{
    int off = job->o->value[O_NO_PROGRESS].count || (shares_terminal && isatty(STDOUT_FILENO));
    job->progress = progress_start(in->name, in->size, off);
}

void job_end(struct job *job)
{
    progress_end(job->progress);
    job->progress = NULL;
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
    print_fault(&job->error, status, subject);
    return exit_of_fault(status, io);
}
