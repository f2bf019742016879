/* What this is: the option table of rdbtool.
 * Rests on: options.h, cli/reading.h.
 * Does not: know what a verb does. */
#include "rdbtool/options.h"

#define V_MANY (V_INFO | V_CHECK | V_EXPORT) /* get names one key in one database */
#define V_READ (V_MANY | V_GET)              /* these look into the dump */
#define V_OPEN (V_READ | V_UNPACK)           /* these open what is sealed */

static const struct verb verbs[] = {
    {.name = "info", .bit = V_INFO, .operands = "FILE", .min = 1, .max = 1, .help = "what is in FILE"},
    {.name = "check",
     .bit = V_CHECK,
     .operands = "FILE...",
     .min = 1,
     .max = OPERANDS_MANY,
     .help = "is every FILE sound?"},
    {.name = "export",
     .aliases = "json,resp,protocol",
     .bit = V_EXPORT,
     .operands = "FILE",
     .min = 1,
     .max = 1,
     .help = "the data as JSON, an object a key (under the name json: one array), or as commands (resp)"},
    {.name = "get",
     .bit = V_GET,
     .operands = "FILE [KEY]",
     .min = 1,
     .max = 2,
     .help = "the value of one key: a string's bytes as they are, else JSON"},
    {.name = "pack",
     .bit = V_PACK,
     .operands = "FILE",
     .min = 1,
     .max = 1,
     .help = "seal FILE for its recipients, compressed",
     .notes = "FILE is sealed as it is, sound or not: whoever wants to know asks check.\n"
              "A recipient is what 'backupd key new' and 'backupd key show' print.\n"},
    {.name = "unpack", .bit = V_UNPACK, .operands = "FILE", .min = 1, .max = 1, .help = "what pack sealed, as it was"},
    {0}};

static const struct opt opts[] = {
    READING_FILTER_ROWS(V_READ, V_MANY, V_GET),
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
    {O_TARGET, "to-target", 0, OPT_STRING, .arg = "SERVER", .verbs = V_CHECK,
     .help = "also say what of each FILE this server could not hold, such as redis:7.0 or valkey:8.1"},
    READING_OUTPUT_ROWS(V_GET, V_EXPORT),
    READING_COMMAND_ROWS(V_EXPORT),
    {O_OUTPUT, "output", 'o', OPT_PATH, .arg = "OUT", .verbs = V_EXPORT | V_PACK | V_UNPACK,
     .help = "write to this file, which appears when all is well, or not at all; - is standard output"},
    {O_FORCE, "force", 0, OPT_FLAG, .verbs = V_EXPORT | V_PACK | V_UNPACK, .help = "OUT may replace an existing file"},
    {O_RECIPIENT, "recipient", 0, OPT_STRING, .repeat = 1, .arg = "PUB", .verbs = V_PACK,
     .help = "who can open it: a public identity, rsp-pub-..."},
    {O_RECIPIENTS_FILE, "recipients-file", 0, OPT_PATH, .verbs = V_PACK,
     .help = "public identities, one a line; # begins a comment"},
    {O_LEVEL, "level", 0, OPT_INT, .arg = "N", .min = 1, .max = 22, .text = "3", .verbs = V_PACK, .help = "of zstd"},
    {O_NO_RECHECK, "no-recheck", 0, OPT_FLAG, .verbs = V_PACK,
     .help = "do not decompress and compare each chunk after compressing it"},
    {O_IDENTITY, "identity", 'i', OPT_PATH, .repeat = 1, .verbs = V_OPEN, .env = "RESPITE_IDENTITY",
     .help = "identity file or recovery sheet that opens FILE when it is sealed; - asks for it"},
    {O_PASSPHRASE_FILE, "passphrase-file", 0, OPT_PATH, .verbs = V_OPEN, .env = "RESPITE_PASSPHRASE_FILE",
     .help = "the passphrase of the identity is what this file holds"},
    {O_PASSPHRASE_FD, "passphrase-fd", 0, OPT_INT, .arg = "N", .min = 0, .max = 1 << 20, .verbs = V_OPEN,
     .env = "RESPITE_PASSPHRASE_FD", .help = "read the passphrase from this descriptor"},
    {O_PASSPHRASE_COMMAND, "passphrase-command", 0, OPT_STRING, .arg = "COMMAND", .verbs = V_OPEN,
     .env = "RESPITE_PASSPHRASE_COMMAND", .help = "the passphrase is what this prints; run without a shell"},
    {O_THREADS, "threads", 0, OPT_INT, .arg = "N", .min = 1, .max = 256, .verbs = VERB_ALL,
     .help = "worker threads (default: processors)"},
    {O_NO_PROGRESS, "no-progress", 0, OPT_FLAG, .verbs = VERB_ALL, .help = "no progress line on the terminal"},
    {0}};

const int rdbtool_reading[READING_COUNT] = READING_ALL_IDS;

const struct program rdbtool_program = {
    .name = "rdbtool",
    .about = "reads RDB files of every Redis and Valkey",
    .version = RSP_VERSION_STRING,
    .verbs = verbs,
    .opts = opts,
    .count = O_COUNT,
    .notes = "FILE may be - for standard input, and may be compressed by zstd, gzip or lz4,\n"
             "and sealed by pack: --identity opens it.\n"
             "Exit status: 0 well, 3 findings, 4 no such key, 12 no identity opens FILE, 21 FILE cannot be read,\n"
             "23 malformed, 24 wrong checksum or seal; all in respite-exit-status(7).\n",
};
