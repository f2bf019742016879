/* What this is: loading the identities that --identity names.
 * Rests on: identity.h, cli/exit.h.
 * Does not: print. */
#include "cli/identity.h"

#include <string.h>

#include "cli/exit.h"

int identity_given(const struct rsp_env *env, struct passphrase *p, const char *path, struct rsp_identity **ret)
{
    struct rsp_span text;
    int rc;
    *ret = NULL;
    if (strcmp(path, "-") != 0) return rsp_identity_load(env, path, pass_ask, p, ret);
    rc = secret_read(p, &text);
    return rc ? rc : rsp_identity_parse(env, text, "--identity -", pass_ask, p, ret);
}

int identity_exit(int status)
{
    if (status == RSP_EFORMAT) return EXIT_FORMAT;
    if (status == RSP_ELIMIT) return EXIT_INTEGRITY; /* key derivation that nobody wrote so */
    return exit_of_fault(status, EXIT_NO_KEY);
}
