/* What this is: backupd prune: deleting what was retired long enough ago, and debris.
 * Rests on: context.h.
 * Does not: decide what is retired (expire). */
#include "backupd/context.h"
#include "cli/exit.h"

struct told {
    struct context *c;
    struct json *j;
    int verbose;
};

static void removing(void *opaque, const char *name, uint64_t bytes, const char *why)
{
    const struct told *t = opaque;
    char size[TEXT_MAX];
    if (t->j) {
        json_object(t->j, NULL);
        json_text(t->j, "name", name);
        json_u64(t->j, "bytes", bytes);
        json_text(t->j, "why", why);
        json_close(t->j, '}');
    } else if (t->verbose) {
        printf("%s  %s  %s\n", name, text_size(size, bytes), why);
    }
}

static void print_text(const struct rsp_prune_report *r, int dry)
{
    char bytes[TEXT_MAX], debris[TEXT_MAX];
    printf("%s%llu snapshots, %llu objects, %s; debris: %llu objects, %s; %llu records tidied\n",
           dry ? "would remove " : "removed ", (unsigned long long)r->commits, (unsigned long long)r->objects,
           text_size(bytes, r->bytes), (unsigned long long)r->debris_objects, text_size(debris, r->debris_bytes),
           (unsigned long long)r->records);
    if (r->waiting)
        printf("%llu retired snapshots wait for the end of their quarantine\n", (unsigned long long)r->waiting);
}

int verb_prune(struct context *c)
{
    struct json j = {0}, *out = c->o->value[O_JSON].count ? &j : NULL;
    int dry = c->o->value[O_DRY_RUN].count > 0, code, rc;
    struct told told = {c, out, dry || c->o->value[O_VERBOSE].count};
    struct rsp_prune_options options = {.size = sizeof options,
                                        .quarantine_ms = c->o->value[O_QUARANTINE].number,
                                        .debris_age_ms = c->o->value[O_DEBRIS_AGE].number,
                                        .dry_run = dry,
                                        .as_of_ms = context_as_of(c),
                                        .removing = removing,
                                        .opaque = &told};
    struct rsp_prune_report report = {.size = sizeof report};
    const struct rsp_identity *keeper;
    code = context_repo(c, dry ? NEED_NOTHING : NEED_SIGN);
    if (code < 0 && !dry) code = context_signer(c, RSP_ROLE_KEEP, NULL, &keeper);
    if (code < 0 && !dry) code = context_alone(c);
    if (code < 0) code = context_log(c, NULL, 0, 1);
    if (code >= 0) return code;
    if (out) {
        json_init(out, stdout, 1);
        json_object(out, NULL);
        json_bool(out, "dry_run", dry);
        json_array(out, "removed");
    }
    rc = rsp_prune(c->log, &options, &report);
    if (rc) code = context_fault(c, rc, c->url, EXIT_STORAGE);
    else code = EXIT_OK;
    if (out) {
        json_close(out, ']');
        json_u64(out, "snapshots", report.commits);
        json_u64(out, "objects", report.objects);
        json_u64(out, "bytes", report.bytes);
        json_u64(out, "debris_objects", report.debris_objects);
        json_u64(out, "debris_bytes", report.debris_bytes);
        json_u64(out, "records", report.records);
        json_u64(out, "waiting", report.waiting);
        json_bool(out, "complete", !rc);
        context_json_troubles(c, out);
        json_close(out, '}');
    } else if (!rc) {
        print_text(&report, dry);
    }
    return code;
}
