/* What this is: opening FILE, with the identities at hand when it is sealed.
 * Rests on: options.h, cli/identity.h, cli/input.h.
 * Does not: ask for a passphrase, or load an identity, before a sealed file needs it. */
#ifndef RDBTOOL_SEALED_H
#define RDBTOOL_SEALED_H

#include "cli/identity.h"
#include "cli/input.h"
#include "rdbtool/options.h"

/* What job->own points to. */
struct keys {
    struct rsp_env env; /* the job's, with a log */
    struct passphrase *passphrase;
    struct rsp_identity *identity[IDENTITIES_MAX];
    size_t n;
    int loaded;
    int fault; /* of loading them, when that is why the last file could not be opened */
    /* The last sealed file */
    const struct rsp_error *error; /* the job's */
    struct rsp_source *plain;      /* its content */
    int late;                      /* the fault that it ended with, and its words */
    struct rsp_error words;
};

/* -1, or the exit status when standard input is asked for twice. */
int keys_usage(const struct job *job);
void keys_close(struct keys *keys);

/* FILE with its seal and then its compression taken off. A status; input_close is due either way. */
int dump_open(struct job *job, struct input *in, const char *path);
/* Puts the opened content in place of in->source, which is a pack file. */
int dump_unseal(struct job *job, struct input *in);
/* Behind the run over a whole dump: the fault that the sealed file had further on, with its words in job->error, or
 * RSP_OK. A dump may be complete while the end of what it was sealed in is missing. */
int dump_late(struct job *job);
/* After a fault of opening: prints it and returns the exit status. */
int dump_fault(struct job *job, int status, const struct input *in);
/* code, or that of an identity that could not be loaded. */
int dump_exit(const struct job *job, int code);
/* The fault lies in what the file is compressed by: for `check` a finding. */
int dump_is_finding(const struct job *job, int status);

#endif
