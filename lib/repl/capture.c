/* What this is: a server's dataset as a source: which server, by which method, and what is known of it.
 * Rests on: sync.h, choose.h, bgsave.h, scan.h.
 * Does not: drain sockets (sync_drain.c) or parse RDB. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fdio.h"
#include "repl/bgsave.h"
#include "repl/choose.h"
#include "repl/scan.h"
#include "repl/sync.h"

#define RING_DEFAULT ((size_t)16 << 20)
#define PATIENCE_MS 60000
#define ANNOUNCE_MS 3600000

struct rsp_capture {
    struct rsp_env env;
    struct rsp_endpoint given;
    struct rsp_capture_options o;
    struct rsp_server *server;
    struct rsp_server_settings settings;
    struct rsp_capture_facts facts;
    char place[320], why[320];
    struct sync sync; /* PSYNC */
    struct rsp_source *source, *stream;
};

/* ---- as sources ---- */

static int read_rdb(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct rsp_capture *c = opaque;
    return ring_read(c->sync.rdb, &c->env, c->o.cancel, out, cap, got);
}

static int read_stream(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct rsp_capture *c = opaque;
    return ring_read(c->sync.stream, &c->env, c->o.cancel, out, cap, got);
}

static int custom(struct rsp_capture *c, int (*read)(void *, uint8_t *, size_t, size_t *), struct rsp_source **ret)
{
    const struct rsp_source_ops ops = {sizeof ops, read, NULL};
    return rsp_source_custom(&c->env, &ops, c, c->place, ret);
}

/* ---- opening ---- */

/* A spool that cannot be is told now, and not when it is first needed, an hour into the dataset. */
static int spool_ok(const struct rsp_env *env, const char *dir)
{
    struct rsp_env quiet = *env;
    int fd, rc;
    if (!dir) return RSP_OK;
    quiet.error = NULL;
    rc = tmpfile_open(&quiet, dir, &fd);
    if (rc) return fail(env, RSP_EINVAL, dir, "no file can be made in the spool's directory: %s", rsp_status_text(rc));
    close(fd);
    return RSP_OK;
}

static int connect_server(struct rsp_capture *c, int64_t patience_ms)
{
    const struct rsp_server_options so = {sizeof so, c->o.cancel, patience_ms};
    struct rsp_server *given = NULL, *chosen = NULL;
    int rc = rsp_server_open(&c->env, &c->given, &so, &given);
    if (rc) return rc;
    if (c->o.exact) {
        chosen = given;
        snprintf(c->why, sizeof c->why, "the server itself");
    } else {
        rc = choose_server(&c->env, given, c->o.role, c->o.cancel, &chosen, c->why, sizeof c->why);
    }
    if (!rc && !c->o.exact && !c->o.shard && !strcmp(rsp_server_facts(chosen)->mode, "cluster")) {
        rc = fail(&c->env, RSP_EUNSUPPORTED, rsp_server_name(chosen),
                  "one node of a cluster: it holds the keys of its slots alone; cluster://host:port or -c takes all of "
                  "it, --one-node this one");
        if (chosen != given) rsp_server_free(chosen);
        chosen = NULL;
    }
    if (chosen != given) rsp_server_free(given);
    if (rc) return rc;
    c->server = chosen;
    rsp_endpoint_text(rsp_server_endpoint(chosen), c->place, sizeof c->place);
    return RSP_OK;
}

static void disconnect(struct rsp_capture *c)
{
    sync_end(&c->sync);
    memset(&c->sync, 0, sizeof c->sync);
    if (c->server) rsp_server_settings_free(c->server, &c->settings);
    memset(&c->settings, 0, sizeof c->settings);
    c->settings.size = sizeof c->settings;
    rsp_server_free(c->server);
    c->server = NULL;
}

static int begin_psync(struct rsp_capture *c)
{
    struct rsp_capture_facts *f = &c->facts;
    const struct sync_options so = {c->o.stream, c->o.announce_ms, c->o.ring_bytes, c->o.spool};
    int rc = sync_begin(&c->sync, &c->env, c->server, &so);
    if (!rc) rc = sync_start(&c->sync);
    if (!rc) rc = custom(c, read_rdb, &c->source);
    if (rc) return rc;
    f->method = c->sync.method;
    memcpy(f->replid, c->sync.replid, sizeof f->replid);
    f->offset = c->sync.offset;
    f->has_offset = c->sync.has_offset;
    f->announced = c->sync.length;
    f->point_in_time = 1;
    f->taken_ms = c->sync.taken_ms;
    return RSP_OK;
}

static int begin(struct rsp_capture *c)
{
    struct rsp_capture_facts *f = &c->facts;
    int rc = RSP_OK;
    if (!c->o.no_settings) rc = rsp_server_settings(c->server, c->o.with_acl, &c->settings);
    if (rc) return rc;
    memset(f, 0, sizeof *f);
    f->size = sizeof *f;
    f->server = rsp_server_facts(c->server);
    f->place = c->place;
    f->why = c->why;
    f->settings = &c->settings;
    switch (c->o.method) {
    case RSP_CAPTURE_BGSAVE:
        f->method = "bgsave";
        f->point_in_time = 1;
        return bgsave_open(c->server, &c->o, &f->taken_ms, &c->source);
    case RSP_CAPTURE_SCAN:
        f->method = "scan";
        f->taken_ms = c->env.now_ms(c->env.clock_opaque);
        return scan_open(c->server, &c->o, &c->source);
    default: return begin_psync(c);
    }
}

/* A server that cannot now is asked again, on a new connection, for as long as patience lasts. */
static int open_patiently(struct rsp_capture *c)
{
    const int64_t until = sync_clock_ms() + c->o.patience_ms;
    for (unsigned tries = 1;; tries++) {
        int64_t left = until - sync_clock_ms();
        int rc = connect_server(c, left > 0 ? left : 0);
        if (!rc) rc = begin(c);
        if (rc != RSP_EBUSY || until - sync_clock_ms() <= 0) return rc;
        if (c->env.error)
            log_line(&c->env, RSP_LOG_INFO, "%s: %s; trying again", c->env.error->subject, c->env.error->message);
        disconnect(c);
        if (c->env.error) rsp_error_clear(c->env.error);
        rc = server_pause(&c->env, c->o.cancel, tries);
        if (rc) return rc;
    }
}

int rsp_capture_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                     const struct rsp_capture_options *options, struct rsp_capture **ret)
{
    struct rsp_env e;
    struct rsp_capture *c;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    c = mem_zero(&e, sizeof *c);
    if (!c) return RSP_ENOMEM;
    c->env = e;
    memcpy(&c->given, endpoint, endpoint->size < sizeof c->given ? endpoint->size : sizeof c->given);
    c->given.size = sizeof c->given;
    if (options) memcpy(&c->o, options, options->size < sizeof c->o ? options->size : sizeof c->o);
    if (!c->o.ring_bytes) c->o.ring_bytes = RING_DEFAULT;
    if (!c->o.patience_ms) c->o.patience_ms = PATIENCE_MS;
    if (!c->o.announce_ms) c->o.announce_ms = ANNOUNCE_MS;
    if (c->o.patience_ms > SERVER_TIME_MOST) c->o.patience_ms = SERVER_TIME_MOST;
    if (c->o.announce_ms > SERVER_TIME_MOST) c->o.announce_ms = SERVER_TIME_MOST;
    c->settings.size = sizeof c->settings;
    if (c->o.stream && c->o.method != RSP_CAPTURE_PSYNC)
        rc = fail(&e, RSP_EINVAL, NULL, "only a replica is sent the replication stream");
    else rc = spool_ok(&e, c->o.spool);
    if (!rc) rc = open_patiently(c);
    if (rc) {
        rsp_capture_free(c);
        return rc;
    }
    *ret = c;
    return RSP_OK;
}

/* ---- what the caller asks ---- */

const struct rsp_capture_facts *rsp_capture_facts(const struct rsp_capture *capture)
{
    return &capture->facts;
}

struct rsp_source *rsp_capture_source(struct rsp_capture *capture)
{
    return capture->source;
}

void rsp_capture_progress(const struct rsp_capture *capture, uint64_t *received, uint64_t *spooled)
{
    const struct ring *r = capture->sync.rdb;
    *received = r ? ring_written(r) : rsp_source_taken(capture->source);
    *spooled = r ? ring_spooled(r) : 0;
}

int rsp_capture_stream(struct rsp_capture *capture, struct rsp_source **ret)
{
    int rc;
    *ret = NULL;
    if (!capture->sync.stream)
        return fail(&capture->env, RSP_ESTATE, capture->place,
                    "the stream was not asked for when the capture was opened");
    if (!capture->stream) {
        rc = custom(capture, read_stream, &capture->stream);
        if (rc) return rc;
    }
    *ret = capture->stream;
    return RSP_OK;
}

void rsp_capture_ack(struct rsp_capture *capture, uint64_t offset)
{
    atomic_store(&capture->sync.ack, offset);
}

void rsp_capture_free(struct rsp_capture *capture)
{
    struct rsp_env e;
    if (!capture) return;
    e = capture->env;
    rsp_source_free(capture->source);
    rsp_source_free(capture->stream);
    disconnect(capture);
    mem_free(&e, capture, sizeof *capture);
}
