/* What this is: the configuration file: backupd.conf(5).
 * Rests on: cli/options.h.
 * Does not: know a key: they are the options whose table says in which sections they may stand, and "url". */
#ifndef BACKUPD_CONFIG_H
#define BACKUPD_CONFIG_H

#include <stdio.h>

#include "cli/options.h"

#define CONFIG_DEFAULT "/etc/respite/backupd.conf"
#define CONFIG_SOURCE "default" /* the source when nobody says */

enum config_section { SECTION_GLOBAL = 1, SECTION_REPO = 2, SECTION_SOURCE = 4 };

/* For struct program: reads --config or the default file, checks every value, and hands in those of the sections that
 * count: [source NAME] before [repo NAME] before [global]. The source of backup and check becomes their operand, or the
 * address of the server that arguments or environment name. -1 to go on, else an exit status after a message. */
int config_load(struct options *o);
void config_free(void *config);

/* The URL of --repo: itself, or that of its section. NULL: no repository was named, or a message was printed and *code
 * is the exit status. name: of the section, or NULL. */
const char *config_url(const struct options *o, const char *repo, const char **name, int *code);

/* The value of an option of this verb for the repository of section [repo NAME] (NULL: one without a section): given by
 * argument or environment, else of that section, else of [global], else the default. */
struct opt_value config_repo_value(const struct options *o, const char *repo, int id);

/* 1 when there is a section [source NAME]. */
int config_has_source(const struct options *o, const char *name);
/* The name of the i-th section [source NAME]; NULL behind the last one. */
const char *config_source_name(const struct options *o, size_t i);

/* Where the file is; NULL: there is none. */
const char *config_path(const struct options *o);
/* "FILE:LINE" of a key, or NULL. */
const char *config_where(const struct options *o, enum config_section section, const char *name, const char *key);

/* The parser alone, for the tests: text becomes *ret, which config_free has in the end. */
struct config;
int config_parse(const struct options *o, const char *path, const char *text, size_t n, struct config **ret);

#endif
