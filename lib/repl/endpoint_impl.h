/* What this is: the parts of a server's URI, for all kinds of places that have some.
 * Rests on: respite/sys/server.h.
 * Does not: know which scheme has which part. */
#ifndef REPL_ENDPOINT_IMPL_H
#define REPL_ENDPOINT_IMPL_H

#include <respite/sys/server.h>

/* The parts as they stand in the room, one behind the other, each terminated: a part is never longer than its text in
 * the URI, and each has a character of the URI (":", "@", ",", "/", "?") for its terminator, the scheme's three more. */
struct uri {
    const struct rsp_env *env;
    const char *form; /* how such a URI reads, for words */
    char *to;
    struct rsp_endpoint got;
};

const char *uri_find(const char *text, const char *end, char c);
/* text up to end, with %XX undone, into the room. */
int uri_decoded(struct uri *p, const char *text, const char *end, const char **part);
/* As redis-cli: what stands alone before the @ is the password. */
int uri_userinfo(struct uri *p, const char *text, const char *end);
/* got.host and got.port, those that are there. */
int uri_host_port(struct uri *p, const char *text, const char *end);
/* Behind what stands in out: printable without blanks, or as %XX; plain: as it is. Leaves room for a terminator. */
void uri_add(char *out, size_t size, size_t *at, const char *text, int plain);

#endif
