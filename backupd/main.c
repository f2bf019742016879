/* What this is: backupd's main: a process that leaves no core, options, the verb, the exit status.
 * Rests on: context.h, cli/.
 * Does not: know what a verb does. */
#include <stdio.h>

#include "backupd/context.h"
#include "cli/exit.h"
#include "cli/print.h"
#include "cli/signal.h"

static const struct {
    uint64_t bit;
    int (*run)(struct context *c);
} verbs[] = {
    {V_INIT, verb_init},
    {V_KEY_NEW, verb_key_new},
    {V_KEY_SHOW, verb_key_show},
    {V_KEY_ADD, verb_key_add},
    {V_KEY_REMOVE, verb_key_remove},
    {V_KEY_LIST, verb_key_list},
    {V_KEY_REWRAP, verb_key_rewrap},
    {V_KEY_REPUBLISH, verb_key_republish},
    {V_KEY_FORGET, verb_key_forget},
    {V_KEY_POLICY, verb_key_policy},
    {V_BACKUP, verb_backup},
    {V_LIST, verb_list},
    {V_SHOW, verb_show},
    {V_CAT, verb_cat},
    {V_GET, verb_get},
    {V_EXPORT, verb_export},
    {V_VERIFY, verb_verify},
    {V_RESTORE, verb_restore},
    {V_PIN, verb_pin},
    {V_UNPIN, verb_unpin},
    {V_ANNOTATE, verb_annotate},
    {V_EXPIRE, verb_expire},
    {V_PRUNE, verb_prune},
    {V_STATUS, verb_status},
    {V_CHECK, verb_check},
    {V_DRILL, verb_drill},
    {V_COPY, verb_copy},
    {V_PROBE, verb_probe},
};

static int run(const struct options *o)
{
    struct context c;
    int code = context_open(&c, o);
    if (code < 0) {
        code = EXIT_INTERNAL;
        for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
            if (verbs[i].bit == o->verb->bit) code = verbs[i].run(&c);
        code = context_finish(&c, code);
    }
    context_close(&c);
    return code;
}

int main(int argc, char **argv)
{
    struct options o;
    int code, finish;
    pass_no_cores();
    signal_install();
    print_init("backupd");
    code = options_parse(&backupd_program, argc, argv, &o);
    if (code < 0) code = run(&o);
    options_free(&o);
    /* A report that could not be written is no success; a worse verdict stands. */
    finish = print_finish();
    return code == EXIT_OK || finish == EXIT_PIPE ? finish : code;
}
