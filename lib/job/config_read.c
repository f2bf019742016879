/* What this is: what a server that is started with a configuration file will load, and where it will answer.
 * Rests on: config_read.h, aof/manifest.h (words of a line), glob(3).
 * Does not: judge directives that it does not need: the server itself does. */
#include "job/config_read.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aof/manifest.h"
#include "base/bytes.h"
#include "io/fdio.h"

void config_reader_init(struct config_reader *r, const struct rsp_env *env)
{
    memset(r, 0, sizeof *r);
    env_init(&r->env, env);
    buf_init(&r->word, &r->env);
    buf_init(&r->value, &r->env);
    r->c.size = sizeof r->c;
    r->c.port = 6379;
    snprintf(r->c.dbfilename, sizeof r->c.dbfilename, "dump.rdb");
    snprintf(r->c.appenddirname, sizeof r->c.appenddirname, "appendonlydir");
    snprintf(r->c.appendfilename, sizeof r->c.appendfilename, "appendonly.aof");
    snprintf(r->c.bind, sizeof r->c.bind, "127.0.0.1");
}

void config_reader_free(struct config_reader *r)
{
    buf_free(&r->word);
    buf_free(&r->value);
}

/* ---- one directive ---- */

struct place {
    const char *name;
    unsigned line;
};

static int bad(const struct config_reader *r, const struct place *at, const char *what)
{
    char subject[128];
    size_t n = strlen(at->name);
    const char *tail = n > 100 ? at->name + n - 100 : at->name;
    snprintf(subject, sizeof subject, "%s%s:%u", n > 100 ? "..." : "", tail, at->line);
    return fail(&r->env, RSP_EINVAL, subject, "a server would not start with this line: %s", what);
}

static int put_text(const struct config_reader *r, const struct place *at, char *out, size_t room)
{
    if (r->value.n >= room) return bad(r, at, "the value is too long");
    memcpy(out, r->value.p ? r->value.p : (const uint8_t *)"", r->value.n);
    out[r->value.n] = 0;
    if (strlen(out) != r->value.n) return bad(r, at, "a NUL in the value");
    return RSP_OK;
}

/* The name of a file in dir. */
static int put_name(const struct config_reader *r, const struct place *at, char *out, size_t room)
{
    char text[256];
    int rc = put_text(r, at, text, sizeof text < room ? sizeof text : room);
    if (rc) return rc;
    if (!*text || strchr(text, '/') || !strcmp(text, ".") || !strcmp(text, ".."))
        return bad(r, at, "the value is not a file's name (no path is allowed)");
    memcpy(out, text, strlen(text) + 1);
    return RSP_OK;
}

static int put_port(const struct config_reader *r, const struct place *at, uint32_t *port)
{
    int64_t v = 0;
    if (!r->value.n || !i64_parse(r->value.p, r->value.n, &v) || v < 0 || v > 65535)
        return bad(r, at, "the value is not a port");
    *port = (uint32_t)v;
    return RSP_OK;
}

static int is(const struct buf *b, const char *word)
{
    size_t n = strlen(word);
    return b->n == n && !strncasecmp((const char *)b->p, word, n);
}

static int put_flag(const struct config_reader *r, const struct place *at, int *flag)
{
    *flag = is(&r->value, "yes");
    return *flag || is(&r->value, "no") ? RSP_OK : bad(r, at, "the value is neither yes nor no");
}

/* The address where we ask: those that mean "every one" are asked at home. */
static int put_bind(struct config_reader *r, const struct place *at)
{
    char text[256];
    const char *first = text;
    int rc = put_text(r, at, text, sizeof text);
    if (rc) return rc;
    if (*first == '-') first++; /* it may be missing on this host */
    if (!*first || !strcmp(first, "*") || !strcmp(first, "0.0.0.0")) first = "127.0.0.1";
    if (!strcmp(first, "::") || !strcmp(first, "::*")) first = "::1";
    memcpy(r->c.bind, first, strlen(first) + 1);
    return RSP_OK;
}

static int read_file(struct config_reader *r, const char *path);

static int include_each(struct config_reader *r, const struct place *at, const char *pattern)
{
    glob_t g;
    int rc = RSP_OK, gr;
    memset(&g, 0, sizeof g);
    gr = glob(pattern, 0, NULL, &g);
    if (gr == GLOB_NOSPACE) rc = fail(&r->env, RSP_ENOMEM, at->name, "no memory for what it includes");
    for (size_t i = 0; !gr && i < g.gl_pathc && !rc; i++) rc = read_file(r, g.gl_pathv[i]);
    globfree(&g);
    return rc;
}

/* A relative path counts from where the server is started, which nobody wrote down: what includes it mostly lies there. */
static int include(struct config_reader *r, const struct place *at)
{
    char path[4096], full[8192 + 2];
    const char *slash = strrchr(at->name, '/');
    int rc = put_text(r, at, path, sizeof path);
    if (rc || r->no_include) return rc;
    if (!*path) return bad(r, at, "the value is empty");
    if (r->depth >= CONFIG_DEPTH) return bad(r, at, "includes are nested too deeply (at most 4)");
    if (*path == '/' || !slash) snprintf(full, sizeof full, "%s", path);
    else
        snprintf(full, sizeof full, "%.*s/%s", (int)(slash - at->name < 4096 ? slash - at->name : 4096), at->name,
                 path);
    rc = strpbrk(path, "*?[") ? include_each(r, at, full) : read_file(r, full);
    return rc ? trail(&r->env, rc, "included by %s, line %u", at->name, at->line) : RSP_OK;
}

static int directive(struct config_reader *r, const struct place *at)
{
    struct rsp_server_config *c = &r->c;
    if (is(&r->word, "dir")) return put_text(r, at, c->dir, sizeof c->dir);
    if (is(&r->word, "dbfilename")) return put_name(r, at, c->dbfilename, sizeof c->dbfilename);
    if (is(&r->word, "appenddirname")) return put_name(r, at, c->appenddirname, sizeof c->appenddirname);
    if (is(&r->word, "appendfilename")) return put_name(r, at, c->appendfilename, sizeof c->appendfilename);
    if (is(&r->word, "unixsocket")) return put_text(r, at, c->unixsocket, sizeof c->unixsocket);
    if (is(&r->word, "preload-file")) return put_text(r, at, c->preload, sizeof c->preload);
    if (is(&r->word, "port")) return put_port(r, at, &c->port);
    if (is(&r->word, "tls-port")) return put_port(r, at, &c->tls_port);
    if (is(&r->word, "appendonly")) return put_flag(r, at, &c->appendonly);
    if (is(&r->word, "cluster-enabled")) return put_flag(r, at, &c->cluster);
    if (is(&r->word, "bind")) return put_bind(r, at);
    if (is(&r->word, "include")) return include(r, at);
    return RSP_OK;
}

static int known(const struct config_reader *r)
{
    static const char *const names[] = {"dir",        "dbfilename",   "appenddirname",  "appendfilename",
                                        "unixsocket", "preload-file", "port",           "tls-port",
                                        "appendonly", "include",      "cluster-enabled"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(&r->word, names[i])) return 1;
    return 0;
}

/* ---- lines and files ---- */

static int one_line(struct config_reader *r, const struct place *at, const uint8_t *p, size_t n)
{
    struct buf more;
    size_t from = 0;
    int rc = line_word(p, n, &from, &r->word), single = 0, args = 0;
    if (rc == RSP_END) return RSP_OK;
    if (!rc) single = known(r);
    if (!rc) rc = line_word(p, n, &from, &r->value);
    if (!rc) args = 1;
    buf_init(&more, &r->env);
    while (!rc) {
        rc = line_word(p, n, &from, &more);
        args += !rc;
    }
    buf_free(&more);
    if (rc == RSP_EFORMAT) return bad(r, at, "its quotes do not match");
    if (rc != RSP_END) return rc;
    if (single && args != 1) return bad(r, at, "exactly one value is needed");
    return args ? directive(r, at) : RSP_OK;
}

int config_read_text(struct config_reader *r, const char *name, const uint8_t *p, size_t n)
{
    struct place at = {name, 0};
    size_t from = 0;
    int rc = RSP_OK;
    while (from < n && !rc) {
        const uint8_t *end = memchr(p + from, '\n', n - from);
        size_t k = end ? (size_t)(end - (p + from)) : n - from, skip = 0;
        at.line++;
        if (memchr(p + from, 0, k)) return bad(r, &at, "a NUL in it");
        while (skip < k && (p[from + skip] == ' ' || p[from + skip] == '\t' || p[from + skip] == '\r')) skip++;
        if (skip < k && p[from + skip] != '#') rc = one_line(r, &at, p + from, k);
        from += k + 1;
    }
    return rc;
}

static int slurp(const struct config_reader *r, const char *path, struct buf *text)
{
    struct stat st;
    int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return fail_errno(&r->env, errno, path, "cannot open the server's configuration");
    if (fstat(fd, &st)) rc = fail_errno(&r->env, errno, path, "cannot be inspected");
    else if (!S_ISREG(st.st_mode)) rc = fail(&r->env, RSP_EINVAL, path, "is not a regular file");
    else if (st.st_size > CONFIG_BYTES) rc = fail(&r->env, RSP_ELIMIT, path, "is larger than a configuration can be");
    else rc = st.st_size ? buf_reserve(text, (size_t)st.st_size) : RSP_OK;
    if (!rc && st.st_size) rc = fd_pread_all(&r->env, fd, path, text->p, (size_t)st.st_size, 0);
    if (!rc) text->n = (size_t)st.st_size;
    close(fd);
    return rc;
}

static int read_file(struct config_reader *r, const char *path)
{
    struct buf text;
    int rc;
    if (++r->files > CONFIG_FILES)
        return fail(&r->env, RSP_ELIMIT, path, "more than %u files are included", CONFIG_FILES);
    buf_init(&text, &r->env);
    rc = slurp(r, path, &text);
    r->depth++;
    if (!rc) rc = config_read_text(r, path, text.p, text.n);
    r->depth--;
    buf_free(&text);
    return rc;
}

/* A directory that the file does not tell, or tells from where the server is started, is the caller's to name. */
static int settle_dir(struct config_reader *r, const char *path, const char *dir)
{
    struct rsp_server_config *c = &r->c;
    if (!dir && !path)
        return fail(&r->env, RSP_EINVAL, NULL, "neither a directory nor a server's configuration is named");
    if (!dir && !c->dir[0])
        return fail(&r->env, RSP_EINVAL, path,
                    "says no \"dir\": its server uses the directory it is started in, which must be named here");
    if (!dir && c->dir[0] != '/')
        return fail(&r->env, RSP_EINVAL, path,
                    "says \"dir %.100s\", which counts from where its server is started: name the directory itself",
                    c->dir);
    if (!dir) return RSP_OK;
    if (c->dir[0] == '/' && strcmp(c->dir, dir))
        log_line(&r->env, RSP_LOG_WARN, "%s says \"dir %s\"; %s was asked for and is taken", path, c->dir, dir);
    if (strlen(dir) >= sizeof c->dir) return fail(&r->env, RSP_EINVAL, dir, "the path is too long");
    snprintf(c->dir, sizeof c->dir, "%s", dir);
    return RSP_OK;
}

int rsp_server_config_read(const struct rsp_env *env, const char *path, const char *dir,
                           struct rsp_server_config *config)
{
    struct config_reader r;
    size_t size = config->size;
    int rc = RSP_OK;
    config_reader_init(&r, env);
    if (path) rc = read_file(&r, path);
    else r.c.port = 0;
    if (!rc) rc = settle_dir(&r, path, dir);
    if (!rc) {
        r.c.size = size;
        memcpy(config, &r.c, size && size < sizeof r.c ? size : sizeof r.c);
    }
    config_reader_free(&r);
    return rc;
}
