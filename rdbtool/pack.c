/* What this is: `rdbtool pack`: one file or stream sealed for its recipients.
 * Rests on: sealed.h, respite/sys/seal.h, cli/.
 * Does not: look into what it seals, hold any secret. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <respite/sys/seal.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/signal.h"
#include "rdbtool/pack.h"
#include "rdbtool/sealed.h"

#define RECIPIENTS_MAX 256
#define LINE_BYTES_MAX 1024

/* ---- recipients ---- */

struct recipients {
    struct rsp_public key[RECIPIENTS_MAX];
    size_t n;
};

/* text is never shown: it may be a secret by mistake. where: the option, or FILE:LINE. */
static int add(struct job *job, struct recipients *r, const char *where, const char *text)
{
    struct rsp_public key;
    int rc = rsp_public_parse(&job->env, text, &key), code;
    if (rc) {
        code = options_usage(job->o, "%s: %s", where, job->error.code ? job->error.message : rsp_status_text(rc));
        rsp_error_clear(&job->error);
        return code;
    }
    for (size_t i = 0; i < r->n; i++)
        if (!memcmp(&r->key[i], &key, sizeof key)) return -1;
    if (r->n == RECIPIENTS_MAX) return options_usage(job->o, "%s: more than %d recipients", where, RECIPIENTS_MAX);
    r->key[r->n++] = key;
    return -1;
}

/* "rsp-pub-...", then perhaps a comment; blank lines and those that begin with # mean nothing. */
static int add_line(struct job *job, struct recipients *r, const char *path, unsigned line, char *text)
{
    char where[400];
    char *at = text + strspn(text, " \t\r\n");
    if (!*at || *at == '#') return -1;
    at[strcspn(at, " \t\r\n")] = 0;
    snprintf(where, sizeof where, "%s:%u", path, line);
    return add(job, r, where, at);
}

static int add_file(struct job *job, struct recipients *r, const char *path)
{
    char text[LINE_BYTES_MAX];
    unsigned line = 0;
    size_t before = r->n;
    int code = -1, failed;
    FILE *f = fopen(path, "re");
    if (!f) return options_usage(job->o, "--recipients-file: %s: %s", path, strerror(errno));
    while (code < 0 && fgets(text, sizeof text, f)) {
        line++;
        if (!strchr(text, '\n') && !feof(f))
            code = options_usage(job->o, "%s:%u: a line of more than %zu bytes", path, line, sizeof text - 2);
        else code = add_line(job, r, path, line, text);
    }
    failed = ferror(f);
    fclose(f);
    if (code < 0 && failed) code = options_usage(job->o, "--recipients-file: %s: cannot be read", path);
    if (code < 0 && r->n == before) code = options_usage(job->o, "--recipients-file: %s: nobody stands in it", path);
    return code;
}

static int take_recipients(struct job *job, struct recipients *r)
{
    const struct opt_value *v = &job->o->value[O_RECIPIENT];
    const char *path = job->o->value[O_RECIPIENTS_FILE].text;
    int code = -1;
    for (size_t i = 0; i < v->n && code < 0; i++) code = add(job, r, "--recipient", v->list[i]);
    if (code < 0 && path) code = add_file(job, r, path);
    if (code < 0 && !r->n)
        code = options_usage(job->o, "for whom? --recipient rsp-pub-... or --recipients-file FILE; 'backupd key new' "
                                     "makes an identity");
    return code;
}

/* ---- output, common to pack and unpack ---- */

int pack_output(struct job *job, struct rsp_sink **sink)
{
    const char *path = job->o->value[O_OUTPUT].text;
    if (!path) return options_usage(job->o, "-o OUT is missing; - is standard output");
    if (!job_output_is_file(job) && isatty(STDOUT_FILENO))
        return options_usage(job->o, "-o -: a terminal is no place for it; name a file, or make it a pipe");
    return job_output(job, sink);
}

int pack_end(struct job *job, int rc, int source_fault, const char *name, struct rsp_sink *sink)
{
    const char *path = job->o->value[O_OUTPUT].text;
    int to_file = job_output_is_file(job), code;
    job_end(job);
    if (!rc && signal_caught()) rc = RSP_ECANCELED;
    if (rc && !source_fault && job->error.sys_errno == EPIPE) return EXIT_PIPE;
    if (rc) {
        code = job_fault(job, rc, name, source_fault ? EXIT_SOURCE : EXIT_TARGET);
        if (to_file && !signal_caught()) print_err("%s: not written", path);
        return code;
    }
    /* What went to stdout is there; making it durable is up to whoever opened it. */
    rc = to_file ? rsp_sink_commit(sink) : RSP_OK;
    return rc ? job_fault(job, rc, path, EXIT_TARGET) : EXIT_OK;
}

/* ---- sealing ---- */

/* A source that remembers whether it was the one to fail. */
struct watched {
    struct rsp_source *source;
    int fault;
};

static int watched_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct watched *w = opaque;
    int rc = rsp_source_read(w->source, out, cap, got);
    if (rc < 0) w->fault = rc;
    return rc;
}

static void on_progress(void *opaque, uint64_t bytes)
{
    (void)job_tick(opaque, bytes);
}

static int seal(struct job *job, struct input *in, const struct recipients *r, struct rsp_sink *sink)
{
    static const struct rsp_source_ops ops = {sizeof ops, watched_read, NULL};
    struct rsp_pack_options o = {.size = sizeof o, .readers = r->key, .readers_n = r->n};
    struct watched w = {in->source, 0};
    struct rsp_source *source = NULL;
    struct rsp_span head = {NULL, 0};
    int rc = rsp_source_custom(&job->env, &ops, &w, in->name, &source), code;
    o.level = (int)job->o->value[O_LEVEL].number;
    o.threads = job->run.threads;
    o.no_recheck = job->o->value[O_NO_RECHECK].count != 0;
    o.cancel = signal_flag();
    o.progress = on_progress;
    o.opaque = job;
    if (!rc) rc = rsp_source_peek(source, 1, &head);
    if (!rc && !head.n) print_warn("%s: is empty: what is sealed is nothing", in->name);
    job_begin(job, in->name, in->size, 0);
    if (!rc) rc = rsp_pack_write(&job->env, source, sink, &o);
    code = pack_end(job, rc, w.fault != 0, in->name, sink);
    rsp_source_free(source);
    return code;
}

int verb_pack(struct job *job)
{
    struct recipients *r = calloc(1, sizeof *r);
    struct rsp_sink *sink = NULL;
    struct input in;
    int rc, code;
    if (!r) return job_fault(job, RSP_ENOMEM, NULL, EXIT_INTERNAL);
    code = take_recipients(job, r);
    if (code < 0) code = pack_output(job, &sink);
    if (code < 0) {
        rc = input_open_stored(&in, &job->env, job->o->operand[0]);
        code = rc ? job_fault(job, rc, in.name, EXIT_SOURCE) : seal(job, &in, r, sink);
        input_close(&in);
    }
    rsp_sink_free(sink);
    free(r);
    return code;
}
