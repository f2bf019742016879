/* What this is: messages to stderr, numbers and times as people read them, JSON for small reports.
 * Rests on: respite/env.h.
 * Does not: format values of keys (lib/export does). */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <respite/env.h>

/* The program's name, before the first message. Borrowed for ever. */
void print_init(const char *program);

/* "rdbtool: ..." and a newline to stderr, control characters made visible. */
void print_err(const char *format, ...) RSP_PRINTF(1, 2);
void print_warn(const char *format, ...) RSP_PRINTF(1, 2); /* "rdbtool: warning: ..." */
/* The error record as one message; subject (a file name, may be NULL) stands before it unless the
 * record has one. status stands in when the record is empty. */
void print_fault(const struct rsp_error *error, int status, const char *subject);

/* Flushes stdout, and says on stderr when its data could not be written: EXIT_OK, EXIT_PIPE
 * (quietly), EXIT_CAPACITY (disk full) or EXIT_TARGET. To be asked before main returns. */
int print_finish(void);

#define TEXT_MAX 48                                  /* room for every text below */
char *text_size(char out[TEXT_MAX], uint64_t bytes); /* "0 B", "999 B", "1.5 GiB" */
char *text_utc(char out[TEXT_MAX], int64_t ms);      /* "2026-11-20T05:35:00.123Z"; "@<ms>ms" beyond year 9999 */
char *text_duration(char out[TEXT_MAX], int64_t ms); /* "250ms", "12s", "3m05s", "2h07m", "4d03h" */
char *text_percent(char out[TEXT_MAX], uint64_t part, uint64_t whole); /* "12.5%"; "-" of nothing */

/* JSON, pretty (two blanks) or all on one line. Nesting up to 60. A name is for members of an
 * object; NULL for an element of an array or the top value. */
struct json {
    FILE *file;
    int pretty;
    unsigned depth;
    uint64_t filled; /* bit d: something stands already at depth d */
};
void json_init(struct json *j, FILE *file, int pretty);
void json_object(struct json *j, const char *name);
void json_array(struct json *j, const char *name);
void json_close(struct json *j, char bracket);                      /* '}' or ']'; the last one also ends the line */
void json_text(struct json *j, const char *name, const char *text); /* valid UTF-8, or U+FFFD for each bad byte */
/* A string, or {"base64":"..."} when it is not UTF-8. */
void json_bytes(struct json *j, const char *name, struct rsp_span bytes);
void json_u64(struct json *j, const char *name, uint64_t v);
void json_i64(struct json *j, const char *name, int64_t v);
void json_double(struct json *j, const char *name, double v); /* inf and nan as strings */
void json_bool(struct json *j, const char *name, int v);
void json_null(struct json *j, const char *name);

#endif
