/* What this is: what the files of `backupd check` share: a point that was looked at, and its verdict.
 * Rests on: context.h, cli/connection.h.
 * Does not: know what is looked at. */
#ifndef BACKUPD_CHECK_H
#define BACKUPD_CHECK_H

#include "backupd/context.h"
#include "cli/connection.h"

struct check {
    struct context *c;
    struct json *j;
    int findings;
    struct connection connection;
    struct rsp_server *server; /* NULL: none was named */
};

/* RISK: a set-up that works, and should be chosen with open eyes; BAD: a finding. */
enum level { GOOD, NOTE, RISK, BAD };

void check_say(struct check *k, enum level level, const char *what, const char *format, ...) RSP_PRINTF(4, 5);
/* Nothing that ends the run: the next point is looked at all the same. */
void check_fault(struct check *k, int rc, const char *what, const char *words);

/* Connects to the server that operand, options or configuration name, if any. -1, or the exit status after words. */
int check_server_open(struct check *k);
/* How it sees us, and what a capture would do to it. */
void check_server(struct check *k);
/* The rights, and what its configuration says of replicas (check_capture.c). */
void check_capture(struct check *k);
void check_server_close(struct check *k);

#endif
