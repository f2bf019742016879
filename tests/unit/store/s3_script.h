/* What this is: an S3 server that plays a script, for the tests of the s3: driver: one request, one answer, one connection.
 * Rests on: libcheck, pthreads.
 * Does not: look at signatures. */
#ifndef TESTS_UNIT_STORE_S3_SCRIPT_H
#define TESTS_UNIT_STORE_S3_SCRIPT_H

#include <respite/sys/store.h>

struct s3_line {
    const char
        *wanted; /* what the request begins with: "PUT /bucket/a"; a second word behind '|' must stand in it, too */
    const char *answer; /* whole; NULL: the connection is closed without one */
};
extern struct rsp_error script_error;
extern struct rsp_store_remote script_remote; /* of the next script_open */

/* Begins to play; the lines live until script_end. */
void script_begin(const struct s3_line *lines, size_t n);
/* Opens "s3://bucket" there; the script has the answers that opening needs. */
int script_open(int create, int read_only, struct rsp_store **ret);
/* All lines were played, and nothing else was asked. */
void script_end(void);

#define OK_LIST "HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n<ListBucketResult></ListBucketResult>"
#define OPEN                                           \
    {                                                  \
        "GET /bucket?list-type=2&max-keys=1 ", OK_LIST \
    }
#define EMPTY_ANSWER(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"
#define ERROR_ANSWER(status, code) \
    "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n<?xml version=\"1.0\"?><Error><Code>" code "</Code></Error>"

#endif
