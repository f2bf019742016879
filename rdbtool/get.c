/* What this is: `rdbtool get`: one value of a file.
 * Rests on: sealed.h, cli/reading.h.
 * Does not: search (cli/reading_get.c). */
#include "cli/exit.h"
#include "rdbtool/sealed.h"

int verb_get(struct job *job)
{
    const char *const *operand = job->o->operand;
    struct reading_key key;
    int rc, code = reading_key_open(job, job->o->operands == 2 ? operand[1] : NULL, &key);
    if (code < 0) {
        struct input in;
        rc = dump_open(job, &in, operand[0]);
        if (rc) {
            code = dump_fault(job, rc, &in);
        } else {
            struct reading what = {in.name, in.size, in.source, EXIT_SOURCE, NULL};
            code = reading_get(job, &what, key.key);
        }
        input_close(&in);
    }
    reading_key_close(&key);
    return code;
}
