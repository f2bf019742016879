/* What this is: reading the records of a dump: the filter options that the programs share, what a verb works with, and
 *   the verbs `get` and `export` over any source.
 * Rests on: cli/options.h, cli/progress.h, respite/sys/rdb_run.h.
 * Does not: open anything: a file, a pipe and a snapshot of a repository come as a source. */
#ifndef CLI_READING_H
#define CLI_READING_H

#include <respite/sink.h>
#include <respite/source.h>
#include <respite/sys/rdb_run.h>

#include "cli/options.h"
#include "cli/progress.h"

/* The options that reading asks for. Each program numbers its own: READING_IDS is the way from these to those. */
enum reading_id {
    R_KEY,
    R_KEY_REGEX,
    R_NOT_KEY,
    R_NOT_KEY_REGEX,
    R_TYPE,
    R_DB,
    R_SIZE,
    R_TTL,
    R_SLOT,
    R_NOW,
    R_LIMIT,
    R_TMPDIR,
    R_FORMAT,
    R_BYTES,
    R_WITH_META,
    R_OUTPUT,
    R_FORCE,
    R_ACCEPT_BAD_CHECKSUM,
    R_KEY_BASE64,
    R_TARGET,
    R_RESTORE,
    R_DROP_LOSSES,
    R_ON_LOSS,
    R_LOSSES_TO,
    R_THREADS,
    R_NO_PROGRESS,
    READING_COUNT
};
/* -1 stands for an option that a program does not have. READING_IDS: all but those of READING_COMMAND_ROWS;
 * READING_ALL_IDS: with them. */
// clang-format off
#define READING_IDS \
    {READING_MOST_IDS, [R_TARGET] = -1, [R_RESTORE] = -1, [R_DROP_LOSSES] = -1, [R_ON_LOSS] = -1, [R_LOSSES_TO] = -1}
#define READING_ALL_IDS \
    {READING_MOST_IDS, [R_TARGET] = O_TARGET, [R_RESTORE] = O_RESTORE, [R_DROP_LOSSES] = O_DROP_LOSSES, \
     [R_ON_LOSS] = O_ON_LOSS, [R_LOSSES_TO] = O_LOSSES_TO}
#define READING_MOST_IDS \
     [R_KEY] = O_KEY, [R_KEY_REGEX] = O_KEY_REGEX, [R_NOT_KEY] = O_NOT_KEY, [R_NOT_KEY_REGEX] = O_NOT_KEY_REGEX, \
     [R_TYPE] = O_TYPE, [R_DB] = O_DB, [R_SIZE] = O_SIZE, [R_TTL] = O_TTL, \
     [R_SLOT] = O_SLOT, [R_NOW] = O_NOW, [R_LIMIT] = O_LIMIT, [R_TMPDIR] = O_TMPDIR, \
     [R_FORMAT] = O_FORMAT, [R_BYTES] = O_BYTES, [R_WITH_META] = O_WITH_META, [R_OUTPUT] = O_OUTPUT, \
     [R_FORCE] = O_FORCE, [R_ACCEPT_BAD_CHECKSUM] = O_ACCEPT_BAD_CHECKSUM, \
     [R_KEY_BASE64] = O_KEY_BASE64, \
     [R_THREADS] = O_THREADS, [R_NO_PROGRESS] = O_NO_PROGRESS
// clang-format on

/* Indices of the words of --format. */
enum reading_format { READING_JSONL = 0, READING_JSON = 1, READING_RESP = 2, READING_PROTOCOL = 3 };

extern const char *const reading_format_words[];
extern const char *const reading_bytes_words[];
extern const char *const reading_type_words[];
extern const char *const reading_ttl_words[];
extern const char *const reading_loss_words[];

/* Rows of an option table. every: mask of the verbs that filter; many: those of them that read several databases; one:
 * those that want one key. */
// clang-format off
#define READING_FILTER_ROWS(every, many, one) \
    {O_KEY, "key", 'k', OPT_STRING, .repeat = 1, .arg = "GLOB", .verbs = (every), \
     .help = "only keys that match, as of the command KEYS"}, \
    {O_KEY_REGEX, "key-regex", 0, OPT_STRING, .repeat = 1, .arg = "ERE", .verbs = (every), \
     .help = "only keys that match the extended regular expression"}, \
    {O_NOT_KEY, "not-key", 0, OPT_STRING, .repeat = 1, .arg = "GLOB", .verbs = (every), \
     .help = "no keys that match"}, \
    {O_NOT_KEY_REGEX, "not-key-regex", 0, OPT_STRING, .repeat = 1, .arg = "ERE", .verbs = (every), \
     .help = "no keys that match the extended regular expression"}, \
    {O_TYPE, "type", 't', OPT_STRING, .repeat = 1, .arg = "TYPE", .words = reading_type_words, .verbs = (every), \
     .help = "only values of these types, with commas between them"}, \
    {O_DB, "db", 'n', OPT_STRING, .repeat = 1, .arg = "N", .verbs = (many), \
     .help = "only these databases: N, a~b, or several with commas"}, \
    {O_DB, "db", 'n', OPT_STRING, .repeat = 1, .arg = "N", .text = "0", .verbs = (one), .help = "database of KEY"}, \
    {O_SIZE, "size", 0, OPT_STRING, .repeat = 1, .arg = "A~B", .verbs = (every), \
     .help = "only records of so many serialised bytes, such as 1KB~1MB or 10MB~"}, \
    {O_TTL, "ttl", 0, OPT_STRING, .repeat = 1, .arg = "A~B|none|any|expired", .words = reading_ttl_words, \
     .verbs = (every), \
     .help = "only keys that live so long from now, such as 1h~1d; without or with any expiry; expired"}, \
    {O_SLOT, "slot", 0, OPT_STRING, .repeat = 1, .arg = "A-B", .verbs = (every), \
     .help = "only keys of these cluster slots: N, a-b, or several with commas"}, \
    {O_NOW, "now", 0, OPT_STRING, .arg = "MS", .verbs = (every), \
     .help = "milliseconds since the epoch that expiries are judged by, instead of the clock"}, \
    {O_LIMIT, "limit", 0, OPT_INT, .arg = "N", .min = 1, .max = INT64_MAX, .verbs = (every), \
     .help = "stop after so many keys; the rest is not read"}
/* get, export: verbs that are such. --tmpdir, --output, --force, --threads and --no-progress are the program's own rows:
 * it has other verbs for them. */
#define READING_OUTPUT_ROWS(get, export) \
    {O_FORMAT, "format", 'f', OPT_ENUM, .words = reading_format_words, .verbs = (export), \
     .help = "a JSON object a line, one JSON array, or the commands that build the data again (default: jsonl)"}, \
    {O_BYTES, "bytes", 0, OPT_ENUM, .words = reading_bytes_words, .text = "utf8", .verbs = (export) | (get), \
     .help = "how bytes become JSON strings"}, \
    {O_WITH_META, "with-meta", 0, OPT_FLAG, .verbs = (export), \
     .help = "also what belongs to no key: AUX, functions, module data"}, \
    {O_ACCEPT_BAD_CHECKSUM, "accept-bad-checksum", 0, OPT_FLAG, .verbs = (export), \
     .help = "keep OUT although the checksum is wrong; the exit status tells of it all the same"}, \
    {O_KEY_BASE64, "key-base64", 0, OPT_STRING, .arg = "B64", .verbs = (get), \
     .help = "KEY in base64, for any bytes"}
/* What --format resp asks for beside them. --target is the former name of --to-target. */
#define READING_COMMAND_ROWS(export) \
    {O_TARGET, "to-target", 0, OPT_STRING, .arg = "SERVER", .verbs = (export), \
     .help = "the commands are for this server, such as redis:7.0 or valkey:8.1 (default: the newest redis)"}, \
    {O_TARGET, "target", 0, OPT_STRING, .arg = "SERVER", .verbs = (export)}, \
    {O_RESTORE, "restore", 0, OPT_FLAG, .verbs = (export), \
     .help = "RESTORE with the value as it is stored, where the target takes that"}, \
    {O_DROP_LOSSES, "drop-losses", 0, OPT_FLAG, .verbs = (export), \
     .help = "the same as --on-loss drop"}, \
    {O_ON_LOSS, "on-loss", 0, OPT_STRING, .arg = "LIST", .words = reading_loss_words, .verbs = (export), \
     .help = "what becomes of a key that the target cannot hold as it is: fail, drop or convert, or KIND=ACTION,... " \
             "(default: fail)"}, \
    {O_LOSSES_TO, "losses-to", 0, OPT_PATH, .arg = "FILE", .verbs = (export), \
     .help = "write every key that loses something, and what, as a line of JSON to this new file"}
// clang-format on

/* What a verb works with. May not be moved once it is open: env and run point into it. */
struct job {
    const struct options *o;
    const int *ids; /* [READING_COUNT] */
    struct rsp_error error;
    void *own;                      /* what the program keeps beside it */
    const struct rsp_error *behind; /* where a source that was made elsewhere leaves its words; NULL: in error */
    struct rsp_env env;
    struct rsp_filter *filter;
    struct rsp_rdb_run_options run;
    struct progress *progress;
    int restricted; /* a filter or a limit is set */
};

/* ids: of the program's options, by reading_id. Returns -1 to go on, else the exit status after a message. job_close is
 * due either way. */
int job_open(struct job *job, const struct options *o, const int *ids);
/* What was given; an empty value for an option that the program does not have. */
const struct opt_value *job_value(const struct job *job, enum reading_id id);
void job_close(struct job *job);

/* Around the reading of one input: the progress line. size: 0 when it is not known. shares_terminal: data goes to stdout
 * meanwhile, so that there is no line when that is a terminal. */
void job_begin(struct job *job, const char *name, uint64_t size, int shares_terminal);
void job_end(struct job *job);

/* What a loop of its own calls now and then: moves the line on; 1 when a signal asks to stop. */
int job_tick(struct job *job, uint64_t bytes);

/* Says what is wrong (the record's words, else the status's) and returns the exit status: that of a caught signal,
 * quietly; io for a fault of input or output. subject may be NULL. */
int job_fault(struct job *job, int status, const char *subject, int io);

/* Where --output and --force say: stdout, or a file that appears when it is committed. -1, or the exit status after a
 * message; the sink is to be freed either way. */
int job_output(struct job *job, struct rsp_sink **sink);
int job_output_is_file(const struct job *job);

/* One dump, open. */
struct reading {
    const char *name;
    uint64_t size; /* for the progress line; 0: not known */
    struct rsp_source *source;
    int io; /* exit status of a fault of reading: EXIT_SOURCE, EXIT_STORAGE */
    /* A fault that the source met behind the last byte of the dump, with its words in job->error; else RSP_OK. NULL:
     * none can be. */
    int (*late)(struct job *job);
};

/* KEY as operand (NULL: none) or --key-base64. -1 to go on, else the exit status; free mem afterwards. */
struct reading_key {
    struct rsp_span key;
    uint8_t *mem;
};
int reading_key_open(struct job *job, const char *operand, struct reading_key *key);
void reading_key_close(struct reading_key *key);

/* The value of one key to stdout; the exit status, after a message. */
int reading_get(struct job *job, const struct reading *in, struct rsp_span key);

/* What is at odds in the options of an export: -1, or the exit status. To be asked before anything is opened. */
int reading_export_usage(struct job *job);
/* The records as JSON or commands, to stdout or --output; the exit status, after a message. */
int reading_export(struct job *job, const struct reading *in);

/* reading_resp.c: 1 when commands are asked for. */
int reading_is_resp(struct job *job);
/* What is at odds in the options then, or without: -1, or the exit status. */
int reading_resp_usage(struct job *job);
/* The commands to sink: the library's status. *code becomes EXIT_FINDINGS when data was lost, after a message, or when
 * the status is a fault that --on-loss would avoid. */
int reading_resp(struct job *job, const struct reading *in, struct rsp_sink *sink, struct rsp_rdb_run_result *result,
                 int *code);

#endif
