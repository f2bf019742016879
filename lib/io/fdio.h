/* What this is: whole writes and positioned reads of descriptors, and unlinked temporary files.
 * Rests on: base/mem.h.
 * Does not: own a descriptor. */
#ifndef IO_FDIO_H
#define IO_FDIO_H

#include <respite/env.h>

/* Writes all n bytes: short writes, EINTR and a full non-blocking descriptor are seen to. */
int fd_write_all(const struct rsp_env *env, int fd, const char *name, const void *p, size_t n);
int fd_pwrite_all(const struct rsp_env *env, int fd, const char *name, const void *p, size_t n, uint64_t offset);
/* Reads n bytes, all of which must be there. */
int fd_pread_all(const struct rsp_env *env, int fd, const char *name, void *p, size_t n, uint64_t offset);

/* A new file without a name in tmpdir (NULL: $TMPDIR, else /var/tmp, else /tmp), mode 0600. */
int tmpfile_open(const struct rsp_env *env, const char *tmpdir, int *fd);

/* Eight hexadecimal digits, without a terminator, from env's random source. */
int random_hex8(const struct rsp_env *env, char out[8]);

#endif
