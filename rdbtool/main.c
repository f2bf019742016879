/* What this is: rdbtool's main: options, the verb, the exit status.
 * Rests on: options.h, sealed.h, cli/.
 * Does not: know what a verb does. */
#include <stdio.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/signal.h"
#include "rdbtool/sealed.h"

static int run(const struct options *o)
{
    struct job job;
    struct keys keys = {0};
    int code = job_open(&job, o, rdbtool_reading);
    job.own = &keys;
    if (code < 0) code = keys_usage(&job);
    if (code < 0) {
        switch (o->verb->bit) {
        case V_INFO: code = verb_info(&job); break;
        case V_CHECK: code = verb_check(&job); break;
        case V_EXPORT: code = verb_export(&job); break;
        case V_GET: code = verb_get(&job); break;
        case V_PACK: code = verb_pack(&job); break;
        case V_UNPACK: code = verb_unpack(&job); break;
        default: code = EXIT_INTERNAL;
        }
    }
    keys_close(&keys);
    job_close(&job);
    return code;
}

int main(int argc, char **argv)
{
    struct options o;
    int code, finish;
    signal_install();
    print_init("rdbtool");
    code = options_parse(&rdbtool_program, argc, argv, &o);
    if (code < 0) code = run(&o);
    options_free(&o);
    /* A report that could not be written is no success; a worse verdict stands. */
    finish = print_finish();
    return code == EXIT_OK || finish == EXIT_PIPE ? finish : code;
}
