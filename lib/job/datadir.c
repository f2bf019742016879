/* What this is: a snapshot into a data directory: what its server will really load.
 * Rests on: datadir.h, restore.h.
 * Does not: start or stop servers. */
#include "job/datadir.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "job/restore.h"

static int look_who_is_there(const struct rsp_env *env, const struct rsp_datadir_options *o)
{
    const char *dir = o->config->dir;
    char why[320];
    int use = rsp_dir_in_use(env, o->config, why, sizeof why);
    if (use == RSP_DIR_FREE) return RSP_OK;
    if (o->force) {
        log_line(env, RSP_LOG_WARN, "%s: %s; it is written all the same", dir, why);
        return RSP_OK;
    }
    return fail(env, RSP_ELOCKED, dir, "%s: %s; stop the server first",
                use == RSP_DIR_IN_USE ? "is in use" : "may be in use", why);
}

/* The first bytes tell the version, before anything is written. */
static int look_at_version(const struct datadir *d, const struct rsp_datadir_options *o, struct rsp_snapshot *s)
{
    struct rsp_source *source = NULL;
    uint8_t begin[9];
    size_t n = 0, got;
    int rc;
    if (!o->server_kind || !o->server_version) return RSP_OK;
    rc = rsp_snapshot_source(s, o->stream, 0, 1, &source);
    while (!rc && n < sizeof begin) {
        got = 0;
        rc = o->cancel && *o->cancel ? fail(&d->env, RSP_ECANCELED, NULL, "cancelled")
                                     : rsp_source_read(source, begin + n, sizeof begin - n, &got);
        if (rc == RSP_AGAIN) rc = RSP_OK;
        n += got;
    }
    rsp_source_free(source);
    return rc < 0 ? rc : datadir_version(d, o, begin, n);
}

static int build(struct datadir *d, struct rsp_snapshot *s, const struct rsp_datadir_options *o,
                 struct rsp_datadir_report *out)
{
    struct rsp_restore_options ro = {.size = sizeof ro, .stream = o->stream, .damaged = o->damaged};
    char path[sizeof d->c->dir + 600];
    const char *name = NULL;
    int folder = -1, rc = datadir_stage(d);
    ro.threads = o->threads;
    ro.cancel = o->cancel;
    ro.progress = o->progress;
    ro.opaque = o->opaque;
    if (!rc) rc = datadir_folder(d, &folder, &name);
    datadir_path(d, 1, path, sizeof path);
    if (!rc) rc = restore_file_at(&d->env, s, folder, path, &ro, &out->restore);
    if (!rc && o->cancel && *o->cancel) rc = fail(&d->env, RSP_ECANCELED, NULL, "cancelled");
    if (!rc && !o->force) rc = look_who_is_there(&d->env, o); /* writing took its time */
    if (!rc) rc = datadir_publish(d, folder);
    if (folder >= 0) close(folder);
    return rc;
}

static void tell(const struct datadir *d, struct rsp_datadir_report *out)
{
    datadir_path(d, 0, out->loads, sizeof out->loads);
    if (d->aside_name[0])
        snprintf(out->aside, sizeof out->aside, "%.*s/%s", (int)(sizeof out->aside - 80), d->c->dir, d->aside_name);
    out->aof = d->form == DATADIR_MULTI;
}

int rsp_restore_datadir(const struct rsp_env *env, struct rsp_snapshot *snapshot,
                        const struct rsp_datadir_options *options, struct rsp_datadir_report *report)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(snapshot);
    struct rsp_datadir_report out = {.size = report->size};
    struct rsp_datadir_options o;
    struct rsp_env full;
    struct datadir d;
    int rc;
    env_init(&full, env);
    memset(&o, 0, sizeof o);
    memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    out.restore.size = sizeof out.restore;
    rc = look_who_is_there(&full, &o); /* first: force would pass over that too */
    if (rc) return rc;
    rc = datadir_open(&d, env, &o);
    if (!rc && (o.stream >= m->streams_n || m->streams[o.stream].kind != RSP_STREAM_RDB))
        rc = fail(&d.env, RSP_EUNSUPPORTED, d.c->dir, "the snapshot holds no RDB that a server could load");
    if (!rc) rc = look_at_version(&d, &o, snapshot);
    if (!rc) rc = datadir_space(&d, m->streams[o.stream].plain);
    if (!rc) rc = build(&d, snapshot, &o, &out);
    tell(&d, &out);
    datadir_close(&d);
    memcpy(report, &out, report->size < sizeof out ? report->size : sizeof out);
    return rc;
}
