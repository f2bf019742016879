/* What this is: what a restore into running servers says: the plan, what was done, what the comparison found.
 * Rests on: restore_live.h.
 * Does not: restore. */
#include <inttypes.h>

#include "backupd/restore_live.h"
#include "cli/exit.h"
#include "cli/text.h"

/* What is lost, beyond what only says how something was used: data. */
static uint64_t losses_of(const struct rsp_losses *losses)
{
    uint64_t n = 0;
    for (int i = 0; i < RSP_LOSSES; i++) n += rsp_loss_is_usage(i) ? 0 : losses->n[i];
    return n;
}

static void say_losses(const struct live *l)
{
    const struct rsp_losses *losses = &l->report.plan.losses;
    const struct rsp_loss_policy *policy = &l->o.resp.losses;
    for (int i = 0; i < RSP_LOSSES; i++) {
        int action = policy->action[i];
        const char *verb = action == RSP_LOSS_DROP   ? l->o.dry_run ? "would be left out" : "left out"
                           : action == RSP_LOSS_FAIL ? "cannot be held there"
                           : l->o.dry_run            ? "would be kept without"
                                                     : "kept without";
        char names[1024];
        if (!losses->n[i]) continue;
        losses_names(losses, i, names, sizeof names);
        printf("%s: %" PRIu64 " of %s (%s): %s", verb, losses->n[i], rsp_loss_text(i), rsp_loss_name(i), names);
        if (i == RSP_LOSS_MODULE && losses->module_from)
            printf("; redis %u.%u, newer than the target, wrote them", (unsigned)(losses->module_from / 10000),
                   (unsigned)(losses->module_from / 100 % 100));
        putchar('\n');
    }
}

static void say_plan(const struct live *l)
{
    const struct rsp_load_plan *p = &l->report.plan;
    char bytes[TEXT_MAX], time[TEXT_MAX];
    printf("would restore %s into %s: %" PRIu64 " keys, %" PRIu64 " with an expiry, %" PRIu64 " functions\n",
           l->r->chosen.name, l->place, p->keys, p->expires, p->functions);
    printf("%s of commands, about %s\n", text_size(bytes, p->bytes), text_duration(time, (int64_t)p->estimate_ms));
    if (p->dropped) printf("left out, expired: %" PRIu64 "\n", p->dropped);
    say_losses(l);
    if (p->nodes > 1) printf("the %" PRIu64 " primaries hold %" PRIu64 " keys", p->nodes, p->target_keys);
    else printf("the server holds %" PRIu64 " keys", p->target_keys);
    if (p->existing) printf("; %" PRIu64 " of those of the snapshot exist: --existing skip or replace", p->existing);
    putchar('\n');
}

static void say_compare(const struct live *l)
{
    const struct rsp_load_report *p = &l->report;
    const struct rsp_compare_report *cmp = &p->compare;
    char expected[33], found[33];
    text_hex(expected, cmp->expected, 16);
    text_hex(found, cmp->found, 16);
    if (!p->compared) {
        if (!l->o.no_compare) printf("not comparable: %s\n", p->why_not);
        return;
    }
    printf("the server's data compared: %s, dd1:%s dd1:%s\n",
           cmp->verdict == RSP_COMPARE_EQUAL ? "equal"
           : p->disturbed                    ? "not comparable, other clients wrote"
                                             : "DIFFERENT",
           expected, found);
    if (cmp->opaque)
        printf("%" PRIu64
               " values of modules are there, with their expiry, and written in another way: only their module "
               "could compare them\n",
               cmp->opaque);
    if (cmp->expired) printf("left out on both sides, expired: %" PRIu64 "\n", cmp->expired);
    if (cmp->verdict == RSP_COMPARE_EQUAL) return;
    printf("%" PRIu64 " keys are missing, %" PRIu64 " are other, the first: %s\n", cmp->missing, cmp->changed,
           cmp->first);
}

static void say_done(const struct live *l)
{
    const struct rsp_load_report *p = &l->report;
    char bytes[TEXT_MAX], time[TEXT_MAX];
    printf("restored %" PRIu64 " keys of %s in %s to %s", p->keys, l->r->chosen.name,
           text_duration(time, (int64_t)p->write_ms), l->place);
    if (p->plan.nodes > 1) printf(", %" PRIu64 " primaries", p->plan.nodes);
    if (p->functions) printf(", %" PRIu64 " functions", p->functions);
    if (p->skipped) printf(", %" PRIu64 " skipped: they exist", p->skipped);
    if (p->resumed) printf(", %" PRIu64 " of an earlier run", p->resumed);
    printf(", %s sent\n", text_size(bytes, p->sent_bytes));
    if (p->plan.dropped) printf("left out, expired: %" PRIu64 "\n", p->plan.dropped);
    say_losses(l);
    say_compare(l);
}

static void json_losses(const struct live *l, struct json *j)
{
    static const char *const actions[] = {"fail", "drop", "convert"}; /* enum rsp_loss_action */
    const struct rsp_losses *losses = &l->report.plan.losses;
    json_array(j, "losses");
    for (int i = 0; i < RSP_LOSSES; i++) {
        if (!losses->n[i]) continue;
        json_object(j, NULL);
        json_text(j, "kind", rsp_loss_name(i));
        json_text(j, "what", rsp_loss_text(i));
        json_u64(j, "count", losses->n[i]);
        json_text(j, "action", actions[l->o.resp.losses.action[i] % 3]);
        json_array(j, "names");
        for (uint64_t k = 0; k < losses->n[i] && k < RSP_LOSS_NAMES; k++) {
            const struct rsp_loss_key *name = &losses->names[i][k];
            json_object(j, NULL);
            json_u64(j, "db", name->db);
            json_bytes(j, "name", (struct rsp_span){name->p, name->n < sizeof name->p ? name->n : sizeof name->p});
            json_close(j, '}');
        }
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_compare(const struct live *l, struct json *j)
{
    const struct rsp_load_report *p = &l->report;
    const struct rsp_compare_report *cmp = &p->compare;
    char dd1[33];
    json_bool(j, "compared", p->compared);
    if (!p->compared && !l->o.no_compare) json_text(j, "why_not", p->why_not);
    if (!p->compared) return;
    json_bool(j, "equal", cmp->verdict == RSP_COMPARE_EQUAL);
    json_bool(j, "disturbed", p->disturbed);
    text_hex(dd1, cmp->expected, 16);
    json_text(j, "dd1_expected", dd1);
    text_hex(dd1, cmp->found, 16);
    json_text(j, "dd1_found", dd1);
    json_u64(j, "missing", cmp->missing);
    json_u64(j, "changed", cmp->changed);
    json_u64(j, "others", cmp->others);
    json_u64(j, "expired", cmp->expired);
    json_u64(j, "opaque", cmp->opaque);
    if (cmp->verdict != RSP_COMPARE_EQUAL) json_text(j, "first", cmp->first);
}

static void report_json(const struct live *l)
{
    const struct rsp_load_report *p = &l->report;
    char target[64];
    struct json j;
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    json_text(&j, "snapshot", l->o.snapshot);
    json_text(&j, "server", l->place);
    json_u64(&j, "streams", l->o.streams);
    json_bool(&j, "dry_run", l->o.dry_run);
    rsp_target_text(&p->plan.target, target, sizeof target);
    json_object(&j, "plan");
    json_text(&j, "target", target);
    json_u64(&j, "nodes", p->plan.nodes);
    json_u64(&j, "keys", p->plan.keys);
    json_u64(&j, "expires", p->plan.expires);
    json_u64(&j, "functions", p->plan.functions);
    json_u64(&j, "bytes", p->plan.bytes);
    json_u64(&j, "dropped", p->plan.dropped);
    json_u64(&j, "target_keys", p->plan.target_keys);
    json_u64(&j, "existing", p->plan.existing);
    json_u64(&j, "estimate_ms", p->plan.estimate_ms);
    json_losses(l, &j);
    json_close(&j, '}');
    if (!l->o.dry_run) {
        json_u64(&j, "keys", p->keys);
        json_u64(&j, "skipped", p->skipped);
        json_u64(&j, "functions", p->functions);
        json_u64(&j, "commands", p->commands);
        json_u64(&j, "sent_bytes", p->sent_bytes);
        json_u64(&j, "resumed", p->resumed);
        json_u64(&j, "write_ms", p->write_ms);
        json_compare(l, &j);
    }
    context_json_troubles(l->r->c, &j);
    json_close(&j, '}');
}

void restore_live_report(const struct live *l)
{
    if (l->r->c->o->value[O_JSON].count) report_json(l);
    else if (l->o.dry_run) say_plan(l);
    else say_done(l);
}

/* ---- the verdict ---- */

int restore_live_verdict(const struct live *l)
{
    const struct rsp_load_report *p = &l->report;
    int left = losses_of(&p->plan.losses) != 0;
    if (l->o.dry_run) return left || p->plan.existing ? EXIT_FINDINGS : EXIT_OK;
    if (!p->compared) return left || !l->o.no_compare ? EXIT_FINDINGS : EXIT_OK;
    if (p->compare.verdict == RSP_COMPARE_EQUAL) return left ? EXIT_FINDINGS : EXIT_OK;
    return p->disturbed ? EXIT_FINDINGS : EXIT_TARGET;
}
