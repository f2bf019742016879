/* What this is: what a live server says of itself, on its way into a manifest; the losses that a manifest tells.
 * Rests on: respite/sys/job.h.
 * Does not: ask the server. */
#ifndef JOB_ORIGIN_H
#define JOB_ORIGIN_H

#include <respite/sys/job.h>

#define ORIGIN_LOSSES 4

struct origin {
    struct rsp_backup_origin o; /* a copy, its texts borrowed; all 0: of a file */
    int given;
    const char *differ; /* a sentence more: what the streams' servers do not have in common; NULL: nothing */
    const char *astray; /* and one of keys that are in streams of other slots */
    struct rsp_span losses[ORIGIN_LOSSES];
};
void origin_init(struct origin *self, const struct rsp_backup_origin *given); /* NULL: a file */
/* After the dump's own facts: what the server said goes before them. damage: a sentence, or "". Borrowed from self. */
void origin_fill(struct origin *self, const char *damage, struct rsp_manifest *m);
void origin_stream(const struct origin *self, struct rsp_stream_info *info);
struct rsp_span origin_text(const char *text); /* NULL: empty */

#endif
