/* What this is: backupd export: the data of a snapshot as JSON.
 * Rests on: read.h.
 * Does not: format (lib does) nor write (cli/reading_export.c). */
#include "backupd/read.h"
#include "cli/exit.h"

int verb_export(struct context *c)
{
    struct dump_read d;
    int code = dump_job(c, &d);
    if (code < 0) code = reading_export_usage(&d.job);
    if (code < 0) code = dump_open(c, &d, NULL);
    if (code < 0) code = chosen_finish(c, &d.chosen, reading_export(&d.job, &d.reading));
    dump_close(&d);
    return code;
}
