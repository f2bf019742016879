/* What this is: allocation through an env, and its error record.
 * Rests on: mem.h.
 * Does not: print. */
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define DEFAULT_ALLOC_BYTES (1ULL << 30)
#define DEFAULT_KEY_BYTES (512ULL << 20)
#define DEFAULT_EXPAND_RATIO 2000

static void *libc_resize(void *opaque, void *ptr, size_t old_size, size_t new_size)
{
    (void)opaque;
    (void)old_size;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_size);
}

static int64_t system_now_ms(void *opaque)
{
    struct timespec t;
    (void)opaque;
    if (clock_gettime(CLOCK_REALTIME, &t)) return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int system_random(void *opaque, void *bytes, size_t n)
{
    uint8_t *p = bytes;
    (void)opaque;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return RSP_EIO;
        p += got;
        n -= (size_t)got;
    }
    return RSP_OK;
}

void env_init(struct rsp_env *out, const struct rsp_env *env)
{
    memset(out, 0, sizeof *out);
    if (env) {
        size_t n = env->size && env->size < sizeof *out ? env->size : sizeof *out;
        memcpy(out, env, n);
    }
    out->size = sizeof *out;
    if (!out->resize) out->resize = libc_resize;
    if (!out->now_ms) out->now_ms = system_now_ms;
    if (!out->random) out->random = system_random;
    if (!out->limits.alloc_bytes) out->limits.alloc_bytes = DEFAULT_ALLOC_BYTES;
    if (!out->limits.key_bytes) out->limits.key_bytes = DEFAULT_KEY_BYTES;
    if (!out->limits.expand_ratio) out->limits.expand_ratio = DEFAULT_EXPAND_RATIO;
}

void *mem_alloc(const struct rsp_env *env, size_t n)
{
    void *p = env->resize(env->resize_opaque, NULL, 0, n);
    if (!p) fail(env, RSP_ENOMEM, NULL, "cannot allocate %zu bytes", n);
    return p;
}

void *mem_zero(const struct rsp_env *env, size_t n)
{
    void *p = mem_alloc(env, n);
    if (p) memset(p, 0, n);
    return p;
}

void *mem_resize(const struct rsp_env *env, void *p, size_t old_n, size_t new_n)
{
    void *q = env->resize(env->resize_opaque, p, old_n, new_n);
    if (!q) fail(env, RSP_ENOMEM, NULL, "cannot allocate %zu bytes", new_n);
    return q;
}

void mem_free(const struct rsp_env *env, void *p, size_t n)
{
    if (p) env->resize(env->resize_opaque, p, n, 0);
}

char *mem_strdup(const struct rsp_env *env, const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = mem_alloc(env, n);
    if (p) memcpy(p, s, n);
    return p;
}

static void record(const struct rsp_env *env, int code, int err, const char *subject, const uint64_t *offset,
                   const char *format, va_list args)
{
    struct rsp_error *e = env->error;
    if (!e || e->code) return;
    memset(e, 0, sizeof *e);
    e->code = code;
    e->sys_errno = err;
    if (offset) {
        e->offset = *offset;
        e->has_offset = 1;
    }
    if (subject) snprintf(e->subject, sizeof e->subject, "%s", subject);
    vsnprintf(e->message, sizeof e->message, format, args);
}

int fail(const struct rsp_env *env, int code, const char *subject, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(env, code, 0, subject, NULL, format, args);
    va_end(args);
    return code;
}

int fail_at(const struct rsp_env *env, int code, const char *subject, uint64_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(env, code, 0, subject, &offset, format, args);
    va_end(args);
    return code;
}

static int code_of_errno(int err)
{
    switch (err) {
    case ENOENT:
    case ENOTDIR: return RSP_ENOTFOUND;
    case EACCES:
    case EPERM:
    case EROFS: return RSP_EPERM;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return RSP_ENOSPACE;
    case EEXIST: return RSP_EEXIST;
    case ENOMEM: return RSP_ENOMEM;
    default: return RSP_EIO;
    }
}

int fail_errno(const struct rsp_env *env, int err, const char *subject, const char *format, ...)
{
    int code = code_of_errno(err);
    va_list args;
    va_start(args, format);
    record(env, code, err, subject, NULL, format, args);
    va_end(args);
    return code;
}

int trail(const struct rsp_env *env, int code, const char *format, ...)
{
    struct rsp_error *e = env->error;
    va_list args;
    size_t n;
    if (!e || !e->code) return code;
    n = strlen(e->trail);
    if (n && n + 3 < sizeof e->trail) {
        memcpy(e->trail + n, "; ", 3);
        n += 2;
    }
    va_start(args, format);
    vsnprintf(e->trail + n, sizeof e->trail - n, format, args);
    va_end(args);
    return code;
}

void log_line(const struct rsp_env *env, int level, const char *format, ...)
{
    char line[512];
    va_list args;
    if (!env->log) return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    env->log(env->log_opaque, level, line);
}

void rsp_error_clear(struct rsp_error *error)
{
    if (error) memset(error, 0, sizeof *error);
}

size_t rsp_error_format(const struct rsp_error *error, char *out, size_t size)
{
    char offset[48] = "";
    int n;
    if (!size) return 0;
    if (error->has_offset) snprintf(offset, sizeof offset, " (offset %llu)", (unsigned long long)error->offset);
    n = snprintf(out, size, "%s%s%s%s%s%s%s%s", error->subject, error->subject[0] ? ": " : "",
                 error->message[0] ? error->message : rsp_status_text(error->code), offset,
                 error->sys_errno ? ": " : "", error->sys_errno ? strerror(error->sys_errno) : "",
                 error->trail[0] ? "; " : "", error->trail);
    if (n < 0) n = 0;
    return (size_t)n < size ? (size_t)n : size - 1;
}

void printable(char *out, size_t size, const uint8_t *p, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    if (!size) return;
    for (size_t i = 0; i < n; i++) {
        int plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';
        size_t need = plain ? 1 : 4;
        if (at + need + 4 > size) { /* room for "..." and the terminator */
            for (int k = 0; k < 3 && at + 1 < size; k++) out[at++] = '.';
            break;
        }
        if (plain) {
            out[at++] = (char)p[i];
        } else {
            out[at++] = '\\', out[at++] = 'x';
            out[at++] = hex[p[i] >> 4], out[at++] = hex[p[i] & 15];
        }
    }
    out[at] = 0;
}
