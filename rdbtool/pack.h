/* What this is: what pack and unpack do alike at their end.
 * Rests on: options.h.
 * Does not: seal or open. */
#ifndef RDBTOOL_PACK_H
#define RDBTOOL_PACK_H

#include "rdbtool/options.h"

/* -o, which must be there and no terminal: -1, or the exit status after a message. The sink is to be freed either way. */
int pack_output(struct job *job, struct rsp_sink **sink);
/* What has come of it: rc with the words in job->error. Commits, or says what is wrong; the exit status. source_fault:
 * it was reading that failed. name: the input's. */
int pack_end(struct job *job, int rc, int source_fault, const char *name, struct rsp_sink *sink);

#endif
