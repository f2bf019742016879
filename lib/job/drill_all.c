/* What this is: a drill of one dump, and of all streams of a snapshot, one after the other, added up.
 * Rests on: drill.h.
 * Does not: run two private servers at once. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "job/drill.h"

static struct drill *drill_new(const struct rsp_env *env, const struct rsp_manifest *m,
                               const struct rsp_drill_options *options)
{
    struct drill *d = mem_zero(env, sizeof *d);
    if (!d) return NULL;
    d->r = mem_zero(env, sizeof *d->r);
    if (!d->r) {
        mem_free(env, d, sizeof *d);
        return NULL;
    }
    d->env = *env;
    if (!d->env.error) d->env.error = &d->error;
    buf_init(&d->dbs, &d->env);
    d->m = m;
    if (options) memcpy(&d->o, options, options->size < sizeof d->o ? options->size : sizeof d->o);
    return d;
}

static void drill_free(struct drill *d)
{
    struct rsp_env env;
    if (!d) return;
    env = d->env;
    buf_free(&d->dbs);
    mem_free(&env, d->r, sizeof *d->r);
    mem_free(&env, d, sizeof *d);
}

static void give(struct rsp_drill_report *report, struct rsp_drill_report *r)
{
    r->size = report->size;
    memcpy(report, r, report->size < sizeof *r ? report->size : sizeof *r);
}

/* ---- one dump ---- */

struct one {
    int (*open)(void *ctx, struct rsp_source **source);
    void *ctx;
};

static int open_one(void *ctx, size_t stream, struct rsp_source **source)
{
    const struct one *o = ctx;
    (void)stream;
    return o->open(o->ctx, source);
}

int rsp_drill(const struct rsp_env *env, int (*open)(void *ctx, struct rsp_source **source), void *ctx,
              const struct rsp_manifest *manifest, const struct rsp_drill_options *options,
              struct rsp_drill_report *report)
{
    struct one one = {open, ctx};
    struct rsp_env outer;
    struct drill *d;
    int rc;
    env_init(&outer, env);
    d = drill_new(&outer, manifest, options);
    if (!d) return RSP_ENOMEM;
    d->open = open_one;
    d->ctx = &one;
    for (size_t i = 0; i < manifest->streams_n && !d->stream; i++)
        if (manifest->streams[i].kind == RSP_STREAM_RDB) d->stream = &manifest->streams[i];
    rc = drill_stream(d);
    d->r->streams = 1;
    give(report, d->r);
    drill_free(d);
    return rc;
}

/* ---- all streams ---- */

/* The sum of two digests, mod 2^128. */
static void add_digest(uint8_t to[16], const uint8_t more[16])
{
    unsigned carry = 0;
    for (unsigned i = 16; i-- > 0;) {
        carry += (unsigned)to[i] + more[i];
        to[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void named(const struct drill *d, char text[256], const char *words)
{
    char name[100];
    printable(name, sizeof name, d->stream->name.p, d->stream->name.n);
    snprintf(text, 256, "%s: %.150s", name, words);
}

/* What was shown of all is what was shown of the weakest; the words are the first one's of those. */
static void add_up(struct rsp_drill_report *to, const struct drill *d)
{
    const struct rsp_drill_report *one = d->r;
    if (!to->streams || one->proof < to->proof) {
        to->proof = one->proof;
        to->engine = one->engine;
        to->why_not[0] = to->what[0] = 0;
        if (one->why_not[0]) named(d, to->why_not, one->why_not);
        if (one->what[0]) named(d, to->what, one->what);
    }
    to->compared = to->streams ? to->compared && one->compared : one->compared;
    to->streams++;
    to->keys += one->keys;
    to->server_keys += one->server_keys;
    to->expired += one->expired;
    add_digest(to->dd1, one->dd1);
    add_digest(to->server_dd1, one->server_dd1);
    to->decode_ms += one->decode_ms;
    to->load_ms += one->load_ms;
}

/* Nothing of the stream before stays but its databases and its length. */
static void turn_to(struct drill *d, size_t stream)
{
    d->before += d->base ? 2 * d->base : 0;
    d->base = d->bytes = d->findings = d->modules = 0;
    d->db_most = 0;
    d->at = stream;
    d->stream = &d->m->streams[stream];
    memset(d->r, 0, sizeof *d->r);
    d->r->size = sizeof *d->r;
    d->r->streams = 1;
}

static int drill_each(struct drill *d, struct rsp_drill_report *sum)
{
    for (size_t i = 0; i < d->m->streams_n; i++) {
        int rc;
        if (d->m->streams[i].kind != RSP_STREAM_RDB) continue;
        turn_to(d, i);
        rc = drill_stream(d);
        if (rc) {
            sum->engine = d->r->engine; /* of a fault of the server: which it was */
            return rc;
        }
        if (d->o.told) d->o.told(d->o.opaque, i, d->r);
        add_up(sum, d);
    }
    if (!sum->streams) return fail(&d->env, RSP_ENOTFOUND, NULL, "the snapshot holds no RDB");
    if (sum->proof == RSP_PROOF_FAILED || drill_dbs_same(d)) return RSP_OK;
    sum->proof = RSP_PROOF_FAILED;
    memcpy(sum->what, d->r->what, sizeof sum->what);
    return RSP_OK;
}

int rsp_drill_all(const struct rsp_env *env, int (*open)(void *ctx, size_t stream, struct rsp_source **source),
                  void *ctx, const struct rsp_manifest *manifest, const struct rsp_drill_options *options,
                  struct rsp_drill_report *report)
{
    struct rsp_drill_report *sum = NULL;
    struct rsp_env outer;
    struct drill *d;
    int rc = RSP_ENOMEM;
    env_init(&outer, env);
    d = drill_new(&outer, manifest, options);
    if (d) sum = mem_zero(&outer, sizeof *sum);
    if (sum) {
        d->open = open;
        d->ctx = ctx;
        d->several = 1;
        rc = drill_each(d, sum);
        give(report, sum);
    }
    mem_free(&outer, sum, sizeof *sum);
    drill_free(d);
    return rc;
}
