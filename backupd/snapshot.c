/* What this is: the snapshot that an operand names, opened.
 * Rests on: snapshot.h, cli/exit.h, cli/print.h.
 * Does not: read its data. */
#include "backupd/snapshot.h"

#include <string.h>

#include "cli/exit.h"

static int choose(struct context *c, const char *id, struct chosen *s)
{
    int code;
    if (c->log->faults && !strcmp(id, "latest")) {
        print_err(
            "%s: the log has faults, so that the latest snapshot is not known for certain: look at them, then name "
            "one by its ID",
            c->url);
        return EXIT_INTEGRITY;
    }
    code = context_find(c, id, &s->record);
    if (code >= 0) return code;
    if (!(s->record->state & RSP_RECORD_LOADED)) {
        int rc = rsp_log_fetch(c->log, s->record);
        if (rc) return context_fault(c, rc, s->record->name, EXIT_STORAGE);
    }
    snapshot_text(s->name, s->record->snapshot);
    s->damaged = (s->record->flags & RSP_COMMIT_DAMAGED) != 0;
    s->doubts = c->log->faults != 0;
    if (s->doubts)
        print_warn("%s: the log has faults; going on with snapshot %s, whose commit is sound", c->url, s->name);
    return -1;
}

int chosen_open(struct context *c, const char *id, struct chosen *s)
{
    int code, rc;
    memset(s, 0, sizeof *s);
    code = context_repo(c, NEED_READ);
    if (code < 0) code = context_log(c, NULL, 0, 0);
    if (code < 0) code = choose(c, id, s);
    if (code >= 0) return code;
    rc = rsp_snapshot_open(c->repo, s->record, &s->snapshot);
    return rc ? context_fault(c, rc, s->name, EXIT_STORAGE) : -1;
}

int chosen_finish(struct context *c, const struct chosen *s, int code)
{
    if (code != EXIT_OK) return code;
    /* The commit that was asked for is sound: what else is wrong with the log is told, as findings. */
    if (s->doubts) c->log->faults = 0;
    return s->doubts || s->damaged ? EXIT_FINDINGS : EXIT_OK;
}

void chosen_close(struct chosen *s)
{
    rsp_snapshot_free(s->snapshot);
    s->snapshot = NULL;
}
