/* What this is: writing the recovery sheet.
 * Rests on: init_recovery.h.
 * Does not: keep it in memory longer than needed. */
#include "backupd/init_recovery.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/exit.h"

/* A symbolic link to what is not there yet: the path with the link's target in its place. 0 when path is none. */
static int follow(char path[PATH_MAX])
{
    char target[PATH_MAX], joined[PATH_MAX];
    const char *slash = strrchr(path, '/');
    ssize_t n = readlink(path, target, sizeof target - 1);
    int fits;
    if (n <= 0) return 0;
    target[n] = 0;
    fits = snprintf(joined, sizeof joined, "%.*s%s", target[0] != '/' && slash ? (int)(slash - path) + 1 : 0, path,
                    target);
    if (fits >= (int)sizeof joined) return 0;
    memcpy(path, joined, sizeof joined);
    return 1;
}

/* The absolute path without symbolic links of what there is of it; what is not there yet is appended. */
static int canonical(const char *path, char out[PATH_MAX])
{
    char head[PATH_MAX], tail[PATH_MAX] = "", joined[PATH_MAX];
    int hops = 0;
    if (snprintf(head, sizeof head, "%s", path) >= (int)sizeof head) return -1;
    while (!realpath(*head ? head : "/", out)) {
        char *slash;
        if (hops++ < 40 && follow(head)) continue;
        slash = strrchr(head, '/');
        if (snprintf(joined, sizeof joined, "/%s%s", slash ? slash + 1 : head, tail) >= (int)sizeof joined) return -1;
        memcpy(tail, joined, sizeof tail);
        if (slash) {
            *slash = 0;
            continue;
        }
        if (!realpath(".", out)) return -1;
        break;
    }
    if (!strcmp(out, "/") && *tail) out[0] = 0;
    if (strlen(out) + strlen(tail) >= PATH_MAX) return -1;
    memcpy(out + strlen(out), tail, strlen(tail) + 1);
    return 0;
}

int path_inside(const char *path, const char *dir)
{
    char p[PATH_MAX], d[PATH_MAX];
    size_t n;
    if (canonical(path, p) || canonical(dir, d)) return 1;
    n = strlen(d);
    if (n == 1) return 1;
    return !strncmp(p, d, n) && (!p[n] || p[n] == '/');
}

int recovery_check(struct context *c, struct recovery *r)
{
    char state[PATH_ROOM];
    const char *dir = !strncmp(c->url, "file:", 5) ? c->url + 5 : NULL;
    struct stat st;
    int code;
    r->path = c->o->value[O_RECOVERY_OUT].text;
    if (!r->path) {
        r->terminal = isatty(STDOUT_FILENO) ? STDOUT_FILENO : STDERR_FILENO;
        if (c->o->value[O_JSON].count) r->terminal = STDERR_FILENO;
        if (isatty(r->terminal)) return -1;
        return options_usage(c->o, "the recovery sheet is shown once, and there is no terminal to show it on: say by "
                                   "--recovery-out FILE where it goes");
    }
    code = context_state_dir(c, state);
    if (code >= 0) return code;
    if (path_inside(r->path, state))
        return options_usage(c->o, "--recovery-out: %s lies in the state directory: a thief of this host would have it",
                             r->path);
    while (dir && dir[0] == '/' && dir[1] == '/') dir++;
    if (dir && path_inside(r->path, dir))
        return options_usage(c->o, "--recovery-out: %s lies in the repository: a thief of the storage would have it",
                             r->path);
    if (lstat(r->path, &st)) return -1;
    print_err("%s: exists already; the recovery sheet replaces nothing", r->path);
    return EXIT_TARGET;
}

int recovery_write(struct context *c, struct recovery *r, const struct rsp_identity *root)
{
    struct rsp_sink *sink = NULL;
    int rc;
    if (r->path) rc = rsp_sink_file(&c->env, r->path, 0, &sink);
    else rc = rsp_sink_fd(&c->env, r->terminal, "terminal", &sink);
    if (!rc) rc = rsp_identity_sheet(root, sink);
    if (!rc) rc = rsp_sink_commit(sink);
    rsp_sink_free(sink);
    if (rc) return context_fault(c, rc, r->path, EXIT_TARGET);
    r->written = 1;
    return -1;
}

void recovery_undo(const struct recovery *r)
{
    if (!r->written) return;
    if (r->path) unlink(r->path);
    else print_err("no repository was made: the recovery sheet above opens nothing");
}
