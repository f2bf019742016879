/* What this is: allocation and error words through an env.
 * Rests on: respite/env.h.
 * Does not: allocate behind the env's back. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>

#include <respite/env.h>

/* Copies *env (NULL: all defaults) into *out and fills in the defaults, so that every member of
 * out can be used. Reads no more than env->size bytes. */
void env_init(struct rsp_env *out, const struct rsp_env *env);

void *mem_alloc(const struct rsp_env *env, size_t n); /* n > 0; not cleared; NULL, and RSP_ENOMEM is written */
void *mem_zero(const struct rsp_env *env, size_t n);  /* cleared */
void *mem_resize(const struct rsp_env *env, void *p, size_t old_n, size_t new_n);
void mem_free(const struct rsp_env *env, void *p, size_t n); /* p may be NULL */
char *mem_strdup(const struct rsp_env *env, const char *s);  /* freed with n = strlen + 1 */

/* Writes code and words into env's record unless it already holds a fault, and returns code.
 * subject may be NULL. */
int fail(const struct rsp_env *env, int code, const char *subject, const char *format, ...) RSP_PRINTF(4, 5);
/* As fail, with the byte offset of the fault. */
int fail_at(const struct rsp_env *env, int code, const char *subject, uint64_t offset, const char *format, ...)
    RSP_PRINTF(5, 6);
/* As fail, with errno: picks RSP_ENOTFOUND, RSP_EPERM, RSP_ENOSPACE, RSP_EEXIST or RSP_EIO by it. */
int fail_errno(const struct rsp_env *env, int err, const char *subject, const char *format, ...) RSP_PRINTF(4, 5);
/* Appends a line to the trail. Returns code, so that "return trail(env, rc, ...)" reads well. */
int trail(const struct rsp_env *env, int code, const char *format, ...) RSP_PRINTF(3, 4);
void log_line(const struct rsp_env *env, int level, const char *format, ...) RSP_PRINTF(3, 4);
/* Copies bytes into out as printable text: others become \xHH; cut with "..." when too long. */
void printable(char *out, size_t size, const uint8_t *p, size_t n);

#endif
