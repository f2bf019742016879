/* What this is: one capture into one stream, and again when it breaks off.
 * Rests on: shards.h, repl/sync.h, repl/sync_turns.h.
 * Does not: know of other shards but by what they share. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "job/shards.h"
#include "repl/sync.h"
#include "repl/sync_turns.h"

/* ---- what the server said of itself ---- */

static void copy(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

size_t shard_beside_n(const struct shard *s)
{
    return s->beside.n / sizeof(struct shard_pair);
}

struct rsp_pair shard_beside(const struct shard *s, size_t i)
{
    const struct shard_pair *p = (const struct shard_pair *)(const void *)s->beside.p + i;
    struct rsp_pair pair = {{s->text.p + p->at, p->name_n}, {s->text.p + p->at + p->name_n, p->value_n}};
    return pair;
}

/* Of the first all that stands beside its data; shards are set up alike, and of the others INFO is enough. */
static int keep_beside(struct shard *s, const struct rsp_server_settings *settings)
{
    int first = s == s->all->shards, rc = RSP_OK;
    s->beside.n = s->text.n = 0;
    for (size_t i = 0; settings && !rc && i < settings->pairs_n; i++) {
        const struct rsp_pair *p = &settings->pairs[i];
        struct shard_pair kept = {s->text.n, p->name.n, p->value.n};
        char more[24] = "";
        if (!first && (p->name.n != 4 || memcmp(p->name.p, "info", 4) != 0)) continue;
        if (!first) kept.name_n += (size_t)snprintf(more, sizeof more, " %s", s->range);
        rc = buf_add(&s->text, p->name.p, p->name.n);
        if (!rc) rc = buf_add(&s->text, more, strlen(more));
        if (!rc) rc = buf_add(&s->text, p->value.p, p->value.n);
        if (!rc) rc = buf_add(&s->beside, &kept, sizeof kept);
    }
    return rc;
}

static int learn(struct shard *s, const struct rsp_capture *c)
{
    const struct rsp_capture_facts *f = rsp_capture_facts(c);
    const struct rsp_server_facts *server = f->server;
    struct rsp_backup_shard *t = &s->told;
    copy(t->place, sizeof t->place, f->place);
    copy(t->why, sizeof t->why, f->why);
    copy(t->method, sizeof t->method, f->method);
    copy(t->node, sizeof t->node, s->node);
    t->point_in_time = f->point_in_time;
    t->taken_ms = f->taken_ms ? f->taken_ms : s->env.now_ms(s->env.clock_opaque);
    copy(s->kind, sizeof s->kind, server ? server->kind : NULL);
    copy(s->version, sizeof s->version, server ? server->version : NULL);
    copy(s->run_id, sizeof s->run_id, server ? server->run_id : NULL);
    copy(s->replid, sizeof s->replid, f->replid);
    s->role = NULL;
    if (server && server->role == RSP_SERVER_MASTER) s->role = "master";
    if (server && server->role == RSP_SERVER_REPLICA) s->role = "replica";
    s->offset = f->offset;
    s->has_offset = f->has_offset;
    return keep_beside(s, f->settings);
}

static struct rsp_stream_info info_of(const struct shard *s)
{
    struct rsp_stream_info info = {.offset = s->offset, .has_offset = s->has_offset};
    if (*s->replid) info.replid = origin_text(s->replid);
    if (s->role) info.role = origin_text(s->role);
    info.slots = origin_text(s->slots);
    info.place = origin_text(s->told.place);
    info.node = origin_text(s->told.node);
    info.taken_ms = s->told.taken_ms > 0 ? (uint64_t)s->told.taken_ms : 0;
    return info;
}

/* ---- a replica that is behind ---- */

/* Slots may have gone from one primary to another just before the map was looked at; a replica that does not know of that yet
 * still has their keys, or has not got them. */
static int ask_due(struct shard *s, const struct rsp_env *own)
{
    const struct rsp_server_options so = {sizeof so, &s->cancel, s->all->patience_ms};
    struct rsp_server *server = NULL;
    int rc, was_behind = s->behind;
    s->behind = 0;
    if (was_behind || !s->slots) return RSP_OK; /* it gets there, if it is not asked for more each time */
    s->due_replid[0] = 0;
    rc = rsp_server_open(own, &s->endpoint, &so, &server);
    if (rc) return rc;
    if (rsp_server_facts(server)->role == RSP_SERVER_MASTER) {
        copy(s->due_replid, sizeof s->due_replid, rsp_server_facts(server)->replid);
        s->due = rsp_server_facts(server)->offset;
    }
    rsp_server_free(server);
    return RSP_OK;
}

static int behind(struct shard *s)
{
    if (!*s->due_replid || !s->has_offset) return RSP_OK;
    if (strcmp(s->due_replid, s->replid) !=
        0) { /* a primary without replicas begins a new one with the first, which we are */
        if (!s->role || strcmp(s->role, "replica")) return RSP_OK;
        s->source_fault = 1;
        return fail(
            &s->env, RSP_EBUSY, s->told.place,
            "the replica does not have its primary's history any more: it follows another one now, or the primary "
            "was replaced");
    }
    if (s->offset >= s->due) return RSP_OK;
    s->behind = 1;
    s->source_fault = 1;
    return fail(&s->env, RSP_EBUSY, s->told.place,
                "the replica is %" PRIu64 " bytes behind its primary, and may not know of slots that have just moved",
                s->due - s->offset);
}

/* ---- one capture ---- */

/* Keys of other shards: it may not be the server that it was taken for. If it has them once more, that is how it is. */
static int went_astray(struct shard *s)
{
    const struct strays *k = &s->job.strays;
    if (!k->keys) return RSP_OK;
    if (s->all->retries && !s->astray) {
        s->astray = s->source_fault = 1;
        return fail(&s->env, RSP_EBUSY, s->told.place,
                    "%" PRIu64 " keys are of other shards' slots, the first \"%s\" of slot %u", k->keys, k->first,
                    k->slot);
    }
    s->told.strays = k->keys;
    log_line(&s->env, RSP_LOG_WARN,
             "%s: %" PRIu64 " keys are of slots that are not its own, the first \"%s\" of slot %u: they are stored, no "
             "client finds them there",
             s->told.place, k->keys, k->first, k->slot);
    return RSP_OK;
}

static int store(struct shard *s, struct rsp_capture *c)
{
    struct shards *all = s->all;
    struct stream_setup setup = all->setup;
    struct rsp_stream_info info;
    int rc;
    setup.opaque = s;
    setup.slots = s->slots ? s->own : NULL;
    pthread_mutex_lock(&all->beginning);
    rc = stream_job_begin(&s->job, &setup, s->name);
    pthread_mutex_unlock(&all->beginning);
    if (!rc) rc = stream_job_run(&s->job, rsp_capture_source(c), s->told.place, &s->cancel);
    if (!rc) rc = went_astray(s);
    info = info_of(s);
    if (!rc) rc = stream_job_end(&s->job, &info);
    return rc;
}

/* The last shard's moment is when the map is looked at again. */
static void moment(struct shard *s)
{
    struct shards *all = s->all;
    pthread_mutex_lock(&all->lock);
    s->taken = 1;
    all->moments++;
    pthread_cond_broadcast(&all->change);
    pthread_mutex_unlock(&all->lock);
}

static int capture(struct shard *s)
{
    struct rsp_capture_options o = s->all->capture;
    struct rsp_capture *c = NULL;
    struct rsp_env own = s->env;
    struct turns turns;
    uint64_t received = 0;
    int rc;
    rsp_error_clear(&s->heard);
    own.error = &s->heard;
    o.cancel = &s->cancel;
    o.shard |= s->slots != NULL;
    rsp_endpoint_text(&s->endpoint, s->told.place, sizeof s->told.place);
    if (!s->unreachable_since) s->told.tries++; /* else it is the same one still */
    rc = ask_due(s, &own);
    if (!rc) rc = rsp_capture_open(&own, &s->endpoint, &o, &c);
    s->source_fault = rc != RSP_OK;
    if (!rc) {
        rc = learn(s, c);
        if (!rc) rc = behind(s);
        if (!rc) {
            s->told.tries += s->unreachable_since != 0;
            s->unreachable_since = 0;
            moment(s);
        }
        turns_long(&turns); /* of all who check and seal; whoever drains the socket was started before */
        if (!rc) rc = store(s, c);
        turns_back(&turns);
        s->source_fault = rc && (s->source_fault || s->job.source_fault || s->behind);
        rsp_capture_progress(c, &received, &s->told.spooled);
    }
    s->told.keys = s->job.facts.keys;
    s->told.plain = s->job.tee.bytes;
    rsp_capture_free(c);
    /* Why the server broke off says more than that it did. */
    if (rc && s->heard.code == rc) s->words = s->heard;
    return rc;
}

/* ---- again ---- */

static int passes(int status)
{
    return status == RSP_ENET || status == RSP_ETRUNCATED || status == RSP_ETIMEOUT || status == RSP_EBUSY;
}

/* Nobody has opened it, though a failover may be on its way, or it was behind: for as long as patience lasts that counts as
 * nothing. */
static int unreachable(struct shard *s, int rc)
{
    int64_t now = sync_clock_ms();
    if (s->job.writer || (rc == RSP_EBUSY && !s->behind) || !passes(rc)) return 0;
    if (!s->unreachable_since) {
        s->unreachable_since = now;
        s->unreachable = 0;
    }
    s->unreachable++;
    return now - s->unreachable_since < s->all->patience_ms;
}

/* Whether the fault of this capture is one that another capture may not have. */
static int worth_another(struct shard *s, int rc)
{
    struct shards *all = s->all;
    int yes;
    if (!all->retries) return 0;
    if (s->job.findings && !s->job.source_fault) return s->damaged++ == 0;
    if (!s->source_fault) return 0;
    if (unreachable(s, rc)) return 1;
    if (s->unreachable_since) return 0; /* patience is over */
    if (rc == RSP_EFORMAT || rc == RSP_ECHECKSUM) return s->damaged++ == 0;
    pthread_mutex_lock(&all->lock);
    yes = passes(rc) && s->lost++ < all->retries;
    pthread_mutex_unlock(&all->lock);
    return yes;
}

static void tell_retry(struct shard *s, int rc)
{
    struct shards *all = s->all;
    char what[512], words[400];
    rsp_error_format(&s->words, words, sizeof words);
    snprintf(what, sizeof what, "captured again: %s", words[0] ? words : rsp_status_text(rc));
    if (!all->o.told) {
        log_line(&all->env, RSP_LOG_INFO, "%s%s: %s", s->slots ? "slots " : "", s->slots ? s->range : all->text, what);
        return;
    }
    pthread_mutex_lock(&all->user);
    all->o.told(all->o.opaque, (size_t)(s - all->shards), s->told.place[0] ? s->told.place : all->text, what);
    pthread_mutex_unlock(&all->user);
}

/* Everything of the last capture is undone, and the shard looked for. */
static int once_more(struct shard *s)
{
    struct shards *all = s->all;
    int stop, rc = RSP_OK;
    pthread_mutex_lock(&all->lock);
    s->taken = s->again = 0;
    stop = all->stop;
    if (!stop) __atomic_store_n(&s->cancel, 0, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&all->lock);
    if (stop) return fail(&s->env, RSP_ECANCELED, NULL, "cancelled");
    pthread_mutex_lock(&all->beginning);
    stream_job_drop(&s->job);
    pthread_mutex_unlock(&all->beginning);
    rsp_error_clear(&s->words);
    if (s->unreachable_since) rc = server_pause(&s->env, &s->cancel, s->unreachable);
    if (!rc) rc = shard_find(s);
    if (rc < 0) s->source_fault = 1;
    return rc;
}

static int asked_again(struct shard *s)
{
    int again;
    pthread_mutex_lock(&s->all->lock);
    again = s->again && !s->all->stop;
    pthread_mutex_unlock(&s->all->lock);
    return again;
}

int shard_run(struct shard *s)
{
    int rc = RSP_OK, again = asked_again(s); /* stored once, and elsewhere since */
    for (;; again = 1) {
        if (again) rc = once_more(s);
        if (rc && (rc != RSP_ECANCELED || !asked_again(s))) return rc;
        if (!rc) rc = capture(s);
        if (asked_again(s)) {
            if (rc && rc != RSP_ECANCELED) tell_retry(s, rc);
        } else {
            if (!rc || !worth_another(s, rc)) return rc;
            tell_retry(s, rc);
        }
        rc = RSP_OK;
    }
}

void shard_free(struct shard *s)
{
    stream_job_free(&s->job);
    buf_free(&s->beside);
    buf_free(&s->text);
    if (s->slots) mem_free(&s->all->env, s->slots, s->slots_n);
}
