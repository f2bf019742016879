/* What this is: the tables of backupd: its verbs, and its options, which are also environment variables and the keys of
 *   the configuration file.
 * Rests on: options.h, config.h, cli/reading.h.
 * Does not: know what a verb does. */
#include "backupd/options.h"

#include <respite/version.h>

#include "backupd/config.h"
#include "cli/connection.h"
#include "cli/reading.h"

#define V_FILTER (V_GET | V_EXPORT)
#define V_READ (V_CAT | V_GET | V_EXPORT | V_RESTORE)
/* Those that read the record log. */
#define V_LOG                                                                                                        \
    (V_BACKUP | V_LIST | V_SHOW | V_READ | V_VERIFY | V_PIN | V_UNPIN | V_ANNOTATE | V_EXPIRE | V_PRUNE | V_STATUS | \
     V_CHECK | V_KEY_REMOVE | V_KEY_REWRAP | V_KEY_FORGET | V_DRILL | V_COPY)
/* Those that open or seal a secret. */
#define V_SECRET (VERB_ALL & ~(V_KEY_POLICY | V_PROBE))
#define V_REPO (VERB_ALL & ~V_KEY_POLICY)
#define V_REPORT (VERB_ALL & ~(V_FILTER | V_CAT | V_KEY_POLICY))

/* Those that only read, so that old versions will do. */
#define V_OLDEST (V_LIST | V_SHOW | V_READ | V_VERIFY | V_STATUS)
#define V_KEYED (V_REPO & ~V_PROBE)

/* Those that speak to a server; where a configuration may name it: a restore is never led anywhere by a file. */
#define V_ASK (V_BACKUP | V_CHECK)

#define OF_REPO (SECTION_GLOBAL | SECTION_REPO)
#define OF_SOURCE (SECTION_GLOBAL | SECTION_SOURCE)

static const char *const check_words[] = {"full", "quick", NULL};
static const char *const prove_words[] = {"read", "server", NULL};
static const char *const method_words[] = {"psync", "bgsave", "scan", NULL};   /* enum rsp_capture_method */
static const char *const role_words[] = {"any", "replica", "master", NULL};    /* enum rsp_capture_role */
static const char *const existing_words[] = {"fail", "skip", "replace", NULL}; /* enum rsp_resp_existing */
static const char *const expiry_words[] = {"keep", "drop-expired", "shift", "persist", "none", "any", "expired", NULL};
static const char *const suite_words[] = {"chacha20poly1305", "none", NULL};

static const struct verb verbs[] = {
    {.name = "init",
     .bit = V_INIT,
     .help = "make a repository, or make this host known to one (--root)",
     .notes = "The recovery sheet is shown once, on the terminal or in the file of --recovery-out. Whoever has it can\n"
              "do everything; without it nothing can be restored once the other readers are gone. Print it."},
    {.name = "key new", .bit = V_KEY_NEW, .help = "make an identity in a file of its own"},
    {.name = "key show", .bit = V_KEY_SHOW, .help = "the public text, name and rights of the identity at hand"},
    {.name = "key add",
     .bit = V_KEY_ADD,
     .operands = "[PUB]",
     .max = 1,
     .help = "give an identity rights (needs --identity of root)",
     .notes = "A passphrase reader has no file: its secret stands in the roles record under the passphrase. Whoever\n"
              "steals the storage can guess passphrases at leisure: take a long one."},
    {.name = "key remove",
     .bit = V_KEY_REMOVE,
     .operands = "NAME|PUB",
     .min = 1,
     .max = 1,
     .help = "take an identity's rights away (needs --identity of root)"},
    {.name = "key list", .bit = V_KEY_LIST, .help = "who may do what"},
    {.name = "key rewrap", .bit = V_KEY_REWRAP, .help = "let today's readers open the snapshots there are"},
    {.name = "key republish", .bit = V_KEY_REPUBLISH, .help = "put back roles records that the storage lost"},
    {.name = "key forget",
     .bit = V_KEY_FORGET,
     .operands = "HASH|NAME...",
     .min = 1,
     .max = OPERANDS_MANY,
     .help = "give up lost roles records for ever (needs --identity of root)",
     .notes = "Only when no host and no mirror has them. What they changed is not known any more: the newest roles\n"
              "that are there hold in their place. Look at 'key list', and remove again whom they may have removed."},
    {.name = "key policy", .bit = V_KEY_POLICY, .help = "how to let a writer create and never change or delete"},
    {.name = "backup",
     .bit = V_BACKUP,
     .operands = "[SOURCE|URI]",
     .max = 1,
     .help = "store the data of a server, or a dump, as a snapshot, checked while it is stored",
     .notes = "SOURCE is a section [source NAME] of the configuration. The password: REDISCLI_AUTH, --askpass or\n"
              "--pass-file; never an argument."},
    {.name = "list", .bit = V_LIST, .help = "the snapshots, the newest last"},
    {.name = "show", .bit = V_SHOW, .operands = "ID", .min = 1, .max = 1, .help = "all about one snapshot"},
    {.name = "cat",
     .bit = V_CAT,
     .operands = "ID [STREAM|NAME]",
     .min = 1,
     .max = 2,
     .help = "the bytes of a snapshot, or of what was kept beside it, on standard output"},
    {.name = "get", .bit = V_GET, .operands = "ID [KEY]", .min = 1, .max = 2, .help = "the value of one key"},
    {.name = "export",
     .aliases = "json,resp,protocol",
     .bit = V_EXPORT,
     .operands = "ID",
     .min = 1,
     .max = 1,
     .help = "the data of a snapshot as JSON, an object a key, or as commands (resp)"},
    {.name = "verify",
     .bit = V_VERIFY,
     .operands = "[ID]",
     .max = 1,
     .help = "is everything there, and is it what was signed?"},
    {.name = "restore",
     .bit = V_RESTORE,
     .operands = "ID",
     .min = 1,
     .max = 1,
     .help = "a snapshot into a file, a server's data directory, or a running server",
     .notes =
         "A running server is named by --to URI, or by -h, -p, -s or -u among the arguments. Everything is verified\n"
         "before the first write; existing keys are left alone unless --existing says otherwise."},
    {.name = "drill",
     .bit = V_DRILL,
     .operands = "[ID]",
     .max = 1,
     .help = "prove a snapshot: restore it into a private server and compare"},
    {.name = "copy",
     .bit = V_COPY,
     .operands = "[ID...]",
     .max = OPERANDS_MANY,
     .help = "snapshots into another repository, without opening them (--rekey: under other keys)",
     .notes = "Needs a keeper of the target. Run it again after a fault: what is there is not sent twice. What the\n"
              "target has retired or removed is not brought back without --again."},
    {.name = "pin", .bit = V_PIN, .operands = "ID", .min = 1, .max = 1, .help = "keep a snapshot for ever"},
    {.name = "unpin", .bit = V_UNPIN, .operands = "ID", .min = 1, .max = 1, .help = "no longer keep it for ever"},
    {.name = "annotate",
     .bit = V_ANNOTATE,
     .operands = "ID K=V...",
     .min = 2,
     .max = OPERANDS_MANY,
     .help = "write facts beside a snapshot, in the clear"},
    {.name = "expire",
     .bit = V_EXPIRE,
     .operands = "[ID...]",
     .max = OPERANDS_MANY,
     .help = "retire snapshots by the rules of --keep-*, or these",
     .notes = "Nothing is deleted: prune does that, when the quarantine is over. The last good snapshot of a source,\n"
              "pinned ones, those younger than --min-age and more than 30% at once are never retired."},
    {.name = "prune", .bit = V_PRUNE, .help = "delete what was retired long enough ago, and debris"},
    {.name = "status", .bit = V_STATUS, .help = "the newest snapshot of each source, for monitoring"},
    {.name = "check",
     .bit = V_CHECK,
     .operands = "[SOURCE|URI]",
     .max = 1,
     .help = "how a server sees us; configuration, rights, clock and space of the repository"},
    {.name = "probe",
     .bit = V_PROBE,
     .help = "try everything that a repository asks of a storage on this one",
     .notes = "Needs no repository, and no identity: objects are made below probe-<random>/ and removed again. Exit\n"
              "status 3: it would do, with what is said; 22: no repository should be kept there."},
    {0}};

// clang-format off
/* How the store of a repository is reached; [repo NAME] may say it of each. */
#define STORE_ROWS \
    {O_REPO_USER, "repo-user", 0, OPT_STRING, .arg = "NAME", .verbs = V_REPO, .sections = SECTION_REPO, \
     .help = "SFTP, WebDAV: the user, unless the URL names one"}, \
    {O_REPO_PASSWORD, "repo-password", 0, OPT_STRING, .verbs = V_REPO}, \
    {O_REPO_PASSWORD_FILE, "repo-password-file", 0, OPT_PATH, .verbs = V_REPO, .sections = SECTION_REPO, \
     .help = "the password is what this file holds (or the variable RESPITE_REPO_PASSWORD)"}, \
    {O_REPO_PASSWORD_COMMAND, "repo-password-command", 0, OPT_STRING, .arg = "COMMAND", .verbs = V_REPO, \
     .sections = SECTION_REPO, .help = "the password is what this prints; run without a shell"}, \
    {O_S3_KEY_ID, "s3-key-id", 0, OPT_STRING, .arg = "ID", .verbs = V_REPO, .sections = OF_REPO, \
     .help = "S3: the access key (or AWS_ACCESS_KEY_ID, a profile, a role)"}, \
    {O_S3_SECRET_FILE, "s3-secret-file", 0, OPT_PATH, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "S3: the secret key is what this file holds (or AWS_SECRET_ACCESS_KEY)"}, \
    {O_S3_SECRET_COMMAND, "s3-secret-command", 0, OPT_STRING, .arg = "COMMAND", .verbs = V_REPO, .sections = OF_REPO, \
     .help = "S3: the secret key is what this prints; run without a shell"}, \
    {O_S3_PROFILE, "s3-profile", 0, OPT_STRING, .arg = "NAME", .verbs = V_REPO, .sections = OF_REPO, \
     .help = "S3: the section of the credentials file (default: AWS_PROFILE, or 'default')"}, \
    {O_S3_CREDENTIALS_FILE, "s3-credentials-file", 0, OPT_PATH, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "S3: keys by profiles (default: AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/credentials)"}, \
    {O_S3_INSTANCE_ROLE, "s3-instance-role", 0, OPT_FLAG, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "S3: ask the machine's metadata service for keys"}, \
    {O_LOCK, "lock", 0, OPT_STRING, .arg = "MODE:DURATION", .verbs = V_REPO, .sections = OF_REPO, \
     .help = "S3: lock every object that is put: governance:30d, or compliance:30d, which nobody can undo"}, \
    {O_SSH_KEY, "ssh-key", 0, OPT_PATH, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "SFTP: the private key to log in with"}, \
    {O_SSH_KEY_PASSPHRASE_FILE, "ssh-key-passphrase-file", 0, OPT_PATH, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "SFTP: the key's passphrase is what this file holds"}, \
    {O_SSH_AGENT, "ssh-agent", 0, OPT_FLAG, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "SFTP: log in with the keys of the agent"}, \
    {O_KNOWN_HOSTS, "known-hosts", 0, OPT_PATH, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "SFTP: the keys of servers (default: ~/.ssh/known_hosts); a server that is not there is refused"}, \
    {O_HOST_KEY, "host-key", 0, OPT_STRING, .arg = "SHA256:...", .verbs = V_REPO, .sections = SECTION_REPO, \
     .help = "SFTP: the server's key, as ssh prints it, instead of such a file"}, \
    {O_REPO_CACERT, "repo-cacert", 0, OPT_PATH, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "certificates to verify the storage's by (default: the system's)"}, \
    {O_REPO_CACERTDIR, "repo-cacertdir", 0, OPT_PATH, .arg = "DIR", .verbs = V_REPO, .sections = OF_REPO, \
     .help = "a directory of such"}, \
    {O_REPO_CERT, "repo-cert", 0, OPT_PATH, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "our own certificate for the storage"}, \
    {O_REPO_CERT_KEY, "repo-cert-key", 0, OPT_PATH, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "and its private key"}, \
    {O_REPO_PROXY, "repo-proxy", 0, OPT_STRING, .arg = "URL|none", .verbs = V_REPO, .sections = OF_REPO, \
     .help = "the way to the storage (default: https_proxy, HTTPS_PROXY, all_proxy)"}, \
    {O_REPO_NO_PROXY, "repo-no-proxy", 0, OPT_STRING, .arg = "HOSTS", .verbs = V_REPO, .sections = OF_REPO, \
     .help = "hosts that are reached without it, with commas (default: no_proxy, NO_PROXY)"}, \
    {O_REPO_CONNECT_TIMEOUT, "repo-connect-timeout", 0, OPT_DURATION, .min = 1, .max = 86400000, .verbs = V_REPO, \
     .sections = OF_REPO, .help = "how long connecting to the storage may take (default: 10s)"}, \
    {O_REPO_STALL_TIMEOUT, "repo-stall-timeout", 0, OPT_DURATION, .min = 1, .max = 86400000, .verbs = V_REPO, \
     .sections = OF_REPO, .help = "how long a request may stand still (default: 60s)"}, \
    {O_RETRIES, "retries", 0, OPT_INT, .arg = "N", .min = 0, .max = 100, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "how often a request is tried again that may succeed then (default: 5)"}, \
    {O_PARALLEL, "parallel", 0, OPT_INT, .arg = "N", .min = 1, .max = 64, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "requests to the storage under way at once (default: 4)"}, \
    {O_PART_SIZE, "part-size", 0, OPT_SIZE, .min = 5 << 20, .max = 64 << 20, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "of a large object's parts (default: 8 MiB); parallel + 1 of them are in memory"}, \
    {O_LIMIT_RATE, "limit-rate", 0, OPT_SIZE, .min = 1024, .max = INT64_MAX, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "at most so many bytes a second to the storage, and as many from it"}, \
    {O_LIMIT_UPLOAD, "limit-upload", 0, OPT_SIZE, .min = 1024, .max = INT64_MAX, .verbs = V_REPO, .sections = OF_REPO, \
     .help = "to it"}, \
    {O_LIMIT_DOWNLOAD, "limit-download", 0, OPT_SIZE, .min = 1024, .max = INT64_MAX, .verbs = V_REPO, \
     .sections = OF_REPO, .help = "from it"}
// clang-format on

static const struct opt opts[] = {
    {O_REPO, "repo", 'r', OPT_STRING, .arg = "URL|NAME", .verbs = V_REPO, .sections = OF_SOURCE,
     .help = "the repository: file:/absolute/path, s3://..., sftp://..., davs://..., or a section [repo NAME]"},
    {O_REPOS, "repos", 0, OPT_STRING, .arg = "URL|NAME,...", .verbs = V_BACKUP | V_CHECK | V_KEY_REMOVE,
     .sections = SECTION_SOURCE,
     .help = "several, with commas: one capture goes to all of them; one lineage (init --mirror-of)"},
    {O_IDENTITY, "identity", 'i', OPT_PATH, .repeat = 1, .verbs = V_SECRET & ~V_KEY_NEW, .sections = OF_REPO,
     .help = "identity file or recovery sheet; - asks for it; in place of the host's own"},
    {O_PASSPHRASE_FILE, "passphrase-file", 0, OPT_PATH, .verbs = V_SECRET, .sections = OF_REPO,
     .help = "the passphrase of what is sealed is what this file holds"},
    {O_PASSPHRASE_FD, "passphrase-fd", 0, OPT_INT, .arg = "N", .min = 0, .max = 1 << 20, .verbs = V_SECRET,
     .help = "read the passphrase from this descriptor"},
    {O_PASSPHRASE_COMMAND, "passphrase-command", 0, OPT_STRING, .arg = "COMMAND", .verbs = V_SECRET,
     .sections = OF_REPO, .help = "the passphrase is what this prints; run without a shell"},
    {O_ROOT, "root", 0, OPT_STRING, .arg = "PUB|FILE", .verbs = V_KEYED, .sections = OF_REPO,
     .help = "the public identity of root, on a host that init has not seen"},
    {O_ACCEPT_ROLLBACK, "accept-rollback", 0, OPT_FLAG, .verbs = V_LOG,
     .help = "go on although the storage shows less than this host has seen"},
    {O_EXPECT_HEAD, "expect-head", 0, OPT_STRING, .arg = "HASH", .verbs = V_LOG,
     .help = "the log must hold this record (first digits of its hash)"},
    {O_CONFIG, "config", 0, OPT_PATH, .verbs = VERB_ALL,
     .help = "configuration file (default: " CONFIG_DEFAULT ", when it exists)"},
    {O_STATE, "state", 0, OPT_PATH, .arg = "DIR", .verbs = VERB_ALL, .sections = SECTION_GLOBAL,
     .help = "state directory (default: /var/lib/respite for root, else ~/.local/state/respite)"},
    {O_NOW, "now", 0, OPT_STRING, .arg = "TIME", .verbs = VERB_ALL & ~V_FILTER,
     .help = "instead of the clock: 2026-11-20T05:35:00Z, @seconds, or milliseconds since the epoch"},
    {O_JSON, "json", 'j', OPT_FLAG, .verbs = V_REPORT, .help = "the report as JSON"},
    {O_VERBOSE, "verbose", 'v', OPT_FLAG, .verbs = VERB_ALL, .sections = SECTION_GLOBAL,
     .help = "say more on standard error"},
    {O_NO_PROGRESS, "no-progress", 0, OPT_FLAG, .verbs = V_BACKUP | V_READ | V_VERIFY | V_CHECK | V_DRILL | V_COPY,
     .sections = SECTION_GLOBAL, .help = "no progress line on the terminal"},
    {O_THREADS, "threads", 0, OPT_INT, .arg = "N", .min = 1, .max = 256,
     .verbs = V_BACKUP | V_READ | V_VERIFY | V_CHECK | V_DRILL | V_COPY, .sections = OF_SOURCE,
     .help = "worker threads (default: processors)"},
    {O_TMPDIR, "tmpdir", 0, OPT_PATH, .arg = "DIR",
     .verbs = V_BACKUP | V_FILTER | V_VERIFY | V_RESTORE | V_CHECK | V_DRILL, .sections = SECTION_GLOBAL,
     .help = "where temporary files go (default: $TMPDIR, /var/tmp or /tmp)"},
    {O_DRY_RUN, "dry-run", 'n', OPT_FLAG, .verbs = V_EXPIRE | V_PRUNE | V_KEY_REMOVE | V_PIN | V_UNPIN | V_COPY,
     .help = "say what would be done, and do nothing"},
    {O_DRY_RUN, "dry-run", 0, OPT_FLAG, .verbs = V_RESTORE,
     .help = "into a server: counts, size, what would be lost, and how long; nothing is written"},

    {O_RECOVERY_OUT, "recovery-out", 0, OPT_PATH, .verbs = V_INIT,
     .help = "write the recovery sheet to this new file instead of the terminal"},
    {O_NAME, "name", 0, OPT_STRING, .arg = "NAME", .verbs = V_INIT | V_KEY_NEW | V_KEY_ADD,
     .help = "what roles records call the identity (init: default the host's name)"},
    {O_NO_KEEP, "no-keep", 0, OPT_FLAG, .verbs = V_INIT, .help = "this host may write, but not expire or prune"},
    {O_MIRROR_OF, "mirror-of", 0, OPT_STRING, .arg = "URL|NAME", .verbs = V_INIT,
     .help = "a second repository with the roles of this one"},
    {O_OUT, "out", 0, OPT_PATH, .verbs = V_KEY_NEW, .help = "the new file of the identity"},
    {O_ROLE, "role", 0, OPT_STRING, .repeat = 1, .arg = "ROLE", .verbs = V_KEY_ADD,
     .help = "read, write, write:SOURCE,SOURCE, keep or prove"},
    {O_PASSPHRASE_READER, "passphrase-reader", 0, OPT_FLAG, .verbs = V_KEY_ADD,
     .help = "a new identity, sealed under the passphrase into the roles record"},

    {O_SOURCE, "source", 0, OPT_STRING, .arg = "NAME", .text = CONFIG_SOURCE, .verbs = V_ASK,
     .sections = SECTION_GLOBAL,
     .help = "what is backed up; a section [source NAME] of the configuration may tell more"},
    {O_SOURCE, "source", 's', OPT_STRING, .arg = "NAME",
     .verbs = V_LIST | V_SHOW | (V_READ & ~V_RESTORE) | V_VERIFY | V_PIN | V_UNPIN | V_ANNOTATE | V_STATUS | V_EXPIRE |
              V_DRILL | V_COPY,
     .help = "only snapshots of this source"},
    {O_SOURCE, "source", 0, OPT_STRING, .arg = "NAME", .verbs = V_RESTORE, .help = "only snapshots of this source"},
    {O_ALL, "all", 'a', OPT_FLAG, .verbs = V_LIST, .help = "every snapshot, with the whole log verified"},
    {O_LIMIT, "limit", 0, OPT_INT, .arg = "N", .min = 1, .max = 1000000, .text = "20", .verbs = V_LIST,
     .help = "the newest so many"},
    {O_NOTE, "note", 0, OPT_STRING, .arg = "TEXT", .verbs = V_PIN, .help = "why"},
    {O_KEEP_LAST, "keep-last", 0, OPT_INT, .arg = "N", .min = 0, .max = 1000000, .verbs = V_EXPIRE | V_CHECK,
     .sections = OF_REPO, .help = "keep the newest so many of each source"},
    {O_KEEP_HOURLY, "keep-hourly", 0, OPT_INT, .arg = "N", .min = 0, .max = 1000000, .verbs = V_EXPIRE | V_CHECK,
     .sections = OF_REPO, .help = "keep one of each of so many hours"},
    {O_KEEP_DAILY, "keep-daily", 0, OPT_INT, .arg = "N", .min = 0, .max = 1000000, .verbs = V_EXPIRE | V_CHECK,
     .sections = OF_REPO, .help = "keep one of each of so many days"},
    {O_KEEP_WEEKLY, "keep-weekly", 0, OPT_INT, .arg = "N", .min = 0, .max = 1000000, .verbs = V_EXPIRE | V_CHECK,
     .sections = OF_REPO, .help = "keep one of each of so many weeks"},
    {O_KEEP_MONTHLY, "keep-monthly", 0, OPT_INT, .arg = "N", .min = 0, .max = 1000000, .verbs = V_EXPIRE | V_CHECK,
     .sections = OF_REPO, .help = "keep one of each of so many months"},
    {O_KEEP_YEARLY, "keep-yearly", 0, OPT_INT, .arg = "N", .min = 0, .max = 1000000, .verbs = V_EXPIRE | V_CHECK,
     .sections = OF_REPO, .help = "keep one of each of so many years"},
    {O_KEEP_WITHIN, "keep-within", 0, OPT_DURATION, .verbs = V_EXPIRE | V_CHECK, .sections = OF_REPO,
     .help = "keep all that are not older"},
    {O_MIN_AGE, "min-age", 0, OPT_DURATION, .text = "24h", .verbs = V_EXPIRE | V_CHECK, .sections = OF_REPO,
     .help = "never retire a younger one"},
    {O_ACKNOWLEDGE, "acknowledge", 0, OPT_STRING, .repeat = 1, .arg = "NAME|HASH", .verbs = V_EXPIRE,
     .help = "give up what is damaged or missing: the way out of exit status 24"},
    {O_QUARANTINE, "quarantine", 0, OPT_DURATION, .text = "24h", .verbs = V_PRUNE | V_CHECK, .sections = OF_REPO,
     .help = "how long a retired snapshot stays"},
    {O_DEBRIS_AGE, "debris-age", 0, OPT_DURATION, .text = "7d", .verbs = V_PRUNE | V_CHECK, .sections = OF_REPO,
     .help = "how long leftovers of dead runs stay"},
    {O_MAX_AGE, "max-age", 0, OPT_DURATION, .verbs = V_STATUS | V_CHECK, .sections = OF_REPO,
     .help = "exit status 3 when the newest snapshot of a source is older"},
    {O_PRINT_CONFIG, "print-config", 0, OPT_FLAG, .verbs = V_CHECK,
     .help = "the values that count, and where each comes from; nothing else"},

    {O_FROM, "from", 0, OPT_PATH, .verbs = V_BACKUP | V_CHECK, .sections = SECTION_SOURCE,
     .help = "the dump; - is standard input; may be compressed by zstd, gzip or lz4"},
    {O_FROM, "from", 0, OPT_STRING, .arg = "URL|NAME", .verbs = V_COPY,
     .help = "the repository that is copied from (default: --repo)"},
    {O_TO, "to", 0, OPT_STRING, .arg = "URL|NAME", .verbs = V_COPY, .help = "the repository that is copied into"},
    {O_AGAIN, "again", 0, OPT_FLAG, .verbs = V_COPY, .help = "also what the target has retired or removed"},
    {O_VERIFY, "verify", 0, OPT_FLAG, .verbs = V_COPY,
     .help = "read and hash what the target has already; replace what is damaged"},
    {O_REKEY, "rekey", 0, OPT_FLAG, .verbs = V_COPY,
     .help = "open and seal anew, for a repository of another root; needs a reader here and a writer there"},
    {O_SOURCE_AS, "source-as", 0, OPT_STRING, .arg = "NAME", .verbs = V_COPY,
     .help = "with --rekey: what the source is called in the target"},
    {O_TAG, "tag", 0, OPT_STRING, .repeat = 1, .arg = "K=V", .verbs = V_BACKUP | V_CHECK, .sections = OF_SOURCE,
     .help = "a fact for the sealed manifest"},
    {O_CHECK, "check", 0, OPT_ENUM, .words = check_words, .text = "full", .verbs = V_BACKUP | V_CHECK,
     .sections = OF_SOURCE, .help = "how the dump is checked; a quick one is never good"},
    {O_NO_DIGEST, "no-digest", 0, OPT_FLAG, .verbs = V_BACKUP | V_CHECK, .sections = OF_SOURCE,
     .help = "do not compute dd1; never good"},
    {O_ACCEPT_DAMAGED, "accept-damaged", 0, OPT_FLAG, .verbs = V_BACKUP | V_CHECK, .sections = OF_SOURCE,
     .help = "store a damaged dump all the same, flagged for ever"},
    {O_PROVE, "prove", 0, OPT_ENUM, .words = prove_words, .verbs = V_BACKUP | V_CHECK, .sections = OF_SOURCE,
     .help = "read everything back before the commit; or restore it into a private server and compare"},
    {O_LEVEL, "level", 0, OPT_INT, .arg = "N", .min = 1, .max = 22, .text = "3", .verbs = V_BACKUP | V_CHECK,
     .sections = OF_SOURCE, .help = "of zstd"},
    {O_NO_RECHECK, "no-recheck", 0, OPT_FLAG, .verbs = V_BACKUP | V_CHECK, .sections = OF_SOURCE,
     .help = "do not decompress and compare each chunk after compressing it"},
    {O_SUITE, "suite", 0, OPT_ENUM, .words = suite_words, .text = "chacha20poly1305", .verbs = V_BACKUP | V_CHECK,
     .sections = OF_SOURCE, .help = "none: nothing is encrypted, and list says so in every line"},
    {O_CHUNK, "chunk", 0, OPT_SIZE, .min = 4096, .max = 16 << 20, .text = "2M", .verbs = V_BACKUP | V_CHECK,
     .sections = OF_SOURCE, .help = "plaintext of a chunk"},

    CONNECTION_ROWS(V_ASK, SECTION_SOURCE),
    CONNECTION_ROWS(V_RESTORE, 0),
    CONNECTION_OWN_ROWS(V_ASK),
    {O_METHOD, "method", 0, OPT_ENUM, .words = method_words, .text = "psync", .verbs = V_ASK, .sections = OF_SOURCE,
     .help = "as a replica; the file of BGSAVE on this host; or SCAN and DUMP, which is no point in time"},
    {O_SOURCE_ROLE, "source-role", 0, OPT_ENUM, .words = role_words, .text = "any", .verbs = V_ASK,
     .sections = OF_SOURCE, .help = "any: a healthy replica when there is one, else the server itself"},
    {O_SPOOL, "spool", 0, OPT_PATH, .arg = "DIR", .verbs = V_ASK, .sections = OF_SOURCE,
     .help = "what comes faster than it is stored waits here, sealed, instead of in the server"},
    {O_RING, "ring", 0, OPT_SIZE, .min = 64 << 10, .max = INT64_C(4) << 30, .text = "16M", .verbs = V_ASK,
     .sections = OF_SOURCE, .help = "the buffer between the server and the checks"},
    {O_PATIENCE, "patience", 0, OPT_DURATION, .text = "60s", .verbs = V_ASK, .sections = OF_SOURCE,
     .help = "how long a server that is loading or busy is asked again"},
    {O_AT_ONCE, "at-once", 0, OPT_INT, .arg = "N", .min = 1, .max = 256, .text = "8", .verbs = V_ASK,
     .sections = OF_SOURCE, .help = "shards of a cluster that are captured at the same time"},
    {O_SHARD_RETRIES, "shard-retries", 0, OPT_INT, .arg = "N", .max = 1000, .text = "3", .verbs = V_ASK,
     .sections = OF_SOURCE,
     .help = "how often a shard, or Sentinel's master, is captured again when what it sends breaks off"},
    {O_ONE_NODE, "one-node", 0, OPT_FLAG, .verbs = V_ASK, .sections = OF_SOURCE,
     .help = "take a node of a cluster by itself, with the keys of its slots alone"},
    {O_WITH_ACL, "with-acl", 0, OPT_FLAG, .verbs = V_ASK, .sections = OF_SOURCE,
     .help = "keep the access control list in the sealed manifest too"},
    {O_SERVER, "server", 0, OPT_STRING, .repeat = 1, .arg = "PATH", .verbs = V_ASK | V_RESTORE | V_DRILL,
     .sections = OF_SOURCE,
     .help = "a server binary to prove with, or that will load what is restored (default: redis-server, "
             "valkey-server of PATH)"},
    {O_LATEST, "latest", 0, OPT_FLAG, .verbs = V_DRILL, .help = "the newest snapshot, of --source if that is given"},

    READING_FILTER_ROWS(V_FILTER, V_EXPORT, V_GET),
    /* The same for a restore, whose letters belong to the connection, and whose --ttl also says what becomes of it. */
    {O_KEY, "key", 'k', OPT_STRING, .repeat = 1, .arg = "GLOB", .verbs = V_RESTORE,
     .help = "only keys that match, as of the command KEYS"},
    {O_KEY_REGEX, "key-regex", 0, OPT_STRING, .repeat = 1, .arg = "ERE", .verbs = V_RESTORE,
     .help = "only keys that match the extended regular expression"},
    {O_NOT_KEY, "not-key", 0, OPT_STRING, .repeat = 1, .arg = "GLOB", .verbs = V_RESTORE, .help = "no keys that match"},
    {O_NOT_KEY_REGEX, "not-key-regex", 0, OPT_STRING, .repeat = 1, .arg = "ERE", .verbs = V_RESTORE,
     .help = "no keys that match the extended regular expression"},
    {O_TYPE, "type", 0, OPT_STRING, .repeat = 1, .arg = "TYPE", .words = reading_type_words, .verbs = V_RESTORE,
     .help = "only values of these types, with commas between them"},
    {O_DB, "db", 0, OPT_STRING, .repeat = 1, .arg = "N", .verbs = V_RESTORE,
     .help = "only these databases of the snapshot: N, a~b, or several with commas"},
    {O_SIZE, "size", 0, OPT_STRING, .repeat = 1, .arg = "A~B", .verbs = V_RESTORE,
     .help = "only records of so many serialised bytes, such as 1KB~1MB or 10MB~"},
    {O_TTL, "ttl", 0, OPT_STRING, .repeat = 1, .arg = "POLICY|A~B|none|any|expired", .words = expiry_words,
     .verbs = V_RESTORE,
     .help = "keep, drop-expired, shift or persist: what becomes of expiries (default: keep); else as for export: only "
             "such keys"},
    {O_SLOT, "slot", 0, OPT_STRING, .repeat = 1, .arg = "A-B", .verbs = V_RESTORE,
     .help = "only keys of these cluster slots: N, a-b, or several with commas"},
    READING_OUTPUT_ROWS(V_GET, V_EXPORT),
    READING_COMMAND_ROWS(V_EXPORT),
    {O_OUTPUT, "output", 'o', OPT_PATH, .arg = "OUT", .verbs = V_EXPORT,
     .help = "write to this file, which appears when all is well, or not at all"},
    {O_FORCE, "force", 0, OPT_FLAG, .verbs = V_EXPORT | V_RESTORE, .help = "an existing file may be replaced"},
    {O_REPAIR_FROM, "repair-from", 0, OPT_STRING, .arg = "URL|NAME", .verbs = V_VERIFY,
     .help = "fetch what is damaged or missing from this mirror; needs a keeper"},
    {O_READ_STORED, "read-stored", 0, OPT_FLAG, .verbs = V_VERIFY, .help = "hash every stored byte; needs no secret"},
    {O_READ_DATA, "read-data", 0, OPT_PERCENT, .arg = "P%", .alone = "100%", .verbs = V_VERIFY,
     .help = "open, decompress and parse everything again, or so much of it at random"},
    {O_TO, "to", 0, OPT_PATH, .arg = "FILE|DIR|URI", .verbs = V_RESTORE,
     .help = "the file to make; a directory that is there: a server's; redis://...: a running server"},
    {O_RESUME, "resume", 0, OPT_FLAG, .verbs = V_RESTORE, .help = "go on with what an interrupted run left"},
    {O_NO_CHECK, "no-check", 0, OPT_FLAG, .verbs = V_RESTORE, .help = "do not parse what is restored"},
    {O_NODES, "nodes", 0, OPT_STRING, .arg = "N|FILE", .verbs = V_RESTORE,
     .help =
         "files for so many nodes of a cluster, or for those of a nodes.conf or CLUSTER NODES, into --to DIR; 1: one "
         "file for a server by itself"},
    {O_SHARD, "shard", 0, OPT_STRING, .arg = "NAME|SLOTS|NODE", .verbs = V_RESTORE,
     .help = "of a cluster's snapshot this shard alone, as it is"},
    {O_TARGET, "to-target", 0, OPT_STRING, .arg = "SERVER", .verbs = V_RESTORE,
     .help = "with --nodes: who will load the files, such as redis:7.0 or valkey:8.1 (default: who wrote the dumps)"},
    {O_SERVER_CONFIG, "server-config", 0, OPT_PATH, .verbs = V_RESTORE,
     .help = "into the data directory of the server that is started with this file"},
    {O_SERVER_VERSION, "server-version", 0, OPT_STRING, .arg = "KIND:VERSION", .verbs = V_RESTORE,
     .help = "of the server that will load it, such as redis:7.0.15, instead of asking --server"},
    {O_EXISTING, "existing", 0, OPT_ENUM, .words = existing_words, .text = "fail", .verbs = V_RESTORE,
     .help = "keys that the server has already; fail: nothing is written when there is one"},
    {O_DB_MAP, "db-map", 0, OPT_STRING, .repeat = 1, .arg = "A:B", .verbs = V_RESTORE,
     .help = "database A of the snapshot becomes B; several with commas"},
    {O_RATE_OPS, "rate-ops", 0, OPT_INT, .arg = "N", .min = 1, .max = INT64_MAX, .verbs = V_RESTORE,
     .help = "at most so many commands a second"},
    {O_RATE_BYTES, "rate-bytes", 0, OPT_SIZE, .min = 1024, .max = INT64_MAX, .verbs = V_RESTORE,
     .help = "at most so many bytes a second"},
    {O_CHECKPOINT, "checkpoint", 0, OPT_PATH, .verbs = V_RESTORE,
     .help = "keep the state of the restore in this file, and go on from it when it is there"},
    {O_NO_COMPARE, "no-compare", 0, OPT_FLAG, .verbs = V_RESTORE,
     .help = "do not capture the server again and compare"},
    {O_ON_LOSS, "on-loss", 0, OPT_STRING, .arg = "LIST", .words = reading_loss_words, .text = "fail",
     .verbs = V_RESTORE,
     .help = "what the server cannot hold: fail (stop before the first write), drop or convert; or by kind: "
             "field-ttl=convert,array=drop"},
    {O_LOSSES_TO, "losses-to", 0, OPT_PATH, .arg = "FILE", .verbs = V_RESTORE,
     .help = "write there what the server cannot hold, a line of JSON each"},
    {O_NO_FUNCTIONS, "no-functions", 0, OPT_FLAG, .verbs = V_RESTORE, .help = "leave the functions out"},
    {O_READ_ONLY, "read-only", 0, OPT_FLAG, .verbs = V_PROBE, .help = "try nothing that changes something"},
    {O_CREATE_BUCKET, "create-bucket", 0, OPT_FLAG, .verbs = V_INIT,
     .help = "S3: make the bucket when it is not there; with --lock, one whose objects can be locked"},
    {O_OLDEST_VERSIONS, "oldest-versions", 0, OPT_FLAG, .verbs = V_OLDEST,
     .help = "S3: of each name the oldest version, deleted or not: what was written first is what was signed"},
    STORE_ROWS,
    {0}};

const int backupd_connection[CONNECTION_COUNT] = CONNECTION_IDS;

const struct program backupd_program = {
    .name = "backupd",
    .about = "backs up Redis and Valkey, and brings them back",
    .version = RSP_VERSION_STRING,
    .verbs = verbs,
    .opts = opts,
    .count = O_COUNT,
    .env_prefix = "RESPITE_",
    .config = config_load,
    .config_free = config_free,
    .notes = "The server is gone? On any machine, with the storage and the recovery sheet:\n"
             "  backupd list --repo file:/path --identity SHEET\n"
             "  backupd restore latest --repo file:/path --identity SHEET --to dump.rdb\n\n"
             "Exit status: 0 well, 3 findings, 4 no such snapshot, 10 no repository, 12 no key at hand,\n"
             "20 configuration, 21 source, 22 storage, 24 integrity; all in respite-exit-status(7).\n",
};
