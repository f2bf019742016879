/* What this is: how the store of a repository is reached: the values of options, environment and [repo NAME] put
 *   together, and the secrets read.
 * Rests on: context.h, cli/secret.h.
 * Does not: open a store. */
#ifndef BACKUPD_STORE_OPTIONS_H
#define BACKUPD_STORE_OPTIONS_H

#include "backupd/context.h"

struct store_secrets;

/* What the options point into. Zeroed: closed. */
struct store_room {
    struct rsp_store_remote remote;
    struct store_secrets *secrets; /* locked */
    char known_hosts[PATH_ROOM], credentials[PATH_ROOM], container[PATH_ROOM];
};

/* Fills options->remote for the repository at url. repo_name: of its section [repo NAME], NULL: it has none; several
 * may be open at once, each with the values of its own. -1, or the exit status after words; store_room_close is due
 * either way, at any time after rsp_store_open. */
int context_store_options(struct context *c, const char *url, const char *repo_name, struct rsp_store_options *options,
                          struct store_room *room);
void store_room_close(struct store_room *room); /* wipes */

/* "governance:30d", "compliance:1y"... 0, or -1. */
int store_lock_parse(const char *text, int *mode, int64_t *ms);

#endif
