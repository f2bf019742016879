/* What this is: walks over the option table, for the files of options.h.
 * Rests on: cli/options.h.
 * Does not: belong to the interface. */
#ifndef CLI_OPTIONS_TABLE_H
#define CLI_OPTIONS_TABLE_H

#include "cli/options.h"

#define ARG_WORD_MAX 128

/* The option's word for help, by its kind when the table has none; NULL for a flag. */
const char *options_arg(const struct opt *opt, char out[ARG_WORD_MAX]);

/* The next word of a list with commas, from *at on; its length, 0 at the end. */
size_t options_word(const char **at, const char **word);

#endif
