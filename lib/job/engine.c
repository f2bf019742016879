/* What this is: server binaries: what they are, what they load, and which one is taken.
 * Rests on: engine.h, repl/versions.h.
 * Does not: start a server (engine_run.c). */
#include "job/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "repl/versions.h"

#define ANSWER_BYTES 512 /* of --version, at most */
#define ANSWER_MS 10000
#define CANDIDATES 64
#define VALKEY_TAKES 11 /* the newest RDB of Redis that any Valkey loads */

/* ---- what --version says ---- */

static int read_number(const char **p, uint32_t *v)
{
    if (**p < '0' || **p > '9') return -1;
    for (*v = 0; **p >= '0' && **p <= '9'; (*p)++) {
        if (*v > 999) return -1;
        *v = *v * 10 + (uint32_t)(**p - '0');
    }
    return 0;
}

/* "7.0.15", "8.0", "9.0.0-rc1" */
static int read_version(const char *p, struct rsp_engine *e)
{
    uint32_t part[3] = {0, 0, 0};
    size_t n = strcspn(p, " \t\r\n");
    const char *at = p;
    for (int i = 0; i < 3; i++) {
        if (read_number(&at, &part[i]) || (i && part[i] > 99)) return -1;
        if (*at != '.') break;
        at++;
    }
    if (!n || n >= sizeof e->version) return -1;
    printable(e->version, sizeof e->version, (const uint8_t *)p, n);
    e->version_n = part[0] * 10000 + part[1] * 100 + part[2];
    return 0;
}

int engine_parse(const struct rsp_env *env, const char *path, const char *text, struct rsp_engine *e)
{
    static const char *const names[][2] = {{"Redis server v=", "redis"}, {"Valkey server v=", "valkey"}};
    for (size_t i = 0; i < 2; i++) {
        const char *at = strstr(text, names[i][0]);
        if (!at) continue;
        if (read_version(at + strlen(names[i][0]), e)) break;
        snprintf(e->kind, sizeof e->kind, "%s", names[i][1]);
        if (server_rdb_version(e->kind, e->version_n, &e->dialect, &e->rdb_version))
            return fail(env, RSP_EVERSION, path, "%s %s: it is not known what it loads", e->kind, e->version);
        return RSP_OK;
    }
    return fail(env, RSP_EFORMAT, path, "is no redis-server or valkey-server: --version does not say what it is");
}

static int read_answer(const struct rsp_env *env, struct child *c, const char *path, int fd, volatile const int *cancel,
                       char out[ANSWER_BYTES])
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t n = 0;
    for (int64_t waited = 0; n + 1 < ANSWER_BYTES;) {
        ssize_t k = read(fd, out + n, ANSWER_BYTES - 1 - n);
        if (k > 0) n += (size_t)k;
        if (k == 0) break;
        if (k > 0 || errno == EINTR) continue;
        if (errno != EAGAIN) return fail_errno(env, errno, path, "cannot read what --version says");
        if (cancel && *cancel) return fail(env, RSP_ECANCELED, NULL, "cancelled");
        if (waited >= ANSWER_MS)
            return fail(env, RSP_ETIMEOUT, path, "no answer to --version for %d s", ANSWER_MS / 1000);
        if (!poll(&p, 1, 100)) waited += 100;
    }
    out[n] = 0;
    child_kill(c);
    return RSP_OK;
}

/* The child works in another directory: its path must not depend on ours. */
static int set_path(const struct rsp_env *env, const char *path, struct rsp_engine *e)
{
    char here[4096] = "";
    int n;
    if (*path != '/' && !getcwd(here, sizeof here)) return fail_errno(env, errno, path, "cannot tell where it lies");
    n = snprintf(e->path, sizeof e->path, "%s%s%s", here, *path == '/' ? "" : "/", path);
    if (!*path || n < 0 || (size_t)n >= sizeof e->path) return fail(env, RSP_EINVAL, path, "is no path of a program");
    return RSP_OK;
}

int engine_ask(const struct rsp_env *outer, const char *path, const char *search, volatile const int *cancel,
               struct rsp_engine *engine)
{
    const char *argv[] = {path, "--version", NULL};
    struct child_start cs = {.argv = argv, .search = search, .dir = -1, .keep = -1};
    char answer[ANSWER_BYTES];
    struct child c = {0};
    struct rsp_env env;
    int fd[2], rc;
    env_init(&env, outer);
    memset(engine, 0, sizeof *engine);
    rc = set_path(&env, path, engine);
    if (rc) return rc;
    if (pipe2(fd, O_CLOEXEC)) return fail_errno(&env, errno, path, "cannot ask it: no pipe");
    (void)fcntl(fd[0], F_SETFL, O_NONBLOCK);
    cs.path = engine->path;
    cs.out = fd[1];
    rc = child_start(&env, &c, &cs);
    close(fd[1]);
    if (!rc) rc = read_answer(&env, &c, path, fd[0], cancel, answer);
    child_kill(&c);
    close(fd[0]);
    return rc ? rc : engine_parse(&env, path, answer, engine);
}

int rsp_engine_ask(const struct rsp_env *env, const char *path, struct rsp_engine *engine)
{
    return engine_ask(env, path, ENGINE_PATH, NULL, engine);
}

/* ---- the choice ---- */

int engine_loads(const struct rsp_engine *e, uint8_t dialect, uint16_t version)
{
    if (!version) return 0;
    if (dialect == e->dialect) return version <= e->rdb_version;
    return dialect == RSP_RDB_REDIS && !strcmp(e->kind, "valkey") && version <= VALKEY_TAKES;
}

struct choice {
    const struct rsp_env *env;
    const struct rsp_drill_options *o;
    uint8_t dialect;
    uint16_t version;
    const char *kind;
    struct rsp_engine *best, *asked; /* asked: room for one */
    int found, rank;
    size_t at_hand;
    char list[160]; /* "redis 7.0.15 takes up to 10" */
};

/* By what it loads; of equals that of the snapshot's own kind, then the older one. */
static int is_lower(const struct choice *c, const struct rsp_engine *e)
{
    int own = !strcmp(e->kind, c->kind), best_own = !strcmp(c->best->kind, c->kind);
    if (e->rdb_version != c->best->rdb_version) return e->rdb_version < c->best->rdb_version;
    if (own != best_own) return own;
    return e->version_n < c->best->version_n;
}

static void consider(struct choice *c)
{
    const struct rsp_engine *e = c->asked;
    size_t n = strlen(c->list);
    c->at_hand++;
    snprintf(c->list + n, sizeof c->list - n, "%s%s %s takes up to %s%u", n ? ", " : "", e->kind, e->version,
             e->dialect == RSP_RDB_VALKEY ? "VALKEY " : "", e->rdb_version);
    if (!engine_loads(e, c->dialect, c->version) || (c->found && !is_lower(c, e))) return;
    *c->best = *e;
    c->found = 1;
}

/* The first of that name in the search path; one that cannot be asked is as if it were not there. */
static int look_for(struct choice *c, const char *search, const char *name)
{
    struct rsp_env quiet = *c->env;
    quiet.error = NULL;
    for (const char *at = search; *at;) {
        size_t n = strcspn(at, ":");
        char path[4096];
        if (n && (size_t)snprintf(path, sizeof path, "%.*s/%s", (int)n, at, name) < sizeof path &&
            !access(path, X_OK)) {
            int rc = engine_ask(&quiet, path, search, c->o->cancel, c->asked);
            if (rc == RSP_ECANCELED) return fail(c->env, rc, NULL, "cancelled");
            if (!rc) consider(c);
            return RSP_OK;
        }
        at += n + (at[n] == ':');
    }
    return RSP_OK;
}

static int look_at_all(struct choice *c)
{
    const char *search = c->o->path ? c->o->path : ENGINE_PATH;
    int rc = RSP_OK;
    for (size_t i = 0; !rc && i < c->o->servers_n; i++) {
        rc = engine_ask(c->env, c->o->servers[i], search, c->o->cancel, c->asked);
        if (!rc) consider(c);
    }
    if (c->o->servers_n) return rc;
    rc = look_for(c, search, "redis-server");
    return rc ? rc : look_for(c, search, "valkey-server");
}

int engine_choose(const struct rsp_env *env, const struct rsp_drill_options *o, uint8_t dialect, uint16_t version,
                  const char *kind, struct rsp_engine *engine, int *found, char *why_not, size_t size)
{
    struct choice c = {.env = env, .o = o, .dialect = dialect, .version = version, .kind = kind, .best = engine};
    const char *valkey = dialect == RSP_RDB_VALKEY ? "VALKEY " : "";
    int rc;
    *found = 0;
    if (o->servers_n > CANDIDATES) return fail(env, RSP_EINVAL, NULL, "more than %d servers", CANDIDATES);
    c.asked = mem_zero(env, sizeof *c.asked);
    if (!c.asked) return RSP_ENOMEM;
    rc = look_at_all(&c);
    mem_free(env, c.asked, sizeof *c.asked);
    *found = !rc && c.found;
    if (rc || c.found) return rc;
    memset(engine, 0, sizeof *engine);
    if (!c.at_hand) snprintf(why_not, size, "no redis-server or valkey-server at hand, RDB %s%u", valkey, version);
    else snprintf(why_not, size, "no server at hand loads RDB %s%u: %s", valkey, version, c.list);
    return RSP_OK;
}
