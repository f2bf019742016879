/* What this is: identities as the verbs make and show them.
 * Rests on: context.h.
 * Does not: know roles records (key_roles.c). */
#ifndef BACKUPD_IDENTITY_H
#define BACKUPD_IDENTITY_H

#include "backupd/context.h"

/* A new file at path, 0600, never over an existing one; under the passphrase when an option says where that is. -1, or
 * the exit status after a message. */
int identity_save(struct context *c, const struct rsp_identity *id, const char *path);
/* The passphrase of --passphrase-*, n 0 when there is none; asked for once, before anything is made. */
int identity_passphrase(struct context *c, struct rsp_span *ret);
/* --name, else the host's name: at most 63 printable bytes without blanks; NULL after a message. */
const char *identity_name(struct context *c, char out[64]);
int name_usable(const char *name);

/* "read,write,keep"; "-" of no rights. */
#define RIGHTS_TEXT 80
void rights_text(char out[RIGHTS_TEXT], const struct rsp_member *member);

#endif
