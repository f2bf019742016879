/* What this is: what a verb works with: error record and clock, store, state, secrets, the repository and its log.
 * Rests on: cli/identity.h, cli/options.h, cli/progress.h, respite/sys/repo.h.
 * Does not: know what a verb does; its functions print what is wrong and return the exit status to end with. */
#ifndef BACKUPD_CONTEXT_H
#define BACKUPD_CONTEXT_H

#include <respite/sys/repo.h>

#include "backupd/options.h"
#include "cli/identity.h"
#include "cli/print.h"
#include "cli/progress.h"

/* What a verb needs a secret for. */
enum need {
    NEED_NOTHING, /* the pinned root is enough; the host's own identity is not even opened */
    NEED_TRY,     /* what is at hand without a question to anybody */
    NEED_SIGN,    /* to sign a record: the host's own identity or --identity */
    NEED_READ     /* to open what is sealed: those, and the passphrase readers of the roles record */
};

/* May not be moved once it is open: env points into it. */
struct context {
    const struct options *o;
    struct rsp_error error;
    struct rsp_env env;
    int64_t now_ms;        /* --now; INT64_MIN: the clock */
    const char *repo_name; /* of a [repo NAME] section, or NULL */
    const char *url;       /* of the repository, from --repo; NULL: none was given */
    struct rsp_public root;
    int has_root;            /* --root */
    struct rsp_state *state; /* NULL: no state directory */
    int accept_rollback;     /* by the verb itself */
    int remembers;           /* init bound the URL here: there is a memory of heads */
    int others_identity;     /* --identity was given */
    struct passphrase *passphrase;
    struct opt_value pass[3]; /* where it comes from, when the repository's section says so */
    struct rsp_identity *identity[IDENTITIES_MAX];
    size_t identities;
    struct rsp_store *store;
    struct rsp_repo *repo;
    struct rsp_log *log;
    int faults_are_findings; /* set by a verb whose own object is sound: faults of the log end in EXIT_FINDINGS */
    int troubles_told;       /* print_troubles did so, or they stand in a JSON report */
    struct progress *progress;
};

/* Environment, clock, --root. Returns -1 to go on, else an exit status after a message; context_close is due either
 * way. */
int context_open(struct context *c, const struct options *o);
void context_close(struct context *c);

#define PATH_ROOM 4096

/* Each: -1 to go on, else the exit status after a message. */
int context_state_dir(const struct context *c, char out[PATH_ROOM]);
int context_state(struct context *c, int create);
/* How it is reached is what holds for the section c->repo_name (store_options.h). */
int context_store(struct context *c, const char *url, const struct rsp_store_options *options, struct rsp_store **ret);
int context_identities(struct context *c, enum need need); /* --identity, else with a known lineage the host's own */
int context_repo(struct context *c, enum need need);       /* all of the above, and c->repo */
int context_repo_at(struct context *c, const char *repo, enum need need); /* of this URL or section instead */
/* The repository anew, without its log: what this host remembers may have grown. */
int context_reopen(struct context *c);
/* For one of several repositories of a lineage: roles records that this host knows from the others are put there. */
int context_roles_back(struct context *c);
/* Loads c->log. rows and refs as in struct rsp_log_options; source NULL: all. */
int context_log(struct context *c, const uint8_t *source, size_t rows, int refs);
/* A commit of c->log by its id, "latest", restricted to --source. Not there: EXIT_NOT_FOUND. */
int context_find(struct context *c, const char *id, struct rsp_record **ret);
/* The identity that may sign for flag, else EXIT_NO_KEY with words that name the flag. */
int context_signer(struct context *c, uint32_t flag, const uint8_t *source, const struct rsp_identity **ret);

/* The id of a source by its name, or by its 32 hexadecimal digits. */
void context_source_id(const struct context *c, const char *name, uint8_t id[16]);
/* --source as an id, or NULL when it was not given (a default does not count). */
const uint8_t *context_source(const struct context *c, uint8_t id[16]);
/* A source's name when the configuration or an option names it, else the first 12 digits of its id. */
#define SOURCE_TEXT 208
const char *context_source_text(const struct context *c, const uint8_t id[16], char out[SOURCE_TEXT]);

int64_t context_now(const struct context *c); /* --now, else the clock */

/* Around long work: the progress line. As progress of the library's options, with the context as opaque. */
void context_begin(struct context *c, const char *label, uint64_t total, int shares_terminal);
void context_progress(void *opaque, uint64_t bytes);
void context_end(struct context *c);

/* One at a time on this host, of what thins the repository out: -1, or EXIT_STATE_IN_USE after words. */
int context_alone(struct context *c);
/* --now as milliseconds, for what-if runs; 0: not given. */
int64_t context_as_of(const struct context *c);
/* Says what is wrong (the record's words, else the status's; subject may be NULL) and returns the exit status: that of
 * a caught signal, quietly; io for a fault of input or output (EXIT_STORAGE for what the repository does). A missing
 * secret or right names the option that gives one. */
int context_fault(struct context *c, int status, const char *subject, int io);
/* Fills c's error record unless there is something in it, and returns status. err: errno, or 0. */
int context_words(struct context *c, int status, const char *subject, int err, const char *format, ...)
    RSP_PRINTF(5, 6);

/* The troubles of c->log as a member "troubles" of an open object: they are then not printed again. */
void context_json_troubles(struct context *c, struct json *j);
/* Of another log (of rsp_backup, rsp_snapshot_commit): c owns it from now on. */
void context_take_log(struct context *c, struct rsp_log *log);
/* After a verb: prints the troubles, and on a machine without memory head, seq and age; code, or EXIT_INTEGRITY when
 * code is EXIT_OK or EXIT_FINDINGS and the log had faults. */
int context_finish(struct context *c, int code);

/* ---- small texts ---- */

#define HEX32 65
void text_hex(char *out, const uint8_t *bytes, size_t n); /* 2 n digits and a terminator */
/* The first 10 digits of a snapshot id. */
#define SNAPSHOT_TEXT 11
void snapshot_text(char out[SNAPSHOT_TEXT], const uint8_t id[16]);
/* "good,full,pinned" of a commit's flags and state, "-" when there are none. */
#define FLAGS_TEXT 160
void flags_text(char out[FLAGS_TEXT], const struct rsp_record *commit);
/* "2026-11-20", "2026-11-20T05:35:00Z" (UTC; 'T' or a blank, seconds and "Z" may be left out), "@seconds", or
 * milliseconds since the epoch. 0, or -1. */
int parse_time(const char *text, int64_t *ms);

#endif
