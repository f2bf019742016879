/* What this is: what is done on an SFTP server: looks, reads, writes, lists, commands.
 * Rests on: sftp_impl.h, libcurl.
 * Does not: judge (sftp.c), or read lines (sftp_line.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/sftp_impl.h"

#define LIST_BYTES ((size_t)256 << 20) /* of one folder's lines: a million entries and more */
#define READ_LEAST 32768
#define FAULT(code, retryable, ...) client_fault(c->env, code, retryable, 0, c->subject, __VA_ARGS__)
#define SET(option, value)                                          \
    do {                                                            \
        if (!set) set = curl_easy_setopt(x.h->easy, option, value); \
    } while (0)

static int not_taken(const struct sftp_call *c, CURLcode set)
{
    return FAULT(set == CURLE_OUT_OF_MEMORY ? RSP_ENOMEM : RSP_EUNSUPPORTED, 0, "libcurl does not take an option: %s",
                 curl_easy_strerror(set));
}

/* ---- where bytes go ---- */

struct into {
    struct net_handle *h;
    uint8_t *p; /* NULL: into b */
    size_t n, cap;
    struct buf *b;
    int rc; /* why it was ended */
};

static size_t on_body(char *p, size_t one, size_t n, void *opaque)
{
    struct into *to = opaque;
    (void)one;
    if (n > to->cap - to->n) {
        to->rc = RSP_ELIMIT;
        return 0;
    }
    if (to->p) memcpy(to->p + to->n, p, n);
    else to->rc = buf_add(to->b, p, n);
    if (to->rc) return 0;
    to->n += n;
    to->rc = net_handle_moved(to->h, 0, n);
    return to->rc ? 0 : n;
}

/* Drives it into `to`. The callback's own reason is the verdict when it ended it. */
static int receive(struct sftp_exchange *x, struct into *to)
{
    struct rsp_error before = {0};
    struct rsp_env env = *x->c->env;
    struct sftp_call quiet = *x->c;
    const struct sftp_call *c = x->c;
    CURLcode set = curl_easy_setopt(x->h->easy, CURLOPT_WRITEFUNCTION, on_body);
    int rc;
    if (!set) set = curl_easy_setopt(x->h->easy, CURLOPT_WRITEDATA, to);
    if (set) return not_taken(c, set);
    to->h = x->h;
    env.error = &before;
    quiet.env = &env;
    x->c = &quiet;
    rc = sftp_drive(x);
    x->c = c;
    if (!rc) return RSP_OK;
    if (to->rc == RSP_ELIMIT) return RSP_ELIMIT; /* the caller has the words */
    if (to->rc && to->rc != RSP_ECANCELED) return FAULT(to->rc, 0, "cannot keep what came: out of memory");
    return client_fault(c->env, rc, before.retryable, before.sys_errno, c->subject, "%s", before.message);
}

/* ---- looks ---- */

int sftp_look(const struct sftp_call *c, struct sftp_facts *facts)
{
    struct sftp_exchange x;
    CURLcode set = CURLE_OK;
    curl_off_t bytes = -1, mtime = -1;
    int rc = sftp_begin(&x, c, c->path, 0);
    if (!rc) {
        SET(CURLOPT_NOBODY, 1L);
        SET(CURLOPT_FILETIME, 1L);
        rc = set ? not_taken(c, set) : sftp_drive(&x);
    }
    if (!rc) {
        curl_easy_getinfo(x.h->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &bytes);
        curl_easy_getinfo(x.h->easy, CURLINFO_FILETIME_T, &mtime);
        /* Of an empty file libcurl says that it does not know the length: what else it cannot know ends here as well.
         * */
        facts->bytes = bytes < 0 ? 0 : (uint64_t)bytes;
        facts->mtime = mtime;
        if (mtime < 0) rc = FAULT(RSP_EFORMAT, 0, "the server does not tell the file's time");
    }
    sftp_end(&x);
    return rc;
}

int sftp_is_folder(const struct sftp_call *c, int64_t *mtime)
{
    struct sftp_exchange x;
    CURLcode set = CURLE_OK;
    curl_off_t at = -1;
    int rc = sftp_begin(&x, c, c->path, 1);
    if (!rc) {
        SET(CURLOPT_NOBODY, 1L);
        SET(CURLOPT_FILETIME, 1L); /* stays -1 when nothing is found under this path */
        rc = set ? not_taken(c, set) : sftp_drive(&x);
    }
    if (!rc) curl_easy_getinfo(x.h->easy, CURLINFO_FILETIME_T, &at);
    sftp_end(&x);
    if (mtime) *mtime = at;
    return rc ? rc : at >= 0;
}

int sftp_home(const struct sftp_call *c, struct buf *home)
{
    struct sftp_exchange x;
    CURLcode set = CURLE_OK;
    char *path = NULL;
    int rc = sftp_begin(&x, c, "/", 1);
    if (!rc) {
        SET(CURLOPT_NOBODY, 1L);
        rc = set ? not_taken(c, set) : sftp_drive(&x);
    }
    if (!rc) {
        curl_easy_getinfo(x.h->easy, CURLINFO_FTP_ENTRY_PATH, &path);
        if (!path || path[0] != '/') rc = FAULT(RSP_EFORMAT, 0, "the server does not tell the home directory");
        else rc = buf_add(home, path, strlen(path) + 1);
    }
    sftp_end(&x);
    return rc;
}

/* ---- reads ---- */

/* libssh2 asks for four times the buffer ahead, beyond the end of the range too. */
static long buffer_for(const struct sftp_exchange *x, size_t n)
{
    if (x->h->client->options.down_rate) return 0;
    if (n / 8 >= CLIENT_PIECE) return CLIENT_PIECE;
    return n / 8 < READ_LEAST ? READ_LEAST : (long)(n / 8);
}

static int has_length(const struct sftp_exchange *x)
{
    curl_off_t bytes = -1;
    curl_easy_getinfo(x->h->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &bytes);
    return bytes >= 0;
}

int sftp_read(const struct sftp_call *c, uint64_t offset, void *p, size_t n, size_t *got)
{
    struct into to = {.p = p, .cap = n};
    struct sftp_exchange x;
    CURLcode set = CURLE_OK;
    char range[64];
    int rc;
    *got = 0;
    if (offset > INT64_MAX || n > (uint64_t)INT64_MAX - offset) return FAULT(RSP_ETRUNCATED, 0, "has no such range");
    rc = sftp_begin(&x, c, c->path, 0);
    if (!rc) {
        long buffer = buffer_for(&x, n);
        snprintf(range, sizeof range, "%llu-%llu", (unsigned long long)offset, (unsigned long long)(offset + n - 1));
        SET(CURLOPT_RANGE, range);
        if (buffer) SET(CURLOPT_BUFFERSIZE, buffer);
        rc = set ? not_taken(c, set) : receive(&x, &to);
        /* Without the file's length libcurl forgets the range, and reads from the beginning. */
        if (offset && to.n && !has_length(&x)) {
            to.n = 0;
            if (!rc) rc = FAULT(RSP_ENET, 1, "the server did not tell the file's length");
        }
    }
    *got = to.n;
    if (rc == RSP_ELIMIT) rc = FAULT(RSP_EFORMAT, 0, "the server sends more than was asked for");
    if (!rc && to.n < n) rc = FAULT(RSP_ETRUNCATED, 0, "ends before what was asked for");
    sftp_end(&x);
    return rc;
}

int sftp_fetch(const struct sftp_call *c, size_t max, struct buf *out)
{
    struct into to = {.b = out, .cap = max};
    struct sftp_exchange x;
    size_t before = out->n;
    int rc = sftp_begin(&x, c, c->path, 0);
    if (!rc) rc = receive(&x, &to);
    if (rc == RSP_ELIMIT) rc = FAULT(RSP_ELIMIT, 0, "has more than the %zu bytes that were expected", max);
    if (rc) out->n = before;
    sftp_end(&x);
    return rc;
}

int sftp_list(const struct sftp_call *c, struct buf *lines)
{
    struct into to = {.b = lines, .cap = LIST_BYTES};
    struct sftp_exchange x;
    size_t before = lines->n;
    int rc = sftp_begin(&x, c, c->path, 1);
    if (!rc) rc = receive(&x, &to);
    if (rc == RSP_ELIMIT) rc = FAULT(RSP_ELIMIT, 0, "the server's list of this folder does not end");
    if (rc) lines->n = before;
    sftp_end(&x);
    return rc;
}

/* ---- commands ---- */

void sftp_commands_init(struct sftp_commands *l, const struct rsp_env *env)
{
    buf_init(&l->text, env);
}

void sftp_commands_free(struct sftp_commands *l)
{
    buf_free(&l->text);
}

static int add_path(struct buf *b, const char *path)
{
    int rc = buf_add(b, " \"", 2);
    for (; !rc && *path; path++) {
        if (strchr("\"'\\", *path)) rc = buf_byte(b, '\\');
        if (!rc) rc = buf_byte(b, (uint8_t)*path);
    }
    return rc ? rc : buf_byte(b, '"');
}

int sftp_command(struct sftp_commands *l, int may_fail, const char *verb, const char *path, const char *to)
{
    int rc = may_fail ? buf_byte(&l->text, '*') : RSP_OK;
    if (!rc) rc = buf_add(&l->text, verb, strlen(verb));
    if (!rc) rc = add_path(&l->text, path);
    if (!rc && to) rc = add_path(&l->text, to);
    return rc ? rc : buf_byte(&l->text, 0);
}

/* libcurl's own list, borrowed by the handle until the exchange is over. 0: no memory. */
static int slist_of(const struct sftp_commands *l, struct curl_slist **list)
{
    *list = NULL;
    for (size_t at = 0; l && at < l->text.n;) {
        const char *text = (const char *)l->text.p + at;
        struct curl_slist *more = curl_slist_append(*list, text);
        if (!more) {
            curl_slist_free_all(*list);
            *list = NULL;
            return 0;
        }
        *list = more;
        at += strlen(text) + 1;
    }
    return 1;
}

static size_t on_nothing(char *p, size_t one, size_t n, void *opaque)
{
    (void)p, (void)one, (void)opaque;
    return n;
}

int sftp_run(const struct sftp_call *c, const struct sftp_commands *l)
{
    struct curl_slist *list = NULL;
    struct sftp_exchange x;
    CURLcode set = CURLE_OK;
    int rc = sftp_begin(&x, c, "/", 1);
    if (!rc && !slist_of(l, &list)) rc = FAULT(RSP_ENOMEM, 0, "out of memory");
    if (!rc) {
        x.h->once = 1;
        SET(CURLOPT_NOBODY, 1L);
        SET(CURLOPT_QUOTE, list);
        rc = set ? not_taken(c, set) : sftp_drive(&x);
    }
    sftp_end(&x);
    curl_slist_free_all(list);
    return rc;
}

/* ---- writes ---- */

struct from {
    struct net_handle *h;
    const uint8_t *p;
    size_t n, at;
};

static size_t on_ask(char *out, size_t one, size_t cap, void *opaque)
{
    struct from *f = opaque;
    size_t n = f->n - f->at;
    (void)one;
    if (n > cap) n = cap;
    if (n > f->h->piece) n = f->h->piece;
    if (!n) return 0;
    memcpy(out, f->p + f->at, n);
    f->at += n;
    return net_handle_moved(f->h, n, 0) ? CURL_READFUNC_ABORT : n;
}

/* To the offset that is written at, which is where our bytes begin. */
static int on_seek(void *opaque, curl_off_t offset, int origin)
{
    struct from *f = opaque;
    (void)offset, (void)origin;
    f->at = 0;
    return CURL_SEEKFUNC_OK;
}

static CURLcode set_put(struct net_handle *h, struct from *f, uint64_t offset)
{
    struct sftp_exchange x = {.h = h};
    CURLcode set = CURLE_OK;
    h->once = 1;
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, on_ask);
    SET(CURLOPT_READDATA, f);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, f);
    SET(CURLOPT_WRITEFUNCTION, on_nothing);
    SET(CURLOPT_NEW_FILE_PERMS, 0600L);
    SET(CURLOPT_NEW_DIRECTORY_PERMS, 0700L);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)(offset + f->n)); /* libcurl takes the offset off */
    SET(CURLOPT_RESUME_FROM_LARGE, (curl_off_t)offset);
    return set;
}

int sftp_put(const struct sftp_call *c, uint64_t offset, const void *p, size_t n, const struct sftp_commands *before,
             const struct sftp_commands *after, int *after_failed)
{
    struct from f = {.p = p, .n = n};
    struct curl_slist *first = NULL, *last = NULL;
    struct sftp_exchange x;
    CURLcode set = CURLE_OK;
    curl_off_t sent = 0;
    int rc;
    if (after_failed) *after_failed = 0;
    if (offset > INT64_MAX || n > (uint64_t)INT64_MAX - offset) return FAULT(RSP_ELIMIT, 0, "too large for a file");
    rc = sftp_begin(&x, c, c->path, 0);
    if (!rc && (!slist_of(before, &first) || !slist_of(after, &last))) rc = FAULT(RSP_ENOMEM, 0, "out of memory");
    if (!rc) {
        f.h = x.h;
        set = set_put(x.h, &f, offset);
        SET(CURLOPT_QUOTE, first);
        SET(CURLOPT_POSTQUOTE, last);
        rc = set ? not_taken(c, set) : sftp_drive(&x);
        curl_easy_getinfo(x.h->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
        if (!rc && (uint64_t)sent != n) rc = FAULT(RSP_ENET, 1, "not all bytes went out");
        if (rc && after_failed && last && x.code == CURLE_QUOTE_ERROR && f.at == n && (uint64_t)sent == n)
            *after_failed = 1;
    }
    sftp_end(&x);
    curl_slist_free_all(first);
    curl_slist_free_all(last);
    return rc;
}

/* ---- space ---- */

struct room {
    uint64_t unit, blocks;
    int seen;
};

/* libcurl hands the answer on as a header: lines of "f_frsize: 4096". */
static size_t on_space(char *p, size_t one, size_t n, void *opaque)
{
    struct room *r = opaque;
    char text[1024];
    const char *unit, *blocks;
    (void)one;
    if (n >= sizeof text) return n;
    memcpy(text, p, n);
    text[n] = 0;
    unit = strstr(text, "f_frsize: ");
    blocks = strstr(text, "f_bavail: ");
    if (!unit || !blocks) return n;
    r->unit = strtoull(unit + 10, NULL, 10);
    r->blocks = strtoull(blocks + 10, NULL, 10);
    r->seen = 1;
    return n;
}

int sftp_space(const struct sftp_call *c, uint64_t *bytes)
{
    struct room room = {0};
    struct sftp_commands l;
    struct curl_slist *list = NULL;
    struct sftp_exchange x;
    CURLcode set = CURLE_OK;
    int rc = sftp_begin(&x, c, "/", 1);
    sftp_commands_init(&l, c->env);
    if (!rc) rc = sftp_command(&l, 1, "statvfs", c->path, NULL);
    if (!rc && !slist_of(&l, &list)) rc = FAULT(RSP_ENOMEM, 0, "out of memory");
    if (!rc) {
        SET(CURLOPT_NOBODY, 1L);
        SET(CURLOPT_QUOTE, list);
        SET(CURLOPT_HEADERFUNCTION, on_space);
        SET(CURLOPT_HEADERDATA, &room);
        rc = set ? not_taken(c, set) : sftp_drive(&x);
    }
    sftp_end(&x);
    curl_slist_free_all(list);
    sftp_commands_free(&l);
    if (rc) return rc;
    if (!room.seen || !room.unit) return FAULT(RSP_EUNSUPPORTED, 0, "the server does not tell its free space");
    *bytes = room.blocks > UINT64_MAX / room.unit ? UINT64_MAX : room.blocks * room.unit;
    return RSP_OK;
}
