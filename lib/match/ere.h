/* What this is: POSIX extended regular expressions over bytes, matched in linear time.
 * Rests on: base/mem.h.
 * Does not: tell where it matched; back-references.
 *
 * Literals, '.', [...] (ranges, '^', [:alpha:] and kin, [.x.], [=x=]), * + ? {m} {m,} {m,n} {,n},
 * '|', (), ^, $, \ before a character that is no letter or digit. Beyond POSIX, outside of brackets:
 * \d \D \w \W \s \S, \n \r \t, \xHH. In brackets '\' is an ordinary character, as POSIX has it.
 * '.' and [^...] take any byte, newline and NUL too; ^ and $ are the key's begin and end. */
#ifndef MATCH_ERE_H
#define MATCH_ERE_H

#include <stddef.h>
#include <stdint.h>

#include <respite/env.h>

#define ERE_MAX_PATTERN 4096
#define ERE_MAX_STATES 2000
#define ERE_MAX_DEPTH 200

struct ere;

/* RSP_EINVAL: the message says what is wrong and the offset where; subject stands before it.
 * env is borrowed and must outlive the expression. */
int ere_new(const struct rsp_env *env, const char *subject, const char *pattern, size_t n, struct ere **ret);
/* 1 when it matches anywhere in the text. Any number of threads at once. */
int ere_match(const struct ere *ere, const uint8_t *text, size_t n);
/* The same by the nondeterministic automaton: slower, and what the table of ere_match (which is
 * left out when it would be large) is tested against. */
int ere_match_states(const struct ere *ere, const uint8_t *text, size_t n);
int ere_has_table(const struct ere *ere);
void ere_free(struct ere *ere);

#endif
