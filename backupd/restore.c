/* What this is: backupd restore: a snapshot into a file that appears whole or not at all.
 * Rests on: snapshot.h, respite/sys/job.h.
 * Does not: start servers. */
#include <inttypes.h>
#include <string.h>

#include <respite/sys/job.h>

#include "backupd/snapshot.h"
#include "cli/exit.h"
#include "cli/signal.h"

static void report(struct context *c, const struct chosen *s, const struct rsp_restore_report *r)
{
    const char *to = c->o->value[O_TO].text;
    int checked = !c->o->value[O_NO_CHECK].count && !s->damaged;
    char bytes[TEXT_MAX], resumed[TEXT_MAX], id[33];
    struct json j;
    if (!c->o->value[O_JSON].count) {
        printf("restored %s: %s to %s", s->name, text_size(bytes, r->bytes), to);
        if (r->resumed) printf(", %s of it was there", text_size(resumed, r->resumed));
        if (checked) printf(", %" PRIu64 " keys", r->keys);
        puts(s->damaged ? ", as damaged as it was stored" : checked ? ", checked" : ", not checked");
        return;
    }
    text_hex(id, s->record->snapshot, 16);
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    json_text(&j, "snapshot", id);
    json_text(&j, "file", to);
    json_u64(&j, "bytes", r->bytes);
    json_u64(&j, "resumed_bytes", r->resumed);
    json_bool(&j, "checked", checked);
    if (checked) json_u64(&j, "keys", r->keys);
    json_bool(&j, "damaged", s->damaged);
    context_json_troubles(c, &j);
    json_close(&j, '}');
}

static int restore(struct context *c, const struct chosen *s)
{
    const struct opt_value *v = c->o->value;
    const struct rsp_manifest *m = rsp_snapshot_manifest(s->snapshot);
    struct rsp_restore_options o = {.size = sizeof o};
    struct rsp_restore_report r = {.size = sizeof r};
    int rc;
    o.force = v[O_FORCE].count != 0;
    o.resume = v[O_RESUME].count != 0;
    o.no_check = v[O_NO_CHECK].count != 0;
    o.damaged = s->damaged;
    o.threads = (unsigned)v[O_THREADS].number;
    o.cancel = signal_flag();
    o.progress = context_progress;
    o.opaque = c;
    context_begin(c, s->name, m->streams_n ? m->streams[0].plain : 0, 0);
    rc = rsp_restore_file(&c->env, s->snapshot, v[O_TO].text, &o, &r);
    context_end(c);
    if (rc == RSP_EEXIST) {
        print_err("%s: exists already; --force replaces it", v[O_TO].text);
        return EXIT_TARGET;
    }
    if (rc == RSP_ELOCKED) {
        context_fault(c, rc, v[O_TO].text, EXIT_TARGET);
        return EXIT_TARGET;
    }
    if (rc) {
        /* The target's faults have its name; those of the store the object's. */
        int io = !strcmp(c->error.subject, v[O_TO].text) ? EXIT_TARGET : EXIT_STORAGE;
        return context_fault(c, rc, s->name, io);
    }
    report(c, s, &r);
    return EXIT_OK;
}

int verb_restore(struct context *c)
{
    struct chosen s;
    int code;
    if (!c->o->value[O_TO].text) return options_usage(c->o, "where to? --to FILE");
    code = chosen_open(c, c->o->operand[0], &s);
    if (code < 0) code = chosen_finish(c, &s, restore(c, &s));
    chosen_close(&s);
    return code;
}
