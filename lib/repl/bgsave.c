/* What this is: asking for a save and waiting until it is really over.
 * Rests on: bgsave.h.
 * Does not: open the file (bgsave_file.c).
 *
 * How the end is known: one child at a time saves. "Background saving started" means that it is ours; when INFO next
 * says that none runs, ours is over, and rdb_last_bgsave_status tells how it or a later one went. "Scheduled" (an AOF
 * is being rewritten) means nothing yet: the rewrite's end is awaited, and if our save has not been seen by then, it
 * is asked for again. Nothing here rests on LASTSAVE's seconds alone. */
#include "repl/bgsave.h"

#include <stdio.h>

#include "base/mem.h"
#include "repl/sync.h"

struct saving {
    struct rsp_server *s;
    const struct rsp_capture_options *o;
    int64_t until_ms; /* of patience, while something else is in the way */
    int plain;        /* the server knows no BGSAVE SCHEDULE */
    int ours;         /* ours has begun */
    int64_t taken_ms; /* when it was seen to begin */
};

/* The time of day, which the file's is compared with; patience goes by the clock that only runs. */
static int64_t now_ms(const struct saving *v)
{
    const struct rsp_env *env = server_env(v->s);
    return env->now_ms(env->clock_opaque);
}

/* ---- asking ---- */

/* One setting's value into out. */
static int setting(struct rsp_server *s, const char *name, char *out, size_t size)
{
    const struct rsp_reply *reply;
    struct rsp_span value;
    char words[64];
    int rc;
    snprintf(words, sizeof words, "CONFIG GET %s", name);
    rc = rsp_server_do(s, words, &reply);
    if (rc) return trail(server_env(s), rc, "asking where the server saves");
    value = server_element(reply, 1);
    if (!value.n || value.n >= size || memchr(value.p, 0, value.n))
        return fail(server_env(s), RSP_EDENIED, rsp_server_name(s),
                    "the server does not tell its setting \"%s\": take another method than bgsave", name);
    server_span_copy(out, size, value);
    return RSP_OK;
}

static int find_path(struct rsp_server *s, struct bgsave_file *f)
{
    char dir[4096], name[256];
    int rc = setting(s, "dir", dir, sizeof dir);
    if (!rc) rc = setting(s, "dbfilename", name, sizeof name);
    if (rc) return rc;
    if (*dir != '/' || strchr(name, '/'))
        return fail(server_env(s), RSP_EDENIED, rsp_server_name(s),
                    "the server's settings dir and dbfilename name no file: take another method than bgsave");
    snprintf(f->path, sizeof f->path, "%s%s%s", dir, dir[1] ? "/" : "", name);
    return RSP_OK;
}

static int busy(struct saving *v, const char *what)
{
    const struct rsp_env *env = server_env(v->s);
    int rc;
    if (sync_clock_ms() < v->until_ms) return server_pause(env, v->o->cancel, 1);
    rc = fail(env, RSP_EBUSY, rsp_server_name(v->s), "%s: it did not end in time; try again later", what);
    if (env->error && env->error->code == rc) env->error->retryable = 1;
    return rc;
}

/* BGSAVE once: v->ours, or the reason why not has been waited for. */
static int ask(struct saving *v)
{
    struct rsp_server *s = v->s;
    const struct rsp_reply *reply;
    int rc = server_words(s, v->plain ? "BGSAVE" : "BGSAVE SCHEDULE", &reply);
    if (rc) return rc;
    if (reply->type == RSP_REPLY_STATUS) {
        v->ours = !server_span_has(reply->text, "scheduled");
        return v->ours ? RSP_OK : busy(v, "the server rewrites its AOF and saves only then");
    }
    if (reply->type != RSP_REPLY_ERROR)
        return fail(server_env(s), RSP_EFORMAT, rsp_server_name(s), "BGSAVE: the answer is none that a server gives");
    if (!v->plain && (server_span_has(reply->text, "syntax error") || server_span_has(reply->text, "wrong number"))) {
        v->plain = 1;
        return RSP_OK;
    }
    if (server_span_has(reply->text, "already in progress"))
        return busy(v, "the server saves already, and that save began before this backup");
    if (server_span_has(reply->text, "child process") || server_span_has(reply->text, "AOF"))
        return busy(v, "the server has another child process (an AOF rewrite?)");
    return server_refused(s, "BGSAVE", reply->text);
}

/* ---- waiting ---- */

static int64_t number(struct rsp_span text)
{
    int64_t v = 0;
    if (!text.n || text.n > 18) return -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return -1;
        v = v * 10 + (text.p[i] - '0');
    }
    return v;
}

static int refresh(struct saving *v, int *running, int *rewriting)
{
    int rc = rsp_server_refresh(v->s);
    if (rc) return trail(server_env(v->s), rc, "waiting for the server's save");
    if (!rsp_server_info(v->s, "rdb_last_bgsave_status").n)
        return fail(server_env(v->s), RSP_EDENIED, rsp_server_name(v->s),
                    "INFO does not tell how a save went: allow it (+info), or take another method than bgsave");
    *running = rsp_server_facts(v->s)->save_running;
    *rewriting = rsp_server_facts(v->s)->rewrite_running;
    return RSP_OK;
}

static int wait_end(struct saving *v)
{
    struct rsp_server *s = v->s;
    int running = 1, rewriting, rc;
    while (running) {
        rc = server_pause(server_env(s), v->o->cancel, 1);
        if (!rc) rc = refresh(v, &running, &rewriting);
        if (rc) return rc;
    }
    if (!server_span_is(rsp_server_info(s, "rdb_last_bgsave_status"), "ok"))
        return fail(server_env(s), RSP_EDENIED, rsp_server_name(s),
                    "the server's save failed (rdb_last_bgsave_status:err); its log says why: mostly a full disk, no "
                    "right to its directory, or no memory for a fork");
    return RSP_OK;
}

/* Whether a save has ended since: by the counter of 7.0, else by the time of the last one. */
static int64_t saves(const struct saving *v)
{
    struct rsp_span n = rsp_server_info(v->s, "rdb_saves");
    return number(n.n ? n : rsp_server_info(v->s, "rdb_last_save_time"));
}

/* Until a save that began after this call has ended well. */
static int save(struct saving *v, struct bgsave_file *f)
{
    int running = 0, rewriting = 0, scheduled = 0;
    int rc = refresh(v, &running, &rewriting);
    int64_t before = rc ? 0 : saves(v);
    f->begun_s = now_ms(v) / 1000;
    while (!rc && !v->ours) {
        if (scheduled && (running || saves(v) != before))
            break; /* begun behind the rewrite: it is ours, even when it is over */
        if (scheduled && rewriting) rc = busy(v, "the server rewrites its AOF and saves only then");
        else {
            int plain = v->plain;
            rc = ask(v);
            scheduled = !rc && !v->ours && plain == v->plain && rewriting;
        }
        if (!rc && !v->ours) rc = refresh(v, &running, &rewriting);
    }
    v->taken_ms = now_ms(v);
    if (!rc) rc = wait_end(v);
    if (!rc) f->saved_s = number(rsp_server_info(v->s, "rdb_last_save_time"));
    return rc;
}

int bgsave_open(struct rsp_server *s, const struct rsp_capture_options *o, int64_t *taken_ms,
                struct rsp_source **source)
{
    struct saving v = {.s = s, .o = o};
    struct bgsave_file *f;
    int rc;
    *source = NULL;
    *taken_ms = 0;
    f = mem_zero(server_env(s), sizeof *f);
    if (!f) return RSP_ENOMEM;
    v.until_ms = sync_clock_ms() + (o->patience_ms > 0 ? o->patience_ms : 60000);
    rc = find_path(s, f);
    if (!rc) rc = bgsave_file_before(s, f);
    if (!rc) rc = save(&v, f);
    if (!rc) rc = bgsave_file_open(s, f, source);
    *taken_ms = v.taken_ms;
    mem_free(server_env(s), f, sizeof *f);
    return rc;
}
