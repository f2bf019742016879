/* What this is: a program's option table, and what is derived from it: parsing, range checks,
 *   help, completion, the dump that the man page is checked against.
 * Rests on: respite/sys/filter.h (sizes and durations), cli/exit.h, cli/print.h.
 * Does not: take secrets, know any program's verbs, accept shortened long names.
 *
 * The table of a program, whole:
 *
 *     enum { O_JSON, O_KEY, O_LIMIT, O_BYTES, O_THREADS, O_COUNT };
 *     enum { V_INFO = 1 << 0, V_EXPORT = 1 << 1 };
 *     static const char *const bytes_words[] = {"utf8", "latin1", "base64", NULL};
 *
 *     static const struct verb verbs[] = {
 *         {.name = "info", .bit = V_INFO, .operands = "FILE", .min = 1, .max = 1, .help = "what is in FILE"},
 *         {.name = "export", .aliases = "json", .bit = V_EXPORT, .operands = "FILE...", .min = 1,
 *          .max = OPERANDS_MANY, .help = "the data as JSON"},
 *         {0}};
 *     static const struct opt opts[] = {
 *         {O_JSON, "json", 0, OPT_FLAG, .verbs = V_INFO, .help = "report as JSON"},
 *         {O_KEY, "key", 'k', OPT_STRING, .repeat = 1, .arg = "GLOB", .verbs = VERB_ALL,
 *          .help = "only these keys"},
 *         {O_LIMIT, "limit", 0, OPT_INT, .arg = "N", .min = 1, .max = INT64_MAX, .verbs = VERB_ALL,
 *          .help = "stop after N keys"},
 *         {O_BYTES, "bytes", 0, OPT_ENUM, .words = bytes_words, .text = "utf8", .verbs = V_EXPORT,
 *          .help = "how bytes are shown"},
 *         {O_THREADS, "threads", 0, OPT_INT, .arg = "N", .min = 1, .max = 256, .env = "RDBTOOL_THREADS",
 *          .verbs = VERB_ALL, .help = "worker threads (default: processors)"},
 *         {0}};
 *     static const struct program program = {.name = "rdbtool", .about = "reads RDB files",
 *         .version = RSP_VERSION_STRING, .verbs = verbs, .opts = opts, .count = O_COUNT};
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct options o;
 *         int code = options_parse(&program, argc, argv, &o);
 *         if (code < 0)                      -- go on: o.verb->bit, o.operand[0..o.operands)
 *             code = run(&o);                -- o.value[O_LIMIT].count ? o.value[O_LIMIT].number : ...
 *         options_free(&o);
 *         return code;
 *     }
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct options;

enum opt_kind {
    OPT_FLAG,     /* no argument; number 1 */
    OPT_INT,      /* number; decimal, a leading '-' when min allows it */
    OPT_SIZE,     /* number in bytes: "17", "64M", "1GiB" */
    OPT_DURATION, /* number in milliseconds: "250ms", "30s", "2h", "90" (seconds) */
    OPT_PERCENT,  /* number: "10%" or "10" */
    OPT_STRING,   /* text; words, when given, are only proposals for completion */
    OPT_PATH,     /* text; a file name */
    OPT_ENUM      /* number: index in words; text: the word */
};

struct opt {
    int id;           /* index of its value: 0 .. program.count - 1 */
    const char *name; /* long name, without "--"; NULL ends the table. Two entries may share id, name and
                                 letter when no verb takes both: what --format accepts may differ by verb */
    char letter;      /* or 0 */
    enum opt_kind kind;
    int repeat;               /* may be given several times, see list; else a second time is an error (not of a flag) */
    const char *arg;          /* word for help: "GLOB"; NULL: a word by the kind */
    int64_t min, max;         /* INT, SIZE, DURATION; both 0: not checked (INT then refuses negatives) */
    const char *text;         /* default, read as if it had been given; NULL: none */
    const char *const *words; /* ENUM: the legal words; NULL ends */
    uint64_t verbs;           /* mask of verb bits that take it */
    const char *env;          /* environment variable that stands in when it is not given; NULL: see env_prefix */
    const char *help;         /* one line, no full stop; NULL hides it from help and completion */
    const char *alone;        /* "--name" without "=value" means this value; NULL: the next word is the value */
    unsigned sections;        /* where a configuration file may hold it; bits of the program's own, 0: nowhere */
};

#define VERB_ALL UINT64_MAX
#define OPERANDS_MANY INT_MAX

struct verb {
    const char *name;     /* one word, or two with a blank between them ("key new"); NULL ends the table */
    const char *aliases;  /* "json,dump", or NULL */
    uint64_t bit;         /* one bit of its own */
    const char *operands; /* for help: "FILE [KEY]"; its first words name a missing operand */
    int min, max;         /* how many operands */
    const char *help;     /* one line */
    const char *notes;    /* further lines of help below the options, or NULL */
};

struct program {
    const char *name, *about, *version;
    const struct verb *verbs;
    const struct opt *opts;
    int count;         /* of option ids */
    const char *notes; /* further lines below the program's help, or NULL */
    /* Every option without a variable of its own has one: this, and its name in capitals, '_' for '-'. NULL: none. */
    const char *env_prefix;
    /* Called behind the arguments and the environment, before the defaults: hands in what a configuration file says,
     * by options_config. Returns -1 to go on, else an exit status after a message. Both may be NULL. */
    int (*config)(struct options *o);
    void (*config_free)(void *config);
};

/* Each stands before those on its left. */
enum opt_from { OPT_FROM_NONE, OPT_FROM_DEFAULT, OPT_FROM_CONFIG, OPT_FROM_ENV, OPT_FROM_ARGV };

struct opt_value {
    int count; /* how often it was given, by argument, environment or configuration; a default does not count */
    enum opt_from from;
    const char *where; /* of OPT_FROM_CONFIG: "FILE:LINE" */
    int64_t number;    /* of the last one; see opt_kind */
    const char *text;  /* of the last one, as given; NULL: neither given nor defaulted */
    const char **list; /* repeat: list[0..n) in the order given (a default: n is 1) */
    size_t n;
};

struct options {
    const struct program *program;
    const struct verb *verb;
    const char *word;        /* the verb as the user wrote it (an alias may differ from verb->name) */
    void *config;            /* of the program's config function; config_free has it in the end */
    struct opt_value *value; /* [program->count] */
    const char **operand;    /* "-" stays "-" */
    size_t operands;
};

/* prog VERB [options] [operands]: VERB is one word or two; options stand anywhere behind it; "--name value",
 * "--name=value", "-x value", "-xvalue", flags of one letter may be joined ("-vq"); "--" ends
 * the options; "-" is an operand. Text is borrowed from argv and the environment.
 * Returns -1 to go on, else the exit status to end with at once: 0 after --help, --version,
 * "help [VERB]", __options, __completion bash|zsh (on stdout); EXIT_USAGE after a message on
 * stderr. options_free is due either way; o need not be initialised. */
int options_parse(const struct program *program, int argc, char **argv, struct options *o);
void options_free(struct options *o);

/* "rdbtool: VERB: ..." on stderr; returns EXIT_USAGE, so that a verb that finds its arguments
 * at odds may return it. */
int options_usage(const struct options *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For the program's config function. where: "FILE:LINE", borrowed as long as o; text likewise. The value is checked by
 * the table as an argument would be; it is then kept unless the option was given by argument or environment. Several
 * values in one configuration are a list, of an option that is repeatable. A message and EXIT_USAGE when it is
 * wrong. */
int options_config(struct options *o, const struct opt *opt, const char *where, const char *text);
/* The check alone. */
int options_config_check(const struct options *o, const struct opt *opt, const char *where, const char *text);

/* The environment variable of an option, or NULL. */
#define ENV_NAME_MAX 80
const char *options_env(const struct program *program, const struct opt *opt, char out[ENV_NAME_MAX]);

/* The three texts that options_parse prints by itself. verb NULL: the whole program's help. */
void options_help(const struct program *program, const struct verb *verb, FILE *out);
/* One line per option: long<TAB>short or -<TAB>arg or -<TAB>verbs with commas<TAB>help. */
void options_dump(const struct program *program, FILE *out);
/* shell: "bash" or "zsh"; 0, or EXIT_USAGE for another one. */
int options_completion(const struct program *program, const char *shell, FILE *out);

#endif
