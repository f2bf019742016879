/* What this is: publishing one record.
 * Rests on: publish.h.
 * Does not: know kinds. */
#include "backupd/publish.h"

#include "cli/exit.h"

int publish_one(struct context *c, struct rsp_record *draft, const char *const *tags, size_t tags_n,
                const struct rsp_record *about, const char *done)
{
    struct rsp_record *made = NULL;
    char id[33], hash[HEX32] = "";
    int dry = c->o->value[O_DRY_RUN].count > 0, rc;
    text_hex(id, about->snapshot, 16);
    rc = dry ? RSP_OK : rsp_record_publish(c->log, draft, tags, tags_n, &made);
    if (rc) return context_fault(c, rc, c->url, EXIT_STORAGE);
    if (made) text_hex(hash, made->hash, 32);
    if (c->o->value[O_JSON].count) {
        struct json j;
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        json_text(&j, "snapshot", id);
        json_text(&j, "done", done);
        json_bool(&j, "dry_run", dry);
        if (made) json_text(&j, "record", hash);
        context_json_troubles(c, &j);
        json_close(&j, '}');
    } else {
        printf("%s%.10s %s\n", dry ? "would do: " : "", id, done);
    }
    return EXIT_OK;
}
