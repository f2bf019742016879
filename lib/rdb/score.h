/* What this is: the text of a score, strictly.
 * Rests on: respite/env.h.
 * Does not: depend on the locale. */
#ifndef RDB_SCORE_H
#define RDB_SCORE_H

#include <respite/env.h>

/* 0 and *d when text is a decimal number as a server prints them ("1", "-1.5e+20", "inf", "-inf",
 * "nan" and "-nan", which become NAN); -1 otherwise. At most 127 bytes. */
int score_parse(struct rsp_span text, double *d);

#endif
