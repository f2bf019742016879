/* What this is: identities loaded when the first sealed file asks for them, and the file opened by them.
 * Rests on: sealed.h, respite/sys/seal.h.
 * Does not: seal (pack.c). */
#include "rdbtool/sealed.h"

#include <string.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/signal.h"

#define MAGIC_BYTES 8

static void on_log(void *opaque, int level, const char *line)
{
    (void)opaque;
    if (level == RSP_LOG_ERROR) print_err("%s", line);
    else if (level == RSP_LOG_WARN) print_warn("%s", line);
}

int keys_usage(const struct job *job)
{
    const struct opt_value *given = &job->o->value[O_IDENTITY];
    size_t files = job->o->verb->bit == V_CHECK ? job->o->operands : 1, asked = 0;
    for (size_t i = 0; i < given->n; i++) asked += !strcmp(given->list[i], "-");
    for (size_t i = 0; asked && i < files; i++) asked += !strcmp(job->o->operand[i], "-");
    return asked > 1 ? options_usage(job->o, "--identity -: standard input is asked for twice") : -1;
}

void keys_close(struct keys *keys)
{
    while (keys->n) rsp_identity_free(keys->identity[--keys->n]);
    pass_close(keys->passphrase);
    keys->passphrase = NULL;
}

static int load(struct job *job, struct keys *keys)
{
    const struct opt_value *v = job->o->value, *given = &v[O_IDENTITY];
    const struct pass_options pass = {&v[O_PASSPHRASE_FILE], &v[O_PASSPHRASE_FD], &v[O_PASSPHRASE_COMMAND]};
    int rc = RSP_OK;
    if (keys->loaded || !given->n) return RSP_OK;
    pass_no_cores();
    keys->env = job->env;
    keys->env.log = on_log;
    if (!keys->passphrase) rc = pass_open(&keys->passphrase, &pass, &job->error);
    while (!rc && keys->n < given->n) {
        if (keys->n == IDENTITIES_MAX) return RSP_ELIMIT;
        rc = identity_given(&keys->env, keys->passphrase, given->list[keys->n], &keys->identity[keys->n]);
        if (!rc) keys->n++;
    }
    keys->loaded = !rc;
    return rc;
}

/* On whatever thread reads ahead; until it ends, the job's record is the source's. */
static int content_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct keys *keys = opaque;
    int rc = rsp_source_read(keys->plain, out, cap, got);
    if (rc >= 0) return rc;
    keys->late = rc;
    keys->words = *keys->error;
    return rc;
}

static void content_close(void *opaque)
{
    struct keys *keys = opaque;
    rsp_source_free(keys->plain);
    keys->plain = NULL;
}

int dump_unseal(struct job *job, struct input *in)
{
    static const struct rsp_source_ops ops = {sizeof ops, content_read, content_close};
    struct keys *keys = job->own;
    struct rsp_error *e = &job->error;
    struct rsp_source *plain = NULL;
    int rc;
    keys->error = &job->error;
    keys->late = 0;
    rc = keys->fault = load(job, keys);
    if (rc && !e->trail[0]) snprintf(e->trail, sizeof e->trail, "loading what --identity or RESPITE_IDENTITY names");
    if (rc) return rc;
    rc = rsp_source_unpack(&job->env, in->source, keys->identity, keys->n, job->run.threads, &plain);
    if (rc == RSP_EKEY && !e->trail[0])
        snprintf(e->trail, sizeof e->trail, "by --identity FILE or RESPITE_IDENTITY: an identity or a recovery sheet");
    if (rc) return rc;
    in->source = plain;
    in->size = 0; /* of what is read from now on, nobody knows */
    rc = rsp_source_custom(&job->env, &ops, keys, in->name, &in->source);
    if (rc) in->source = plain;
    else keys->plain = plain;
    return rc;
}

int dump_late(struct job *job)
{
    const struct keys *keys = job->own;
    if (!keys->late || job->run.limit) return RSP_OK; /* of what --limit leaves alone nothing is asked */
    job->error = keys->words;
    return keys->late;
}

int dump_open(struct job *job, struct input *in, const char *path)
{
    struct keys *keys = job->own;
    struct rsp_span head;
    int rc;
    keys->fault = keys->late = 0;
    rc = input_open_stored(in, &job->env, path);
    if (!rc) rc = rsp_source_peek(in->source, MAGIC_BYTES, &head);
    if (!rc && rsp_pack_detect(in->source)) rc = dump_unseal(job, in);
    return rc ? rc : input_detect(in);
}

int dump_fault(struct job *job, int status, const struct input *in)
{
    return dump_exit(job, job_fault(job, status, in->name, EXIT_SOURCE));
}

int dump_exit(const struct job *job, int code)
{
    const struct keys *keys = job->own;
    return keys->fault && !signal_caught() ? identity_exit(keys->fault) : code;
}

int dump_is_finding(const struct job *job, int status)
{
    const struct keys *keys = job->own;
    return !keys->fault && (status == RSP_EUNSUPPORTED || status == RSP_EFORMAT || status == RSP_ETRUNCATED);
}
