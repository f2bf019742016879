/* What this is: backupd pin and unpin.
 * Rests on: context.h.
 * Does not: overrule `expire --acknowledge`, or a prune that was there first. */
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

/* -1 when the commit is there, and neither removed nor given up; else the exit status after a message. */
static int check_there(const struct context *c, const uint8_t hash[32], const char *then)
{
    const struct rsp_record *r = rsp_log_by_hash(c->log, hash);
    const char *fate = !r                             ? "is gone"
                       : r->state & RSP_RECORD_GONE   ? "is being removed by prune, or has been"
                       : r->state & RSP_RECORD_LOST   ? "has been given up for ever"
                       : r->state & RSP_RECORD_BROKEN ? "does not verify any more"
                                                      : NULL;
    if (!fate) return -1;
    print_err("%s: the snapshot %s%s", c->o->operand[0], fate, then);
    return EXIT_NOT_FOUND;
}

/* A prune that listed the pins before does not know this one: only what the log says afterwards counts. */
static int pin(struct context *c, struct rsp_record *draft, uint8_t made[32])
{
    struct rsp_record *record = NULL;
    int rc = rsp_record_publish(c->log, draft, NULL, 0, &record), code;
    if (rc) return context_fault(c, rc, c->url, EXIT_STORAGE);
    memcpy(made, record->hash, 32);
    code = context_log(c, NULL, 0, 0);
    if (code < 0) return check_there(c, draft->hashes[0], ": the pin came too late, and nothing is pinned");
    print_err("%s: the pin was published, and whether it came in time is not known: pin it again", c->o->operand[0]);
    return code;
}

static void print_pinned(struct context *c, const uint8_t snapshot[16], const uint8_t made[32])
{
    char id[33], hash[HEX32];
    text_hex(id, snapshot, 16);
    if (c->o->value[O_JSON].count) {
        struct json j;
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        json_text(&j, "snapshot", id);
        json_text(&j, "done", "pinned");
        json_bool(&j, "dry_run", 0);
        text_hex(hash, made, 32);
        json_text(&j, "record", hash);
        context_json_troubles(c, &j);
        json_close(&j, '}');
    } else {
        printf("%.10s pinned\n", id);
    }
}

int verb_pin(struct context *c)
{
    struct rsp_record *r = NULL, draft;
    uint8_t hashes[1][32], snapshot[16], made[32];
    int dry = c->o->value[O_DRY_RUN].count > 0, code = find(c, &r);
    if (code >= 0) return code;
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_PIN;
    memcpy(draft.source, r->source, 16);
    memcpy(hashes[0], r->hash, 32);
    draft.hashes = hashes;
    draft.hashes_n = 1;
    draft.text = c->o->value[O_NOTE].text;
    code = check_there(c, hashes[0], ": it cannot be pinned");
    if (code >= 0) return code;
    if (dry) return publish_one(c, &draft, NULL, 0, r, "pinned");
    memcpy(snapshot, r->snapshot, 16); /* r goes when the log is loaded again */
    code = pin(c, &draft, made);
    if (code >= 0) return code;
    print_pinned(c, snapshot, made);
    return EXIT_OK;
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
