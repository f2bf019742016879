/* What this is: backupd expire: retiring snapshots by rules or by hand, and giving up what is lost.
 * Rests on: context.h, policy.h.
 * Does not: delete anything: prune does, later. */
#include <stdlib.h>
#include <string.h>

#include "backupd/context.h"
#include "backupd/policy.h"
#include "cli/exit.h"

static const struct {
    uint32_t bit;
    const char *word;
} reasons[] = {{RSP_KEEP_LAST, "last"},       {RSP_KEEP_HOURLY, "hourly"},         {RSP_KEEP_DAILY, "daily"},
               {RSP_KEEP_WEEKLY, "weekly"},   {RSP_KEEP_MONTHLY, "monthly"},       {RSP_KEEP_YEARLY, "yearly"},
               {RSP_KEEP_WITHIN, "within"},   {RSP_KEEP_PINNED, "pinned"},         {RSP_KEEP_LAST_GOOD, "last good"},
               {RSP_KEEP_YOUNG, "too young"}, {RSP_KEEP_LIMIT, "too many at once"}};

static void reasons_text(uint32_t keep, char out[160])
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0] && n < 160; i++)
        if (keep & reasons[i].bit) n += (size_t)snprintf(out + n, 160 - n, "%s%s", n ? ", " : "", reasons[i].word);
}

static void row(struct context *c, struct json *j, const struct rsp_record *r, uint32_t keep, int dry)
{
    char id[33], time[TEXT_MAX], source[SOURCE_TEXT], why[160];
    const char *what = keep ? "keep" : dry ? "would retire" : "retired";
    text_hex(id, r->snapshot, 16);
    text_utc(time, r->effective_ms ? r->effective_ms : (int64_t)r->time_ms);
    reasons_text(keep, why);
    context_source_text(c, r->source, source);
    if (!j) {
        printf("%-12s  %.10s  %s  %s%s%s\n", what, id, time, source, *why ? "  " : "", why);
        return;
    }
    json_object(j, NULL);
    json_text(j, "id", id);
    json_text(j, "time", time);
    json_text(j, "source", source);
    json_bool(j, "retired", !keep);
    if (keep) json_text(j, "why", why);
    json_close(j, '}');
}

static void begin_json(struct context *c, struct json *j)
{
    json_init(j, stdout, 1);
    json_object(j, NULL);
    json_bool(j, "dry_run", c->o->value[O_DRY_RUN].count > 0);
    json_array(j, "snapshots");
}

static void end_json(struct context *c, struct json *j, size_t retired, int flood)
{
    json_close(j, ']');
    json_u64(j, "retired", retired);
    json_bool(j, "flood", flood);
    context_json_troubles(c, j);
    json_close(j, '}');
}

static int by_policy(struct context *c, const struct rsp_retention *policy)
{
    struct rsp_expire_report report = {.size = sizeof report};
    struct json j = {0}, *out = c->o->value[O_JSON].count ? &j : NULL;
    int dry = c->o->value[O_DRY_RUN].count > 0;
    int rc = rsp_expire(c->log, policy, dry, &report), flood = report.flood;
    if (rc) {
        rsp_expire_report_free(c->log, &report);
        return context_fault(c, rc, c->url, EXIT_STORAGE);
    }
    if (out) begin_json(c, out);
    for (size_t i = 0; i < report.rows_n; i++) row(c, out, report.rows[i].record, report.rows[i].keep, dry);
    if (out) end_json(c, out, report.retired, flood);
    else printf("%zu %s\n", report.retired, dry ? "would be retired" : "retired");
    rsp_expire_report_free(c->log, &report);
    if (!flood) return EXIT_OK;
    print_err("%s: a source has more than 10 times its usual commits in a day: nothing of it was retired; look who "
              "wrote them ('show'), and remove a stolen writer by 'key remove'",
              c->url);
    return EXIT_FINDINGS;
}

static int by_hand(struct context *c)
{
    size_t n = c->o->operands;
    struct rsp_record **commits = calloc(n, sizeof(struct rsp_record *));
    struct json j = {0}, *out = c->o->value[O_JSON].count ? &j : NULL;
    int dry = c->o->value[O_DRY_RUN].count > 0, code = -1, rc;
    if (!commits) return context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    for (size_t i = 0; i < n && code < 0; i++) code = context_find(c, c->o->operand[i], &commits[i]);
    if (code < 0 && (rc = rsp_retire(c->log, commits, n, dry))) {
        code = context_fault(c, rc, c->url, EXIT_STORAGE);
        if (rc == RSP_EDENIED) code = EXIT_USAGE; /* the library's refusal, not the storage's */
    }
    if (code < 0) {
        if (out) begin_json(c, out);
        for (size_t i = 0; i < n; i++) row(c, out, commits[i], 0, dry);
        if (out) end_json(c, out, n, 0);
        code = EXIT_OK;
    }
    free(commits);
    return code;
}

static int acknowledge(struct context *c)
{
    const struct opt_value *v = &c->o->value[O_ACKNOWLEDGE];
    int dry = c->o->value[O_DRY_RUN].count > 0;
    size_t failed = v->n;
    int rc = rsp_acknowledge_many(c->log, (const char *const *)v->list, v->n, dry, &failed);
    if (rc) {
        int code = context_fault(c, rc, failed < v->n ? v->list[failed] : c->url, EXIT_STORAGE);
        return rc == RSP_ENOTFOUND ? EXIT_NOT_FOUND : rc == RSP_EDENIED ? EXIT_USAGE : code;
    }
    for (size_t i = 0; i < v->n && !c->o->value[O_JSON].count; i++)
        printf("%s %s\n", dry ? "would give up" : "given up for ever:", v->list[i]);
    if (c->o->value[O_JSON].count) {
        struct json j;
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        json_bool(&j, "dry_run", dry);
        json_array(&j, "acknowledged");
        for (size_t i = 0; i < v->n; i++) json_text(&j, NULL, v->list[i]);
        json_close(&j, ']');
        context_json_troubles(c, &j);
        json_close(&j, '}');
    }
    return EXIT_OK;
}

int verb_expire(struct context *c)
{
    const struct rsp_identity *keeper;
    struct rsp_retention policy;
    uint8_t source[16];
    int lost = c->o->value[O_ACKNOWLEDGE].n > 0, dry = c->o->value[O_DRY_RUN].count > 0, code;
    policy_read(c, &policy);
    if (lost && c->o->operands) return options_usage(c->o, "--acknowledge and snapshots: one after the other");
    if (!lost && !c->o->operands && !policy_any(&policy))
        return options_usage(c->o,
                             "what is to be kept? --keep-last N, --keep-daily N ..., or name snapshots to retire");
    /* Giving up is weighed by the library with the keeper at hand, also when nothing is published. */
    code = context_repo(c, dry && !lost ? NEED_NOTHING : NEED_SIGN);
    if (code < 0 && (lost || !dry)) code = context_signer(c, RSP_ROLE_KEEP, NULL, &keeper);
    if (code < 0 && !dry) code = context_alone(c);
    if (code < 0) code = context_log(c, NULL, 0, 1);
    if (code >= 0) return code;
    policy.source = context_source(c, source);
    if (lost) {
        /* What it mended is told by the log as it was: said again it would look unmended. */
        code = acknowledge(c);
        if (code == EXIT_OK && !dry) {
            code = context_log(c, NULL, 0, 0);
            return code < 0 ? EXIT_OK : code;
        }
        return code;
    }
    return c->o->operands ? by_hand(c) : by_policy(c, &policy);
}
