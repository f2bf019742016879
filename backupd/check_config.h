/* What this is: check --print-config.
 * Rests on: context.h.
 * Does not: show a secret: only names of files and commands are options at all. */
#ifndef BACKUPD_CHECK_CONFIG_H
#define BACKUPD_CHECK_CONFIG_H

#include "backupd/context.h"

int check_print_config(struct context *c);

#endif
