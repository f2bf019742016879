/* What this is: rdbtool's verbs and options.
 * Rests on: cli/reading.h.
 * Does not: read files (input.h). */
#ifndef RDBTOOL_OPTIONS_H
#define RDBTOOL_OPTIONS_H

#include "cli/reading.h"

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
    O_TMPDIR,
    O_FORMAT,
    O_BYTES,
    O_WITH_META,
    O_OUTPUT,
    O_FORCE,
    O_ACCEPT_BAD_CHECKSUM,
    O_KEY_BASE64,
    O_TARGET,
    O_RESTORE,
    O_DROP_LOSSES,
    O_ON_LOSS,
    O_LOSSES_TO,
    O_THREADS,
    O_NO_PROGRESS,
    O_JSON,
    O_DIGEST,
    O_TOP,
    O_QUICK,
    O_REQUIRE_CHECKSUM,
    O_NO_DUPLICATES,
    O_MAX_FINDINGS,
    O_IDENTITY,
    O_PASSPHRASE_FILE,
    O_PASSPHRASE_FD,
    O_PASSPHRASE_COMMAND,
    O_RECIPIENT,
    O_RECIPIENTS_FILE,
    O_LEVEL,
    O_NO_RECHECK,
    O_COUNT
};

enum verb_bit {
    V_INFO = 1 << 0,
    V_CHECK = 1 << 1,
    V_EXPORT = 1 << 2,
    V_GET = 1 << 3,
    V_PACK = 1 << 4,
    V_UNPACK = 1 << 5
};

extern const struct program rdbtool_program;
extern const int rdbtool_reading[READING_COUNT];

/* The verbs. */
int verb_info(struct job *job);
int verb_check(struct job *job);
int verb_export(struct job *job);
int verb_get(struct job *job);
int verb_pack(struct job *job);
int verb_unpack(struct job *job);

#endif
