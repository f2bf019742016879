/* What this is: `rdbtool export`: the data of a file as JSON or as commands.
 * Rests on: sealed.h, cli/reading.h.
 * Does not: format (lib does) nor write (cli/reading_export.c, cli/reading_resp.c). */
#include "cli/exit.h"
#include "rdbtool/sealed.h"

int verb_export(struct job *job)
{
    struct input in;
    int rc, code = reading_export_usage(job);
    if (code >= 0) return code;
    rc = dump_open(job, &in, job->o->operand[0]);
    if (rc) {
        code = dump_fault(job, rc, &in);
    } else {
        struct reading what = {in.name, in.size, in.source, EXIT_SOURCE, dump_late};
        code = reading_export(job, &what);
    }
    input_close(&in);
    return code;
}
