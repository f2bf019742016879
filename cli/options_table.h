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

/* The length of the first word of a verb of two words, and the second word; 0 for a verb of one. */
size_t options_group(const struct verb *verb, const char **second);

/* 1 when the two verbs share their first word. */
int options_group_same(const struct verb *a, const struct verb *b);

/* 1 for a verb of one word, and for the first in the table of those that share their first word. */
int options_group_first(const struct program *program, const struct verb *verb);

/* Writes or checks one value; shown is what messages call it (cli/options_value.c). */
int options_value_read(const struct options *o, const struct opt *opt, const char *shown, const char *text, int64_t *v);

/* Finds the verb of the words at args[0..n): its number of words, 0 after a message. */
int options_verb(const struct program *program, char *const *args, int n, const struct verb **verb);

/* The verbs of two words that begin with word: their number, 0 when there are none. */
int options_help_group(const struct program *program, const char *word, FILE *out);

#endif
