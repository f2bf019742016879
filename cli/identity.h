/* What this is: the identities that --identity names.
 * Rests on: passphrase.h, respite/sys/seal.h.
 * Does not: know where else one may come from (a state directory, a roles record). */
#ifndef CLI_IDENTITY_H
#define CLI_IDENTITY_H

#include <respite/sys/seal.h>

#include "cli/passphrase.h"

#define IDENTITIES_MAX 32

/* What path names: an identity file or a recovery sheet; "-": what is typed, or standard input. The passphrase is asked
 * of p when the secret is under one. */
int identity_given(const struct rsp_env *env, struct passphrase *p, const char *path, struct rsp_identity **ret);
/* The exit status of a fault of loading one. */
int identity_exit(int status);

#endif
