/* What this is: what a host has seen of a repository: the heads of its logs, and roles records.
 * Rests on: state_impl.h.
 * Does not: judge them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "repo/state_impl.h"

#define HEADS_MAX (64u << 20)
#define HEAD_LINE (2 * ID_BYTES + 1 + 1 + 2 * HASH_BYTES) /* and the digits of seq */

/* ---- heads/<repository id>: "source seq hash", a line each, sorted ---- */

static int heads_path(struct rsp_state *s, const uint8_t *lineage, const uint8_t *repository, char *path)
{
    char name[8 + 2 * ID_BYTES];
    memcpy(name, "heads/", 6);
    hex_text(name + 6, repository, ID_BYTES);
    return state_path(s, lineage, name, path);
}

static int head_parse(struct rsp_span line, struct seen_head *head)
{
    const char *p = (const char *)line.p;
    size_t at = 2 * ID_BYTES + 1, digits;
    if (line.n <= HEAD_LINE || line.n > HEAD_LINE + 10) return 0;
    digits = line.n - HEAD_LINE;
    if (p[at - 1] != ' ' || p[at + digits] != ' ' || !hex_parse(p, 2 * ID_BYTES, head->source, ID_BYTES)) return 0;
    head->seq = 0;
    for (size_t i = at; i < at + digits; i++) {
        if (p[i] < '0' || p[i] > '9') return 0;
        head->seq = head->seq * 10 + (unsigned)(p[i] - '0');
    }
    return hex_parse(p + at + digits + 1, 2 * HASH_BYTES, head->hash, HASH_BYTES);
}

static int parse_heads(struct rsp_state *s, const char *path, const struct buf *text, struct seen_head **heads,
                       size_t *n)
{
    struct rsp_span line;
    const uint8_t *p = text->p;
    size_t left = text->n, lines = 0, i = 0;
    while (state_line(&p, &left, &line)) lines++;
    if (!lines) return RSP_OK;
    *heads = mem_alloc(&s->env, lines * sizeof **heads);
    if (!*heads) return RSP_ENOMEM;
    *n = lines;
    p = text->p;
    left = text->n;
    for (; state_line(&p, &left, &line); i++)
        if (!head_parse(line, &(*heads)[i])) {
            mem_free(&s->env, *heads, lines * sizeof **heads);
            *heads = NULL;
            *n = 0;
            return fail(&s->env, RSP_EFORMAT, path,
                        "line %zu is not of the form \"source seq hash\": what was seen of the repository is not known "
                        "any more; remove the file to begin anew",
                        i + 1);
        }
    return RSP_OK;
}

int state_heads_load(struct rsp_state *s, const uint8_t lineage[ID_BYTES], const uint8_t repository[ID_BYTES],
                     struct seen_head **heads, size_t *n)
{
    char path[STATE_PATH_MAX];
    struct buf text;
    int rc = heads_path(s, lineage, repository, path);
    *heads = NULL;
    *n = 0;
    buf_init(&text, &s->env);
    if (!rc) rc = state_read(s, path, HEADS_MAX, &text);
    if (!rc) rc = parse_heads(s, path, &text, heads, n);
    buf_free(&text);
    return rc == RSP_ENOTFOUND ? RSP_OK : rc;
}

static int head_order(const void *a, const void *b)
{
    const struct seen_head *x = a, *y = b;
    int c = memcmp(x->source, y->source, ID_BYTES);
    if (!c && x->seq != y->seq) c = x->seq < y->seq ? -1 : 1;
    return c ? c : memcmp(x->hash, y->hash, HASH_BYTES);
}

static int heads_text(struct buf *out, const struct seen_head *heads, size_t n)
{
    char source[2 * ID_BYTES + 1], hash[2 * HASH_BYTES + 1], line[HEAD_LINE + 24];
    int rc = RSP_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        int len;
        hex_text(source, heads[i].source, ID_BYTES);
        hex_text(hash, heads[i].hash, HASH_BYTES);
        len = snprintf(line, sizeof line, "%s %llu %s\n", source, (unsigned long long)heads[i].seq, hash);
        rc = buf_add(out, line, (size_t)len);
    }
    return rc;
}

int state_heads_save(struct rsp_state *s, const uint8_t lineage[ID_BYTES], const uint8_t repository[ID_BYTES],
                     const struct seen_head *heads, size_t n)
{
    char path[STATE_PATH_MAX];
    struct seen_head *sorted = NULL;
    struct buf text;
    int rc = state_path(s, lineage, "heads", path);
    buf_init(&text, &s->env);
    if (!rc) rc = state_mkdir(s, path);
    if (!rc) rc = heads_path(s, lineage, repository, path);
    if (!rc && n) {
        sorted = mem_alloc(&s->env, n * sizeof *sorted);
        rc = sorted ? RSP_OK : RSP_ENOMEM;
        if (!rc) {
            memcpy(sorted, heads, n * sizeof *sorted);
            qsort(sorted, n, sizeof *sorted, head_order);
            rc = heads_text(&text, sorted, n);
        }
    }
    if (!rc) rc = state_write(s, path, text.n ? (const void *)text.p : "", text.n);
    mem_free(&s->env, sorted, n * sizeof *sorted);
    buf_free(&text);
    return rc;
}

/* ---- roles/<n>-<hash> ---- */

static int one_roles(struct rsp_state *s, const uint8_t *lineage, const char *file,
                     int (*each)(void *opaque, struct rsp_span bytes), void *opaque)
{
    char path[STATE_PATH_MAX], name[NAME_MAX_BYTES];
    uint8_t hash[HASH_BYTES], made[HASH_BYTES];
    uint64_t n;
    struct buf bytes;
    int rc;
    if (!name_roles_parse(file, &n, hash)) return RSP_OK; /* a leftover of a write that died */
    name_roles(name, n, hash);
    buf_init(&bytes, &s->env);
    rc = state_path(s, lineage, name, path);
    if (!rc) rc = state_read(s, path, RECORD_MAX, &bytes);
    if (!rc) {
        hash256(made, bytes.p, bytes.n);
        if (memcmp(made, hash, HASH_BYTES))
            log_line(&s->env, RSP_LOG_WARN, "%s is damaged and is passed over; remove it", path);
        else rc = each(opaque, (struct rsp_span){bytes.p, bytes.n});
    } else if (rc == RSP_ENOTFOUND) {
        rc = RSP_OK; /* somebody removed it just now */
    }
    buf_free(&bytes);
    return rc;
}

int state_roles_each(struct rsp_state *s, const uint8_t lineage[ID_BYTES],
                     int (*each)(void *opaque, struct rsp_span bytes), void *opaque)
{
    char path[STATE_PATH_MAX];
    struct dirent *e;
    DIR *d;
    int rc = state_path(s, lineage, "roles", path);
    if (rc) return rc;
    d = opendir(path);
    if (!d) return errno == ENOENT ? RSP_OK : fail_errno(&s->env, errno, path, "cannot open the folder");
    for (;;) {
        errno = 0;
        e = readdir(d);
        if (!e && errno) rc = fail_errno(&s->env, errno, path, "cannot list the folder");
        if (!e || rc) break;
        rc = one_roles(s, lineage, e->d_name, each, opaque);
        if (rc) break;
    }
    closedir(d);
    return rc;
}

int state_roles_save(struct rsp_state *s, const struct rsp_roles *roles)
{
    char path[STATE_PATH_MAX], name[NAME_MAX_BYTES];
    struct stat st;
    int rc = state_path(s, roles->lineage, "roles", path);
    if (!rc) rc = state_mkdir(s, path);
    name_roles(name, roles->n, roles->hash);
    if (!rc) rc = state_path(s, roles->lineage, name, path);
    if (rc) return rc;
    if (!stat(path, &st) && S_ISREG(st.st_mode) && (uint64_t)st.st_size == roles->bytes_n) return RSP_OK;
    return state_write(s, path, roles->bytes, roles->bytes_n);
}
