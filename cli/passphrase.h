/* What this is: passphrases and typed secrets: from a file, a descriptor, a command, or the terminal without echo.
 * Rests on: options.h, secret.h.
 * Does not: take one from an argument or an environment variable. */
#ifndef CLI_PASSPHRASE_H
#define CLI_PASSPHRASE_H

#include <respite/env.h>

#include "cli/options.h"
#include "cli/secret.h"

#define PASSPHRASE_MAX 1024
#define SECRET_TEXT_MAX 16384 /* an identity file or a sheet */

/* What was given for --passphrase-file, --passphrase-fd, --passphrase-command. */
struct pass_options {
    const struct opt_value *file, *fd, *command;
};

struct passphrase;

/* For a process that will hold secrets: no core dump, and no other process of the same user looks in. */
void pass_no_cores(void);

/* Locked memory for a passphrase and a typed secret; RSP_ENOMEM. What options and error point to outlives it. The words
 * of every fault below go into error, unless there are some. */
int pass_open(struct passphrase **ret, const struct pass_options *options, struct rsp_error *error);
void pass_close(struct passphrase *p); /* wipes; NULL does nothing */

/* 1 when an option, a variable or a configuration says where a passphrase is. */
int pass_given(const struct passphrase *p);
/* Read once, then remembered: RSP_OK, or RSP_EKEY with words that name the options. */
int pass_get(struct passphrase *p, const char *subject, struct rsp_span *ret);
/* For what is to be sealed: as pass_get, but typed twice. */
int pass_new(struct passphrase *p, const char *subject, struct rsp_span *ret);
/* An rsp_ask_fn; opaque is the struct passphrase. */
int pass_ask(void *opaque, const char *subject, char *out, size_t cap, size_t *n);

/* For --identity -: what is typed, or standard input to its end. Lives until pass_close. */
int secret_read(struct passphrase *p, struct rsp_span *ret);

#endif
