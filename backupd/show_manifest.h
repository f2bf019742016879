/* What this is: a manifest as text and as JSON.
 * Rests on: respite/sys/repo.h, cli/print.h.
 * Does not: open one. */
#ifndef BACKUPD_SHOW_MANIFEST_H
#define BACKUPD_SHOW_MANIFEST_H

#include <respite/sys/repo.h>

#include "cli/print.h"

void manifest_text(const struct rsp_manifest *m);
void manifest_json(struct json *j, const struct rsp_manifest *m); /* a member "manifest" */

#endif
