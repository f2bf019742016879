/* What this is: backupd get: the value of one key of a snapshot.
 * Rests on: read.h.
 * Does not: search (cli/reading_get.c). */
#include "backupd/read.h"
#include "cli/exit.h"

int verb_get(struct context *c)
{
    struct dump_read d;
    struct reading_key key = {0};
    int code = dump_job(c, &d);
    if (code < 0) code = reading_key_open(&d.job, c->o->operands > 1 ? c->o->operand[1] : NULL, &key);
    if (code < 0) code = dump_open(c, &d, &key.key);
    if (code < 0) code = chosen_finish(c, &d.chosen, reading_get(&d.job, &d.reading, key.key));
    reading_key_close(&key);
    dump_close(&d);
    return code;
}
