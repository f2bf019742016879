/* What this is: backupd annotate: facts beside a snapshot, signed, in the clear.
 * Rests on: context.h, publish.h.
 * Does not: change the snapshot. */
#include <string.h>

#include "backupd/publish.h"
#include "cli/exit.h"

int verb_annotate(struct context *c)
{
    const char *const *tags = c->o->operand + 1;
    size_t n = c->o->operands - 1;
    struct rsp_record *r = NULL, draft;
    uint8_t hashes[1][32];
    int code;
    for (size_t i = 0; i < n; i++)
        if (tags[i][0] == '=' || !strchr(tags[i], '=')) return options_usage(c->o, "'%s' is not K=V", tags[i]);
    code = context_repo(c, NEED_SIGN);
    if (code < 0 && !c->identities) code = context_fault(c, RSP_ERIGHT, c->url, EXIT_NO_KEY);
    if (code < 0) code = context_log(c, NULL, 0, 0);
    if (code < 0) code = context_find(c, c->o->operand[0], &r);
    if (code >= 0) return code;
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_NOTE;
    memcpy(draft.source, r->source, 16);
    memcpy(hashes[0], r->hash, 32);
    draft.hashes = hashes;
    draft.hashes_n = 1;
    return publish_one(c, &draft, tags, n, r, "annotated");
}
