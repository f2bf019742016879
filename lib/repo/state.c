/* What this is: the state directory: which URL has which lineage and repository, and the root of each lineage.
 * Rests on: state_impl.h.
 * Does not: keep anything secret by itself: identities lie there as files of their own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "repo/state_impl.h"

#define REPOS_MAX (16u << 20)
#define ROOT_MAX 4096u

int rsp_state_open(const struct rsp_env *env, const char *dir, int create, struct rsp_state **ret)
{
    struct rsp_env e;
    struct rsp_state *s;
    struct stat st;
    size_t n = strlen(dir);
    int rc = RSP_OK;
    *ret = NULL;
    env_init(&e, env);
    while (n > 1 && dir[n - 1] == '/') n--;
    if (!n) return fail(&e, RSP_EINVAL, NULL, "the state directory has no name");
    s = mem_zero(&e, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->env = e;
    s->dir = mem_alloc(&e, n + 1);
    if (!s->dir) {
        rc = RSP_ENOMEM;
        goto out;
    }
    memcpy(s->dir, dir, n);
    s->dir[n] = 0;
    if (create) rc = state_mkdir(s, s->dir);
    else if (stat(s->dir, &st)) rc = fail_errno(&e, errno, s->dir, "cannot open the state directory");
    else if (!S_ISDIR(st.st_mode)) rc = fail(&e, RSP_EINVAL, s->dir, "the state directory is not a folder");
out:
    if (rc) rsp_state_free(s);
    else *ret = s;
    return rc;
}

void rsp_state_free(struct rsp_state *s)
{
    struct rsp_env env;
    if (!s) return;
    env = s->env;
    for (int i = 0; i < s->locks_n; i++) close(s->locks[i].fd);
    if (s->dir) mem_free(&env, s->dir, strlen(s->dir) + 1);
    mem_free(&env, s, sizeof *s);
}

/* ---- repos: "lineage id url", a line each ---- */

#define ROW_HEAD (2 * (2 * ID_BYTES) + 2) /* up to the URL */

static int row_parse(struct rsp_span line, uint8_t lineage[ID_BYTES], uint8_t id[ID_BYTES], struct rsp_span *url)
{
    const char *p = (const char *)line.p;
    if (line.n <= ROW_HEAD || p[2 * ID_BYTES] != ' ' || p[ROW_HEAD - 1] != ' ') return 0;
    if (!hex_parse(p, 2 * ID_BYTES, lineage, ID_BYTES)) return 0;
    if (!hex_parse(p + 2 * ID_BYTES + 1, 2 * ID_BYTES, id, ID_BYTES)) return 0;
    *url = (struct rsp_span){line.p + ROW_HEAD, line.n - ROW_HEAD};
    return 1;
}

/* RSP_ENOTFOUND without words: no such URL. all receives the file's bytes. */
static int find_row(struct rsp_state *s, const char *url, uint8_t lineage[ID_BYTES], uint8_t id[ID_BYTES],
                    struct buf *all)
{
    char path[STATE_PATH_MAX];
    struct rsp_span line, its;
    const uint8_t *p;
    size_t left;
    int number = 1, found = 0, rc = state_path(s, NULL, "repos", path);
    if (!rc) rc = state_read(s, path, REPOS_MAX, all);
    if (rc) return rc;
    p = all->p;
    left = all->n;
    for (; state_line(&p, &left, &line); number++) {
        uint8_t l[ID_BYTES], i[ID_BYTES];
        if (!row_parse(line, l, i, &its))
            return fail(&s->env, RSP_EFORMAT, path, "line %d is not of the form \"lineage id url\"", number);
        if (found || its.n != strlen(url) || memcmp(its.p, url, its.n)) continue;
        memcpy(lineage, l, ID_BYTES);
        memcpy(id, i, ID_BYTES);
        found = 1;
    }
    return found ? RSP_OK : RSP_ENOTFOUND;
}

int state_find(struct rsp_state *s, const char *url, uint8_t lineage[ID_BYTES], uint8_t id[ID_BYTES])
{
    struct buf all;
    int rc;
    buf_init(&all, &s->env);
    rc = find_row(s, url, lineage, id, &all);
    buf_free(&all);
    return rc;
}

int rsp_state_lookup(struct rsp_state *s, const char *url, uint8_t lineage[16], uint8_t id[16])
{
    int rc = state_find(s, url, lineage, id);
    if (rc != RSP_ENOTFOUND) return rc;
    return fail(&s->env, rc, url, "this host knows no repository there (state directory %s)", s->dir);
}

static int url_good(const char *url)
{
    size_t n = strlen(url);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)url[i] < 32 || url[i] == 127) return 0;
    return n > 0 && n < STATE_PATH_MAX;
}

static int add_row(struct rsp_state *s, const char *url, const uint8_t lineage[ID_BYTES], const uint8_t id[ID_BYTES],
                   struct buf *all)
{
    char path[STATE_PATH_MAX], row[ROW_HEAD + 1], l[2 * ID_BYTES + 1], i[2 * ID_BYTES + 1];
    int rc = state_path(s, NULL, "repos", path);
    hex_text(l, lineage, ID_BYTES);
    hex_text(i, id, ID_BYTES);
    snprintf(row, sizeof row, "%s %s ", l, i);
    if (!rc && all->n && all->p[all->n - 1] != '\n') rc = buf_byte(all, '\n');
    if (!rc) rc = buf_add(all, row, ROW_HEAD);
    if (!rc) rc = buf_add(all, url, strlen(url));
    if (!rc) rc = buf_byte(all, '\n');
    return rc ? rc : state_write(s, path, all->p, all->n);
}

/* ---- root.pub ---- */

static int read_root(struct rsp_state *s, const uint8_t lineage[ID_BYTES], struct rsp_public *root)
{
    char path[STATE_PATH_MAX];
    uint8_t its[ID_BYTES];
    struct rsp_env quiet = s->env;
    struct buf text;
    int rc = state_path(s, lineage, "root.pub", path);
    buf_init(&text, &s->env);
    quiet.error = NULL;
    if (!rc) rc = state_read(s, path, ROOT_MAX, &text);
    if (!rc) rc = buf_byte(&text, 0);
    if (!rc && rsp_public_parse(&quiet, (const char *)text.p, root))
        rc = fail(&s->env, RSP_EFORMAT, path, "does not hold a public identity (rsp-pub-...)");
    if (!rc) {
        rsp_lineage_of(root, its);
        if (memcmp(its, lineage, ID_BYTES))
            rc = fail(&s->env, RSP_EFORMAT, path, "holds the root of another lineage than its folder is named after");
    }
    buf_free(&text);
    return rc;
}

int rsp_state_root(struct rsp_state *s, const uint8_t lineage[16], struct rsp_public *root)
{
    char hex[2 * ID_BYTES + 1];
    int rc = read_root(s, lineage, root);
    if (rc != RSP_ENOTFOUND) return rc;
    hex_text(hex, lineage, ID_BYTES);
    return fail(&s->env, rc, s->dir, "no root is known for the lineage %s", hex);
}

static int write_root(struct rsp_state *s, const uint8_t lineage[ID_BYTES], const struct rsp_public *root)
{
    char path[STATE_PATH_MAX], text[RSP_PUBLIC_TEXT + 1];
    struct rsp_public there;
    size_t n;
    int rc = read_root(s, lineage, &there);
    if (!rc && memcmp(&there, root, sizeof there))
        rc = fail(&s->env, RSP_EEXIST, s->dir, "another root is known for this lineage");
    if (rc != RSP_ENOTFOUND) return rc;
    rc = state_path(s, lineage, NULL, path);
    if (!rc) rc = state_mkdir(s, path);
    if (!rc) rc = state_path(s, lineage, "root.pub", path);
    if (rc) return rc;
    rsp_public_text(root, text);
    n = strlen(text);
    text[n] = '\n';
    return state_write(s, path, text, n + 1);
}

int rsp_state_bind(struct rsp_state *s, const char *url, const struct rsp_public *root, const uint8_t id[16])
{
    uint8_t lineage[ID_BYTES], l[ID_BYTES], i[ID_BYTES];
    struct buf all;
    int fd, rc;
    if (!url_good(url)) return fail(&s->env, RSP_EINVAL, NULL, "a URL is empty, too long, or has control characters");
    buf_init(&all, &s->env);
    rsp_lineage_of(root, lineage);
    fd = state_enter(s, &rc);
    if (rc) return rc;
    rc = find_row(s, url, l, i, &all);
    if (!rc && (memcmp(l, lineage, ID_BYTES) || memcmp(i, id, ID_BYTES)))
        rc = fail(&s->env, RSP_EEXIST, url, "this host knows another repository there: its line stands in %s/repos",
                  s->dir);
    else if (rc == RSP_ENOTFOUND || !rc) {
        int known = !rc;
        rc = write_root(s, lineage, root);
        if (!rc && !known) rc = add_row(s, url, lineage, id, &all);
    }
    state_leave(fd);
    buf_free(&all);
    return rc;
}

/* ---- paths and the lock ---- */

int rsp_state_path(struct rsp_state *s, const uint8_t lineage[16], const char *name, char *out, size_t size)
{
    char path[STATE_PATH_MAX];
    size_t n;
    int rc = state_path(s, lineage, name, path);
    if (rc) return rc;
    n = strlen(path);
    if (n >= size) return fail(&s->env, RSP_ELIMIT, s->dir, "the path of the state directory is too long");
    memcpy(out, path, n + 1);
    return RSP_OK;
}

int rsp_state_lock(struct rsp_state *s, const uint8_t lineage[16])
{
    char path[STATE_PATH_MAX];
    int fd, locked, rc;
    for (int i = 0; i < s->locks_n; i++)
        if (!memcmp(s->locks[i].lineage, lineage, ID_BYTES)) return RSP_OK;
    if (s->locks_n == STATE_LOCKS) return fail(&s->env, RSP_ELIMIT, s->dir, "too many lineages are locked at once");
    rc = state_path(s, lineage, NULL, path);
    if (!rc) rc = state_mkdir(s, path);
    if (!rc) rc = state_path(s, lineage, "lock", path);
    if (rc) return rc;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return fail_errno(&s->env, errno, path, "cannot open the lock");
    do {
        locked = flock(fd, LOCK_EX | LOCK_NB);
    } while (locked && errno == EINTR);
    if (locked) {
        rc = errno == EWOULDBLOCK
                 ? fail(&s->env, RSP_ELOCKED, path,
                        "another expire or prune of this host is under way: run it again when that is done")
                 : fail_errno(&s->env, errno, path, "cannot lock");
        close(fd);
        return rc;
    }
    memcpy(s->locks[s->locks_n].lineage, lineage, ID_BYTES);
    s->locks[s->locks_n++].fd = fd;
    return RSP_OK;
}
