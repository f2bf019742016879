/* What this is: numbers, sizes, durations and ranges of them from text.
 * Rests on: respite/sys/filter.h.
 * Does not: write an error record: the caller knows what the text was for. */
#ifndef MATCH_RANGE_H
#define MATCH_RANGE_H

#include <respite/sys/filter.h>

/* Both ends belong to it. */
struct range {
    uint64_t from, to;
};

/* How one end of a range is read from text[0..n): 1, or 0 when it is none. */
typedef int range_unit(const char *text, size_t n, uint64_t *value);

int range_number(const char *text, size_t n, uint64_t *value);   /* decimal digits */
int range_size(const char *text, size_t n, uint64_t *value);     /* bytes */
int range_duration(const char *text, size_t n, uint64_t *value); /* milliseconds, at most INT64_MAX */

/* "a~b", "a~", "~b", "a~inf", "~": 1, or 0 with *why saying what is wrong. */
int range_parse(const char *text, size_t n, range_unit *unit, struct range *out, const char **why);

/* One member of a list: "N", "N~M" or "N-M" of plain numbers up to max: as above. */
int range_parse_numbers(const char *text, size_t n, uint64_t max, struct range *out, const char **why);

/* Case-blind in ASCII, in every locale: 1 when text[0..n) is the lower-case word. */
int range_word(const char *text, size_t n, const char *word);

#endif
