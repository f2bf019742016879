/* What this is: backupd pin and unpin.
 * Rests on: context.h.
 * Does not: overrule `expire --acknowledge`. */
#include <stdlib.h>
#include <string.h>

#include "backupd/context.h"
#include "backupd/publish.h"
#include "cli/exit.h"

/* Opens all and finds the snapshot of the first operand; a keeper must be at hand unless it is a dry run. */
static int find(struct context *c, struct rsp_record **ret)
{
    const struct rsp_identity *keeper;
    int code = context_repo(c, c->o->value[O_DRY_RUN].count ? NEED_NOTHING : NEED_SIGN);
    if (code < 0 && !c->o->value[O_DRY_RUN].count) code = context_signer(c, RSP_ROLE_KEEP, NULL, &keeper);
    if (code < 0) code = context_log(c, NULL, 0, 0);
    if (code < 0) code = context_find(c, c->o->operand[0], ret);
    return code;
}

int verb_pin(struct context *c)
{
    struct rsp_record *r = NULL, draft;
    uint8_t hashes[1][32];
    int code = find(c, &r);
    if (code >= 0) return code;
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_PIN;
    memcpy(draft.source, r->source, 16);
    memcpy(hashes[0], r->hash, 32);
    draft.hashes = hashes;
    draft.hashes_n = 1;
    draft.text = c->o->value[O_NOTE].text;
    return publish_one(c, &draft, NULL, 0, r, "pinned");
}

int verb_unpin(struct context *c)
{
    struct rsp_record *r = NULL, draft;
    uint8_t(*hashes)[32];
    size_t n = 0;
    int code = find(c, &r);
    if (code >= 0) return code;
    hashes = calloc(c->log->records_n + 1, sizeof *hashes);
    if (!hashes) return context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    for (size_t i = 0; i < c->log->records_n; i++) {
        const struct rsp_record *p = c->log->records[i];
        if (p->kind != RSP_REC_PIN || !(p->state & RSP_RECORD_LOADED) || p->hashes_n != 1) continue;
        if (!memcmp(p->hashes[0], r->hash, 32)) memcpy(hashes[n++], p->hash, 32);
    }
    if (!n || !(r->state & RSP_RECORD_PINNED)) {
        print_err("%s is not pinned", c->o->operand[0]);
        code = EXIT_NOT_FOUND;
    } else {
        memset(&draft, 0, sizeof draft);
        draft.kind = RSP_REC_UNPIN;
        memcpy(draft.source, r->source, 16);
        draft.hashes = hashes;
        draft.hashes_n = n;
        code = publish_one(c, &draft, NULL, 0, r, "unpinned");
    }
    free(hashes);
    return code;
}
