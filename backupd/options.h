/* What this is: backupd's verbs and options.
 * Rests on: cli/options.h.
 * Does not: know what a verb does. */
#ifndef BACKUPD_OPTIONS_H
#define BACKUPD_OPTIONS_H

#include "cli/options.h"

enum option_id {
    /* those that reading a dump asks for (cli/reading.h) */
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
    O_TMPDIR,
    O_FORMAT,
    O_TARGET,
    O_RESTORE,
    O_DROP_LOSSES,
    O_LOSSES_TO,
    O_BYTES,
    O_WITH_META,
    O_OUTPUT,
    O_FORCE,
    O_ACCEPT_BAD_CHECKSUM,
    O_KEY_BASE64,
    O_THREADS,
    O_NO_PROGRESS,
    /* every verb, or most */
    O_CONFIG,
    O_STATE,
    O_REPO,
    O_REPOS,
    O_IDENTITY,
    O_PASSPHRASE_FILE,
    O_PASSPHRASE_FD,
    O_PASSPHRASE_COMMAND,
    O_ROOT,
    O_ACCEPT_ROLLBACK,
    O_EXPECT_HEAD,
    O_JSON,
    O_VERBOSE,
    O_DRY_RUN,
    /* init, key */
    O_RECOVERY_OUT,
    O_NAME,
    O_NO_KEEP,
    O_MIRROR_OF,
    O_OUT,
    O_ROLE,
    O_PASSPHRASE_READER,
    /* looking and keeping */
    O_SOURCE,
    O_ALL,
    O_NOTE,
    O_KEEP_LAST,
    O_KEEP_HOURLY,
    O_KEEP_DAILY,
    O_KEEP_WEEKLY,
    O_KEEP_MONTHLY,
    O_KEEP_YEARLY,
    O_KEEP_WITHIN,
    O_MIN_AGE,
    O_ACKNOWLEDGE,
    O_QUARANTINE,
    O_DEBRIS_AGE,
    O_MAX_AGE,
    O_PRINT_CONFIG,
    /* backup */
    O_FROM,
    O_TAG,
    O_CHECK,
    O_NO_DIGEST,
    O_ACCEPT_DAMAGED,
    O_PROVE,
    O_LEVEL,
    O_NO_RECHECK,
    O_SUITE,
    O_CHUNK,
    O_METHOD,
    O_SOURCE_ROLE,
    O_SPOOL,
    O_RING,
    O_PATIENCE,
    O_AT_ONCE,
    O_SHARD_RETRIES,
    O_ONE_NODE,
    O_WITH_ACL,
    O_SERVER,
    O_LATEST,
    /* where a server is, and who asks (cli/connection.h) */
    O_URI,
    O_HOST,
    O_PORT,
    O_SOCKET,
    O_USER,
    O_PASS,
    O_ASKPASS,
    O_PASS_FILE,
    O_CONNECT_DB,
    O_TLS,
    O_SNI,
    O_CACERT,
    O_CACERTDIR,
    O_CERT,
    O_TLS_KEY,
    O_TLS_CIPHERS,
    O_TLS_CIPHERSUITES,
    O_INSECURE,
    O_IPV4,
    O_IPV6,
    O_CONNECT_TIMEOUT,
    O_IDLE_TIMEOUT,
    O_CLUSTER,
    O_SENTINEL_USER,
    O_SENTINEL_PASS,
    O_SENTINEL_PASS_FILE,
    /* copy */
    O_AGAIN,
    O_VERIFY,
    O_REKEY,
    O_SOURCE_AS,
    /* verify, restore */
    O_REPAIR_FROM,
    O_READ_STORED,
    O_READ_DATA,
    O_TO,
    O_RESUME,
    O_NO_CHECK,
    O_NODES,
    O_SHARD,
    O_SERVER_CONFIG,
    O_SERVER_VERSION,
    O_EXISTING,
    O_DB_MAP,
    O_RATE_OPS,
    O_RATE_BYTES,
    O_CHECKPOINT,
    O_NO_COMPARE,
    O_ON_LOSS,
    O_NO_FUNCTIONS,
    /* how the store of a repository is reached (store_options.h) */
    O_REPO_CACERT,
    O_REPO_CACERTDIR,
    O_REPO_CERT,
    O_REPO_CERT_KEY,
    O_REPO_PROXY,
    O_REPO_NO_PROXY,
    O_REPO_CONNECT_TIMEOUT,
    O_REPO_STALL_TIMEOUT,
    O_LIMIT_RATE,
    O_LIMIT_UPLOAD,
    O_LIMIT_DOWNLOAD,
    O_RETRIES,
    O_PARALLEL,
    O_PART_SIZE,
    O_REPO_USER,
    O_REPO_PASSWORD,
    O_REPO_PASSWORD_FILE,
    O_REPO_PASSWORD_COMMAND,
    O_S3_KEY_ID,
    O_S3_SECRET_FILE,
    O_S3_SECRET_COMMAND,
    O_S3_PROFILE,
    O_S3_CREDENTIALS_FILE,
    O_S3_INSTANCE_ROLE,
    O_LOCK,
    O_OLDEST_VERSIONS,
    O_CREATE_BUCKET,
    O_SSH_KEY,
    O_SSH_KEY_PASSPHRASE_FILE,
    O_SSH_AGENT,
    O_KNOWN_HOSTS,
    O_HOST_KEY,
    /* probe */
    O_READ_ONLY,
    O_COUNT
};

#define V(n) (UINT64_C(1) << (n))
#define V_INIT V(0)
#define V_KEY_NEW V(1)
#define V_KEY_SHOW V(2)
#define V_KEY_ADD V(3)
#define V_KEY_REMOVE V(4)
#define V_KEY_LIST V(5)
#define V_KEY_REWRAP V(6)
#define V_KEY_REPUBLISH V(7)
#define V_KEY_POLICY V(8)
#define V_BACKUP V(9)
#define V_LIST V(10)
#define V_SHOW V(11)
#define V_CAT V(12)
#define V_GET V(13)
#define V_EXPORT V(14)
#define V_VERIFY V(15)
#define V_RESTORE V(16)
#define V_PIN V(17)
#define V_UNPIN V(18)
#define V_ANNOTATE V(19)
#define V_EXPIRE V(20)
#define V_PRUNE V(21)
#define V_STATUS V(22)
#define V_CHECK V(23)
#define V_KEY_FORGET V(24)
#define V_DRILL V(25)
#define V_COPY V(26)
#define V_PROBE V(27)

/* Indices of words. */
enum check_word { CHECK_FULL = 0, CHECK_QUICK = 1 };
enum suite_word { SUITE_CHACHA = 0, SUITE_NONE = 1 };
enum prove_word { PROVE_READ = 0, PROVE_SERVER = 1 };

/* The options of cli/connection.h. */
extern const int backupd_connection[];

extern const struct program backupd_program;

struct context; /* context.h */

int verb_init(struct context *c);
int verb_key_new(struct context *c);
int verb_key_show(struct context *c);
int verb_key_add(struct context *c);
int verb_key_remove(struct context *c);
int verb_key_list(struct context *c);
int verb_key_rewrap(struct context *c);
int verb_key_republish(struct context *c);
int verb_key_forget(struct context *c);
int verb_key_policy(struct context *c);
int verb_backup(struct context *c);
int verb_list(struct context *c);
int verb_show(struct context *c);
int verb_cat(struct context *c);
int verb_get(struct context *c);
int verb_export(struct context *c);
int verb_verify(struct context *c);
int verb_restore(struct context *c);
int verb_pin(struct context *c);
int verb_unpin(struct context *c);
int verb_annotate(struct context *c);
int verb_expire(struct context *c);
int verb_prune(struct context *c);
int verb_copy(struct context *c);
int verb_status(struct context *c);
int verb_check(struct context *c);
int verb_drill(struct context *c);
int verb_probe(struct context *c);

#endif
