/* What this is: a secret out of a file, a descriptor, or what a command prints.
 * Rests on: respite/env.h.
 * Does not: keep it: it goes into memory of the caller's, who wipes it. */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include <respite/env.h>

/* What is read, for the words: "passphrase", "password". */
struct secret {
    const char *what;
    int status;              /* of every fault but RSP_ENOMEM */
    int strict;              /* a file that everybody may read is refused; else it is only warned of */
    struct rsp_error *error; /* the words go there, unless there are some */
};

/* Each: up to cap bytes into out, which has room for one more, and their number: RSP_OK or a fault. A line feed at the end
 * stays. */
int secret_from_fd(const struct secret *s, int fd, const char *subject, char *out, size_t cap, size_t *n);
int secret_from_file(const struct secret *s, const char *path, char *out, size_t cap, size_t *n);
/* Run without a shell; its standard input is empty. */
int secret_from_command(const struct secret *s, const char *command, char *out, size_t cap, size_t *n);

/* Fills the record and returns status. err: errno, or 0. */
int secret_fault(const struct secret *s, int status, const char *subject, int err, const char *format, ...)
    RSP_PRINTF(5, 6);

/* Cuts a command line into words at blanks; '...', "..." and \ keep them together. The words lie in text, which is
 * changed. The number of words, or -1 (an open quotation mark, more than max - 1); words[n] is NULL. */
int split_words(char *text, char **words, int max);

#endif
