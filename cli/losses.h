/* What this is: what a target cannot hold, for people and for scripts.
 * Rests on: respite/sys/target.h, cli/print.h.
 * Does not: find losses (lib does). */
#ifndef CLI_LOSSES_H
#define CLI_LOSSES_H

#include <respite/sys/target.h>

#include "cli/print.h"

/* A file of JSON Lines: {"db":0,"key":"k","kind":"field-ttl","action":"convert"}; a function or module data, which is
 * no key, has "name" instead of the first two. */
struct losses_file {
    FILE *file; /* NULL: none */
    const char *path;
    struct rsp_loss_policy policy;
};
/* path NULL: none is wanted. replace: an existing file may be replaced. EXIT_OK, or an exit status after a message. */
int losses_open(struct losses_file *f, const char *path, int replace, const struct rsp_loss_policy *policy);
/* For rsp_resp_options.lost; opaque: the file. */
int losses_line(void *opaque, int loss, uint32_t db, struct rsp_span name);
/* EXIT_OK, or an exit status after a message. */
int losses_close(struct losses_file *f);

/* The first names of a kind, as printable text with commas between them and how many there are beside. */
void losses_names(const struct rsp_losses *losses, int loss, char *out, size_t size);
/* What was done, a line a kind on stderr. 1: data was lost, not only when or how often it was used. */
int losses_tell(const char *name, const struct rsp_losses *losses, const struct rsp_loss_policy *policy);

#endif
